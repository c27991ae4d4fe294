"""Devices of other makers through a real broker to stored alerts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.composition import build_line, load_profiles
from app.dead_letters import replay_letters
from domain.fleet import VaultEntry, Vehicle
from domain.messages import RawMessage
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from ingest.wire.fleetwise_messages import message_class
from ingest.wire.sources import Sources, own_sources, source_of
from ingest.wire.topic_pattern import subscriptions
from pipeline.casework import Casework
from pipeline.live import LiveRunner
from storage.database import open_store
from storage.sql_store import SqlStore
from tests.ingest.mqtt.brokers import NatsBroker
from tests.ingest.wire.examples import COOLANT, RPM, snappy

FLEETWISE = "cms/fleetwise/vehicles/{vin}/signals"
WICAN = "wican/{device}/can/rx"
CAR, DONGLE_CAR, LATER_CAR = "p-VIN1", "p-VIN2", "p-VIN3"
SECOND_NS = 1_000_000_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsBroker]:
    started = NatsBroker(tmp_path)
    started.start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with open_store(f"sqlite:///{tmp_path / 'live.db'}", key=b"k") as opened:
        yield opened


def sources_over(store: SqlStore) -> Sources:
    found = (
        *own_sources("pitcall/v1"),
        source_of("fleetwise", FLEETWISE, signals={7: COOLANT, 8: RPM}),
        source_of("wican", WICAN),
    )
    return Sources(found, pseudonym_of=lambda name: f"p-{name}", vehicle_of_device=store.vehicle_of_device)


@pytest.fixture
def runner(broker: NatsBroker, store: SqlStore) -> Iterator[LiveRunner]:
    sources = sources_over(store)
    filters = subscriptions("pitcall/v1", [FLEETWISE, WICAN])
    receiver = PahoReceiver(MqttSettings(host="127.0.0.1", port=broker.port, topics=filters))
    receiver.start()
    vehicles = [Vehicle(id=CAR), Vehicle(id=DONGLE_CAR)]
    parts = build_line(vehicles, profiles=load_profiles(vehicles))
    casework = Casework(store=store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing)

    def parse(messages: Sequence[RawMessage]) -> ParsedMessages:
        return parse_messages(messages, pseudonym_of=lambda name: f"p-{name}", sources=sources)

    yield LiveRunner(receiver, parts.line, casework, store, parse, clock=time.time_ns)
    receiver.stop()


def step_until(runner: LiveRunner, messages: int) -> None:
    deadline = time.monotonic() + 30
    while runner.figures.messages < messages:
        assert time.monotonic() < deadline
        runner.step()


def hot_engine(start_ms: int) -> list[bytes]:
    """One campaign event each ten seconds, a value of each signal each second: over the limit, then a bit of quiet."""
    payloads = []
    for event in range(4):
        data = message_class("VehicleData")(collection_event_time_ms_epoch=start_ms + 10_000 * event)
        for second in range(10):
            data.captured_signals.add(relative_time_ms=1000 * second, signal_id=7, double_value=121.0)
            data.captured_signals.add(relative_time_ms=1000 * second, signal_id=8, double_value=2100.0)
        payloads.append(snappy(data.SerializeToString()))
    return payloads


def misfire_codes() -> list[bytes]:
    """An answer to OBD service 03 with P0301, eight numbers whatever the dlc, and frames after it that let time pass."""
    answer = {"id": 0x7E8, "dlc": 5, "rtr": False, "extd": False, "data": [4, 0x43, 1, 3, 1, 99, 99, 99]}
    other = {"id": 0x100, "dlc": 8, "rtr": False, "extd": False, "data": [0] * 8}
    return [
        json.dumps({"bus": "0", "type": "rx", "ts": ts_ms, "frame": [frame]}).encode()
        for ts_ms, frame in ((58_000, answer), (59_500, other), (1_200, other))
    ]


def test_fleetwise_and_wican_messages_become_stored_alerts(broker: NatsBroker, store: SqlStore, runner: LiveRunner) -> None:
    store.register([(Vehicle(id=DONGLE_CAR, devices=("p-d1",)), VaultEntry(vehicle=DONGLE_CAR, vin="VIN2"))])
    wait_until_connected(runner)
    start_ms = time.time_ns() // 1_000_000 - 60_000
    broker.publish("cms/fleetwise/vehicles/VIN1/signals", hot_engine(start_ms))
    broker.publish("wican/d1/can/rx", misfire_codes())
    broker.publish("wican/d2/can/rx", misfire_codes())
    step_until(runner, 10)
    assert [alert.source.id for alert in store.alerts(vehicle=CAR)] == ["coolant_overheat"]
    assert [alert.source.id for alert in store.alerts(vehicle=DONGLE_CAR)] == ["P0301"]
    letters = store.dead_letters()
    assert {(letter.reason, letter.origin, letter.vehicle) for letter in letters} == {
        ("unknown_device", "wican wican/+/can/rx", "")
    }

    store.register([(Vehicle(id=LATER_CAR, devices=("p-d2",)), VaultEntry(vehicle=LATER_CAR, vin="VIN3"))])
    assert replay_letters(store, (), sources_over(store)) == (3, 0)
    (alert,) = store.alerts(vehicle=LATER_CAR)
    assert (alert.source.id, alert.late) == ("P0301", True)
    assert abs(alert.opened_ns - time.time_ns()) < 60 * SECOND_NS, "in the time of its arrival"
    assert store.dead_letters() == ()


def wait_until_connected(runner: LiveRunner) -> None:
    deadline = time.monotonic() + 10
    while not runner.figures.connected:
        assert time.monotonic() < deadline
        runner.step()
