"""Trouble codes become findings: first listed, changed, gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.codes import CodeInfo
from domain.findings import Finding, Severity, SourceKind, Text, Urgency
from domain.signals import SampleBatch, empty_samples
from domain.trouble_codes import CodeList, DtcReport, FreezeValue, Protocol, TroubleCode, dtc_batch
from rules.code_findings import CodeFindings
from tests.rules.making import END, SECOND, TIMER, cleared, dm1, monitors, obd, reports, samples, uds


class Table:
    """A code table with the few codes that the tests need."""

    def lookup(self, code: str) -> CodeInfo:
        spn = code.split("/", maxsplit=1)[0]
        severity, urgency = {"P0217": (Severity.CRITICAL, Urgency.STOP), "P0456": (Severity.INFO, Urgency.MONITOR)}.get(
            code, (Severity.MEDIUM, Urgency.SOON)
        )
        return CodeInfo(
            code=code,
            title=Text(en=f"title of {code}", zh=f"{code} 的名称"),
            system="engine",
            component="",
            group_key=f"group.{spn}",
            severity=severity,
            urgency=urgency,
            severe_fmi=spn in ("SPN100", "SPN110"),
        )


def stage(clear_after_s: float = 60.0, unverified_for_s: float = 7 * 86_400.0) -> CodeFindings:
    return CodeFindings(Table(), clear_after_s=clear_after_s, unverified_for_s=unverified_for_s)


def find(*lists: DtcReport, ticks: SampleBatch | None = None) -> list[Finding]:
    return stage().evaluate(ticks or empty_samples(), reports(*lists))


def told(findings: Sequence[Finding]) -> list[tuple[float, str, str, str]]:
    return [(f.time_ns / SECOND, f.source.id, f.transition.value, f.urgency.name) for f in findings]


def test_a_stored_code_is_raised_once_with_the_words_of_the_table() -> None:
    (finding,) = find(obd(1, "P0301"), obd(2, "P0301"), obd(3, "P0301"))
    assert (finding.source.kind, finding.source.id, finding.codes) == (SourceKind.DTC, "P0301", ("P0301",))
    assert (finding.severity, finding.urgency, finding.group_key) == (Severity.MEDIUM, Urgency.SOON, "group.P0301")
    assert finding.title == Text(en="Trouble code P0301: title of P0301", zh="故障码 P0301：P0301 的名称")
    assert "7E8" in finding.explanation.en
    assert "已存储" in finding.explanation.zh
    assert [(item.kind, item.signal) for item in finding.evidence] == [("dtc", "P0301")]


def test_a_pending_code_is_low_and_rises_when_it_is_stored() -> None:
    findings = find(obd(1, "P0217", kind=CodeList.PENDING), obd(5, "P0217"))
    assert told(findings) == [(1, "P0217", "raised", "MONITOR"), (5, "P0217", "repeated", "STOP")]
    assert [finding.severity for finding in findings] == [Severity.LOW, Severity.CRITICAL]


def test_a_permanent_code_stays_low_and_an_informative_one_stays_informative() -> None:
    findings = find(obd(1, "P0217", "P0456", kind=CodeList.PERMANENT))
    assert [(f.severity, f.urgency) for f in findings] == [(Severity.LOW, Urgency.MONITOR), (Severity.INFO, Urgency.MONITOR)]


def test_a_code_clears_when_complete_lists_of_its_kind_have_lacked_it_long_enough() -> None:
    lists = [obd(0, "P0301"), obd(10), obd(40), obd(69.9), obd(70), obd(80)]
    assert told(find(*lists)) == [(0, "P0301", "raised", "SOON"), (70, "P0301", "cleared", "SOON")]


def test_partial_lists_other_ecus_and_other_kinds_clear_nothing() -> None:
    others = [obd(t, complete=False) for t in (10, 90)] + [obd(t, source=0x7E9) for t in (10, 90)]
    others += [obd(t, kind=CodeList.PENDING) for t in (10, 90)]
    assert told(find(obd(0, "P0301"), *others)) == [(0, "P0301", "raised", "SOON")]


def test_a_code_that_comes_back_within_the_time_is_the_same_episode() -> None:
    assert len(find(obd(0, "P0301"), obd(10), obd(50, "P0301"), obd(80), obd(139, "P0301"))) == 1


def test_a_code_that_comes_back_after_clearing_is_raised_again() -> None:
    assert [f.transition.value for f in find(obd(0, "P0301"), obd(1), obd(61), obd(70, "P0301"))] == [
        "raised",
        "cleared",
        "raised",
    ]


def test_a_tick_sees_that_the_time_is_over() -> None:
    ticks = samples([("car", 50.0, TIMER, 0), ("car", 75.0, END, 0)])
    assert told(find(obd(0, "P0301"), obd(10), ticks=ticks))[-1] == (75, "P0301", "cleared", "SOON")


def test_a_code_of_two_ecus_clears_when_both_have_dropped_it() -> None:
    lists = [obd(0, "P0301"), obd(1, "P0301", source=0x7E9), obd(2), obd(62), obd(70, source=0x7E9), obd(130, source=0x7E9)]
    assert told(find(*lists)) == [(0, "P0301", "raised", "SOON"), (130, "P0301", "cleared", "SOON")]


def test_a_code_that_is_only_permanent_after_a_repair_sinks() -> None:
    lists = [obd(0, "P0217"), obd(1, "P0217", kind=CodeList.PERMANENT), obd(2), obd(62)]
    assert told(find(*lists)) == [(0, "P0217", "raised", "STOP"), (62, "P0217", "repeated", "MONITOR")]


def test_a_freeze_frame_is_told_once_with_its_values() -> None:
    frame = obd(5, "P0301", kind=CodeList.FREEZE_FRAME, freeze=(FreezeValue(signal="Vehicle.Speed", value=52.0, unit="km/h"),))
    later = replace(frame, time_ns=9 * SECOND)
    findings = find(obd(0, "P0301"), frame, later)
    assert told(findings) == [(0, "P0301", "raised", "SOON"), (5, "P0301", "repeated", "SOON")]
    assert [(e.signal, e.value, e.unit) for e in findings[1].evidence if e.kind == "freeze_frame"] == [
        ("Vehicle.Speed", 52.0, "km/h")
    ]
    assert told(find(frame, later)) == [(5, "P0301", "raised", "SOON")]


def test_a_code_known_from_its_freeze_frame_clears_with_the_stored_list() -> None:
    frame = obd(5, "P0301", kind=CodeList.FREEZE_FRAME)
    assert told(find(frame, obd(10), obd(70)))[-1] == (70, "P0301", "cleared", "SOON")


def test_a_j1939_code_keeps_the_address_of_its_ecu() -> None:
    findings = find(dm1(1, (102, 3)), dm1(1, (102, 3), source=49))
    assert [f.source.id for f in findings] == ["SPN102/FMI3/SA0", "SPN102/FMI3/SA49"]
    assert {f.codes for f in findings} == {("SPN102/FMI3",)}


def test_dm1_that_only_repeats_itself_finds_nothing_new() -> None:
    assert len(find(*(dm1(second, (102, 3), amber=1) for second in range(300)))) == 1


def test_an_occurrence_more_is_a_repetition_and_an_unknown_count_is_not() -> None:
    lists = [dm1(0, (102, 3, 1)), dm1(1, (102, 3, 2)), dm1(2, (102, 3, 127)), dm1(3, (102, 3, 2)), dm1(4, (102, 3, 3))]
    assert [(f.time_ns // SECOND, f.transition.value) for f in find(*lists)] == [(0, "raised"), (1, "repeated"), (4, "repeated")]


def test_a_code_that_one_list_names_twice_counts_once() -> None:
    lists = [dm1(second, (102, 3, 1), (102, 3, 2)) for second in range(3)]
    assert told(find(*lists)) == [(0, "SPN102/FMI3/SA0", "raised", "SOON")]


def test_failure_modes_say_how_far_out_of_range_a_value_is() -> None:
    findings = find(dm1(0, (100, 1), (110, 16), (175, 15), (175, 0)))
    assert {f.source.id: f.urgency.name for f in findings} == {
        "SPN100/FMI1/SA0": "STOP",
        "SPN110/FMI16/SA0": "TODAY",
        "SPN175/FMI15/SA0": "SOON",
        "SPN175/FMI0/SA0": "SOON",
    }


def test_the_red_stop_lamp_raises_the_severe_codes_of_its_ecu_alone() -> None:
    findings = find(dm1(0, (100, 18), (102, 3), red=1), dm1(0, (175, 3), source=3))
    assert {f.source.id: f.urgency.name for f in findings} == {
        "SPN100/FMI18/SA0": "STOP",
        "SPN102/FMI3/SA0": "SOON",
        "SPN175/FMI3/SA3": "SOON",
    }
    red = next(f for f in findings if f.source.id == "SPN100/FMI18/SA0")
    assert [(e.kind, e.signal) for e in red.evidence if e.kind == "lamp"] == [("lamp", "red_stop")]
    assert "red stop lamp" in red.explanation.en
    assert "红色停车灯" in red.explanation.zh


def test_the_red_stop_lamp_raises_all_codes_where_none_is_severe() -> None:
    findings = find(dm1(0, (102, 3), (175, 3), red=1))
    assert {(f.severity, f.urgency) for f in findings} == {(Severity.CRITICAL, Urgency.STOP)}


def test_a_lamp_that_comes_on_raises_the_level_and_one_in_error_does_not() -> None:
    lists = [
        dm1(0, (102, 3)),
        dm1(1, (102, 3), red=2, protect=3),
        dm1(2, (102, 3), protect=1),
        dm1(3, (102, 3), protect=1, amber=1),
    ]
    assert told(find(*lists)) == [(0, "SPN102/FMI3/SA0", "raised", "SOON"), (2, "SPN102/FMI3/SA0", "repeated", "TODAY")]


def test_a_lamp_that_flashes_is_told_from_one_that_is_steady() -> None:
    steady = dm1(0, (102, 3), amber=1)
    for state, word in ((0, "flashing"), (1, "flashing"), (2, "on"), (3, "on")):
        (finding,) = find(replace(steady, lamps=replace(steady.lamps, amber_warning_flash=state)))
        assert [e.note for e in finding.evidence if e.kind == "lamp"] == [word]


@pytest.mark.parametrize(
    ("status", "urgency"),
    [
        (0x2F, "STOP"),  # failing now
        (0x2C, "STOP"),  # confirmed, and failed in this or the last cycle
        (0x88, "STOP"),  # confirmed, its lamp still on
        (0x28, "MONITOR"),  # history
        (0x04, "MONITOR"),  # pending
    ],
)
def test_uds_status_tells_active_confirmed_history_and_pending_codes_apart(status: int, urgency: str) -> None:
    assert [f.urgency.name for f in find(uds(0, ("P0217", status)))] == [urgency]


def test_a_code_that_was_never_tested_or_has_passed_is_no_finding() -> None:
    assert find(uds(0, ("P0217", 0x50), ("P0301", 0x00), ("P0302", 0x40))) == []


def test_permanent_history_and_cleared_codes_never_rise_like_an_active_one() -> None:
    history = replace(dm1(0, (100, 1), red=1, amber=1), kind=CodeList.PREVIOUSLY_ACTIVE)
    permanent = replace(dm1(0, (110, 0), red=1), kind=CodeList.PERMANENT)
    assert {(f.severity, f.urgency) for f in find(history, permanent)} == {(Severity.LOW, Urgency.MONITOR)}


def test_a_severity_told_by_the_ecu_raises_the_level() -> None:
    def level(severity: int, status: int = 0x09) -> str:
        report = uds(0, ("P0301", status))
        return find(replace(report, codes=(replace(report.codes[0], severity=severity),)))[0].urgency.name

    assert [level(0x80), level(0x40), level(0x20), level(-1), level(0x80, 0x28)] == ["STOP", "TODAY", "SOON", "SOON", "MONITOR"]


def evidence(findings: Sequence[Finding], kind: str) -> list[tuple[str, float | None, str]]:
    return [(item.signal, item.value, item.note) for found in findings for item in found.evidence if item.kind == kind]


def test_what_the_ecu_says_of_the_danger_is_handed_on_as_evidence() -> None:
    told_severity = uds(0, ("P0301", 0x09))
    (raised,) = find(replace(told_severity, codes=(replace(told_severity.codes[0], severity=0x40),)))
    assert evidence([raised], "severity") == [("P0301", 64.0, "check at next halt")]
    alarm = replace(obd(0, kind=CodeList.ACTIVE), protocol=Protocol.GBT32960, codes=(TroubleCode(code="GB11", level=2),))
    assert evidence(find(alarm), "alarm_level") == [("GB11", 2.0, "")]
    assert evidence(find(obd(0, "P0301")), "alarm_level") == evidence(find(obd(0, "P0301")), "severity") == []


def test_finished_self_tests_are_handed_on_with_a_complete_list_only() -> None:
    assert evidence(find(monitors(0, complete=False), obd(1, "P0301")), "tested") == [("7E8", None, "catalyst")]
    assert evidence(find(monitors(0, complete=False), obd(1, "P0301", complete=False)), "tested") == []
    assert evidence(find(monitors(0, complete=False), obd(1, "P0301", source=0x7E9)), "tested") == []
    assert evidence(find(monitors(0, complete=True), cleared(1), obd(2, "P0301")), "tested") == []


def test_codes_that_passed_their_test_are_handed_on_where_the_ecu_tells_which_tests_have_run() -> None:
    both = ("P0301", 0x09), ("P0351", 0x00), ("P0352", 0x40), ("P0353", 0x50)
    assert evidence(find(uds(0, *both, availability=0xFF)), "tested") == [("7E8", None, "P0351, P0352")]
    assert evidence(find(uds(0, *both, availability=0x2F)), "tested") == []
    failed_later = find(uds(0, *both, availability=0xFF), uds(1, ("P0351", 0x09), availability=0xFF))
    assert evidence(failed_later[1:], "tested") == [("7E8", None, "P0352")]


def test_what_was_tested_is_part_of_the_state() -> None:
    first, second = stage(), stage()
    first.evaluate(empty_samples(), reports(monitors(0, complete=False)))
    second.restore("car", first.snapshot("car") or b"")
    assert evidence(second.evaluate(empty_samples(), reports(obd(1, "P0301"))), "tested") == [("7E8", None, "catalyst")]


def test_a_code_cleared_by_a_tool_waits_for_a_self_test() -> None:
    lists = [obd(0, "P0217"), cleared(5), obd(10), obd(500), monitors(600, complete=False), obd(700)]
    assert told(find(*lists)) == [(0, "P0217", "raised", "STOP"), (5, "P0217", "repeated", "MONITOR")]
    findings = find(*lists, monitors(800, complete=True), obd(850), obd(860))
    assert told(findings)[2:] == [(860, "P0217", "cleared", "MONITOR")]
    assert [e.note for e in findings[1].evidence] == ["cleared_unverified"]
    assert "has not finished" in findings[1].explanation.en
    assert "未经验证" in findings[1].explanation.zh


def test_a_cleared_code_that_comes_back_is_the_same_episode() -> None:
    lists = [obd(0, "P0217"), cleared(5), obd(10), obd(500, "P0217", kind=CodeList.PENDING), obd(600, "P0217")]
    assert [f.transition.value for f in find(*lists)] == ["raised", "repeated", "repeated"]
    assert told(find(*lists))[-1] == (600, "P0217", "repeated", "STOP")


def test_nobody_waits_for_a_self_test_for_ever() -> None:
    week = 7 * 86_400.0
    lists = [obd(0, "P0301"), cleared(5), obd(week + 4.9), obd(week + 5)]
    assert told(find(*lists))[-1] == (week + 5, "P0301", "cleared", "MONITOR")


def test_a_status_that_says_not_tested_since_a_clear_that_nobody_saw_is_no_repair() -> None:
    findings = find(uds(0, ("P0217", 0x2F)), uds(10, ("P0217", 0x50)), uds(500, ("P0217", 0x50)))
    assert told(findings) == [(0, "P0217", "raised", "STOP"), (10, "P0217", "repeated", "MONITOR")]
    passed = find(uds(0, ("P0217", 0x2F)), uds(10, ("P0217", 0x50)), uds(500, ("P0217", 0x00)), uds(560))
    assert told(passed)[-1] == (560, "P0217", "cleared", "MONITOR")


def test_a_clear_touches_neither_permanent_codes_nor_other_ecus() -> None:
    others = [obd(0, "P0301", kind=CodeList.PERMANENT), obd(0, "P0302", source=0x7E9), dm1(0, (102, 3))]
    assert len(find(*others, cleared(5), cleared(6, message="DM3", source=0, protocol=Protocol.J1939))) == 3


@pytest.mark.parametrize(
    ("message", "source", "sinks"), [("DM11", 0, True), ("DM11", 255, True), ("DM11", 3, False), ("DM3", 0, False)]
)
def test_dm11_clears_the_active_codes_of_one_ecu_or_of_all(message: str, source: int, sinks: bool) -> None:
    lists = [dm1(0, (102, 3)), cleared(5, message=message, source=source, protocol=Protocol.J1939)]
    assert (len(find(*lists)) == 2) == sinks


def test_a_red_stop_lamp_without_a_code_is_a_finding() -> None:
    findings = find(dm1(0), dm1(1, red=1), dm1(2, red=1), dm1(3), dm1(64))
    assert told(findings) == [(1, "lamp.red_stop/SA0", "raised", "STOP"), (64, "lamp.red_stop/SA0", "cleared", "STOP")]
    lamp = findings[0]
    assert (lamp.source.kind, lamp.severity, lamp.codes) == (SourceKind.DTC, Severity.CRITICAL, ())
    assert [(e.kind, e.signal) for e in lamp.evidence] == [("dtc", "lamp.red_stop"), ("lamp", "red_stop")]
    assert "red stop lamp" in lamp.explanation.en
    assert "红色停车灯" in lamp.explanation.zh


def test_a_red_stop_lamp_is_explained_by_the_code_that_follows() -> None:
    findings = find(dm1(0, red=1), dm1(1, (100, 1), red=1), dm1(62, (100, 1), red=1))
    assert told(findings) == [
        (0, "lamp.red_stop/SA0", "raised", "STOP"),
        (1, "SPN100/FMI1/SA0", "raised", "STOP"),
        (62, "lamp.red_stop/SA0", "cleared", "STOP"),
    ]


def test_other_lamps_and_lamps_of_other_lists_without_a_code_find_nothing() -> None:
    assert find(dm1(0, amber=1, protect=1), dm1(1, red=2), dm1(2, red=3)) == []
    assert find(replace(dm1(0, red=1), kind=CodeList.PREVIOUSLY_ACTIVE)) == []


def test_a_flashing_lamp_is_more_urgent_than_a_steady_one_and_means_nothing_while_off() -> None:
    def urgency(**lamps: int) -> str:
        report = dm1(0, (102, 3))
        return find(replace(report, lamps=replace(report.lamps, **lamps)))[0].urgency.name

    assert urgency(amber_warning=1, amber_warning_flash=3) == "SOON"
    assert urgency(amber_warning=1, amber_warning_flash=1) == "TODAY"
    assert urgency(malfunction=1, malfunction_flash=1) == "TODAY"
    assert urgency(malfunction=1, malfunction_flash=0) == "SOON"
    assert urgency(amber_warning=0, amber_warning_flash=0, malfunction_flash=1) == "SOON"


def test_an_spn_that_is_not_certain_is_told_and_stops_nobody() -> None:
    report = dm1(0, (100, 1))
    (finding,) = find(replace(report, codes=(replace(report.codes[0], conversion=1, is_spn_assumed=True),)))
    assert finding.urgency is Urgency.TODAY
    assert "not certain" in finding.evidence[0].note
    assert "older way" in finding.explanation.en
    assert "有误" in finding.explanation.zh


def test_an_ecu_that_changes_its_address_keeps_its_codes() -> None:
    here = replace(dm1(0, (102, 3)), name=7)
    there = replace(dm1(10, (102, 3), source=5), name=7)
    gone = [replace(dm1(t, source=5), name=7) for t in (20, 80)]
    assert told(find(here, there, *gone)) == [
        (0, "SPN102/FMI3/SA0", "raised", "SOON"),
        (80, "SPN102/FMI3/SA0", "cleared", "SOON"),
    ]


def test_a_name_that_is_claimed_later_changes_nothing() -> None:
    assert len(find(dm1(0, (102, 3)), replace(dm1(10, (102, 3)), name=7))) == 1


def test_an_ecu_at_the_old_address_of_another_is_another_and_one_that_was_fitted_instead_is_not() -> None:
    first, moved = replace(dm1(0, (102, 3)), name=7), replace(dm1(1, (102, 3), source=5), name=7)
    second = replace(dm1(2, (102, 3)), name=8)
    assert [f.source.id for f in find(first, moved, second)] == ["SPN102/FMI3/SA0", "SPN102/FMI3/SA0.1"]
    replaced = [replace(dm1(t), name=8) for t in (10, 70)]
    assert told(find(first, *replaced))[-1] == (70, "SPN102/FMI3/SA0", "cleared", "SOON")


made_reports = st.one_of(
    st.builds(
        lambda half, codes, kind, source, complete: obd(half / 2, *sorted(codes), kind=kind, source=source, complete=complete),
        st.integers(0, 60),
        st.sets(st.sampled_from(["P0301", "P0217"])),
        st.sampled_from([CodeList.STORED, CodeList.PENDING, CodeList.PERMANENT]),
        st.sampled_from([0x7E8, 0x7E9]),
        st.booleans(),
    ),
    st.builds(
        lambda half, codes, red, amber: dm1(half / 2, *sorted(codes), red=red, amber=amber),
        st.integers(0, 60),
        st.sets(st.tuples(st.sampled_from([100, 102]), st.sampled_from([1, 3]), st.integers(1, 3)), max_size=2),
        st.integers(0, 1),
        st.integers(0, 1),
    ),
    st.builds(
        lambda half, value: obd(
            half / 2, "P0301", kind=CodeList.FREEZE_FRAME, freeze=(FreezeValue(signal="Vehicle.Speed", value=value, unit="km/h"),)
        ),
        st.integers(0, 60),
        st.sampled_from([0.0, 0.1]),
    ),
    st.builds(
        lambda half, codes, kind, complete: uds(half / 2, *sorted(codes), kind=kind, complete=complete),
        st.integers(0, 60),
        st.sets(st.tuples(st.sampled_from(["P0301", "P0217"]), st.sampled_from([0x2F, 0x28, 0x50, 0x04, 0x00])), max_size=2),
        st.sampled_from([CodeList.UDS_BY_STATUS, CodeList.UDS_SUPPORTED, CodeList.SNAPSHOT]),
        st.booleans(),
    ),
    st.builds(lambda half: cleared(half / 2), st.integers(0, 60)),
    st.builds(
        lambda half, message, source: cleared(half / 2, message=message, source=source, protocol=Protocol.J1939),
        st.integers(0, 60),
        st.sampled_from(["DM3", "DM11"]),
        st.sampled_from([0, 255]),
    ),
    st.builds(lambda half, complete: monitors(half / 2, complete=complete), st.integers(0, 60), st.booleans()),
    st.builds(
        lambda half, codes, source, name, kind: replace(
            dm1(half / 2, *sorted(codes), source=source, red=1), name=name, kind=kind
        ),
        st.integers(0, 60),
        st.sets(st.tuples(st.sampled_from([100, 102]), st.just(3)), max_size=1),
        st.sampled_from([0, 5]),
        st.sampled_from([7, 8]),
        st.sampled_from([CodeList.ACTIVE, CodeList.PREVIOUSLY_ACTIVE]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    first=st.lists(made_reports, max_size=15),
    second=st.lists(made_reports, max_size=15),
    ticks=st.lists(st.integers(0, 60), max_size=5, unique=True),
    cuts=st.lists(st.integers(0, 60).map(lambda half: half * SECOND // 2), max_size=6),
    restart=st.booleans(),
)
def test_cuts_restarts_and_neighbours_change_nothing(
    first: list[DtcReport], second: list[DtcReport], ticks: list[int], cuts: list[int], restart: bool
) -> None:
    dtcs = dtc_batch(("a", "b"), [*first, *(replace(report, vehicle=1) for report in second)])
    batch = samples([("a", half / 2, TIMER, 0.0) for half in ticks])
    whole = stage(5.0, 12.0).evaluate(batch, dtcs)
    part_stage = stage(5.0, 12.0)
    parts: list[Finding] = []
    edges = [-1, *sorted(cuts), 2**62]
    for low, high in pairwise(edges):
        kept = [report for report in dtcs if low <= report.time_ns < high]
        ticked = samples([("a", half / 2, TIMER, 0.0) for half in ticks if low <= half * SECOND // 2 < high])
        parts += part_stage.evaluate(ticked, dtc_batch(("a", "b"), kept))
        if restart:
            states = {vehicle: part_stage.snapshot(vehicle) for vehicle in ("a", "b")}
            part_stage = stage(5.0, 12.0)
            for vehicle, state in states.items():
                if state is not None:
                    part_stage.restore(vehicle, state)
    assert sorted(parts, key=lambda f: (f.vehicle, f.time_ns, f.source.id)) == whole
    alone = stage(5.0, 12.0).evaluate(empty_samples(), dtc_batch(("b",), second))
    assert alone == [finding for finding in whole if finding.vehicle == "b"]
    kinds: dict[tuple[str, str], str] = {}
    for finding in whole:
        before = kinds.get((finding.vehicle, finding.source.id), "cleared")
        assert (finding.transition.value == "raised") == (before == "cleared")
        kinds[finding.vehicle, finding.source.id] = finding.transition.value


def test_a_forgotten_vehicle_begins_anew() -> None:
    codes = stage()
    codes.evaluate(empty_samples(), reports(obd(0, "P0301")))
    codes.forget("car")
    assert codes.snapshot("car") is None
    assert len(codes.evaluate(empty_samples(), reports(obd(1, "P0301")))) == 1


def test_a_lowered_code_is_raised_anew_by_the_next_list_that_names_it() -> None:
    own = stage()
    assert len(own.evaluate(empty_samples(), reports(obd(0, "P0301", "P0302")))) == 2
    own.lower("car", {"P0301", "unknown"})
    own.lower("nobody", {"P0301"})
    again = own.evaluate(empty_samples(), reports(obd(10, "P0301", "P0302"), obd(11, "P0301", "P0302")))
    assert [(time_s, source, change) for time_s, source, change, *_ in told(again)] == [(10, "P0301", "raised")]
