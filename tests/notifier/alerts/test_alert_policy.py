"""Inhibition, flapping, confirmation and silences: what holds an alert back, and that nothing is ever lost by it."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DataFileError
from domain.findings import Alert, AlertState, Finding, Severity, SourceKind, Transition, Urgency
from domain.open_case import open_part, overlaid
from domain.records import VehicleCase
from domain.silences import Silence
from domain.standing import Hold, Resolution, Review
from notifier.alerts.alert_policy import AlertPolicy, load_alert_policy
from notifier.alerts.alerting import apply_findings, look_again
from notifier.orders.order_states import OPEN_STATES
from tests.notifier.builders import SECOND_NS, finding, vehicle

POLICY = load_alert_policy()
EMPTY = VehicleCase(vehicle="v1")
CLEARED, RAISED, REPEATED = Transition.CLEARED, Transition.RAISED, Transition.REPEATED


def after(*findings: Finding, policy: AlertPolicy = POLICY, case: VehicleCase = EMPTY) -> VehicleCase:
    return apply_findings(case, findings, policy)[0]


def by_source(case: VehicleCase) -> dict[str, Alert]:
    return {alert.source.id: alert for alert in case.alerts}


def dip(transition: Transition = RAISED, *, at_s: float = 0, drive: int | None = 3, **more: object) -> Finding:
    return finding(transition, source="cranking_voltage_low", group="electrical.12v/battery", at_s=at_s, drive=drive, **more)


def lost(code: str = "U0100", *, at_s: float = 1, drive: int | None = 3, **more: object) -> Finding:
    fields = {"urgency": Urgency.TODAY, "severity": Severity.HIGH} | more
    return finding(kind=SourceKind.DTC, source=code, codes=(code,), group="network/ecm", at_s=at_s, drive=drive, **fields)


def test_a_supply_dip_holds_back_network_codes_of_its_drive_even_when_the_dip_is_over() -> None:
    case = after(dip(), dip(CLEARED, at_s=0.5), lost())
    child = by_source(case)["U0100"]
    assert child.state is AlertState.OPEN
    assert child.standing.holds == (Hold.INHIBITED,)
    assert child.standing.inhibited_by == by_source(case)["cranking_voltage_low"].id
    assert child.standing.inhibition == "supply_dip_explains_network_codes"


def test_a_network_code_without_a_dip_or_of_another_drive_is_not_held_back() -> None:
    assert by_source(after(lost()))["U0100"].standing.holds == ()
    assert by_source(after(dip(drive=2), lost(drive=3)))["U0100"].standing.holds == ()
    assert by_source(after(dip(), lost("P0301")))["P0301"].standing.holds == ()


def test_a_network_code_that_outlives_the_drive_of_the_dip_is_let_go_when_the_drive_ends() -> None:
    case = after(dip(), dip(CLEARED, at_s=0.5), lost())
    case, changed = look_again(case, 600 * SECOND_NS, POLICY, drive=-2)
    child = by_source(case)["U0100"]
    assert child.standing.holds == ()
    assert changed == (child.incident_id,)


def test_a_late_finding_leaves_what_holds_for_a_drive_as_it_is() -> None:
    case = after(dip(), lost())
    late = finding(source="other", at_s=0.7, late=True, decided_ns=9 * SECOND_NS)
    assert by_source(after(late, case=case))["U0100"].standing.holds == (Hold.INHIBITED,)


def test_a_critical_alert_holds_back_the_warning_of_its_component_while_it_is_open() -> None:
    warning, critical = finding(source="warm"), finding(source="hot", severity=Severity.CRITICAL, at_s=1)
    case = after(warning, critical)
    assert by_source(case)["warm"].standing.holds == (Hold.INHIBITED,)
    case = after(finding(CLEARED, source="hot", at_s=5), case=case)
    assert by_source(case)["warm"].standing.holds == ()
    elsewhere = after(warning, replace(critical, group_key="brake"))
    assert by_source(elsewhere)["warm"].standing.holds == ()


def test_an_alert_that_asks_to_stop_is_never_explained_by_a_milder_one() -> None:
    assert by_source(after(dip(), lost(urgency=Urgency.STOP)))["U0100"].standing.holds == ()


def test_a_source_that_comes_and_goes_becomes_one_flapping_alert_that_resolves_after_quiet() -> None:
    rounds = [finding(t, at_s=10 * n + 5 * (t is CLEARED)) for n in range(12) for t in (RAISED, CLEARED)]
    case = after(*rounds)
    assert len(case.alerts) == POLICY.flapping.raises
    *gone, flapping = case.alerts
    assert all(alert.state is AlertState.RESOLVED and not alert.standing.flapping for alert in gone)
    assert (flapping.state, flapping.standing.flapping, flapping.occurrences) == (AlertState.OPEN, True, 12 - len(gone))
    quiet_ns = flapping.standing.quiet_since_ns
    assert quiet_ns == 115 * SECOND_NS
    almost, _ = look_again(case, quiet_ns + POLICY.flapping.quiet_ns - 1, POLICY, drive=None)
    assert almost == case
    done, _ = look_again(case, quiet_ns + POLICY.flapping.quiet_ns + 77 * SECOND_NS, POLICY, drive=None)
    assert (done.alerts[-1].state, done.alerts[-1].updated_ns) == (AlertState.RESOLVED, quiet_ns + POLICY.flapping.quiet_ns)
    assert done.alerts[-1].standing.resolution is Resolution.RECOVERED


def test_a_source_that_comes_and_goes_slowly_does_not_flap() -> None:
    rounds = [finding(t, at_s=1000 * n + 5 * (t is CLEARED)) for n in range(12) for t in (RAISED, CLEARED)]
    case = after(*rounds)
    assert len(case.alerts) == 12
    assert not any(alert.standing.flapping for alert in case.alerts)


def resting(transition: Transition = RAISED, *, drive: int | None, **more: object) -> Finding:
    return finding(transition, source="resting_voltage_low", at_s=100_000 * (drive or 0), drive=drive, **more)


def test_a_source_that_asks_for_it_starts_nothing_before_its_second_drive_of_three() -> None:
    first = after(resting(drive=1))
    assert first.alerts[0].standing.holds == (Hold.UNCONFIRMED,)
    assert after(resting(REPEATED, drive=3), case=first).alerts[0].standing.holds == ()
    assert after(resting(REPEATED, drive=4), case=first).alerts[0].standing.holds == (Hold.UNCONFIRMED,)
    gone = after(replace(resting(CLEARED, drive=1), time_ns=100_001 * SECOND_NS), case=first)
    assert after(resting(drive=2), case=gone).alerts[-1].standing.holds == ()


def test_what_cannot_be_counted_or_asks_to_stop_needs_no_second_drive() -> None:
    assert after(resting(drive=None)).alerts[0].standing.holds == ()
    assert after(resting(drive=1, urgency=Urgency.STOP)).alerts[0].standing.holds == ()


def test_how_an_alert_ended_is_told_and_forgotten_when_it_goes_on() -> None:
    gone = after(finding(), finding(CLEARED, at_s=5))
    assert gone.alerts[0].standing.resolution is Resolution.RECOVERED
    on = after(finding(), finding(CLEARED), finding())
    assert on.alerts[0].standing.resolution is Resolution.NONE


def test_old_data_asks_a_person_until_data_comes_in_time() -> None:
    policy = replace(POLICY, stale_after_ns=60 * SECOND_NS)
    case = after(finding(received_ns=61 * SECOND_NS), policy=policy)
    assert case.alerts[0].standing.review is Review.OLD_DATA
    assert after(finding(received_ns=59 * SECOND_NS), policy=policy).alerts[0].standing.review is Review.NONE
    assert after(finding(), policy=policy).alerts[0].standing.review is Review.NONE, "nobody knows when a recording came"
    fresh = after(finding(REPEATED, at_s=100, received_ns=101 * SECOND_NS), policy=policy, case=case)
    assert fresh.alerts[0].standing.review is Review.NONE


def silence(**more: object) -> Silence:
    fields = {"id": "s", "starts_ns": 0, "ends_ns": 10, "author": "a", "reason": "r", "created_ns": 0} | more
    return Silence(**fields)  # type: ignore[arg-type]


def test_a_silence_holds_back_what_it_matches_and_resolves_nothing() -> None:
    made = silence(source="cool*")
    case, _ = apply_findings(EMPTY, [finding(), finding(source="other")], POLICY, [made])
    assert {name: alert.standing.holds for name, alert in by_source(case).items()} == {
        "coolant_hot": (Hold.SILENCED,),
        "other": (),
    }
    assert all(alert.state is AlertState.OPEN for alert in case.alerts)
    case, changed = look_again(case, 11, POLICY, drive=None)
    assert by_source(case)["coolant_hot"].standing.holds == ()
    assert changed == (by_source(case)["coolant_hot"].incident_id,)


def test_a_silence_concerns_a_vehicle_for_as_long_as_it_holds() -> None:
    car = vehicle()
    assert silence(vehicle="v1").concerns(car, 0)
    assert silence(model="Ha*").concerns(car, 9)
    assert not silence(model="Seal").concerns(car, 5)
    assert not silence(vehicle="v2").concerns(car, 5)
    assert not silence(vehicle="v1").concerns(car, 10)
    assert not silence(vehicle="v1", ended_ns=4).concerns(car, 5)
    assert not silence(vehicle="v1", starts_ns=6).concerns(car, 5)


SOURCES = st.sampled_from(
    [
        ("cranking_voltage_low", SourceKind.RULE, ()),
        ("resting_voltage_low", SourceKind.RULE, ()),
        ("U0073", SourceKind.DTC, ("U0073",)),
        ("U0100", SourceKind.DTC, ("U0100",)),
        ("hot", SourceKind.RULE, ()),
    ]
)


@st.composite
def found(draw: st.DrawFn) -> list[Finding]:
    findings = []
    for at_s in sorted(draw(st.lists(st.integers(0, 40), max_size=40))):
        name, kind, codes = draw(SOURCES)
        findings.append(
            finding(
                draw(st.sampled_from(Transition)),
                at_s=at_s * 100,
                source=name,
                kind=kind,
                codes=codes,
                drive=at_s // 10,
                group=draw(st.sampled_from(["engine", "network"])),
                severity=draw(st.sampled_from(Severity)),
                urgency=draw(st.sampled_from(Urgency)),
            )
        )
    unique = {(one.source.id, one.time_ns): one for one in findings}
    return list(unique.values())


@given(found(), st.lists(st.integers(0, 40)))
def test_cuts_and_a_store_that_keeps_only_the_open_part_change_nothing(findings: list[Finding], cuts: list[int]) -> None:
    whole = after(*findings)
    instants = [list(group) for _, group in groupby(findings, key=lambda one: one.time_ns)]
    bounds = sorted({0, len(instants), *(cut for cut in cuts if cut < len(instants))})
    piecewise = EMPTY
    for begin, end in pairwise(bounds):
        piece = [one for instant in instants[begin:end] for one in instant]
        piecewise = overlaid(piecewise, after(*piece, case=open_part(piecewise, OPEN_STATES)))
    assert piecewise == whole


@given(found())
def test_whatever_is_inhibited_hangs_on_an_alert_that_is_not(findings: list[Finding]) -> None:
    case = EMPTY
    for _, group in groupby(findings, key=lambda one: one.time_ns):
        case = after(*group, case=case)
        alerts = {alert.id: alert for alert in case.alerts}
        unresolved = [alert for alert in case.alerts if alert.state is not AlertState.RESOLVED]
        for alert in unresolved:
            parent, steps = alert, 0
            while parent.state is not AlertState.RESOLVED and parent.standing.inhibited_by:
                parent, steps = alerts[parent.standing.inhibited_by], steps + 1
                assert steps <= len(alerts), "alerts hold each other back"
        if any(alert.urgency is Urgency.STOP for alert in unresolved):
            stops = [alert for alert in unresolved if alert.urgency is Urgency.STOP]
            assert any(not alert.standing.inhibited_by for alert in stops) or any(
                alerts[alert.standing.inhibited_by].urgency is Urgency.STOP for alert in stops
            )


def inhibition(*, parent: str = "{kinds: [rule]}", lasts: str = "same_drive", reason: str = "{en: a, zh: b}") -> str:
    entry = f"- id: x\n    parent: {parent}\n    child: {{kinds: [dtc]}}\n    while: {lasts}\n    reason: {reason}\n    source: s"
    return f"inhibitions:\n  {entry}"


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        ("flapping: {raises: 1, within_s: 10, quiet_s: 10}", 1, "raises"),
        (inhibition(parent="{}"), 2, "the parent of 'x' matches every alert"),
        (inhibition(lasts="forever"), 5, "while"),
        (inhibition(reason="{en: a}"), 6, "zh"),
        ("confirmation:\n  - {sources: [a], drives: 4, of: 3, source: s}", 2, "4 of 3 drives can never be"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, wrong: str, line: int, words: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(DataFileError) as refused:
        load_alert_policy(file)
    assert words in str(refused.value)
    assert f"{file}:{line}" in str(refused.value)
