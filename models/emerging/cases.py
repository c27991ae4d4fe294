"""Raises a case where a group's rate of one root cause is more than a tolerated multiple of that of comparable vehicles.

Each first failure of a vehicle is a draw from those that could have failed then (same model and age band, none before): at equal rates it falls into
a group with the group's share q, at a rate r times as high with r q / (1 + (r - 1) q). The product of the likelihood ratios, averaged
over several r, is an e-process: whatever the rate up to the tolerated one, and however often one looks, it ever reaches 1/a with
probability a at most (Ville's inequality; Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference", 2023). The a of
all (cause, group) pairs sum to the false cases that are put up with, and nothing need be known of base rates.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from domain.emerging import EmergingCase, EmergingState, Group
from domain.findings import Text
from models.emerging.groups import WEEK_DAYS, Fleet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_NS = 86_400 * 1_000_000_000
WEEKS_SHOWN = 12
_GROWTH_WEEKS = 4
_OWN_LOTS, _SINGLE, _PAIRS = 0.5, 0.35, 0.15
_SAME = 0.5
"""Groups that share so much of their failures (over their union) are one matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCause:
    """A root cause that was found on a vehicle."""

    vehicle: str
    cause: str
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergingRecipe:
    """When a case is raised.

    Attributes:
        tolerated: multiple of the others' rate that is put up with: climates and uses differ.
        multiples: rates that are tried, as multiples. false_cases: chance of any false case that is put up with, over all time.
        least_failures: vehicles that must have failed. causes: how many causes are thought possible at least.
    """

    tolerated: float = 1.5
    multiples: tuple[float, ...] = (4.0, 8.0, 16.0, 32.0, 64.0)
    false_cases: float = 0.5
    least_failures: int = 3
    causes: int = 32


RECIPE = EmergingRecipe()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    vehicle: int
    time_ns: int

    @property
    def day(self) -> int:
        return self.time_ns // DAY_NS


def find_cases(fleet: Fleet, found: Iterable[FoundCause], *, now_ns: int, recipe: EmergingRecipe = RECIPE) -> list[EmergingCase]:
    """Every case that the failures up to now raise, by time of opening.

    Vehicles count once for each cause. Where a group is found, its vehicles are taken out and the rest of the cause is looked at anew, so
    that one bad lot does not accuse every group that its vehicles are part of.
    """
    events: dict[str, list[_Event]] = defaultdict(list)
    seen: set[tuple[str, int]] = set()
    for each in sorted(found, key=lambda one: (one.time_ns, one.vehicle)):
        place = fleet.place.get(each.vehicle)
        if place is not None and each.time_ns <= now_ns and (each.cause, place) not in seen:
            seen.add((each.cause, place))
            events[each.cause].append(_Event(vehicle=place, time_ns=each.time_ns))
    if not fleet.groups:
        return []
    each_cause = recipe.false_cases / max(recipe.causes, len(events))
    cases: list[EmergingCase] = []
    for cause, happened in sorted(events.items()):
        limit = -np.log(each_cause * _budget(fleet.groups, cause))
        cases += _cases_of(fleet, cause, happened, limit, now_ns, recipe)
    return sorted(cases, key=lambda case: (case.opened_ns, case.id))


def _budget(groups: Sequence[Group], cause: str) -> Floats:
    """Share of a cause's false cases that each group may use up [groups]: half goes to lots of the part that the cause is about."""
    kinds = np.array([_kind(group, cause) for group in groups])
    shares = np.array([_OWN_LOTS, _SINGLE, _PAIRS])
    return np.asarray(shares[kinds] / np.bincount(kinds, minlength=len(shares))[kinds])


def _kind(group: Group, cause: str) -> int:
    """0 for a lot of the part that the cause names, 1 for another single attribute, 2 for a pair."""
    if len(group) > 1:
        return 2
    kind, _, part = group[0][0].partition(".")
    return 0 if kind == "lot" and part and part in cause else 1


