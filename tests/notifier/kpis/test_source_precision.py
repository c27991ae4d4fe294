"""How right sources are, by what technicians found."""

from __future__ import annotations

from domain.findings import Alert, AlertState, Cause, Severity, Source, SourceKind, Urgency
from domain.records import VehicleCase
from domain.repairs import RepairOutcome, RepairResult
from notifier.kpis.source_precision import SourcePrecision, source_precision
from tests.notifier.builders import recommendation, text
from tests.notifier.kpis.histories import order

FOUND, OTHER, NONE = RepairResult.FOUND, RepairResult.OTHER_CAUSE, RepairResult.NO_FAULT


def alert(name: str, source: str, incident: str, kind: SourceKind = SourceKind.RULE) -> Alert:
    return Alert(
        id=name,
        incident_id=incident,
        vehicle="v1",
        source=Source(kind=kind, id=source),
        state=AlertState.OPEN,
        severity=Severity.MEDIUM,
        urgency=Urgency.SOON,
        group_key="engine",
        title=text("t"),
        explanation=text("e"),
        opened_ns=0,
        updated_ns=0,
    )


def outcome(result: RepairResult, *, of: str = "o1", cause: str = "thermostat_open", at: int = 1) -> RepairOutcome:
    pattern, cause = ("RC01", cause) if result is FOUND else ("", "")
    return RepairOutcome(order=of, result=result, pattern=pattern, cause=cause, author="A", note="", created_ns=at)


CASE = VehicleCase(
    vehicle="v1",
    alerts=(
        alert("a1", "coolant_cold", "i1"),
        alert("a2", "warm_up", "i1", SourceKind.MODEL),
        alert("a3", "coolant_cold", "i1"),
        alert("b1", "weak_battery", "i2"),
    ),
    recommendations=(
        recommendation("i1", alerts=("a1", "a2", "a3")),
        recommendation(
            "i2", alerts=("b1",), causes=(Cause(id="battery", pattern="RC09", title=text("battery"), probability=1.0),)
        ),
    ),
)


def judged(*outcomes: RepairOutcome, incidents: tuple[str, ...] = ("i1", "i2")) -> dict[str, tuple[int, int, int]]:
    orders = {name: order(name, incidents=incidents) for name in ("o1", "o2", "o3")}
    found = source_precision(outcomes, orders, lambda _vehicle: CASE)
    return {each.source: (each.confirmed, each.other_cause, each.no_fault) for each in found}


def test_a_found_cause_confirms_the_sources_of_the_incident_that_suspected_it_and_no_other() -> None:
    assert judged(outcome(FOUND)) == {"coolant_cold": (1, 0, 0), "warm_up": (1, 0, 0)}, "two alerts of a source are one order"


def test_that_nothing_was_found_is_said_of_all() -> None:
    assert judged(outcome(NONE)) == {"coolant_cold": (0, 0, 1), "warm_up": (0, 0, 1), "weak_battery": (0, 0, 1)}


def test_the_latest_word_on_an_order_counts() -> None:
    assert judged(outcome(NONE, at=1), outcome(OTHER, at=2), incidents=("i2",)) == {"weak_battery": (0, 1, 0)}


def test_precision_and_the_share_of_real_faults_have_wilsons_intervals() -> None:
    outcomes = [outcome(FOUND, of="o1"), outcome(OTHER, of="o2"), outcome(NONE, of="o3")]
    orders = {each.order: order(each.order, incidents=("i1",)) for each in outcomes}
    found: list[SourcePrecision] = source_precision(outcomes, orders, lambda _vehicle: CASE)
    assert [(each.kind, each.source) for each in found] == [(SourceKind.MODEL, "warm_up"), (SourceKind.RULE, "coolant_cold")]
    rule = found[1]
    assert (round(rule.precision, 3), round(rule.fault_share, 3)) == (0.333, 0.667)
    low, high = rule.precision_interval
    assert (round(low, 3), round(high, 3)) == (0.061, 0.792)  # scipy's binomtest(1, 3)
