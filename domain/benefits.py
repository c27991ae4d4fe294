"""Benefits: what makes work cheaper for an owner, offered by the maker or dealer and held by a vehicle."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from domain.findings import Text
from domain.quotes import QuoteLine


class BenefitKind(StrEnum):
    """In the order in which they are taken."""

    PACKAGE = "package"
    """Work that was paid for before, so many times."""
    WARRANTY_EXTENSION = "warranty_extension"
    COUPON = "coupon"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a benefit does.

    Attributes:
        operations: patterns of the work that it is for (`replace-*`). share: of a line it takes off at most (0 to 1, decimal string).
        amount: it takes off per unit (decimal string), "" = the whole share. units: a grant has, unless it says otherwise.
    """

    id: str
    kind: BenefitKind
    name: Text
    operations: tuple[str, ...]
    share: str
    amount: str
    units: int


class GrantState(StrEnum):
    """Whether anything is left."""

    OPEN = "open"
    SPENT = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A benefit that a vehicle holds: `left` units until `due_ns` (wall time)."""

    id: str
    vehicle: str
    offer: str
    left: int
    author: str
    created_ns: int
    due_ns: int
    state: GrantState = GrantState.OPEN

    @property
    def order(self) -> str:
        """Of none."""
        return ""


class Benefits(Protocol):
    """Who knows what makes a quote cheaper: the product's own offers, or a loyalty system behind the same contract."""

    def offers(self) -> Sequence[Offer]:
        """All offers, by id."""

    def apply(self, lines: Sequence[QuoteLine], grants: Collection[Grant], now_ns: int) -> tuple[QuoteLine, ...]:
        """The lines with their adjustments, each naming the grant and how many of its units it takes; no unit is taken twice."""


def spent(grants: Iterable[Grant], lines: Iterable[QuoteLine]) -> tuple[Grant, ...]:
    """Those of the grants from which these lines took something, with what is left; never less than nothing."""
    taken: dict[str, int] = {}
    for line in lines:
        for each in line.adjustments:
            taken[each.grant] = taken.get(each.grant, 0) + each.units
    changed = ((grant, max(0, grant.left - taken[grant.id])) for grant in grants if grant.id in taken)
    return tuple(replace(grant, left=left, state=GrantState.OPEN if left else GrantState.SPENT) for grant, left in changed)
