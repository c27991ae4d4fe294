from __future__ import annotations

from app.composition import build_line, load_profiles
from app.line_tally import LineTally
from app.pipeline_process import usable_profiles
from app.vehicle_directory import REFRESH_NS, StoredVehicles, VehicleTable
from domain.fleet import VaultEntry, Vehicle
from ingest.logs import open_log
from storage.memory_store import MemoryStore
from tests.app.live_service import fleet

CAR = "c" * 64


def test_an_unknown_vehicle_is_generic_and_one_registered_later_is_picked_up() -> None:
    store, now = MemoryStore(), [0]
    profiles = usable_profiles([])
    directory = StoredVehicles(store.vehicle, profiles, lambda: now[0])
    assert (directory.profile_of(CAR), directory.powertrain_of(CAR)) == ("", profiles[""].powertrain)
    store.register([(Vehicle(id=CAR, profile="j1939", powertrain="truck"), VaultEntry(vehicle=CAR, vin="V"))])
    assert directory.profile_of(CAR) == "", "looked up again only after a while"
    now[0] = REFRESH_NS
    assert (directory.profile_of(CAR), directory.powertrain_of(CAR)) == ("j1939", "truck")


def test_a_profile_that_is_not_loaded_is_said_once_and_generic_is_used(caplog: object) -> None:
    store = MemoryStore()
    store.register([(Vehicle(id=car, profile="new.yaml"), VaultEntry(vehicle=car, vin=car)) for car in "ab"])
    directory = StoredVehicles(store.vehicle, usable_profiles([]), lambda: 0)
    assert [directory.profile_of(car) for car in "ab"] == ["", ""]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["profile new.yaml is not loaded"]  # type: ignore[attr-defined]


def test_a_profile_that_cannot_be_used_does_not_keep_the_others_from_being_loaded() -> None:
    profiles = usable_profiles([Vehicle(id="a", profile="/no/such.yaml"), Vehicle(id="b", profile="j1939")])
    assert {"", "generic", "j1939", "obd2"} <= set(profiles)
    assert "/no/such.yaml" not in profiles


def test_a_table_answers_as_the_vehicles_were_listed() -> None:
    profiles = usable_profiles([])
    table = VehicleTable([Vehicle(id=CAR, profile="j1939")], profiles)
    assert (table.profile_of(CAR), table.powertrain_of(CAR)) == ("j1939", profiles["j1939"].powertrain)
    assert (table.profile_of("unknown"), table.powertrain_of("unknown")) == ("", "")


def test_the_tally_knows_when_and_where_a_vehicle_was_last_heard_of_and_what_was_decoded() -> None:
    drive = fleet().drives[0]
    tally = LineTally()
    parts = build_line([drive.vehicle], profiles=load_profiles([drive.vehicle]), observers=[tally.observe])
    tally.whereabouts = parts.whereabouts
    assert tally.figures()["decode_share"] is None
    last_ns = 0
    for frames in open_log(drive.log, vehicle=drive.vehicle.id, batch_frames=4_096):
        parts.line.push(frames)
        last_ns = int(frames.time_ns[-1])
    parts.line.close(drive.vehicle.id)
    (sighting,) = tally.take_sightings()
    assert (sighting.vehicle, sighting.event_ns) == (drive.vehicle.id, last_ns)
    assert sighting.location is not None
    assert 18 < sighting.location[0] < 54
    assert 0.5 < tally.figures()["decode_share"] <= 1
    assert tally.take_sightings() == []
