"""Findings become alerts and incidents, whatever way they were cut and ordered."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.findings import AlertState, Evidence, Finding, Severity, Source, SourceKind, Transition, Urgency
from domain.records import VehicleCase
from notifier.alerts.alerting import AcknowledgeOutcome, AlertDecision, acknowledge, apply_findings, decide
from tests.notifier.builders import finding

EMPTY = VehicleCase(vehicle="v1")
CLEARED, RAISED, REPEATED = Transition.CLEARED, Transition.RAISED, Transition.REPEATED


def after(*findings: Finding) -> VehicleCase:
    return apply_findings(EMPTY, findings)[0]


def test_a_raised_finding_opens_an_alert_in_an_incident_of_its_own() -> None:
    case, changed = apply_findings(EMPTY, [finding(at_s=5)])
    (alert,) = case.alerts
    assert (alert.state, alert.occurrences, alert.opened_ns, alert.updated_ns) == (AlertState.OPEN, 1, 5 * 10**9, 5 * 10**9)
    assert changed == (alert.incident_id,)


def test_the_alert_id_does_not_depend_on_the_source_version_but_on_everything_it_is_about() -> None:
    first = finding()
    (alert,) = after(first).alerts
    assert after(replace(first, source=replace(first.source, version="2"))).alerts[0].id == alert.id
    others = [
        finding(vehicle="v2"),
        finding(source="other"),
        finding(kind=SourceKind.MODEL),
        finding(group="engine"),
        finding(at_s=1e-9),
    ]
    assert len({alert.id, *(after(other).alerts[0].id for other in others)}) == 6


def test_repeats_count_and_never_make_it_milder() -> None:
    case = after(
        finding(severity=Severity.HIGH, urgency=Urgency.TODAY),
        finding(REPEATED, at_s=1, severity=Severity.LOW, urgency=Urgency.NEXT),
        finding(RAISED, at_s=2, severity=Severity.MEDIUM, urgency=Urgency.STOP),
    )
    (alert,) = case.alerts
    assert (alert.occurrences, alert.severity, alert.urgency) == (3, Severity.HIGH, Urgency.STOP)
    assert alert.title.en == "coolant_hot high"  # the words of the worst finding


def test_a_repeat_brings_the_latest_evidence_with_the_window_from_its_beginning_and_merges_codes() -> None:
    first = Evidence(kind="signal", signal="T", value=108.0, window_start_ns=10, window_end_ns=20)
    latest = replace(first, value=111.0, window_start_ns=30, window_end_ns=40)
    (alert,) = after(
        finding(evidence=(first,), codes=("P0128",)), finding(REPEATED, at_s=1, evidence=(latest,), codes=("P0217", "P0128"))
    ).alerts
    assert alert.evidence == (replace(latest, window_start_ns=10),)
    assert alert.codes == ("P0128", "P0217")


def test_windows_reach_back_over_many_repeats_and_a_known_place_is_kept() -> None:
    seen = Evidence(kind="signal", signal="T", window_start_ns=10, window_end_ns=20)
    earlier = replace(seen, window_start_ns=5)
    (alert,) = after(
        finding(evidence=(seen, earlier), location=(31.0, 121.0)),
        finding(REPEATED, at_s=1, evidence=(replace(seen, window_start_ns=40),)),
        finding(REPEATED, at_s=2),
    ).alerts
    assert alert.evidence == (replace(seen, window_start_ns=5),)
    assert alert.location == (31.0, 121.0)


def test_evidence_without_a_window_or_with_an_earlier_one_stays_as_it_is() -> None:
    windowed, bare = Evidence(kind="signal", signal="T", window_start_ns=10), Evidence(kind="signal", signal="T")
    earlier = replace(windowed, window_start_ns=3)
    for first, latest in ((windowed, bare), (bare, windowed), (windowed, earlier)):
        assert after(finding(evidence=(first,)), finding(REPEATED, at_s=1, evidence=(latest,))).alerts[0].evidence == (latest,)


def test_a_resolved_alert_absorbs_nothing() -> None:
    case = after(finding(), finding(CLEARED, at_s=1), finding(at_s=2))
    old, new = case.alerts
    assert (old.state, old.updated_ns, old.occurrences) == (AlertState.RESOLVED, 10**9, 1)
    assert (new.state, new.opened_ns) == (AlertState.OPEN, 2 * 10**9)
    assert old.incident_id != new.incident_id


def test_alerts_of_a_group_share_the_incident_while_one_of_them_is_open() -> None:
    case = after(
        finding(source="a"), finding(source="b", at_s=1), finding(CLEARED, source="a", at_s=2), finding(source="c", at_s=3)
    )
    assert len({alert.incident_id for alert in case.alerts}) == 1
    case, _ = apply_findings(case, [finding(source="x", at_s=4, group="brake")])
    assert len({alert.incident_id for alert in case.alerts}) == 2


def test_clearing_and_raising_at_one_instant_share_the_incident_whatever_the_names() -> None:
    for old, new in (("a", "b"), ("b", "a")):
        case = after(finding(source=old), finding(CLEARED, source=old, at_s=1), finding(source=new, at_s=1))
        assert len({alert.incident_id for alert in case.alerts}) == 1


def test_a_source_that_clears_and_rises_again_within_one_instant_goes_on() -> None:
    case = after(finding(), finding(CLEARED), finding())
    (alert,) = case.alerts
    assert (alert.state, alert.occurrences) == (AlertState.OPEN, 2)


def test_an_episode_that_has_come_and_gone_is_not_told_again_by_a_late_finding_of_its_first_instant() -> None:
    case = after(finding(), finding(CLEARED, at_s=5))
    assert apply_findings(case, [finding(late=True)]) == (case, ())


def test_of_equally_bad_findings_the_latest_words_count() -> None:
    (alert,) = after(finding(), finding(REPEATED, at_s=7)).alerts
    assert alert.explanation.en == "coolant_hot at 7"


def test_an_acknowledged_alert_still_repeats_and_resolves() -> None:
    case = after(finding())
    case, outcome = acknowledge(case, case.alerts[0].id)
    assert outcome is AcknowledgeOutcome.ACKNOWLEDGED
    case, _ = apply_findings(case, [finding(REPEATED, at_s=1)])
    assert (case.alerts[0].state, case.alerts[0].occurrences) == (AlertState.ACKNOWLEDGED, 2)
    assert acknowledge(case, case.alerts[0].id)[1] is AcknowledgeOutcome.ALREADY_ACKNOWLEDGED
    case, _ = apply_findings(case, [finding(CLEARED, at_s=2)])
    assert acknowledge(case, case.alerts[0].id) == (case, AcknowledgeOutcome.ALREADY_RESOLVED)
    assert acknowledge(case, "nonsense") == (case, AcknowledgeOutcome.UNKNOWN_ALERT)


def test_a_late_clearing_from_before_the_last_sighting_is_ignored() -> None:
    case = after(finding(), finding(REPEATED, at_s=10))
    assert apply_findings(case, [finding(CLEARED, at_s=5, late=True)]) == (case, ())
    assert decide(case.alerts[0], finding(CLEARED, at_s=5)) is AlertDecision.IGNORE_OUTDATED
    assert decide(None, finding(CLEARED)) is AlertDecision.IGNORE_NOT_OPEN


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(Transition),
        at_s=st.integers(0, 8),
        source=st.sampled_from("abc"),
        kind=st.sampled_from([SourceKind.RULE, SourceKind.DTC]),
        group=st.sampled_from(["engine", "brake"]),
        vehicle=st.sampled_from(["v1", "v2"]),
        severity=st.sampled_from(Severity),
        urgency=st.sampled_from(Urgency),
        codes=st.lists(st.sampled_from(["P0128", "P0217"]), max_size=2).map(tuple),
    ),
    max_size=25,
    unique_by=lambda one: (one.vehicle, one.source.kind, one.source.id, one.time_ns),
)


def in_time(findings: list[Finding]) -> list[list[Finding]]:
    ordered = sorted(findings, key=lambda one: one.time_ns)
    return [list(instant) for _, instant in groupby(ordered, key=lambda one: one.time_ns)]


@given(FINDINGS, st.lists(st.integers(0, 9)), st.randoms(use_true_random=False))
def test_cutting_by_time_mixing_vehicles_and_shuffling_sources_change_nothing(
    findings: list[Finding], cuts: list[int], random: object
) -> None:
    """One call with everything = one call per instant = calls for any cut, with sources shuffled and vehicles interleaved."""
    for vehicle in ("v1", "v2"):
        own = [one for one in findings if one.vehicle == vehicle]
        empty = VehicleCase(vehicle=vehicle)
        whole, changed = apply_findings(empty, own)
        piecewise, seen = empty, list[str]()
        instants = in_time(own)
        bounds = sorted({0, len(instants), *(cut for cut in cuts if cut < len(instants))})
        for begin, end in pairwise(bounds):
            piece = [one for instant in instants[begin:end] for one in instant]
            random.shuffle(piece)  # type: ignore[attr-defined]
            piecewise, incidents = apply_findings(piecewise, piece)
            seen += incidents
        assert piecewise == whole
        assert tuple(dict.fromkeys(seen)) == changed


@given(FINDINGS)
def test_every_case_keeps_its_laws(findings: list[Finding]) -> None:
    case = EMPTY
    for instant in in_time([replace(one, vehicle="v1") for one in findings]):
        before = {alert.id: alert for alert in case.alerts}
        case, changed = apply_findings(case, instant)
        unresolved = [alert for alert in case.alerts if alert.state is not AlertState.RESOLVED]
        assert len({(alert.source.kind, alert.source.id) for alert in unresolved}) == len(unresolved)
        assert len({alert.id for alert in case.alerts}) == len(case.alerts)
        by_group = {(alert.group_key, alert.incident_id) for alert in unresolved}
        assert len({group for group, _ in by_group}) == len(by_group), "one open incident a group"
        now = {alert.id: alert for alert in case.alerts}
        assert {now[identity].incident_id for identity in now if before.get(identity) != now[identity]} == set(changed)
        for identity, old in before.items():
            if old.state is AlertState.RESOLVED:
                assert now[identity] == old
            assert now[identity].urgency >= old.urgency
    raised = sum(one.transition is not CLEARED for one in findings if one.vehicle == "v1")
    only_v1 = after(*[one for one in findings if one.vehicle == "v1"])
    assert sum(alert.occurrences for alert in only_v1.alerts) == raised


def test_sources_of_different_kinds_are_different_sources() -> None:
    case = after(finding(source="x"), finding(source="x", kind=SourceKind.DTC, at_s=1))
    assert [alert.source for alert in case.alerts] == [Source(kind=SourceKind.RULE, id="x"), Source(kind=SourceKind.DTC, id="x")]