@dataclass(slots=True, kw_only=True)
class _Bets:
    """The e-process of every group, one failure after the other.

    Attributes:
        logs: log of the likelihood ratio for each multiple [multiples, groups]. failures, shares: failures in each group, and the sum of its
            shares [groups]. crossed: failure at which the limit was first reached, -1 for never; reached: the log evidence then [groups].
    """

    logs: Floats
    failures: Ints
    shares: Floats
    crossed: Ints
    reached: Floats

    @classmethod
    def of(cls, groups: int, recipe: EmergingRecipe) -> _Bets:
        nothing = np.zeros(groups)
        return cls(
            logs=np.zeros((len(recipe.multiples), groups)),
            failures=np.zeros(groups, np.int64),
            shares=nothing.copy(),
            crossed=np.full(groups, -1, np.int64),
            reached=nothing,
        )

    def take(self, number: int, inside: Ints, shares: Floats, limit: Floats, recipe: EmergingRecipe) -> None:
        """Failure `number` fell into these groups, which had these shares of those that could have failed."""
        self.failures[inside] += 1
        self.shares += shares
        least = np.log1p((recipe.tolerated - 1.0) * shares)
        # a stratum that is all of one group says nothing
        tells = (shares > 0.0) & (shares < 1.0)
        for row, multiple in zip(self.logs, recipe.multiples, strict=True):
            step = least - np.log1p((multiple - 1.0) * shares)
            step[inside] += np.log(multiple / recipe.tolerated)
            row[tells] += step[tells]
        evidence = self.evidence()
        new = (self.crossed < 0) & (evidence >= limit) & (self.failures >= recipe.least_failures)
        self.crossed[new] = number
        self.reached[new] = evidence[new]

    def evidence(self) -> Floats:
        """Log of the e-process now [groups]."""
        return np.asarray(np.logaddexp.reduce(self.logs, axis=0) - np.log(len(self.logs)))

    def first(self) -> int | None:
        """The group that was raised first, the best supported one of several; None where none was."""
        raised = np.flatnonzero(self.crossed >= 0)
        if not len(raised):
            return None
        soonest = raised[self.crossed[raised] == self.crossed[raised].min()]
        return int(soonest[self.reached[soonest].argmax()])


def _cases_of(
    fleet: Fleet, cause: str, events: Sequence[_Event], limit: Floats, now_ns: int, recipe: EmergingRecipe
) -> list[EmergingCase]:
    cases: list[EmergingCase] = []
    out = np.zeros(len(fleet.vehicles), np.bool_)
    while len(left := [event for event in events if not out[event.vehicle]]) >= recipe.least_failures:
        bets = _Bets.of(len(fleet.groups), recipe)
        failed = np.array([event.vehicle for event in left], np.int64)
        for number, event in enumerate(left):
            shares = fleet.shares(event.vehicle, event.day, failed[:number], out if cases else None)
            bets.take(number, fleet.groups_of(event.vehicle), shares, limit, recipe)
        group = bets.first()
        if group is None:
            break
        cases.append(_case(fleet, cause, left, group, bets, now_ns))
        out |= fleet.members(group)
    return cases


def _case(fleet: Fleet, cause: str, events: Sequence[_Event], group: int, bets: _Bets, now_ns: int) -> EmergingCase:
    members = fleet.members(group)
    mine = [event for event in events if members[event.vehicle]]
    weeks = np.array([(now_ns - event.time_ns) // (WEEK_DAYS * DAY_NS) for event in mine], np.int64)
    weekly = np.bincount(weeks[weeks < WEEKS_SHOWN], minlength=WEEKS_SHOWN)[::-1]
    latest, before = int(weekly[-_GROWTH_WEEKS:].sum()), int(weekly[-2 * _GROWTH_WEEKS : -_GROWTH_WEEKS].sum())
    expected, ratio = rate_ratio(len(mine), len(events), float(bets.shares[group]) / len(events))
    return EmergingCase(
        id=case_id(cause, fleet.groups[group]),
        cause=cause,
        title=Text(en=cause, zh=cause),
        group=fleet.groups[group],
        state=EmergingState.OPEN,
        opened_ns=events[int(bets.crossed[group])].time_ns,
        updated_ns=mine[-1].time_ns,
        vehicles=tuple(fleet.vehicles[event.vehicle].id for event in mine),
        at_risk=int(members.sum()),
        expected=expected,
        ratio=ratio,
        evidence=float(bets.evidence()[group] / np.log(10.0)),
        weekly=tuple(int(count) for count in weekly),
        growth=latest / before if before else None,
        also=_also(fleet, group, mine, bets),
    )


def _also(fleet: Fleet, group: int, mine: Sequence[_Event], bets: _Bets) -> tuple[Group, ...]:
    """Other groups that would have been raised and hold about the same failures."""
    common = np.zeros(len(fleet.groups), np.int64)
    for event in mine:
        common[fleet.groups_of(event.vehicle)] += 1
    alike = (bets.crossed >= 0) & (common >= _SAME * (bets.failures + len(mine) - common))
    alike[group] = False
    return tuple(fleet.groups[number] for number in np.flatnonzero(alike))


def rate_ratio(inside: int, total: int, share: float) -> tuple[float, tuple[float, float, float]]:
    """(failures that the group would have had at the others' rate, ratio of the rates with its 95 % interval: Clopper and Pearson)."""
    odds = share / (1.0 - share)

    def ratio(part: float) -> float:
        return float("inf") if part >= 1.0 else part / (1.0 - part) / odds

    low = float(betaincinv(inside, total - inside + 1, 0.025)) if inside else 0.0
    high = float(betaincinv(inside + 1, total - inside, 0.975)) if inside < total else 1.0
    return (total - inside) * odds, (ratio(low), ratio(inside / total), ratio(high))


def case_id(cause: str, group: Group) -> str:
    """The same for the same cause and group, however often it is looked for."""
    words = "|".join([cause, *(f"{name}={value}" for name, value in group)])
    return hashlib.sha256(words.encode()).hexdigest()[:24]
