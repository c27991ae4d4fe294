"""Rules that change while the service runs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.composition import Parts, build_line, load_profiles
from app.rule_files import CurrentRules, RuleFiles
from app.rule_reload import RuleWatch
from app.serve import supervise
from app.settings_file import load_settings
from domain.fleet import Vehicle
from domain.messages import RawMessage
from domain.standing import Resolution
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.mqtt.memory_receiver import MemoryBroker, MemoryReceiver
from ingest.mqtt.payloads import encode_frames
from pipeline.casework import Casework
from pipeline.live import LiveRunner
from rules.pack import shipped_packs
from storage.memory_store import MemoryStore
from tests.pipeline.frames import frames_of
from tests.rules.making import SECOND, rule_dict, write_pack

AT_ONCE = rule_dict(id="at_once", when="EngineCoolant.Temperature > 104", parameters={}, **{"for": "0 s"})
SLOW = rule_dict(id="slow", when="EngineCoolant.Temperature > 100", parameters={}, **{"for": "20 s"})


def parts_of(files: RuleFiles) -> Parts:
    return build_line([Vehicle(id="car")], profiles=load_profiles([]), rule_files=files)


class Service:
    """A live runner in memory over a car that answers with its coolant temperature (OBD-II)."""

    def __init__(self, files: RuleFiles, store: MemoryStore | None = None, *, first: int = 0) -> None:
        self.broker, self.store = MemoryBroker(), store or MemoryStore()
        receiver = MemoryReceiver(self.broker, clock_ns=time.time_ns)
        receiver.start()
        parts = parts_of(files)
        casework = Casework(store=self.store, knowledge=parts.knowledge, policy=parts.policy)
        self.runner = LiveRunner(receiver, parts.line, casework, self.store, parse, clock=time.time_ns, batch_wait_s=0.0)
        self.sequence = first

    def drive(self, first_s: int, last_s: int, celsius: int) -> None:
        """One answer a second, the end excluded, in steps of a message each."""
        for time_s in range(first_s, last_s):
            answer = int.from_bytes(bytes([3, 0x41, 0x05, celsius + 40, 0, 0, 0, 0]), "little")
            frames = replace(
                frames_of([(time_s * SECOND, 0)]), can_id=np.array([0x7E8], np.uint32), payload=np.array([answer], np.uint64)
            )
            self.broker.publish("pitcall/v1/car/can", encode_frames(frames, boot_session=1, sequence=self.sequence))
            self.sequence += 1
            self.runner.step()

    def raised(self) -> list[tuple[str, float]]:
        return [(alert.source.id, alert.opened_ns / SECOND) for alert in self.store.alerts()]


def parse(messages: Sequence[RawMessage]) -> ParsedMessages:
    return parse_messages(messages, pseudonym_of=lambda vin: vin)


def test_rules_change_between_steps_and_unchanged_ones_keep_their_time(tmp_path: Path) -> None:
    files = RuleFiles(paths=(write_pack(tmp_path, SLOW),))
    service = Service(files)
    watch = RuleWatch(files, lambda: parts_of(files), lambda parts: service.runner.change_line(parts.line), every_s=None)
    service.drive(1000, 1012, 105)
    assert not watch.look(), "nothing has changed"
    write_pack(tmp_path, {**SLOW, "title": {"en": "Other words", "zh": "别的话"}}, AT_ONCE)
    assert watch.look()
    service.drive(1012, 1030, 105)
    assert sorted(service.raised()) == [("at_once", 1010.0), ("slow", 1020.0)], "the hold-back gives the last second again"
    assert next(alert.title.en for alert in service.store.alerts() if alert.source.id == "slow") == "Other words"


def test_a_fault_that_a_repair_has_not_mended_is_raised_anew(tmp_path: Path) -> None:
    files = RuleFiles(paths=(write_pack(tmp_path, {**AT_ONCE, "clear_when": "EngineCoolant.Temperature < 80"}),))
    service = Service(files)
    service.drive(1000, 1010, 105)
    service.drive(1010, 1015, 100)
    (order,) = service.store.orders()
    assert service.store.change_order(replace(order, version=order.version + 1), order.version, mended=order.incidents)
    assert [alert.standing.resolution for alert in service.store.alerts()] == [Resolution.REPAIRED]
    later = Service(files, service.store, first=service.sequence)
    later.drive(2000, 2010, 100)
    assert later.raised() == [("at_once", 1000.0)], "mended"
    later.drive(2010, 2020, 105)
    assert later.raised() == [("at_once", 1000.0), ("at_once", 2010.0)], "it was not: the rule never saw it clear"
    assert [alert.state.value for alert in later.store.alerts()] == ["resolved", "open"]


def test_rules_with_a_mistake_change_nothing_and_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = RuleFiles(paths=(write_pack(tmp_path, SLOW),))
    used: list[Parts] = []
    watch = RuleWatch(files, lambda: parts_of(files), used.append, every_s=None)
    write_pack(tmp_path, {**SLOW, "when": "EngineCoolant.Temprature > 100"})
    assert not watch.look()
    assert not watch.look()
    (told,) = (record.getMessage() for record in caplog.records)
    assert "pack.yaml:7" in told
    assert "did you mean 'EngineCoolant.Temperature'?" in told
    write_pack(tmp_path, SLOW)
    assert watch.look()
    assert [[rule.id for rule in parts.rules] for parts in used] == [["slow"]]


def test_it_looks_by_itself_and_when_it_is_asked(tmp_path: Path) -> None:
    files, used = RuleFiles(paths=(write_pack(tmp_path, SLOW),)), threading.Event()
    watch = RuleWatch(files, lambda: parts_of(files), lambda _parts: used.set(), every_s=None)
    watch.start()
    watch.ask()
    assert used.wait(20.0)
    watch.stop()
    used.clear()
    often = RuleWatch(files, lambda: parts_of(files), lambda _parts: used.set(), every_s=0.05)
    often.start()
    write_pack(tmp_path, {**SLOW, "for": "21 s"})
    assert used.wait(20.0)
    often.stop()


def test_the_supervisor_hands_a_hangup_to_the_pipeline_alone(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time; file = sys.argv[1];"
        "signal.signal(signal.SIGHUP, lambda *_: open(file, 'a').write('h'));"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); open(file, 'a').write('s');"
        "[time.sleep(0.05) for _ in range(600)]"
    )
    notes = {role: tmp_path / role for role in ("pipeline", "web")}
    stop, hangup = threading.Event(), threading.Event()

    def ask() -> None:
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline and not all(note.exists() for note in notes.values()):
            time.sleep(0.02)
        hangup.set()
        while time.monotonic() < deadline and "h" not in notes["pipeline"].read_text():
            time.sleep(0.02)
        stop.set()

    asking = threading.Thread(target=ask)
    asking.start()
    assert supervise({role: (sys.executable, "-c", script, str(note)) for role, note in notes.items()}, stop, hangup=hangup) == 0
    asking.join()
    assert {role: note.read_text() for role, note in notes.items()} == {"pipeline": "sh", "web": "s"}


def test_settings_name_packs_beside_the_shipped_ones(tmp_path: Path) -> None:
    own = write_pack(tmp_path, SLOW)
    beside = load_settings(None, {"PITCALL_RULES_PATHS": f"{own}, {tmp_path}"}).rule_files
    assert beside.paths == (*shipped_packs(), own, tmp_path)
    alone = load_settings(None, {"PITCALL_RULES_PATHS": str(own), "PITCALL_RULES_SHIPPED": "false"}).rule_files
    assert [rule.id for rule in alone.read().rules] == ["slow"]
    assert load_settings(None, {}).rule_files.paths is None


def test_the_rules_that_are_shown_are_those_of_the_files_but_for_a_mistake(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, AT_ONCE)
    shown = CurrentRules(RuleFiles(paths=(pack,)))
    assert [rule.id for rule in shown()] == ["at_once"]
    write_pack(tmp_path, AT_ONCE, SLOW)
    assert [rule.id for rule in shown()] == ["at_once", "slow"]
    pack.write_text("rules: [", encoding="utf-8")
    assert [rule.id for rule in shown()] == ["at_once", "slow"]
