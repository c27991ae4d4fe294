"""One run of the demonstration: everything is started, watched, told and ended here."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from app.broker import EmbeddedBroker
from app.demo.care import make_due
from app.demo.cars import KINDS_OF_FAULT, SECOND_NS, plan_cars
from app.demo.children import Child
from app.demo.evaluation import Label, count_orders, evaluate_faults, first_s
from app.demo.setting import (
    DUE_FOR_CARE,
    DemoDealer,
    Setting,
    api_key,
    demo_dealers,
    demo_vehicles,
    make_setting,
    other_dealers,
    write_service_settings,
)
from app.demo.stories import stories_json, story_lines
from app.demo.story import Story
from app.demo.story_sources import gather_stories
from app.serve import ROLES
from domain.errors import PitcallError
from domain.findings import Text
from domain.fleet import Dealer
from domain.live import EventKind, FeedEvent
from examples.dealer_client import Push
from notifier.orders.consent_gate import CARE_GROUP
from storage.database import open_store

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 15.0
LOOK_S = 0.2
COMPILING_AFTER_S = 1.0
"""Loading what has been compiled before takes less after all else is ready; longer is said."""
SETTLE_S = 3.0
"""When the time is up the cars stop, and what is on its way is still brought to its end for so long."""


class DemoError(PitcallError):
    """A part of the demonstration did not start, or ended by itself; the message names its log."""


Say = Callable[[Text], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What to show. `minutes`: None = until Ctrl-C. `port`: of the dashboard, 0 = any free one."""

    data: Path
    cars: int = 200
    speed: float = 30.0
    minutes: float | None = None
    port: int = 8080
    faults: Sequence[str] = KINDS_OF_FAULT


@dataclass(slots=True)
class _Seen:
    """What the children reported; written by their reader threads."""

    labels: list[Mapping[str, Any]] = field(default_factory=list)
    progress: Mapping[str, Any] = field(default_factory=dict)
    pushes: Counter[str] = field(default_factory=Counter)
    ports: dict[str, int] = field(default_factory=dict)
    fleet_ready: threading.Event = field(default_factory=threading.Event)

    def fleet(self, report: Mapping[str, Any]) -> None:
        if "label" in report:
            self.labels.append(report["label"])
        elif "progress" in report:
            self.progress = report["progress"]
        elif report.get("ready"):
            self.fleet_ready.set()

    def dealer(self, identity: str) -> Callable[[Mapping[str, Any]], None]:
        def take(report: Mapping[str, Any]) -> None:
            if "push" in report:
                self.pushes[report["push"]] += 1
            elif report.get("ready"):
                self.ports[identity] = report["port"]

        return take


def run_demo(plan: DemoPlan, say: Say) -> dict[str, Any]:
    """Run until the time is up or Ctrl-C (or SIGTERM) comes; everything has ended when this returns.

    Returns:
        The `demo --json` document; "faults" and "false_alerts" say how it went.

    Raises:
        InputError: the folder or port cannot be used. DemoError: a part did not start or ended by itself.
    """
    with _ending_by_signal(), contextlib.ExitStack() as stack:
        stage = _Stage(plan, say, stack)
        with contextlib.suppress(KeyboardInterrupt):
            stage.set_up()
            stage.play()
        say(Text(en="Ending …", zh="正在结束……"))
        return stage.close()


