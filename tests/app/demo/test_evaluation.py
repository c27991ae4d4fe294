"""What was found is judged by the labels, in the vehicle's time."""

from __future__ import annotations

from app.demo.evaluation import Label, evaluate_faults
from domain.findings import Alert, AlertState, Severity, Source, SourceKind, Text, Urgency

SECOND_NS = 1_000_000_000
WORDS = Text(en="x", zh="x")
MISFIRE = Label(vehicle="v1", kind="misfire", onset_ns=100 * SECOND_NS)


def alert(identity: str, at_s: float, *, vehicle: str = "v1", group: str = "engine.ignition") -> Alert:
    return Alert(
        id=identity,
        incident_id="i1",
        vehicle=vehicle,
        source=Source(kind=SourceKind.RULE, id="rule"),
        state=AlertState.OPEN,
        severity=Severity.LOW,
        urgency=Urgency.NEXT,
        group_key=group,
        title=WORDS,
        explanation=WORDS,
        opened_ns=round(at_s * SECOND_NS),
        updated_ns=round(at_s * SECOND_NS),
    )


def test_the_first_alert_of_the_faults_system_after_its_onset_counts() -> None:
    alerts = [alert("late", 190.0), alert("first", 150.5), alert("other", 120.0, group="engine.cooling")]
    [fault], false = evaluate_faults([MISFIRE], alerts)
    assert fault == {"vehicle": "v1", "kind": "misfire", "alert_id": "first", "delay_s": 50.5}
    assert false == 0


def test_an_alert_before_the_onset_is_false_and_finds_nothing() -> None:
    [fault], false = evaluate_faults([MISFIRE], [alert("early", 99.0)])
    assert (fault["alert_id"], fault["delay_s"], false) == (None, None, 1)


def test_an_alert_on_a_sound_car_is_false() -> None:
    _, false = evaluate_faults([MISFIRE], [alert("a", 500.0, vehicle="v2"), alert("b", 150.0)])
    assert false == 1
