"""Emerging issues of the fleet in a database: what was diagnosed or found, by groups of vehicles, into cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from app.model_notes import note_event
from domain.emerging import EmergingCase, EmergingState
from domain.findings import Recommendation, Text
from domain.fleet import Vehicle
from domain.orders import Order
from domain.records import Commit
from domain.repairs import RepairOutcome, RepairResult
from models.emerging.cases import DAY_NS, RECIPE, EmergingRecipe, FoundCause, find_cases
from models.emerging.groups import Fleet, WatchedVehicle

LIKELY = 0.5
"""A diagnosis counts for its leading cause from this probability on; what a workshop found always counts."""
QUALITY = "quality"
"""Whom a new case is told to."""


class EmergingStore(Protocol):
    """What of the store is read and written."""

    # ruff: noqa: D102 - the stores describe them

    def vehicles(self) -> tuple[Vehicle, ...]: ...

    def recommendations(self) -> tuple[Recommendation, ...]: ...

    def orders(self) -> tuple[Order, ...]: ...

    def outcomes(self) -> tuple[RepairOutcome, ...]: ...

    def emerging_cases(self) -> tuple[EmergingCase, ...]: ...

    def change_emerging(self, before: Sequence[EmergingCase], after: Sequence[EmergingCase]) -> bool: ...

    def commit(self, changes: Commit) -> None: ...


def review_emerging(store: EmergingStore, now_ns: int, recipe: EmergingRecipe = RECIPE) -> tuple[EmergingCase, ...]:
    """Bring the cases of the database up to date, and tell those that are new; gives the new ones.

    A case that was raised stays, whatever comes later; one that a person has closed stays as it was.

    Raises:
        StorageError: the database failed.
    """
    fleet = Fleet(watched_vehicles(store.vehicles(), now_ns))
    titles, found = found_causes(store)
    known = {case.id: case for case in store.emerging_cases()}
    before: list[EmergingCase] = []
    after: list[EmergingCase] = []
    for case in find_cases(fleet, found, now_ns=now_ns, recipe=recipe):
        case = replace(case, title=titles[case.cause])
        stored = known.get(case.id)
        if stored is None:
            after.append(case)
        elif stored.state is EmergingState.OPEN and stored != (again := replace(case, opened_ns=stored.opened_ns)):
            before.append(stored)
            after.append(again)
    new = tuple(case for case in after if case.id not in known)
    if after and store.change_emerging(before, after):
        store.commit(Commit(outbox=tuple(note_event("emerging.raised", case.id, QUALITY, _told(case), now_ns) for case in new)))
    return new


def watched_vehicles(vehicles: Iterable[Vehicle], now_ns: int) -> list[WatchedVehicle]:
    """Registered vehicles with what they share; unknown attributes make no group, an unknown building day is the year's middle."""
    return [
        WatchedVehicle(
            id=vehicle.id,
            model=vehicle.model,
            attributes={
                name: value
                for name, value in (
                    ("build_batch", vehicle.build_batch),
                    ("software", vehicle.software),
                    ("region", vehicle.region),
                    *((f"lot.{component}", lot) for component, lot in vehicle.lots),
                )
                if value
            },
            built_day=_built_day(vehicle),
            from_day=_built_day(vehicle),
            until_day=now_ns // DAY_NS + 1,
        )
        for vehicle in vehicles
    ]


def found_causes(store: EmergingStore) -> tuple[dict[str, Text], list[FoundCause]]:
    """(titles of causes, what was found): the latest word of a workshop on each incident, else a diagnosis that is likely enough."""
    verdicts: dict[str, RepairOutcome] = {}
    latest = {outcome.order: outcome for outcome in store.outcomes()}  # by order and time, the last one counts
    for order in store.orders():
        if order.id in latest:
            verdicts |= dict.fromkeys(order.incidents, latest[order.id])
    titles: dict[str, Text] = {}
    found: list[FoundCause] = []
    for each in store.recommendations():
        named = {cause.id: cause.title for cause in each.causes}
        verdict = verdicts.get(each.incident_id)
        if verdict is not None:
            cause = verdict.cause if verdict.result is RepairResult.FOUND else ""
        else:
            cause = each.causes[0].id if each.causes and each.causes[0].probability >= LIKELY else ""
        if cause:
            titles.setdefault(cause, named.get(cause, Text(en=cause, zh=cause)))
            found.append(FoundCause(vehicle=each.vehicle, cause=cause, time_ns=each.time_ns))
    return titles, found


def _built_day(vehicle: Vehicle) -> int:
    if vehicle.built_day is not None:
        return vehicle.built_day
    return round((vehicle.year - 1970 + 0.5) * 365.25) if vehicle.year else 0


def _told(case: EmergingCase) -> dict[str, object]:
    return {
        "case": case.id,
        "cause": case.cause,
        "group": dict(case.group),
        "failed": len(case.vehicles),
        "at_risk": case.at_risk,
        "evidence": case.evidence,
    }
