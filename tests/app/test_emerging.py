"""Emerging issues from a database: what counts, who is told, and that a case stays; and the backtest on simulated fleets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.emerging import found_causes, review_emerging
from app.emerging_backtest import backtest
from domain.emerging import EmergingState
from domain.findings import Cause, Text
from domain.fleet import VaultEntry, Vehicle
from domain.records import Commit, VehicleCase
from domain.repairs import RepairOutcome, RepairResult
from models.emerging.cases import DAY_NS
from simulator.life import BadBatch
from storage.memory_store import MemoryStore
from tests.storage import examples

NOW_NS = 20_400 * DAY_NS
PUMP = Cause(id="worn_water_pump", pattern="p", title=Text(en="Worn pump", zh="水泵磨损"), probability=0.8)


def car(number: int) -> Vehicle:
    lot = "BAD" if number < 12 else f"L{number % 15}"
    return Vehicle(id=f"v{number}", model="A3", year=2024, lots=(("water_pump", lot),), region="cn", software=f"s{number % 3}")


def diagnosed(number: int, cause: Cause, day: int) -> VehicleCase:
    told = examples.recommendation(f"incident-{number}", car=f"v{number}")
    return VehicleCase(vehicle=f"v{number}", recommendations=(replace(told, causes=(cause,), time_ns=day * DAY_NS),))


def filled(count: int = 9, cause: Cause = PUMP) -> MemoryStore:
    """300 cars of which 12 have parts of a bad lot; `count` of those, and four others, have a worn pump."""
    store = MemoryStore()
    store.register((car(number), VaultEntry(vehicle=f"v{number}", vin="")) for number in range(300))
    failed = [*range(count), 100, 140, 180, 220]
    store.commit(Commit(cases=tuple(diagnosed(number, cause, 20_300 + place) for place, number in enumerate(failed))))
    return store


def test_a_bad_lot_is_raised_told_once_and_kept() -> None:
    store = filled()
    (case,) = review_emerging(store, NOW_NS)
    assert case.group == (("lot.water_pump", "BAD"),)
    assert (case.title, len(case.vehicles), case.at_risk) == (PUMP.title, 9, 12)
    assert store.emerging_cases() == (case,)
    assert review_emerging(store, NOW_NS + DAY_NS) == ()
    (note,) = store.outbox_events()
    assert (note.type, note.recipient, note.channel) == ("emerging.raised", "quality", "log")
    assert "v0" not in note.body


def test_a_case_grows_until_a_person_closes_it() -> None:
    store = filled()
    (case,) = review_emerging(store, NOW_NS)
    store.commit(Commit(cases=(diagnosed(10, PUMP, 20_390),)))
    review_emerging(store, NOW_NS)
    (grown,) = store.emerging_cases()
    assert (len(grown.vehicles), grown.opened_ns) == (10, case.opened_ns)
    closed = replace(grown, state=EmergingState.CLOSED, closed_by="a", note="recall")
    assert store.change_emerging((grown,), (closed,))
    store.commit(Commit(cases=(diagnosed(11, PUMP, 20_395),)))
    assert review_emerging(store, NOW_NS) == ()
    assert store.emerging_cases() == (closed,)


def test_an_unlikely_diagnosis_does_not_count() -> None:
    assert found_causes(filled(cause=replace(PUMP, probability=0.4)))[1] == []


@pytest.mark.parametrize(
    ("result", "cause", "counted"),
    [(RepairResult.NO_FAULT, "", None), (RepairResult.OTHER_CAUSE, "", None), (RepairResult.FOUND, "leak", "leak")],
)
def test_the_workshop_knows_better_than_the_diagnosis(result: RepairResult, cause: str, counted: str | None) -> None:
    store = filled(count=1)
    order = replace(examples.order(car="v0"), incidents=("incident-0",))
    store.commit(Commit(cases=(replace(diagnosed(0, PUMP, 20_300), orders=(order,)),)))
    store.save_outcome(RepairOutcome(order=order.id, result=result, pattern="", cause=cause, author="d", note="", created_ns=1))
    found = {each.vehicle: each.cause for each in found_causes(store)[1]}
    assert found.get("v0") == counted


def test_bad_batches_of_simulated_fleets_are_raised_in_time() -> None:
    told: dict[str, Any] = backtest(
        fleets=1,
        cars=400,
        days=365,
        seed=41,
        parameters="development",
        batch=BadBatch(component="battery_12v", hazard=60.0, share=0.04),
    )
    assert (told["raised"], told["too_late"]) == (1.0, 0)
    assert told["failures_until_raised"][1] < 15
    assert told["false_cases"] <= 1
