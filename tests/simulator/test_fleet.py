import csv
import time

import pytest

from domain.errors import InputError
from simulator.drive import simulate_drive
from simulator.drive_spec import DriveSpec
from simulator.fleet import plan_fleet, simulate_to_folder
from simulator.fleet_tables import demonstration_vin
from tests.simulator.drives import drive


def rows_of(file):
    with file.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_twenty_minute_drive_takes_well_under_three_seconds():
    began = time.perf_counter()
    simulate_drive(DriveSpec(vin=demonstration_vin("petrol", 5), seed=987))
    assert time.perf_counter() - began < 3.0


def test_a_fleet_without_faults_is_healthy_and_of_every_powertrain_in_turn():
    specs = plan_fleet(vehicles=4, seed=1)
    assert [spec.powertrain for spec in specs] == ["petrol", "ev", "truck", "petrol"]
    assert {spec.fault for spec in specs} == {None}


def test_faults_are_dealt_out_in_turn_and_a_sound_vehicle_may_follow_each():
    asked = ["misfire", "ev_cell_imbalance"]
    assert [spec.fault for spec in plan_fleet(vehicles=3, faults=asked)] == [*asked, "misfire"]
    mixed = plan_fleet(vehicles=4, faults=asked, healthy=True)
    assert [(spec.powertrain, spec.fault) for spec in mixed] == [
        ("petrol", "misfire"), ("petrol", None), ("ev", "ev_cell_imbalance"), ("ev", None),
    ]  # fmt: skip


def test_equal_seeds_plan_equal_fleets_and_vehicles_are_never_the_same():
    assert plan_fleet(vehicles=9, seed=3) == plan_fleet(vehicles=9, seed=3)
    assert plan_fleet(vehicles=9, seed=3) != plan_fleet(vehicles=9, seed=4)
    assert len({spec.vin for spec in plan_fleet(vehicles=50)}) == 50


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"vehicles": 0}, "at least 1"),
        ({"vehicles": 1, "powertrain": "steam"}, "petrol, ev, truck or mixed"),
        ({"vehicles": 1, "powertrain": "ev", "faults": ["misfire"]}, "ev_cell_imbalance"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_what_can(wish, words):
    with pytest.raises(InputError, match=words):
        plan_fleet(**wish)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"duration_s": 30.0}, "too short"),
        ({"cycle": "lunar"}, "city, mixed or highway"),
        ({"fault": "ev_cell_imbalance"}, "no fault"),
        ({"powertrain": "steam"}, "unknown powertrain"),
    ],
)
def test_a_drive_that_cannot_be_simulated_is_refused(fields, words):
    with pytest.raises(InputError, match=words):
        simulate_drive(DriveSpec(vin=demonstration_vin("petrol", 5), **fields))


def test_a_folder_holds_what_replay_needs(tmp_path):
    drives = simulate_to_folder(
        out=tmp_path, vehicles=3, faults=["misfire"], powertrain="petrol", seed=2, minutes=4, healthy=True
    )
    manifest = rows_of(tmp_path / "manifest.csv")
    assert [row["vin"] for row in manifest] == [made.spec.vin for made in drives]
    vehicles = {row["vin"]: row for row in rows_of(tmp_path / "vehicles.csv")}
    for row in manifest:
        assert (tmp_path / row["log"]).stat().st_size > 0
        assert (tmp_path / vehicles[row["vin"]]["profile"]).exists()
        assert row["vin"] not in row["log"]
    labels = rows_of(tmp_path / "labels.csv")
    assert [(row["kind"], row["log"]) for row in labels] == [("misfire", "drive_001.log.gz"), ("misfire", "drive_003.log.gz")]
    assert (tmp_path / "dealers.csv").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="file"):
        simulate_to_folder(out=blocked / "folder", vehicles=1, minutes=4)


def test_labels_stay_out_of_the_frames():
    faulty = drive(fault="misfire")
    assert faulty.labels[0].vin == faulty.spec.vin
    assert faulty.frames.messages.position.tolist() == [0]


@pytest.mark.parametrize("powertrain", ["petrol", "ev", "truck"])
def test_vins_have_17_allowed_signs_and_a_valid_check_digit(powertrain):
    # 49 CFR 565.15: weighted sum modulo 11, X for ten, in the ninth place
    value = {sign: number for group, number in (("AJ", 1), ("BKS", 2), ("CLT", 3), ("DMU", 4), ("ENV", 5), ("FW", 6), ("GPX", 7), ("HY", 8), ("RZ", 9)) for sign in group}  # fmt: skip
    for serial in (1, 42, 9_999_999):
        vin = demonstration_vin(powertrain, serial)
        assert len(vin) == 17
        assert not set(vin) & set("IOQ")
        total = sum((value[s] if s.isalpha() else int(s)) * w for s, w in zip(vin, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), strict=True) if w)  # fmt: skip
        assert vin[8] == ("X" if total % 11 == 10 else str(total % 11))
