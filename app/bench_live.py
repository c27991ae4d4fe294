"""`pitcall bench live`: gives the benchmark a broker, the live pipeline on a database, and sample frames."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from app.arenas import share_arenas
from app.broker import EmbeddedBroker
from app.composition import build_line, load_profiles
from app.kernels import compiler
from app.settings_file import PipelineSection
from benchmarks.live import (
    BUS_FRAMES_PER_S,
    FRAMES_PER_MESSAGE,
    MESSAGE_NS,
    Counter,
    Plan,
    Sent,
    StoredAlert,
    latencies_s,
    overheated,
    publish,
    ring,
    staggered_faults,
)
from domain.errors import InputError, PitcallError
from domain.fleet import DEVELOPMENT_KEY, Vehicle, pseudonym
from domain.messages import Receiver
from ingest.logs import open_log
from ingest.mqtt.batching import parse_messages
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.socket_receiver import SocketReceiver
from pipeline.casework import Casework
from pipeline.live import LiveRunner
from storage.database import open_store

SAMPLES = Path(__file__).resolve().parents[1] / "sample_can_logs"
PROFILE = SAMPLES / "profiles" / "demo_petrol.yaml"
COOLANT_FRAME, COOLANT_BITS, COOLANT_120_C = 0x0D0, 0xF0FF, 0x406A
"""ENGINE_2.CoolantTemperature of the sample car: 12 bits, big-endian, 0.1 °C, offset -50 °C."""
RULE = "coolant_overheat"
RULE_HOLDS_S = 10.0
SETTLE_S = 3.0
RING_FRAMES = 2_000
FIRST_FRAME = 20_000
"""In the sample drive: the engine is warm and the car rolls."""
CARS = 250
BEGIN_NS = 1_780_000_000_000_000_000
WARM_UP_S = 2.0
POLL_S = 0.005
READY_WITHIN_S = 120.0
DRAINED_WITHIN_S = 120.0

ReceiverName = Literal["paho", "socket"]


def run(*, seconds: float, receivers: Sequence[ReceiverName], rate: float | None, lateness_s: float) -> dict[str, Any]:
    """The figures of `bench live --json`, by receiver.

    Args:
        seconds: of each of the two measurements; in the second, cars turn faulty one after the other for so long. rate: frames per second of the second one, None = half of the first's.
        lateness_s: how far a vehicle's records may be out of order; every alert waits so long. 0 suits devices with gapless numbers.

    Raises:
        InputError: the sample recordings are not there. PitcallError: a process of the benchmark failed.
    """
    rings = _rings()
    return {name: _measure(name, rings, seconds=seconds, rate=rate, lateness_s=lateness_s) for name in receivers}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rings:
    normal: tuple[bytes, ...]
    faulty: tuple[bytes, ...]


def _rings() -> _Rings:
    drive = SAMPLES / "healthy_petrol_highway_cold.log.gz"
    if not drive.exists():
        raise InputError("the sample recordings are not there", file=drive, mend="run it from a checkout")
    frames = next(iter(open_log(drive, vehicle="bench", jit=compiler()))).take(slice(FIRST_FRAME, FIRST_FRAME + RING_FRAMES))
    hot = overheated(frames, can_id=COOLANT_FRAME, mask=COOLANT_BITS, value=COOLANT_120_C)
    return _Rings(normal=ring(frames), faulty=ring(hot))


def _vins(count: int) -> tuple[str, ...]:
    return tuple(f"LPCBENCH{number:09d}" for number in range(count))


def _measure(receiver: ReceiverName, rings: _Rings, *, seconds: float, rate: float | None, lateness_s: float) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="pitcall-bench-") as folder,
        _Bench(Path(folder), receiver, rings, lateness_s) as bench,
    ):
        bench.publish(seconds=WARM_UP_S, cars=CARS)
        fast = bench.publish(seconds=seconds, cars=CARS)
        frames_per_s = fast.messages * FRAMES_PER_MESSAGE / fast.elapsed_s
        calm_rate = rate or frames_per_s / 2
        calm = bench.publish(
            seconds=seconds + RULE_HOLDS_S + SETTLE_S, cars=max(1, round(calm_rate / BUS_FRAMES_PER_S)), rate=calm_rate
        )
        alerts = bench.alerts(calm)
        figures = bench.stop()
        seen = bench.seen()
    published = bench.published
    waits = latencies_s(alerts, [pseudonym(DEVELOPMENT_KEY, vin) for vin in calm.plan.vins], calm.plan, calm.sent)
    expected = calm.expected_alerts
    return {
        "frames_per_s": frames_per_s,
        "p99_s": float(np.percentile(waits, 99)) if len(waits) else float("nan"),
        "p50_s": float(np.percentile(waits, 50)) if len(waits) else float("nan"),
        "lost": published - seen,
        "doubled": figures["frames"] // FRAMES_PER_MESSAGE - seen,
        "latency_frames_per_s": calm.messages * FRAMES_PER_MESSAGE / calm.elapsed_s,
        "lateness_s": lateness_s,
        "alerts": len(alerts),
        "alerts_missing": max(0, expected - len(alerts)),
        "messages": published,
        "redelivered": figures["duplicates"],
        "cpu_s": fast.cpu_s,
        "latency_cpu_s": calm.cpu_s,
        "pipeline_memory_mb": bench.memory_mb,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phase:
    """One run of the publisher, through to the last commit."""

    plan: Plan
    sent: Sent
    messages: int
    elapsed_s: float
    cpu_s: dict[str, float]
    alerts_seen: dict[str, int] = field(default_factory=dict)

    @property
    def expected_alerts(self) -> int:
        """Cars that were faulty long enough for the rule."""
        needed = int(RULE_HOLDS_S * 1e9) // MESSAGE_NS + 20
        return sum(0 <= at <= self.sent.rounds - needed for at in self.plan.fault_at)


class _Bench:
    """Broker, pipeline process and database of one receiver; a context manager that leaves no process behind."""

    def __init__(self, folder: Path, receiver: ReceiverName, rings: _Rings, lateness_s: float) -> None:
        self._receiver, self._rings, self._lateness_s = receiver, rings, lateness_s
        self._database = folder / "bench.sqlite3"
        self._broker = EmbeddedBroker(folder / "broker")
        self._spawn = multiprocessing.get_context("spawn")
        self._committed = self._spawn.Value("q", 0)
        self._stop = self._spawn.Event()
        self._begin_ns, self._boot_session = BEGIN_NS, 0
        self.published = 0
        self.memory_mb = 0.0

    def __enter__(self) -> Self:
        self._broker.start()
        self._answers, theirs = self._spawn.Pipe(duplex=False)
        task = _PipelineTask(
            url=self._broker.url,
            receiver=self._receiver,
            database=str(self._database),
            vins=_vins(CARS),
            lateness_s=self._lateness_s,
        )
        self._pipeline = self._spawn.Process(target=_pipeline, args=(task, self._committed, self._stop, theirs), daemon=True)
        self._pipeline.start()
        theirs.close()
        try:
            if self._receive(self._answers, READY_WITHIN_S, "pipeline") != "ready":
                raise PitcallError("the pipeline of the benchmark did not start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._pipeline.terminate()
        self._pipeline.join(10)
        if self._pipeline.is_alive():
            self._pipeline.kill()
            self._pipeline.join()
        self._broker.stop()

    def publish(self, *, seconds: float, cars: int, rate: float | None = None) -> _Phase:
        """Publish in a process of its own and wait until everything is committed; in time (`rate`) with cars that overheat."""
        self._boot_session += 1
        settle_s = RULE_HOLDS_S + SETTLE_S
        vins = _vins(max(cars, CARS))[:cars]
        plan = Plan(
            host="127.0.0.1",
            port=self._broker.port,
            vins=vins,
            normal=self._rings.normal,
            faulty=self._rings.faulty,
            begin_ns=self._begin_ns,
            boot_session=self._boot_session,
            seconds=seconds,
            messages_per_s=rate and rate / FRAMES_PER_MESSAGE,
            fault_at=staggered_faults(cars, seconds=seconds, settle_s=settle_s) if rate else (-1,) * cars,
        )
        answers, theirs = self._spawn.Pipe(duplex=False)
        before = self._cpu_s()
        publisher = self._spawn.Process(target=_publisher, args=(plan, self._committed, self.published, theirs), daemon=True)
        publisher.start()
        theirs.close()
        try:
            with _tailed(self._database) as alerts_seen:
                sent, publisher_s = self._receive(answers, seconds + READY_WITHIN_S, "publisher")
                messages = sent.rounds * cars
                self.published += messages
                ended_ns = self._wait_until_committed()
                time.sleep(20 * POLL_S)
        finally:
            publisher.terminate()
            publisher.join()
        after = self._cpu_s()
        self._begin_ns += (sent.rounds + 1) * MESSAGE_NS
        return _Phase(
            plan=plan,
            sent=sent,
            messages=messages,
            elapsed_s=(ended_ns - sent.began_ns) / 1e9,
            cpu_s={"publisher": publisher_s} | {name: after[name] - before[name] for name in after},
            alerts_seen=dict(alerts_seen),
        )

    def alerts(self, phase: _Phase) -> list[StoredAlert]:
        """The provoked alerts of a phase."""
        with sqlite3.connect(self._database) as connection:
            rows = connection.execute(
                "select id, vehicle, opened_ns from alert where source_id = ? and opened_ns >= ?", (RULE, phase.plan.begin_ns)
            ).fetchall()
        connection.close()
        return [
            StoredAlert(vehicle=vehicle, opened_ns=opened_ns, seen_ns=phase.alerts_seen[alert])
            for alert, vehicle, opened_ns in rows
        ]

    def stop(self) -> dict[str, Any]:
        """End the pipeline as `serve` would and give its totals."""
        self.memory_mb = _memory_mb(self._pipeline.pid)
        self._stop.set()
        figures: dict[str, Any] = self._receive(self._answers, 60.0, "pipeline")
        return figures

    def seen(self) -> int:
        """Messages whose sequence numbers are committed."""
        with open_store(f"sqlite:///{self._database}", key=DEVELOPMENT_KEY) as store:
            return sum(
                last - first + 1
                for vin in _vins(CARS)
                for each in store.seen(pseudonym(DEVELOPMENT_KEY, vin))
                for first, last in each.ranges
            )

    def _wait_until_committed(self) -> int:
        """Wall time at which every published message was committed, or at which nothing more came."""
        deadline = time.monotonic() + DRAINED_WITHIN_S
        while self._committed.value < self.published and time.monotonic() < deadline:
            if not self._pipeline.is_alive():
                raise PitcallError("the pipeline of the benchmark ended by itself")
            time.sleep(0.002)
        return time.time_ns()

    def _receive(self, answers: Connection, within_s: float, who: str) -> Any:
        try:
            if answers.poll(within_s):
                return answers.recv()
        except EOFError as problem:
            raise PitcallError(f"the {who} of the benchmark failed; its words stand above") from problem
        raise PitcallError(f"the {who} of the benchmark gave no answer within {within_s:g} s")

    def _cpu_s(self) -> dict[str, float]:
        return {"broker": _process_cpu_s(self._broker.pid), "pipeline": _process_cpu_s(self._pipeline.pid)}


def _publisher(plan: Plan, committed: Counter, first_committed: int, answers: Connection) -> None:
    """The publisher process."""
    sent = publish(plan, committed, first_committed)
    answers.send((sent, time.process_time()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _PipelineTask:
    url: str
    receiver: ReceiverName
    database: str
    vins: tuple[str, ...]
    lateness_s: float


def _pipeline(task: _PipelineTask, committed: Any, stop: threading.Event, answers: Connection) -> None:
    """The pipeline process: as in `pitcall serve` and with its settings, counting what is committed."""
    share_arenas()
    id_of = {vin: pseudonym(DEVELOPMENT_KEY, vin) for vin in task.vins}
    vehicles = [Vehicle(id=name, powertrain="petrol", profile=str(PROFILE)) for name in id_of.values()]
    parts = build_line(vehicles, profiles=load_profiles(vehicles), lateness_ns=round(task.lateness_s * 1e9))
    settings = MqttSettings.from_url(task.url, client_id="pitcall-bench")
    receiver: Receiver = SocketReceiver(settings) if task.receiver == "socket" else PahoReceiver(settings)
    pace = PipelineSection()
    with open_store(f"sqlite:///{task.database}", key=DEVELOPMENT_KEY) as store:
        runner = LiveRunner(
            receiver,
            parts.line,
            Casework(store=store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing),
            store,
            lambda messages: parse_messages(messages, pseudonym_of=id_of.__getitem__),
            clock=time.time_ns,
            batch_messages=pace.batch_messages,
            batch_wait_s=pace.batch_wait_s,
            gap_timeout_s=pace.gap_timeout_s,
        )
        receiver.start()
        while not receiver.connected:
            time.sleep(0.01)
        answers.send("ready")
        while not stop.is_set():
            report = runner.step()
            committed.value += report.passed
        receiver.stop()
        figures = runner.figures
    answers.send({"frames": figures.frames, "duplicates": figures.duplicates})


@contextmanager
def _tailed(database: Path) -> Iterator[dict[str, int]]:
    """Alert id -> wall time at which a reader of the event feed first saw it, filled by a thread as the store goes on."""
    seen: dict[str, int] = {}
    ended = threading.Event()

    def tail() -> None:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        (last,) = connection.execute("select coalesce(max(id), 0) from event").fetchone()
        while not ended.wait(POLL_S):
            rows = connection.execute(
                "select id, subject from event where id > ? and kind = 'alert' order by id", (last,)
            ).fetchall()
            now_ns = time.time_ns()
            for number, subject in rows:
                seen.setdefault(subject, now_ns)
                last = number
        connection.close()

    thread = threading.Thread(target=tail, name="tail")
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _process_cpu_s(pid: int | None) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int | None) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