class _Stage:
    """The parts of a run, started in order and ended in reverse by the stack."""

    def __init__(self, plan: DemoPlan, say: Say, stack: contextlib.ExitStack) -> None:
        self._plan, self._say, self._stack, self._seen = plan, say, stack, _Seen()
        self._cars = plan_cars(plan.cars, tuple(plan.faults)[: plan.cars])
        self._setting = make_setting(plan.data, port=plan.port)
        self._start_ns = 0
        self._events: list[FeedEvent] = []
        self._last_event = 0
        self._lags: list[float] = []
        self._children: dict[str, Child] = {}
        self._service: dict[str, subprocess.Popen[bytes]] = {}

    def set_up(self) -> None:
        """Broker, fleet (which begins to simulate), dealers, service."""
        setting, plan = self._setting, self._plan
        self._say(
            Text(
                en=f"Starting a broker, {plan.cars} simulated cars, three dealers and the service. All times of the cars run"
                f" {plan.speed:g} times as fast as ours.",
                zh=f"正在启动消息代理、{plan.cars} 辆模拟车辆、三家门店和服务。车辆时间以 {plan.speed:g} 倍速运行。",
            )
        )
        broker = self._stack.enter_context(
            EmbeddedBroker(setting.folder / "broker", user=setting.broker_user, password=setting.broker_password)
        )
        self._fleet = self._start_fleet(broker.url)
        self._store = self._stack.enter_context(open_store(setting.database_url, key=setting.pseudonym_key.encode()))
        self._store.register(demo_vehicles(setting, self._cars))
        warm_up = self._stack.enter_context(_warm_up(setting))
        demos = demo_dealers()
        self._dealers = [*other_dealers(), *self._start_dealers(demos)]
        self._store.save_dealers(self._dealers)
        for demo in demos:
            self._store.save_api_key(api_key(demo))
        file = write_service_settings(setting, broker_url=broker.url, cars=self._cars, dealers=demos)
        self._service = self._stack.enter_context(_service(setting, file))
        self._child("owners", "app.demo.owner", {"api": setting.web_url}, lambda _report: None)
        self._wait_for("service", self._service_ready)
        self._say(Text(en=f"Dashboard: {setting.web_url}", zh=f"看板：{setting.web_url}"))
        self._wait_for("fleet", self._seen.fleet_ready.is_set)
        time.sleep(0.0 if warm_up.poll() is not None else COMPILING_AFTER_S)
        if warm_up.poll() is None:
            self._say(Text(en="Compiling for this machine, once …", zh="正在为本机编译（仅首次需要）……"))
        self._wait_for("warm-up", lambda: warm_up.poll() is not None)

    def play(self) -> None:
        """The fleet drives; what happens is told."""
        vehicles = {self._setting.vehicle_id(car): car for car in self._cars}
        story = Story(vehicles, self._dealers, self._store.order)
        self._ask_for_care()
        self._start_ns = time.time_ns()
        self._fleet.tell({"go": True})
        self._say(Text(en="The fleet sets off.", zh="车队出发。"))
        deadline = None if self._plan.minutes is None else time.monotonic() + 60.0 * self._plan.minutes
        while deadline is None or time.monotonic() < deadline:
            self._watch()
            self._look(story)
            time.sleep(LOOK_S)
        self._fleet.stop()
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until:
            self._look(story)
            time.sleep(LOOK_S)

    def _ask_for_care(self) -> None:
        """The maintenance of one car is due, before its fault shows."""
        car = self._cars[DUE_FOR_CARE]
        vehicle = self._store.vehicle(self._setting.vehicle_id(car))
        if car.fault is not None and vehicle is not None:
            make_due(self._store, vehicle, time.time_ns())

    def close(self) -> dict[str, Any]:
        """End the children and say what was found."""
        started = bool(self._start_ns)
        for child in self._children.values():
            child.stop()
        document = self._document() if started else {}
        self._stack.close()
        return document

    def _start_fleet(self, broker_url: str) -> Child:
        setting = self._setting
        plan = {
            "cars": len(self._cars),
            "faults": list(self._plan.faults),
            "speed": self._plan.speed,
            "epoch_ns": time.time_ns(),
            "broker": broker_url,
            "access": {"username": setting.broker_user, "password": setting.broker_password},
            "log": str(setting.log("simulation")),
        }
        return self._child("fleet", "app.demo.fleet", plan, self._seen.fleet)

    def _start_dealers(self, demos: Sequence[DemoDealer]) -> list[Dealer]:
        """The dealers with the endpoints at which they answer."""
        for demo in demos:
            identity = demo.dealer.id
            plan = {
                "dealer": identity,
                "secret": demo.secret,
                "key": demo.key,
                "refuses": [self._setting.vehicle_id(car) for car in self._cars if car.number in demo.refuses],
                "api": self._setting.web_url,
                "port": 0,
            }
            self._child(identity, "app.demo.dealer", plan, self._seen.dealer(identity))
        self._wait_for("dealers", lambda: len(self._seen.ports) == len(demos))
        return [replace(demo.dealer, endpoint=f"http://127.0.0.1:{self._seen.ports[demo.dealer.id]}/orders") for demo in demos]

    def _order_events(self) -> list[FeedEvent]:
        """Of orders that answer an alert."""
        answering = {order.id for order in self._store.orders() if order.recommendation.alerts and order.group_key != CARE_GROUP}
        return [event for event in self._events if event.subject in answering]

    def _child(self, name: str, module: str, plan: Mapping[str, Any], on_report: Callable[[Mapping[str, Any]], None]) -> Child:
        child = Child(module, plan, log=self._setting.log(name), on_report=on_report)
        self._children[name] = child
        self._stack.callback(child.stop)
        return child

    def _service_ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self._setting.web_url}/readyz", timeout=2.0, trust_env=False).status_code == httpx.codes.OK
        return False

    def _wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            self._watch()
            if time.monotonic() > deadline:
                raise DemoError(f"{what}: not ready within {START_TIMEOUT_S:g} s; see the logs in {self._setting.folder}")
            time.sleep(0.05)

    def _watch(self) -> None:
        """A part that has ended by itself ends the demonstration.

        Raises:
            DemoError: one has.
        """
        ended = [name for name, child in self._children.items() if not child.running]
        ended += [role for role, process in self._service.items() if process.poll() is not None]
        if ended:
            raise DemoError(f"the {ended[0]} process has ended by itself; its log is {self._setting.log(ended[0])}")

    def _look(self, story: Story) -> None:
        for event in self._store.events(self._last_event, 1000):
            self._last_event = event.id
            self._events.append(event)
            for sentence in story.tell(event):
                self._say(sentence)
        lag_s = self._store.figures().get("lag_s")
        if lag_s is not None:
            self._lags.append(lag_s)

    def _document(self) -> dict[str, Any]:
        store, progress = self._store, self._seen.progress
        labels = [
            Label(vehicle=self._setting.vehicle_id(self._cars[each["car"]]), kind=each["kind"], onset_ns=each["onset_ns"])
            for each in self._seen.labels
        ]
        faults, false_alerts = evaluate_faults(labels, store.alerts())
        orders = store.orders()
        stories = gather_stories(store, self._events, {self._setting.vehicle_id(car): car for car in self._cars}, self._dealers)
        for sentence in story_lines(stories):
            self._say(sentence)
        history = {order.id: [state for _, state in store.order_states(order.id)] for order in orders}
        counts, rescues = count_orders(orders, history, store.outbox_events())
        return {
            "faults": faults,
            "false_alerts": false_alerts,
            "orders": counts,
            "rescues": rescues,
            "first_alert_s": first_s(self._events, EventKind.ALERT, self._start_ns),
            "first_order_s": first_s(self._order_events(), EventKind.ORDER, self._start_ns),
            "stories": stories_json(stories),
            "signatures": {"verified": self._seen.pushes[Push.VERIFIED], "failed": self._seen.pushes[Push.FORGED]},
            "cars": len(self._cars),
            "speed": self._plan.speed,
            "messages": progress.get("messages", 0),
            "frames": progress.get("frames", 0),
            "fleet_s": round(progress.get("time_s", 0.0), 1),
            "held_up_s": round(progress.get("behind_s", 0.0), 2),
            "largest_lag_s": round(max(self._lags), 3) if self._lags else None,
            "elapsed_s": round((time.time_ns() - self._start_ns) / SECOND_NS, 1),
        }


@contextlib.contextmanager
def _warm_up(setting: Setting) -> Iterator[subprocess.Popen[bytes]]:
    """Compiling, beside everything else that starts. Where it fails, the pipeline compiles for itself."""
    with setting.log("warm_up").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # this interpreter with a module of ours
            [sys.executable, "-m", "app.demo.warm_up", str(setting.vehicle_files)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _service(setting: Setting, file: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The two processes of `pitcall serve`. They end when their input does, so also with us, however we end."""
    processes = {role: _role(role, setting, file) for role in ROLES}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin is not None
            process.stdin.close()


def _role(role: str, setting: Setting, file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "app.cli", "serve", "--only", role, "--supervised", "--config", str(file)]
    with setting.log(role).open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # this interpreter with a module of ours
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )


@contextlib.contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Ctrl-C and a supervisor's SIGTERM end it alike; SIGINT also where a shell started us in the background and so ignores it."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
