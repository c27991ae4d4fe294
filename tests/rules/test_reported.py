"""What a rule's `dtc(…)`, `lamp(…)`, `ready(…)` and `freeze_frame(…)` are worth after each report."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from domain.errors import RuleError
from domain.signals import empty_samples
from domain.trouble_codes import CodeList, DtcReport, FreezeValue, Monitors, Protocol
from rules.binding import bind
from rules.engine import RuleEngine
from rules.expression import Dtc, parse
from rules.reported import Reported
from rules.rule_tests import run_tests
from tests.rules.making import (
    END,
    SECOND,
    SPEED,
    cleared,
    dm1,
    monitors,
    obd,
    reports,
    rule_dict,
    rules_of,
    samples,
    uds,
    write_pack,
)


def seen(*items: DtcReport, pattern: str = "*") -> list[float]:
    """1 or 0 after each report that says something."""
    return Reported([Dtc(pattern=pattern)]).apply(empty_samples(), reports(*items))[3].tolist()


def test_active_and_confirmed_codes_count_and_others_do_not() -> None:
    assert seen(uds(0, ("P0301", 0x2F)), uds(1, ("P0301", 0x28)), uds(2, ("P0301", 0x2C)), uds(3, ("P0301", 0x50))) == [
        1,
        0,
        1,
        0,
    ]
    silent = [obd(0, "P0301", kind=CodeList.PENDING), replace(dm1(1, (102, 3)), kind=CodeList.PREVIOUSLY_ACTIVE)]
    assert seen(*silent) == []


def test_a_partial_list_speaks_of_the_codes_that_it_names() -> None:
    partial = [replace(uds(t, codes), complete=False) for t, codes in ((1, ("P0302", 0x2F)), (2, ("P0301", 0x28)))]
    assert seen(uds(0, ("P0301", 0x2F)), *partial, pattern="P0301") == [1, 1, 0]
    assert seen(uds(0, ("P0301", 0x2F)), *partial, pattern="P0302") == [0, 1, 1]


def test_a_clear_ends_what_it_concerns() -> None:
    assert seen(obd(0, "P0301"), cleared(1)) == [1, 0]
    assert seen(obd(0, "P0301"), cleared(1, source=0x7E9)) == [1]
    assert seen(dm1(0, (102, 3)), cleared(1, message="DM11", source=255, protocol=Protocol.J1939)) == [1, 0]
    assert seen(dm1(0, (102, 3)), cleared(1, message="DM3", source=0, protocol=Protocol.J1939)) == [1]
    assert seen(cleared(0)) == []


FAILED, PENDING, CONFIRMED, HISTORY = ("P0301", 0x01), ("P0301", 0x04), ("P0301", 0x2F), ("P0301", 0x28)


def told(text: str, *items: DtcReport, ends: tuple[float, ...] = ()) -> list[tuple[float, float]]:
    """(time, value) of every sample of a predicate."""
    node = bind(parse(text), {})[0]
    assert isinstance(node, Dtc)
    time_ns, _, _, values = Reported([node]).apply(samples([("car", time_s, END, 0.0) for time_s in ends]), reports(*items))
    return list(zip((time_ns / SECOND).tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('dtc("P0301", "active")', [1, 0, 1, 0]),
        ('dtc("P0301", "pending")', [0, 1, 1, 0]),
        ('dtc("P0301", "confirmed")', [0, 0, 1, 1]),
        ('dtc("P0301", "history")', [0, 0, 0, 1]),
        ('dtc("P0301", "test_failed_this_cycle")', [0, 0, 1, 0]),
        ('dtc("P0301", "failed_since_clear")', [0, 0, 1, 1]),
        ('dtc("P0301")', [1, 0, 1, 0]),
    ],
)
def test_a_status_byte_tells_every_status(text: str, expected: list[float]) -> None:
    seen = told(text, *(uds(time_s, code) for time_s, code in enumerate((FAILED, PENDING, CONFIRMED, HISTORY))))
    assert [value for _, value in seen] == expected


def test_each_list_speaks_of_its_own_status() -> None:
    lists = [
        obd(0, "P0301", kind=CodeList.PENDING),
        obd(1),
        obd(2, "P0301", kind=CodeList.PERMANENT),
        obd(3, kind=CodeList.PENDING),
    ]
    assert told('dtc("P0301", "pending")', *lists) == [(0, 1), (3, 0)]
    assert told('dtc("P0301", "permanent")', *lists, cleared(4, message="04", protocol=Protocol.OBD)) == [(2, 1)]
    old = replace(dm1(1, (102, 3)), kind=CodeList.PREVIOUSLY_ACTIVE)
    clears = [cleared(t, message=m, source=0, protocol=Protocol.J1939) for t, m in ((2, "DM11"), (3, "DM3"))]
    assert told('dtc("SPN102/FMI*", "history")', old, *clears) == [(1, 1), (3, 0)]
    assert told('dtc("SPN102/FMI?", "active")', dm1(0, (102, 3)), dm1(1, (103, 3))) == [(0, 1), (1, 0)]


def test_a_code_is_new_only_in_the_drive_in_which_it_was_seen_to_come() -> None:
    lists = [obd(0), obd(1, "P0301"), obd(2, "P0301"), obd(11, "P0301"), obd(12, "P0301", "P0302"), obd(13, "P0301")]
    assert told('new_dtc("P030?")', *lists, ends=(10.0,)) == [(0, 0), (1, 1), (2, 1), (10, 0), (11, 0), (12, 1), (13, 0)]
    assert told('new_dtc("*")', obd(0, "P0301"), obd(1, "P0301"), obd(2, "P0301", "P0171")) == [(0, 0), (1, 0), (2, 1)]
    parts = [obd(t, code, complete=False) for t, code in ((0, "P0301"), (1, "P0302"))]
    assert all(math.isnan(value) for _, value in told('new_dtc("*")', *parts))


def test_a_lamp_is_lit_while_any_ecu_lights_it() -> None:
    messages = [dm1(0, red=0), dm1(1, red=1, source=3), dm1(2, red=0), dm1(3, red=3, source=3), monitors(4, complete=True)]
    assert told('lamp("red_stop")', *messages) == [(0, 0), (1, 1), (2, 1), (3, 0)]
    lit = replace(monitors(5, complete=True), monitors=Monitors(lamp_on=1))
    assert told('lamp("malfunction")', dm1(0), lit) == [(0, 0), (5, 1)]
    ((_, unknown),) = told('lamp("amber_warning")', dm1(0, amber=3))
    assert math.isnan(unknown)


def test_monitors_are_ready_once_every_ecu_has_finished_them() -> None:
    both = [monitors(0, complete=True), replace(monitors(1, complete=False), source=0x7E9), monitors(2, complete=True)]
    assert told('ready("*")', *both) == [(0, 1), (1, 0), (2, 0)]
    assert told('ready("catalyst")', *both) == [(0, 1), (1, 1), (2, 1)]
    (_, (_, after)) = told('ready("*")', monitors(0, complete=False), cleared(1, message="04", protocol=Protocol.OBD))
    assert math.isnan(after)


def test_a_freeze_frame_gives_the_value_told_last_until_it_is_cleared() -> None:
    def frozen(time_s: float, code: str, value: float) -> DtcReport:
        values = (FreezeValue(signal=SPEED, value=value, unit="km/h"),)
        return obd(time_s, code, kind=CodeList.FREEZE_FRAME, complete=False, freeze=values)

    seen = told(
        'freeze_frame("P030?", Vehicle.Speed)', frozen(0, "P0301", 50), frozen(1, "P0171", 9), frozen(2, "P0302", 80), cleared(3)
    )
    assert seen[:2] == [(0, 50), (2, 80)]
    assert seen[2][0] == 3
    assert math.isnan(seen[2][1])


def test_a_finding_tells_what_the_ecus_said(tmp_path: Path) -> None:
    when = 'dtc("P030?", "pending") and lamp("malfunction") and ready("catalyst") and freeze_frame("P0301", Vehicle.Speed) > 40'
    speed = (FreezeValue(signal=SPEED, value=50, unit="km/h"),)
    lists = [
        replace(monitors(0, complete=True), monitors=Monitors(lamp_on=1, complete=("catalyst",))),
        obd(1, "P0302", kind=CodeList.FREEZE_FRAME, complete=False, freeze=speed),
        obd(2, "P0301", kind=CodeList.FREEZE_FRAME, complete=False, freeze=speed),
        obd(3, "P0301", "P0171", kind=CodeList.PENDING),
    ]
    rules = rules_of(tmp_path, rule_dict(when=when, parameters={}, **{"for": "0 s"}))
    (finding,) = RuleEngine(rules).evaluate(empty_samples(), reports(*lists))
    assert (finding.time_ns, finding.codes) == (3 * SECOND, ("P0301",))
    assert {(e.kind, e.signal, e.value, e.note) for e in finding.evidence} == {
        ("dtc", "P030?", None, "P0301"),
        ("lamp", "malfunction", 1.0, "on"),
        ("monitor", "catalyst", 1.0, "complete"),
        ("freeze_frame", SPEED, 50.0, "frozen by P0301"),
    }


def test_rule_tests_can_tell_statuses_lamps_monitors_and_freeze_frames(tmp_path: Path) -> None:
    when = 'dtc("P0301", "pending") and lamp("red_stop") and ready("catalyst") and freeze_frame("P0301", Vehicle.Speed) > 40'
    pack = write_pack(tmp_path, rule_dict(when=when, parameters={}, **{"for": "0 s"}))
    test = {
        "rule": "hot",
        "name": "raises while all four hold",
        "codes": {"P0301 pending": "10s..50s", "P0302 active": "10s..50s"},
        "lamps": {"red_stop": "20s..60s"},
        "monitors": {"catalyst": "30s..60s"},
        "freeze": {"P0301": {"Vehicle.Speed": 60}},
        "expect": {"raised": ["30 s"], "cleared": ["50 s"]},
    }
    (tmp_path / "tests").mkdir()
    file = tmp_path / "tests" / "pack.yaml"
    file.write_text(yaml.safe_dump([test]), encoding="utf-8")
    assert [result.detail for result in run_tests([pack])] == [""]
    file.write_text(yaml.safe_dump([{**test, "codes": {"P0301 sometimes": "1s..2s"}}]), encoding="utf-8")
    with pytest.raises(RuleError, match="is no status of a code"):
        run_tests([pack])
