"""Every item of evidence counts up to its own cap; the reason names the deciding one."""

from dataclasses import replace

import pytest

from domain.findings import Alert, Evidence, Urgency
from domain.fleet import Vehicle
from tests.dtc_knowledge.builders import CAR, EV, TRUCK, answer, code_alert, codes_answer, rule_alert


@pytest.mark.parametrize("note", ["pending, control unit 7E8", "pending"])
def test_a_pending_code_is_only_watched(note: str) -> None:
    _, recommendation = answer("engine.cooling", code_alert("P0217", note=note))
    assert recommendation.urgency is Urgency.MONITOR
    assert "pending" in recommendation.urgency_reason.en
    assert recommendation.action == "owner"


@pytest.mark.parametrize("note", ["permanent, control unit 7E8", "history", "absent"])
def test_a_code_that_is_history_waits_for_the_next_visit(note: str) -> None:
    _, recommendation = answer("engine.lubrication", code_alert("P0524", note=note))
    assert recommendation.urgency is Urgency.NEXT


def test_history_of_isolation_stays_urgent() -> None:
    _, recommendation = answer("ev.isolation", code_alert("P0AA6", note="history"), vehicle=EV)
    assert recommendation.urgency is Urgency.TODAY


@pytest.mark.parametrize("note", ["stored, control unit 7E8", "active", "confirmed, MIL on", ""])
def test_a_stored_or_active_code_counts_in_full(note: str) -> None:
    _, recommendation = answer("engine.cooling", code_alert("P0217", note=note))
    assert recommendation.urgency is Urgency.STOP
    assert recommendation.action == "roadside"


def test_a_code_of_a_pattern_that_can_be_deadly_is_not_deadly_by_itself() -> None:
    assert codes_answer("P0522")[1].urgency is Urgency.SOON
    assert codes_answer("P0521")[1].urgency is Urgency.SOON
    assert codes_answer("P0A7E", vehicle=EV)[1].urgency is Urgency.TODAY
    assert codes_answer("SPN98/FMI18", vehicle=TRUCK)[1].urgency is Urgency.TODAY


def test_a_code_and_a_measurement_that_agree_reach_the_patterns_urgency() -> None:
    measured = rule_alert("insulation_low", Urgency.SOON, "ev.isolation")
    _, alone = answer("ev.isolation", measured, vehicle=EV)
    assert alone.urgency is Urgency.SOON
    _, both = answer("ev.isolation", measured, code_alert("P0AA7"), vehicle=EV)
    assert both.urgency is Urgency.TODAY
    assert both.urgency_reason.zh == "高压对车身存在漏电"


def test_a_measured_stop_counts_even_without_a_pattern() -> None:
    _, recommendation = answer("x", rule_alert("brand_new_rule", Urgency.STOP, "engine.cooling", incident="x"))
    assert recommendation.urgency is Urgency.STOP
    assert (recommendation.action, recommendation.drive, recommendation.safety) == ("roadside", "no", "medium")
    assert recommendation.urgency_reason.zh.startswith("实测")


def test_the_red_stop_lamp_raises_the_fault_that_explains_it_and_not_its_neighbour() -> None:
    oil = code_alert("SPN100/FMI18", lamps=("red_stop",), unit="/SA0")
    fuel = code_alert("SPN96/FMI3", lamps=("red_stop",), unit="/SA0")
    assert answer("engine.lubrication", oil, fuel, vehicle=TRUCK)[1].urgency is Urgency.STOP
    beside = answer("fuel.level", oil, fuel, vehicle=TRUCK)[1]
    assert beside.urgency is Urgency.NEXT
    alone = answer("fuel.level", fuel, vehicle=TRUCK)[1]
    assert alone.urgency is Urgency.STOP
    assert alone.urgency_reason.en == "the red stop lamp is on"


def test_the_lamp_of_another_control_unit_explains_nothing_here() -> None:
    fuel = code_alert("SPN96/FMI3", lamps=("red_stop",), unit="/SA49")
    oil = code_alert("SPN100/FMI18", lamps=("red_stop",), unit="/SA0")
    assert answer("fuel.level", fuel, oil, vehicle=TRUCK)[1].urgency is Urgency.STOP


@pytest.mark.parametrize(
    ("lamp", "urgency"),
    [("amber_warning", Urgency.SOON), ("protect", Urgency.TODAY), ("malfunction", Urgency.NEXT), ("red_stop", Urgency.STOP)],
)
def test_a_lamp_raises_as_far_as_it_means(lamp: str, urgency: Urgency) -> None:
    assert answer("fuel.level", code_alert("SPN96/FMI3", lamps=(lamp,)), vehicle=TRUCK)[1].urgency is urgency


@pytest.mark.parametrize(("value", "note"), [(0.0, ""), (None, "off"), (0.0, "off")])
def test_a_lamp_that_is_off_raises_nothing(value: float | None, note: str) -> None:
    alert = code_alert("SPN96/FMI3")
    dark = (*alert.evidence, Evidence(kind="lamp", signal="red_stop", value=value, note=note))
    assert answer("fuel.level", replace(alert, evidence=dark), vehicle=TRUCK)[1].urgency is Urgency.NEXT


