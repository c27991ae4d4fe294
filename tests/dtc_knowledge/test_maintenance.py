from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import dtc_knowledge
from domain.care import Quantity
from domain.errors import DataFileError
from domain.fleet import Vehicle
from dtc_knowledge.maintenance import read_plans, shipped_plans

SHIPPED = Path(dtc_knowledge.__file__).parent / "maintenance"
JUNE_2025 = 20_240


@pytest.mark.parametrize("powertrain", ["petrol", "diesel", "hybrid", "ev", "truck"])
def test_every_powertrain_has_a_schedule_in_both_languages(powertrain: str) -> None:
    schedule = shipped_plans().schedule(Vehicle(id="car", powertrain=powertrain))
    assert schedule is not None
    for each in schedule.items:
        assert each.sources
        assert any("\u4e00" <= letter <= "\u9fff" for letter in each.item.title.zh), each.item.id
        assert any("\u4e00" <= letter <= "\u9fff" for letter in each.item.advice.zh), each.item.id


def test_severe_use_is_never_milder() -> None:
    for _, schedule in shipped_plans().schedules:
        for each in schedule.items:
            normal = dict(each.normal.limits)
            assert all(limit <= normal.get(quantity, limit) for quantity, limit in each.severe.limits), each.item.id


def test_a_vehicle_of_unknown_powertrain_has_none() -> None:
    assert shipped_plans().schedule(Vehicle(id="car")) is None


def test_the_figures_of_the_oil_change() -> None:
    schedule = shipped_plans().schedule(Vehicle(id="car", powertrain="petrol"))
    assert schedule is not None
    oil = next(each for each in schedule.items if each.item.id == "engine-oil")
    assert dict(oil.normal.limits) == {Quantity.DISTANCE: 10_000.0, Quantity.TIME: 365.0}
    assert dict(oil.severe.limits) == {Quantity.DISTANCE: 5_000.0, Quantity.TIME: 183.0}


def test_a_season_comes_every_year() -> None:
    car = Vehicle(id="car", powertrain="ev")
    found = shipped_plans().campaigns(car, JUNE_2025, JUNE_2025 + 800)
    assert [(each.item.id, each.repeats) for each in found] == [
        ("summer-check", 2025),
        ("winter-check", 2025),
        ("summer-check", 2026),
        ("winter-check", 2026),
        ("summer-check", 2027),
    ]


def oem_folder(folder: Path, schedules: str) -> Path:
    folder.mkdir()
    (folder / "falke.yaml").write_text(schedules, encoding="utf-8")
    return folder


FALKE = """schedules:
  - id: falke-one
    en: Falke One
    zh: 猎鹰一号
    brands: [Falke]
    models: [One]
    items:
      - {item: engine-oil, normal: {distance_km: 15000}, severe: {distance_km: 7500}, sources: [estimate]}
campaigns:
  - {item: brake-pads, brands: [Falke], years: [2024], from: "2025-06-01", until: "2026-06-01", recall: true, sources: [estimate]}
"""


def test_a_makers_own_file_wins_for_its_model(tmp_path: Path) -> None:
    plans = shipped_plans([oem_folder(tmp_path / "oem", FALKE)])
    car = Vehicle(id="car", brand="Falke", model="One", year=2024, powertrain="petrol")
    schedule, other = plans.schedule(car), plans.schedule(Vehicle(id="car", brand="Falke", model="Two", powertrain="petrol"))
    assert schedule is not None
    assert other is not None
    assert (schedule.id, other.id) == ("falke-one", "petrol")
    recall = next(each for each in plans.campaigns(car, JUNE_2025, JUNE_2025) if each.urgent)
    assert recall.item.id == "brake-pads"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("item: engine-oil", "item: engine-oyl", "falke.yaml:8: unknown item 'engine-oyl'"),
        ("sources: [estimate]}\ncampaigns", "sources: [hearsay]}\ncampaigns", "falke.yaml:8: unknown source 'hearsay'"),
        ("id: falke-one", "id: petrol", "falke.yaml:2: schedule 'petrol' stands twice"),
        ("distance_km: 15000", "distance_km: -1", "falke.yaml:8: items.0.normal.distance_km"),
        ("distance_km: 15000", "distance: 15000", "falke.yaml:8: items.0.normal.distance"),
        ("{distance_km: 15000}", "{}", "an interval needs a limit"),
        ('"2026-06-01"', '"2024-06-01"', "falke.yaml:10: ends before it begins"),
        ('"2025-06-01"', '"06-31"', "falke.yaml:10: 06-31 is no day"),
        ('"2025-06-01"', '"06-01"', "falke.yaml:10: one day has a year"),
        ("zh: 猎鹰一号", "zh: ''", "falke.yaml:4: "),
    ],
)
def test_each_mistake_is_named_with_file_and_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in FALKE
    with pytest.raises(DataFileError) as caught:
        shipped_plans([oem_folder(tmp_path / "oem", FALKE.replace(old, new, 1))])
    assert words.replace("items.0", "schedules.0.items.0") in str(caught.value)


def test_an_item_that_stands_twice_is_refused(tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    shutil.copy(SHIPPED / "items.yaml", again)
    with pytest.raises(DataFileError, match="item 'engine-oil' stands twice"):
        read_plans([SHIPPED, again])
