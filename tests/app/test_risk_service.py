"""Risks in service: scored by night, drift told to the owner, trained again from what technicians reported, compared live."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from app.model_registry import ModelRegistry, train_into
from app.night_jobs import score_by_night
from app.risk_labels import lives_of
from app.risk_service import RiskService
from app.settings_file import load_settings
from domain.findings import Recommendation
from domain.fleet import VaultEntry, Vehicle
from domain.model_versions import ModelStage
from domain.orders import Order
from domain.records import Commit, VehicleCase
from domain.repairs import RepairOutcome, RepairResult
from models.registry.stages import promoted
from models.risk.components import load_components
from models.risk.hazard import TreeRecipe
from models.risk.lives import DAY_NS, FeatureRows
from models.risk.training import RiskRecipe
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.models.risk.fleets import BATTERY, START_NS, shifted, worn_fleet
from tests.storage import examples
from tests.storage.examples import KEY

NOW_NS = START_NS + 419 * DAY_NS
QUICK = RiskRecipe(trees=TreeRecipe(trees=15, depth=3))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def case(number: int, order: str, incident: str, time_ns: int) -> tuple[Recommendation, Order]:
    car = f"vehicle-{number}"
    told = replace(examples.recommendation(incident, car=car), time_ns=time_ns)
    made = replace(examples.order(order, car=car), incidents=(incident,), created_ns=time_ns, group_key=BATTERY.group_key)
    return told, made


def filled() -> tuple[MemoryStore, FeatureRows]:
    """A fleet whose failures workshops have reported, and its features; vehicles of even numbers are in the north."""
    rows, lives = worn_fleet(vehicles=150)
    store = MemoryStore()
    store.register(
        (Vehicle(id=name, region=("north", "south")[number % 2]), VaultEntry(vehicle=name, vin=""))
        for number, name in enumerate(rows.vehicles)
    )
    by_car: dict[int, list[tuple[Recommendation, Order]]] = {}
    for number, life in enumerate(np.flatnonzero(lives.failed).tolist()):
        car, end = int(lives.vehicle[life]), int(lives.ends_ns[life])
        by_car.setdefault(car, []).append(case(car, f"order-{number}", f"incident-{number}", end))
        store.save_outcome(outcome(f"order-{number}", end + DAY_NS))
    cases = [
        VehicleCase(vehicle=f"vehicle-{car}", recommendations=tuple(r for r, _ in both), orders=tuple(o for _, o in both))
        for car, both in by_car.items()
    ]
    store.commit(Commit(cases=tuple(cases)))
    return store, rows


def outcome(order: str, time_ns: int, cause: str = "battery_aged", result: RepairResult = RepairResult.FOUND) -> RepairOutcome:
    return RepairOutcome(order=order, result=result, pattern="p", cause=cause, author="d", note="", created_ns=time_ns)


def served(store: MemoryStore, folder: Path, visits: int | None = None) -> RiskService:
    registry = ModelRegistry(store, folder)
    return RiskService(store=store, registry=registry, components={"battery_12v": BATTERY}, visits=visits)


def activated(service: RiskService, rows: FeatureRows, seed: int = 1) -> str:
    lives = lives_of(service.store, BATTERY, rows, NOW_NS)
    recipe = replace(QUICK, seed=seed)
    version, _ = train_into(service.registry, rows, lives, BATTERY, recipe, data="d", data_sha256="0", time_ns=seed, actor="a")
    service.registry.change(version.name, lambda known: promoted(known, version.id, time_ns=seed, actor="a", reason="r"))
    return version.id


def test_what_technicians_reported_becomes_labels() -> None:
    store, rows = filled()
    lives = lives_of(store, BATTERY, rows, NOW_NS)
    truth = worn_fleet(vehicles=150)[1]
    assert lives.failed.sum() == (truth.failed & (truth.ends_ns < NOW_NS)).sum()
    assert not lives_of(store, load_components()["alternator"], rows, NOW_NS).failed.any()


@pytest.mark.parametrize(
    ("reported", "ends_day", "failed"),
    [
        (outcome("o", START_NS + 60 * DAY_NS), [50, 419], [True, False]),
        (None, [50], [False]),
        (outcome("o", 1, cause="", result=RepairResult.NO_FAULT), [419], [False]),
        (outcome("o", 1, cause="alternator"), [419], [False]),
    ],
    ids=["found", "not_reported", "no_fault", "another_cause"],
)
def test_an_order_ends_a_life_as_its_report_says(reported: RepairOutcome | None, ends_day: list[int], failed: list[bool]) -> None:
    rows = worn_fleet(vehicles=1)[0]
    store = MemoryStore()
    told, order = case(0, "o", "i", START_NS + 50 * DAY_NS)
    store.commit(Commit(cases=(VehicleCase(vehicle="vehicle-0", recommendations=(told,), orders=(order,)),)))
    if reported is not None:
        store.save_outcome(reported)
    lives = lives_of(store, BATTERY, rows, NOW_NS)
    assert ((lives.ends_ns - START_NS) // DAY_NS).tolist() == ends_day
    assert lives.failed.tolist() == failed


def test_every_vehicle_with_fresh_features_is_scored_by_champion_and_challenger(tmp_path: Path) -> None:
    store, rows = filled()
    service = served(store, tmp_path, visits=2)
    champion = activated(service, rows)
    (challenger,) = service.train_again(rows, NOW_NS, QUICK)
    assert challenger.stage is ModelStage.SHADOW
    found = service.score_fleet(rows, NOW_NS)
    assert {(each.model, each.champion) for each in found} == {(champion, True), (challenger.id, False)}
    assert len(found) == 2 * 150
    assert store.assessments() == tuple(sorted(found, key=lambda each: (each.day, each.vehicle, each.model)))
    for region in (0, 1):
        acting = [each for each in found if each.champion and each.act and int(each.vehicle.split("-")[1]) % 2 == region]
        assert len(acting) <= 2
    service.score_fleet(rows, NOW_NS)
    assert len(store.assessments()) == len(found)


def test_drift_is_reported_by_region_and_its_owner_is_told_only_where_there_is_any(tmp_path: Path) -> None:
    store, rows = filled()
    service = served(store, tmp_path)
    champion = activated(service, rows)
    assert service.watch_drift(rows, NOW_NS) == {champion: ()}
    assert store.outbox_events() == ()
    north = [int(name.split("-")[1]) % 2 == 0 for name in rows.vehicles]
    drifted = service.watch_drift(shifted(rows, north, 1, 3.0), NOW_NS + 1)[champion]
    assert {(each.region, each.feature) for each in drifted} >= {("north", "noise_a")}
    assert not any(each.region == "south" for each in drifted)
    (note,) = store.outbox_events()
    assert (note.type, note.recipient) == ("model.drift", "model_owner")
    assert [json.loads(report.body)["drifted"] != [] for report in store.model_reports(champion, "drift")] == [True, False]


def test_a_challenger_is_compared_with_its_champion_on_what_both_decided(tmp_path: Path) -> None:
    store, rows = filled()
    service = served(store, tmp_path)
    champion = activated(service, rows)
    (challenger,) = service.train_again(rows, NOW_NS, QUICK)
    then_ns = NOW_NS - 60 * DAY_NS
    assert service.compare_live(rows, NOW_NS) == {}
    scored = service.score_fleet(rows, then_ns)
    wrong = [replace(each, probability=1.0 - each.probability) if each.model == challenger.id else each for each in scored]
    store.save_assessments(wrong)
    told = service.compare_live(rows, NOW_NS)[challenger.id]
    assert told["champion"] == champion
    assert told["brier"] > told["brier_champion"]
    assert told["difference_ci"][0] > 0.0
    assert len(store.model_reports(challenger.id, "live")) == 1


def test_without_failures_nothing_is_trained(tmp_path: Path) -> None:
    rows = filled()[1]
    assert served(MemoryStore(), tmp_path).train_again(rows, NOW_NS, QUICK) == []


def test_the_night_says_in_one_line_what_stands_in_its_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = tmp_path / "pitcall.toml"
    config.write_text(f'[models]\nfeatures = "{tmp_path / "none.parquet"}"\n', encoding="utf-8")
    with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=KEY) as store, caplog.at_level(logging.WARNING):
        score_by_night(load_settings(config, {}), store)
    assert "none.parquet: cannot be read as Parquet" in caplog.text


def test_the_night_scores_what_lies_in_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = worn_fleet(vehicles=5)[0]
    table = pd.DataFrame(rows.values, columns=list(rows.features)).assign(vehicle=[rows.vehicles[n] for n in rows.vehicle])
    for name, times in (("event_time", rows.event_ns), ("available_time", rows.available_ns)):
        table[name] = pd.to_datetime(times, utc=True)
    (tmp_path / "features").mkdir()
    for number, part in enumerate((table.iloc[:100], table.iloc[100:])):
        part.to_parquet(tmp_path / "features" / f"{number}.parquet")
    config = tmp_path / "pitcall.toml"
    config.write_text(f'[models]\nfeatures = "{tmp_path / "features"}"\n', encoding="utf-8")
    with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=KEY) as store, caplog.at_level(logging.INFO):
        score_by_night(load_settings(config, {}), store)
    assert [record.message for record in caplog.records if record.name == "app.night_jobs"] == ["vehicles scored"]