def test_a_flashing_lamp_with_a_misfire_is_a_matter_of_today() -> None:
    alert = code_alert("P0301")
    flashing = (*alert.evidence, Evidence(kind="lamp", signal="malfunction", value=1.0, note="flashing"))
    assert answer("engine.ignition", replace(alert, evidence=flashing))[1].urgency is Urgency.TODAY
    thermostat = code_alert("P0128")
    shown = replace(thermostat, evidence=(*thermostat.evidence, flashing[-1]))
    assert answer("engine.cooling", shown)[1].urgency is Urgency.NEXT


def test_the_advice_never_contradicts_the_urgency() -> None:
    _, stop = codes_answer("P0524")
    _, soon = codes_answer("P0522")
    assert stop.advice.en.startswith("Stop at the next safe place")
    assert stop.advice.zh.startswith("请尽快在安全地点停车")
    assert soon.advice.en.startswith("Book a workshop visit")


def test_an_open_interlock_is_a_safe_stop() -> None:
    _, recommendation = codes_answer("P0A0D", vehicle=EV)
    assert recommendation.urgency is Urgency.STOP
    assert recommendation.safety == "high"


def test_a_loose_filler_cap_makes_no_order() -> None:
    _, recommendation = codes_answer("P0457")
    assert recommendation.urgency.priority == ""
    assert recommendation.action == "owner"


def graded(code: str, kind: str, value: int) -> Alert:
    alert = code_alert(code)
    return replace(alert, evidence=(*alert.evidence, Evidence(kind=kind, signal=code, value=float(value))))


ESCALATIONS = [
    # each entry of the table of evidence items, and what it must not raise
    ("a flashing malfunction lamp raises a misfire", "P0301", "lamp malfunction flashing", CAR, Urgency.TODAY),
    ("and nothing else", "P0128", "lamp malfunction flashing", CAR, Urgency.NEXT),
    ("the red stop lamp raises what explains it", "SPN96/FMI3", "lamp red_stop on", TRUCK, Urgency.STOP),
    ("the amber lamp", "SPN96/FMI3", "lamp amber_warning on", TRUCK, Urgency.SOON),
    ("the protect lamp", "SPN96/FMI3", "lamp protect on", TRUCK, Urgency.TODAY),
    ("UDS: check at once", "P0128", "severity 128", CAR, Urgency.STOP),
    ("UDS: check at the next halt", "P0128", "severity 64", CAR, Urgency.TODAY),
    ("UDS: maintenance only", "P0457", "severity 32", CAR, Urgency.NEXT),
    ("UDS: a class alone raises nothing", "P0128", "severity 2", CAR, Urgency.NEXT),
    ("GB/T 32960 level 4", "GB6", "alarm_level 4", EV, Urgency.STOP),
    ("GB/T 32960 bit 23", "GB23", "", EV, Urgency.STOP),
    ("GB/T 32960 level 3", "GB6", "alarm_level 3", EV, Urgency.TODAY),
    ("GB/T 32960 level 2", "GB6", "alarm_level 2", EV, Urgency.TODAY),
    ("GB/T 32960 level 1", "GB8", "alarm_level 1", EV, Urgency.SOON),
    ("FMI 1 of a severe class", "SPN100/FMI1", "", TRUCK, Urgency.STOP),
    ("FMI 0 of a severe class", "SPN110/FMI0", "", TRUCK, Urgency.STOP),
    ("FMI 0 of another class", "SPN105/FMI0", "", TRUCK, Urgency.SOON),
    ("FMI 1 of a consumable", "SPN96/FMI1", "", TRUCK, Urgency.NEXT),
    ("FMI 16", "SPN105/FMI16", "", TRUCK, Urgency.TODAY),
    ("FMI 18", "SPN157/FMI18", "", TRUCK, Urgency.TODAY),
    ("FMI 15", "SPN105/FMI15", "", TRUCK, Urgency.SOON),
    ("FMI 17", "SPN157/FMI17", "", TRUCK, Urgency.SOON),
]


@pytest.mark.parametrize(("item", "code", "told", "vehicle", "urgency"), ESCALATIONS, ids=[row[0] for row in ESCALATIONS])
def test_every_item_of_evidence_raises_as_far_as_it_proves(
    item: str, code: str, told: str, vehicle: Vehicle, urgency: Urgency
) -> None:
    alert = code_alert(code)
    kind, _, rest = told.partition(" ")
    if kind == "lamp":
        name, note = rest.split()
        alert = replace(alert, evidence=(*alert.evidence, Evidence(kind="lamp", signal=name, value=1.0, note=note)))
    elif kind:
        alert = graded(code, kind, int(rest))
    assert answer(alert.incident_id, alert, vehicle=vehicle)[1].urgency is urgency


def test_the_worst_level_is_a_stop_where_a_second_sign_of_the_fault_agrees() -> None:
    hot = replace(graded("GB1", "alarm_level", 3), incident_id="one")
    assert answer("one", hot, vehicle=EV)[1].urgency is Urgency.TODAY
    second = replace(graded("GB0", "alarm_level", 3), incident_id="one")
    assert answer("one", hot, second, vehicle=EV)[1].urgency is Urgency.STOP


def test_a_packets_level_raises_the_gravest_alarm_and_not_its_neighbour() -> None:
    empty, leak = graded("GB4", "alarm_level", 3), graded("GB11", "alarm_level", 3)
    assert answer(empty.incident_id, empty, leak, vehicle=EV)[1].urgency is Urgency.MONITOR
    assert answer(leak.incident_id, empty, leak, vehicle=EV)[1].urgency is Urgency.TODAY
