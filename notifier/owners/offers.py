"""The product's own benefits: offers as a validated data file (`benefits.yaml`); implements `domain.benefits.Benefits`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from datafiles import load_yaml, validate
from domain.benefits import BenefitKind, Grant, GrantState, Offer
from domain.errors import DataFileError
from domain.findings import Text
from domain.money import cents
from domain.quotes import Adjustment, QuoteLine
from notifier.owners.pricing import line_amounts

SHIPPED = Path(__file__).with_name("benefits.yaml")
_KINDS = list(BenefitKind)


class OfferBook:
    """Takes packages first, then extended warranties, coupons and points; of one kind what ends first.

    Each takes at most its share of the line as it is without benefits, and all together no more than the line. Lines that are needed come before optional ones. What
    others bear already (a warranty) takes no benefit.
    """

    def __init__(self, offers: Collection[Offer]) -> None:
        self._offers = {offer.id: offer for offer in sorted(offers, key=lambda offer: offer.id)}

    def offers(self) -> Sequence[Offer]:
        """All offers, by id."""
        return tuple(self._offers.values())

    def apply(self, lines: Sequence[QuoteLine], grants: Collection[Grant], now_ns: int) -> tuple[QuoteLine, ...]:
        """The lines with their adjustments in the place of any that they had."""
        held = [each for each in grants if each.offer in self._offers and each.state is GrantState.OPEN and each.due_ns > now_ns]
        held.sort(key=lambda each: (_KINDS.index(self._offers[each.offer].kind), each.due_ns, each.id))
        left = Counter({grant.id: grant.left for grant in held})
        adjusted = {
            line.line: self._adjusted(replace(line, adjustments=()), held, left)
            for line in sorted(lines, key=lambda line: (line.optional, line.line))
        }
        return tuple(adjusted[line.line] for line in lines)

    def _adjusted(self, line: QuoteLine, held: Sequence[Grant], left: Counter[str]) -> QuoteLine:
        if Decimal(line.covered_share) == 1:
            return line
        amounts = line_amounts(line, "0")
        whole = amounts.labour + amounts.parts
        rest, made = whole, []
        for grant in held:
            offer = self._offers[grant.offer]
            if not any(fnmatchcase(line.operation, pattern) for pattern in offer.operations):
                continue
            most = min(rest, cents(whole * Decimal(offer.share)))
            units, amount = _taken(offer, most, left[grant.id])
            if units and amount:
                left[grant.id] -= units
                rest -= amount
                made.append(
                    Adjustment(
                        kind=offer.kind.value, offer=offer.id, name=offer.name, amount=str(amount), grant=grant.id, units=units
                    )
                )
        return replace(line, adjustments=tuple(made))


def _taken(offer: Offer, most: Decimal, left: int) -> tuple[int, Decimal]:
    """(units, amount) that an offer takes off a line of which it may take `most`: of points as many as fit, else one unit."""
    if not left or not most:
        return 0, most
    if not offer.amount:
        return 1, most
    unit = Decimal(offer.amount)
    if offer.kind is not BenefitKind.POINTS:
        return 1, min(unit, most)
    units = min(left, int((most / unit).to_integral_value(ROUND_DOWN)))
    return units, cents(unit * units)


class _Name(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]


class _Offer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    kind: BenefitKind
    name: _Name
    operations: Annotated[list[str], Field(min_length=1)]
    share: Annotated[str, Field(pattern=r"^(0\.\d{1,4}|1)$")]
    amount: Annotated[str, Field(pattern=r"^\d{1,7}\.\d{2}$")] = ""
    units: Annotated[int, Field(ge=1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: Annotated[str, Field(min_length=1)]
    offers: list[_Offer]


def load_offers(file: Path) -> OfferBook:
    """The offers of a file.

    Raises:
        DataFileError: not valid, an id stands twice, or points have no amount; names file, line and mend.
    """
    read = validate(_File, load_yaml(file)).offers
    for name, times in Counter(offer.id for offer in read).items():
        if times > 1:
            raise DataFileError(f"the offer {name!r} stands {times} times", file=file, mend="give each an id of its own")
    for offer in read:
        if offer.kind is BenefitKind.POINTS and not float(offer.amount or 0):
            raise DataFileError(f"the offer {offer.id!r} has no amount per point", file=file, mend="add amount")
    return OfferBook(
        [Offer(**{**offer.model_dump(), "name": _text(offer.name), "operations": tuple(offer.operations)}) for offer in read]
    )


def _text(name: _Name) -> Text:
    return Text(en=name.en, zh=name.zh)
