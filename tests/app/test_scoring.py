"""Alerts against known faults, against a reference that asks each alert and each fault by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import Fault, score
from domain.findings import Alert, AlertState, Severity, Source, SourceKind, Text, Urgency

TEXT = Text(en="x", zh="x")
SECOND_NS = 1_000_000_000


def alert(vehicle="a", group="g", opened_s=0.0, *, source="r", closed_s=None, number=0) -> Alert:
    return Alert(
        id=f"{vehicle}{group}{opened_s}{source}{number}",
        incident_id="",
        vehicle=vehicle,
        source=Source(kind=SourceKind.RULE, id=source),
        state=AlertState.OPEN if closed_s is None else AlertState.RESOLVED,
        severity=Severity.HIGH,
        urgency=Urgency.TODAY,
        group_key=group,
        title=TEXT,
        explanation=TEXT,
        opened_ns=round(opened_s * SECOND_NS),
        updated_ns=round((opened_s if closed_s is None else closed_s) * SECOND_NS),
    )


def fault(vehicle="a", group="g", onset_s=0.0, end_s=None) -> Fault:
    return Fault(
        vehicle=vehicle,
        kind=group,
        group_key=group,
        onset_ns=round(onset_s * SECOND_NS),
        end_ns=None if end_s is None else round(end_s * SECOND_NS),
    )


def test_an_alert_of_the_fault_s_group_after_its_onset_finds_it():
    scored = score([fault(onset_s=10, end_s=100)], [alert(opened_s=25), alert(opened_s=40)], vehicle_days=2)
    assert (scored.recall, scored.precision, scored.true) == (1.0, 1.0, 2)
    assert scored.delays_s == (15.0,)
    assert scored.leads_s == (75.0,)


@pytest.mark.parametrize("opened_s", [9.0, 101.0])
def test_an_alert_before_the_onset_or_after_the_end_is_a_false_one(opened_s):
    scored = score([fault(onset_s=10, end_s=100)], [alert(opened_s=opened_s)], vehicle_days=4)
    assert (scored.recall, scored.precision, scored.false) == (0.0, 0.0, 1)
    assert scored.false_per_1000_days == 250.0


def test_an_alert_of_another_group_beside_a_fault_is_neither_right_nor_wrong():
    scored = score([fault()], [alert(group="other", opened_s=5)], vehicle_days=1)
    assert (scored.true, scored.other, scored.false) == (0, 1, 0)
    assert scored.precision is None


def test_an_alert_on_a_healthy_vehicle_is_a_false_one():
    assert score([fault("a")], [alert("b", opened_s=5)], vehicle_days=1).false == 1


def test_without_faults_and_alerts_nothing_is_claimed():
    scored = score([], [], vehicle_days=0)
    assert (scored.recall, scored.precision, scored.false_per_1000_days) == (None, None, None)


names = st.sampled_from("ab")
faults = st.builds(fault, names, names, st.integers(0, 9), st.one_of(st.none(), st.integers(9, 20)))
alerts = st.builds(alert, names, names, st.integers(0, 25))


@given(st.lists(faults, max_size=5), st.lists(alerts, max_size=12))
def test_every_alert_is_counted_once_and_every_fault_is_found_by_the_first_alert_inside_it(known, raised):
    def there(f, a):
        return f.vehicle == a.vehicle and f.onset_ns <= a.opened_ns and (f.end_ns is None or a.opened_ns <= f.end_ns)

    scored = score(known, raised, vehicle_days=7)
    hits = [a for a in raised if any(there(f, a) and f.group_key == a.group_key for f in known)]
    beside = [a for a in raised if any(there(f, a) for f in known)]
    assert scored.true == len(hits)
    assert scored.other == len(beside) - len(hits)
    assert scored.false == len(raised) - len(beside)
    for each, known_fault in zip(scored.found, known, strict=True):
        inside = [a.opened_ns for a in raised if there(known_fault, a) and a.group_key == known_fault.group_key]
        assert (each.alert.opened_ns if each.alert else None) == min(inside, default=None)
