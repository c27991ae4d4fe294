"""The sample drives: what is faulty is found, with a plan and a dealer; what is healthy raises nothing."""

import csv

import pytest

from tests.end_to_end.replays import SAMPLES, fleet, replayed

FINDS = {
    "overheating": "engine.cooling",
    "thermostat_stuck_open": "engine.cooling",
    "misfire": "engine.ignition",
    "weak_12v_battery": "electrical.12v",
    "ev_cell_imbalance": "ev.battery",
    "red_stop_lamp": "engine.lubrication",
}


@pytest.fixture(scope="module")
def faulty():
    return replayed(fleet(SAMPLES / "manifest_faulty.csv")).document()


def test_healthy_drives_raise_nothing():
    document = replayed(fleet(SAMPLES / "manifest_healthy.csv")).document()
    assert document["frames"] > 100_000
    assert document["alerts"] == []
    assert document["orders"] == []
    assert document["dead_letters"] == 0


def test_every_faulty_drive_is_found_in_its_system(faulty):
    from domain.fleet import DEVELOPMENT_KEY, pseudonym

    with (SAMPLES / "labels.csv").open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    assert {label["kind"] for label in labels} == set(FINDS)
    for label in labels:
        vehicle = pseudonym(DEVELOPMENT_KEY, label["vin"])
        groups = {alert["group_key"] for alert in faulty["alerts"] if alert["vehicle"] == vehicle}
        assert FINDS[label["kind"]] in groups, label["kind"]


def test_every_vehicle_with_a_fault_gets_a_plan_and_an_order_at_an_able_dealer(faulty):
    vehicles = {alert["vehicle"] for alert in faulty["alerts"]}
    assert {order["data"]["vehicle"]["id"] for order in faulty["orders"]} == vehicles
    for recommendation in faulty["recommendations"]:
        assert recommendation["plan"]
        assert recommendation["urgency_reason"]["en"]
        assert recommendation["urgency_reason"]["zh"]
    for order in (order for order in faulty["orders"] if order["data"]["kind"] == "service"):
        assert order["data"]["dealer"]["id"]
        assert order["data"]["dealer"]["why"]


def test_stop_level_faults_start_a_rescue(faulty):
    rescues = [order for order in faulty["orders"] if order["data"]["kind"] == "rescue"]
    stops = {alert["vehicle"] for alert in faulty["alerts"] if alert["urgency"] == "STOP"}
    assert {order["data"]["vehicle"]["id"] for order in rescues} == stops
    assert len(stops) >= 2
    for order in rescues:  # nobody is sent out before the driver or an agent has said that help is needed
        assert (order["data"]["state"], order["data"]["dealer"], order["data"]["rescue"]["confirmed"]) == (
            "requested",
            None,
            None,
        )


def test_no_vin_and_no_owner_leaves_in_the_document(faulty):
    import json

    text = json.dumps(faulty)
    with (SAMPLES / "vehicles.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["vin"] not in text
            assert row["owner_name"] not in text
            assert row["owner_phone"] not in text
