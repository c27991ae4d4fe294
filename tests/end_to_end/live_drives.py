"""The sample drives as messages of a broker, and the live pipeline over them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app.composition import Parts, build_line, load_profiles
from app.fleet import FleetChoice
from domain.frames import FrameBatch
from domain.messages import RawMessage
from ingest.logs import open_log
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.mqtt.memory_receiver import MemoryBroker, MemoryReceiver
from ingest.mqtt.payloads import encode_frames
from notifier.push.messages import alert_json, order_json
from pipeline.casework import Casework
from pipeline.live import LiveRunner
from pipeline.replay import Drive
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.end_to_end.replays import SAMPLES, fleet

SECOND_NS = 1_000_000_000
Publish = tuple[str, bytes]
AnyStore = MemoryStore | SqlStore


@cache
def sample_fleet() -> FleetChoice:
    return fleet(SAMPLES / "manifest_faulty.csv")


@cache
def frames_of_drive(drive: Drive) -> FrameBatch:
    (frames,) = open_log(drive.log, vehicle=drive.vehicle.id)
    return frames


def messages_of(drive: Drive, rng: random.Random, *, largest: int = 400, boot_session: int = 1) -> list[Publish]:
    """The whole drive in messages of random size, a sequence number each."""
    frames = frames_of_drive(drive)
    sent: list[Publish] = []
    at = 0
    while at < len(frames):
        size = rng.randint(1, largest)
        payload = encode_frames(frames.take(slice(at, at + size)), boot_session=boot_session, sequence=len(sent))
        sent.append((f"pitcall/v1/{drive.vehicle.id}/can", payload))
        at += size
    return sent


def interleaved(streams: Sequence[Sequence[Publish]], rng: random.Random) -> list[Publish]:
    """All streams as one, each in its own order."""
    turns = [number for number, stream in enumerate(streams) for _ in stream]
    rng.shuffle(turns)
    iterators = [iter(stream) for stream in streams]
    return [next(iterators[turn]) for turn in turns]


def disturbed(sent: Sequence[Publish], rng: random.Random, *, reach: int = 30, doubled: float = 0.05) -> list[Publish]:
    """As a broker redelivers: some messages twice, and each up to `reach` places from where it was."""
    again = [(at, publish) for at, publish in enumerate(sent) if rng.random() < doubled]
    placed = sorted([*enumerate(sent), *again], key=lambda pair: pair[0] + rng.uniform(0, reach))
    return [publish for _, publish in placed]


def parse(messages: Sequence[RawMessage]) -> ParsedMessages:
    """Topics hold the pseudonyms themselves."""
    return parse_messages(messages, pseudonym_of=lambda vin: vin)


@dataclass
class WallClock:
    """Stands still until it is told to go on."""

    now_ns: int = 1_800_000_000 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)


@dataclass
class Live:
    """One broker and one store; the pipeline may be started anew at any time."""

    store: AnyStore = field(default_factory=MemoryStore)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    clock: WallClock = field(default_factory=WallClock)
    choice: FleetChoice = field(default_factory=sample_fleet)

    def register(self) -> None:
        self.store.register(self.choice.registered)
        self.store.save_dealers(self.choice.dealers)

    def publish(self, sent: Sequence[Publish]) -> None:
        for topic, payload in sent:
            self.broker.publish(topic, payload)

    def start(self, *, batch_messages: int = 100, parse: Callable[..., ParsedMessages] = parse, **settings: Any) -> LiveRunner:
        """A fresh process: nothing in memory; the broker delivers again what was not acknowledged."""
        receiver = MemoryReceiver(self.broker, clock_ns=self.clock)
        receiver.start()
        parts = parts_of(self.choice)
        casework = Casework(store=self.store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing)
        return LiveRunner(
            receiver,
            parts.line,
            casework,
            self.store,
            parse,
            clock=self.clock,
            batch_messages=batch_messages,
            batch_wait_s=0.0,
            **settings,
        )

    def finish(self, runner: LiveRunner) -> None:
        """Until the broker has nothing more, then through the silence that ends every drive."""
        while runner.step().messages:
            pass
        self.clock.advance(7)
        runner.step()
        self.clock.advance(301)
        runner.step()
        assert self.broker.unacknowledged == 0


@cache
def profiles_of_samples() -> Any:
    return load_profiles(sample_fleet().vehicles)


def parts_of(choice: FleetChoice) -> Parts:
    return build_line(choice.vehicles, profiles=profiles_of_samples())


def outcome(store: AnyStore, choice: FleetChoice) -> dict[str, Any]:
    """Everything a replay and a live run must agree on."""
    vehicles = {vehicle.id: vehicle for vehicle in choice.vehicles}
    dealers = {dealer.id: dealer for dealer in store.dealers()}
    cases = [store.case(vehicle) for vehicle in sorted(vehicles)]
    return {
        "alerts": [alert_json(alert) for case in cases for alert in case.alerts],
        "orders": [
            order_json(order, case, vehicles[case.vehicle], dealers.get(order.choice.dealer) if order.choice else None)
            for case in cases
            for order in case.orders
        ],
        "outbox": sorted((event.id, event.type, event.body) for event in store.outbox_events()),
        "late": [alert.id for alert in store.alerts() if alert.late],
        "usage": {vehicle: store.usage(vehicle, after_day=0) for vehicle in sorted(vehicles)},
    }
