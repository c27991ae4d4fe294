"""Which cars drive, and how a drive becomes messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.broker import EmbeddedBroker
from app.demo.cars import KINDS_OF_FAULT, SECOND_NS, drive_spec, parks_s, plan_cars
from app.demo.children import Child
from app.demo.drives import encode_drive
from app.demo.fleet import window_s
from domain.messages import RawMessage
from ingest.mqtt.batching import parse_messages
from simulator.drive import simulate_drive

START_NS = 1_772_409_600 * SECOND_NS


def test_each_fault_has_one_car_and_all_others_are_sound() -> None:
    cars = plan_cars(200)
    assert [car.fault for car in cars if car.fault] == list(KINDS_OF_FAULT)
    assert len({car.vin for car in cars}) == 200
    assert {car.powertrain for car in cars} == {"petrol", "ev", "truck"}
    assert len({car.city.name.en for car in cars}) == 8


def test_a_sound_car_is_the_same_however_large_the_fleet_is() -> None:
    assert plan_cars(50)[20:] == plan_cars(200)[20:50]


def test_a_car_stands_long_enough_for_its_drive_to_count_as_ended() -> None:
    assert min(parks_s(car, ordinal) for car in plan_cars(200) for ordinal in range(3)) > 300.0


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 1.0), (5.0, 1.0), (30.0, 6.0), (60.0, 12.0)])
def test_a_message_holds_a_fifth_of_a_second_of_ours_but_never_less_than_one_of_the_cars(speed: float, seconds: float) -> None:
    assert window_s(speed) == seconds


def test_the_messages_of_a_drive_hold_all_its_frames_in_order_and_are_sent_when_their_data_is_complete() -> None:
    drive = simulate_drive(drive_spec(plan_cars(1)[0], 0, START_NS))
    messages = encode_drive(drive.frames, START_NS, 6.0)
    raw = [
        RawMessage(topic="pitcall/v1/CAR/can", payload=payload, received_ns=0, token=number)
        for number, (_, _, payload) in enumerate(messages)
    ]
    parsed = parse_messages(raw, pseudonym_of=lambda vin: vin)
    assert not parsed.dead_letters
    np.testing.assert_array_equal(parsed.frames.time_ns, drive.frames.time_ns)
    np.testing.assert_array_equal(parsed.frames.payload, drive.frames.payload)
    assert parsed.frames.messages.sequence.tolist() == list(range(len(messages)))
    assert sum(frames for _, frames, _ in messages) == len(drive.frames)
    last = 0
    for due_s, frames, _ in messages:
        last += frames
        assert drive.frames.time_ns[last - 1] - START_NS <= due_s * SECOND_NS


class Told:
    """The latest report of a fleet process."""

    def __init__(self) -> None:
        self.ready, self.progress = False, dict[str, float]()

    def __call__(self, report: Mapping[str, Any]) -> None:
        self.ready |= bool(report.get("ready"))
        self.progress = report.get("progress", self.progress)

    def wait(self, what: Callable[[], bool], timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not what():
            assert time.monotonic() < deadline, f"still {self.progress}"
            time.sleep(0.05)


def test_cars_reconnect_when_their_broker_comes_back_and_repeat_what_was_not_acknowledged(tmp_path: Path) -> None:
    told = Told()
    with EmbeddedBroker(tmp_path / "broker", user="demo", password="password") as broker:
        plan = {
            "cars": 4,
            "faults": ["weak_12v_battery", "misfire", "overheating", "red_stop_lamp"],
            "speed": 60.0,
            "epoch_ns": START_NS,
            "broker": broker.url,
            "access": {"username": "demo", "password": "password"},
            "log": str(tmp_path / "simulation.log"),
        }
        fleet = Child("app.demo.fleet", plan, log=tmp_path / "fleet.log", on_report=told)
        try:
            told.wait(lambda: told.ready)
            fleet.tell({"go": True})
            told.wait(lambda: told.progress.get("messages", 0) > 20)
            broker.kill()
            told.wait(lambda: told.progress["connected"] == 0)
            broker.start()
            told.wait(lambda: told.progress["connected"] == 4 and told.progress["in_flight"] < 4)
            before = told.progress["messages"]
            told.wait(lambda: told.progress["messages"] > before)
        finally:
            fleet.stop()
    assert not fleet.running
    assert (tmp_path / "fleet.log").read_text() == ""
