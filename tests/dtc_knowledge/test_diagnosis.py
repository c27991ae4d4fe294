"""Worked examples that an engineer can check by hand."""

import pytest

from domain.findings import AlertState, Evidence, SourceKind, Urgency
from domain.fleet import Vehicle
from dtc_knowledge.evidence import Observation
from dtc_knowledge.matching import match_pattern
from tests.dtc_knowledge.builders import (
    CAR,
    EV,
    TRUCK,
    answer,
    case,
    cause_ids,
    code_alert,
    codes_answer,
    knowledge,
    operations,
    probability,
    rule_alert,
)

VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"


def test_a_misfire_alone_points_to_plug_then_coil() -> None:
    diagnosis, recommendation = codes_answer("P0301")
    assert cause_ids(diagnosis)[:2] == ["plug_1", "coil_1"]
    assert recommendation.urgency is Urgency.SOON
    assert operations(recommendation)[:2] == ["OP-DIAGNOSE", "OP-REPLACE-PLUGS"]


def test_a_misfire_with_the_coil_code_of_the_same_cylinder_points_to_the_coil_circuit() -> None:
    diagnosis, recommendation = codes_answer("P0301", "P0351")
    assert cause_ids(diagnosis)[:2] == ["coil_circuit_1", "coil_1"]
    assert "OP-REPAIR-IGNITION-WIRING" in operations(recommendation)
    assert diagnosis.causes[0].explains == ("P0301", "P0351")


def test_the_coil_code_of_another_cylinder_proves_nothing_about_this_one() -> None:
    diagnosis, _ = codes_answer("P0301", "P0352")
    assert {"coil_circuit_2", "plug_1"} <= set(cause_ids(diagnosis)[:3])
    assert probability(diagnosis, "coil_circuit_1") < probability(diagnosis, "plug_1") / 2
    assert diagnosis.unexplained == ()


def test_a_missing_coil_code_makes_the_coil_circuit_less_likely() -> None:
    with_code, without = codes_answer("P0304", "P0354")[0], codes_answer("P0304")[0]
    assert probability(without, "coil_circuit_4") < probability(with_code, "coil_circuit_4") / 3


def test_the_general_misfire_code_beside_one_named_cylinder_adds_no_common_cause() -> None:
    diagnosis, _ = codes_answer("P0300", "P0302", "P0352")
    assert cause_ids(diagnosis)[:2] == ["coil_circuit_2", "coil_2"]
    assert diagnosis.patterns[0] == "misfire_cylinder_2"
    assert probability(diagnosis, "plugs_worn") < 0.1


def test_two_named_cylinders_suggest_a_common_cause_too() -> None:
    diagnosis, _ = codes_answer("P0301", "P0302")
    assert "misfire_several" in diagnosis.patterns
    assert probability(diagnosis, "plugs_worn") > 0.1
    assert "misfire_several" not in codes_answer("P0301")[0].patterns


def test_several_codes_are_as_firm_as_the_weakest_needed() -> None:
    pattern = knowledge().files.patterns["misfire_several"]
    firm = match_pattern(pattern, Observation(codes={"P0301": 1.0, "P0302": 1.0}))
    half = match_pattern(pattern, Observation(codes={"P0301": 1.0, "P0302": 0.5}))
    assert firm is not None
    assert half is not None
    assert (firm.belief, half.belief) == (pytest.approx(0.8), pytest.approx(0.4))


def test_three_silent_modules_suggest_the_bus_rather_than_three_modules() -> None:
    assert codes_answer("U0100", "U0121")[0].patterns[0] == "module_silent"
    three, _ = codes_answer("U0100", "U0121", "U0140")
    assert three.patterns[0] == "bus_disturbance"
    assert cause_ids(three)[0] == "low_supply"


def test_network_codes_with_low_voltage_point_to_the_supply_first() -> None:
    diagnosis, recommendation = codes_answer("U0100", "U0121", "P0562")
    assert diagnosis.patterns[0] == "charging_12v"
    assert cause_ids(diagnosis)[0] == "alternator"
    assert set(diagnosis.causes[0].explains) == {"P0562", "U0100", "U0121"}
    assert "OP-REPLACE-MODULE" not in operations(recommendation)
    assert recommendation.urgency is Urgency.TODAY


def test_network_codes_alone_point_to_the_silent_module() -> None:
    diagnosis, _ = codes_answer("U0121")
    assert diagnosis.patterns[0] == "module_silent"
    assert cause_ids(diagnosis)[0] == "module_supply"


def test_a_low_voltage_incident_merges_the_network_incident_and_takes_its_urgency() -> None:
    alerts = code_alert("P0562"), code_alert("U0100", at_s=2), code_alert("U0121", at_s=3)
    supply, _ = answer("electrical.12v", *alerts)
    network, advice = answer("network", *alerts)
    assert supply.merges == ("network",)
    assert network.merges == ()
    assert network.patterns[0] == "charging_12v"
    assert advice.urgency is Urgency.MONITOR
    assert "consequence" in advice.urgency_reason.en


def test_a_measured_low_voltage_explains_network_codes_like_the_code_does() -> None:
    low = rule_alert("charging_voltage_low_12v", Urgency.TODAY, "electrical.12v")
    supply, _ = answer("electrical.12v", low, code_alert("U0100"))
    assert supply.merges == ("network",)


def test_another_incident_with_evidence_of_its_own_is_not_merged() -> None:
    supply, _ = answer("electrical.12v", code_alert("P0562"), code_alert("U0100"), code_alert("P0301"))
    assert supply.merges == ("network",)
    mixed = code_alert("U0100"), rule_alert("x", Urgency.SOON, "network")
    assert answer("electrical.12v", code_alert("P0562"), *mixed)[0].merges == ()


def test_two_incidents_of_one_fault_are_answered_by_the_earlier_one() -> None:
    alerts = code_alert("SPN84/FMI9"), code_alert("SPN191/FMI9", at_s=1)
    diagnosis, recommendation = answer("vehicle.speed", *alerts, vehicle=TRUCK)
    assert diagnosis.merges == recommendation.merges == ("transmission",)
    assert answer("transmission", *alerts, vehicle=TRUCK)[0].merges == ()


def test_a_supporting_sign_does_not_merge_an_incident() -> None:
    lean, _ = answer("engine.air_fuel", code_alert("P0171"), code_alert("P0301", at_s=1))
    assert lean.patterns[0] == "unmetered_air"
    assert lean.merges == ()


def test_unrelated_circuit_faults_are_not_taken_for_one() -> None:
    alerts = code_alert("SPN7001/FMI3"), code_alert("SPN7002/FMI4", at_s=1)
    diagnosis, _ = answer("code/SPN7001/FMI3", *alerts, vehicle=TRUCK)
    assert diagnosis.patterns == ("circuit_fault",)
    assert diagnosis.merges == ()


def test_a_misfire_explains_the_catalyst_code() -> None:
    alerts = code_alert("P0302"), code_alert("P0420")
    misfire, _ = answer("engine.ignition", *alerts)
    catalyst, advice = answer("emission.catalyst", *alerts)
    assert misfire.merges == ("emission.catalyst",)
    assert catalyst.patterns[0] == "misfire_cylinder_2"
    assert advice.urgency is Urgency.MONITOR
    alone, booked = answer("emission.catalyst", code_alert("P0420"))
    assert cause_ids(alone)[0] == "catalyst_aged"
    assert booked.urgency is Urgency.NEXT


def test_low_oil_pressure_stops_a_truck_and_calls_the_roadside() -> None:
    diagnosis, recommendation = codes_answer("SPN100/FMI1", vehicle=TRUCK)
    assert diagnosis.patterns == ("low_oil_pressure",)
    assert recommendation.urgency is Urgency.STOP
    assert (recommendation.action, recommendation.drive) == ("roadside", "no")
    assert recommendation.capabilities == ("engine", "truck")


@pytest.mark.parametrize("fmi", [3, 4, 5])
def test_an_oil_pressure_circuit_fault_is_a_sensor_matter(fmi: int) -> None:
    diagnosis, recommendation = codes_answer(f"SPN100/FMI{fmi}", vehicle=TRUCK)
    assert cause_ids(diagnosis)[0] == "oil_pressure_sensor_fault"
    assert recommendation.urgency is Urgency.SOON
    assert recommendation.action == "dealer"


def test_a_sensor_code_with_a_measured_low_pressure_is_not_taken_for_a_sensor_fault() -> None:
    measured = rule_alert("oil_pressure_low", Urgency.STOP, "engine.lubrication", incident="one")
    diagnosis, recommendation = answer("one", code_alert("P0522", incident="one"), measured)
    assert diagnosis.patterns[0] == "low_oil_pressure"
    assert recommendation.urgency is Urgency.STOP
    assert cause_ids(diagnosis)[0] == "oil_level_low"


@pytest.mark.parametrize(
    ("codes", "pattern", "urgency"),
    [
        (("SPN102/FMI3",), "boost_sensor_circuit", Urgency.SOON),
        (("SPN191/FMI9", "SPN84/FMI9"), "speed_signal_lost", Urgency.SOON),
        (("SPN191/FMI9",), "speed_signal_lost", Urgency.SOON),
        (("SPN5357/FMI31",), "injection_quantity_error", Urgency.SOON),
        (("SPN96/FMI3",), "fuel_level_sender", Urgency.NEXT),
        (("SPN829/FMI3",), "circuit_fault", Urgency.SOON),
        (("SPN7777/FMI9",), "data_fault", Urgency.SOON),
    ],
)
def test_a_truck_code_gets_a_worked_plan(codes: tuple[str, ...], pattern: str, urgency: Urgency) -> None:
    diagnosis, recommendation = codes_answer(*codes, vehicle=TRUCK)
    assert diagnosis.patterns == (pattern,)
    assert recommendation.urgency is urgency
    assert recommendation.plan[0].operation == "OP-DIAGNOSE"
    assert len(recommendation.plan) > 1
    assert "truck" in recommendation.capabilities


@pytest.mark.parametrize("code", ["P0999", "P1234", "SPN7777/FMI11", "nonsense"])
def test_a_code_without_a_pattern_leads_to_a_diagnose_line(code: str) -> None:
    diagnosis, recommendation = codes_answer(code)
    assert diagnosis.causes == ()
    assert diagnosis.unexplained == (code.upper(),)
    assert operations(recommendation) == ["OP-DIAGNOSE"]
    assert recommendation.plan[0].labour_hours == "0.5"
    assert [check.id for check in recommendation.checks] == ["read_codes"]
    assert recommendation.title == knowledge().lookup(code).title


def test_a_rule_without_a_pattern_leads_to_a_diagnose_line_at_its_own_urgency() -> None:
    _, recommendation = answer("x", rule_alert("brand_new_rule", Urgency.TODAY, "ev.battery", incident="x"), vehicle=EV)
    assert operations(recommendation) == ["OP-DIAGNOSE-HV"]
    assert recommendation.urgency is Urgency.TODAY
    assert "hv" in recommendation.capabilities


def test_what_a_rule_is_related_to_is_not_taken_for_a_reported_code() -> None:
    rule = rule_alert("coolant_overheat", Urgency.STOP, "engine.cooling", codes=("P0217",))
    _, recommendation = answer("engine.cooling", rule)
    assert recommendation.codes == ()
    assert recommendation.urgency_reason.en.startswith("measured")


def test_codes_in_a_rules_evidence_count() -> None:
    evidence = (Evidence(kind="dtc", signal="P030?", note="P0303"), Evidence(kind="dtc", signal="P035?", note="P0353"))
    rule = rule_alert("misfire_with_coil_fault", Urgency.SOON, "engine.ignition", evidence=evidence)
    diagnosis, recommendation = answer("engine.ignition", rule)
    assert cause_ids(diagnosis)[0] == "coil_circuit_3"
    assert recommendation.codes == ("P0303", "P0353")


def test_low_voltage_on_an_electric_car_points_to_the_converter_not_to_an_alternator() -> None:
    diagnosis, recommendation = codes_answer("P0562", vehicle=EV)
    assert cause_ids(diagnosis)[0] == "dcdc"
    assert "alternator" not in cause_ids(diagnosis)
    assert {"hv", "electric"} <= set(recommendation.capabilities)
    petrol, _ = codes_answer("P0562", vehicle=CAR)
    assert cause_ids(petrol)[0] == "alternator"


def test_the_direction_of_a_model_decides_between_cold_and_hot() -> None:
    def drifted(comparison: str) -> list[str]:
        evidence = (Evidence(kind="model", signal="coolant_residual", value=9.0, comparison=comparison),)
        alert = rule_alert("coolant_residual", Urgency.NEXT, "engine.cooling", kind=SourceKind.MODEL, evidence=evidence)
        return list(answer("engine.cooling", alert)[0].patterns)

    assert drifted("<") == ["thermostat_stuck_open"]
    assert drifted(">") == ["coolant_overheat"]


def test_a_sure_cause_is_repaired_without_a_diagnosis_line_and_unlikely_ones_are_not_quoted() -> None:
    alerts = code_alert("P0128"), rule_alert("coolant_runs_cold", Urgency.NEXT, "engine.cooling")
    diagnosis, recommendation = answer("engine.cooling", *alerts)
    assert probability(diagnosis, "thermostat_open") == pytest.approx(0.8)
    assert operations(recommendation) == ["OP-REPLACE-THERMOSTAT"]


def test_an_unsure_cause_is_diagnosed_first_and_likely_others_are_quoted_as_options() -> None:
    _, recommendation = codes_answer("P0217")
    assert [(line.operation, line.optional) for line in recommendation.plan] == [
        ("OP-DIAGNOSE", False),
        ("OP-FIX-COOLANT-LEAK", False),
        ("OP-REPLACE-THERMOSTAT", True),
        ("OP-REPLACE-FAN", True),
    ]


def test_resolved_alerts_no_longer_count() -> None:
    over = code_alert("P0562", state=AlertState.RESOLVED)
    diagnosis, recommendation = answer("network", over, code_alert("U0100"))
    assert diagnosis.patterns == ("module_silent",)
    assert recommendation.alerts == ("alert-U0100",)


def test_an_incident_whose_alerts_are_all_resolved_asks_for_nothing() -> None:
    _, recommendation = answer("network", code_alert("U0100", state=AlertState.RESOLVED))
    assert recommendation.urgency is Urgency.MONITOR
    assert recommendation.alerts == ()


def test_the_same_case_gives_the_same_answer() -> None:
    alerts = [code_alert(code) for code in ("P0301", "P0420", "P0562", "U0100")]
    assert answer("engine.ignition", *alerts) == answer("engine.ignition", *reversed(alerts))


def test_a_recommendation_carries_what_an_order_needs() -> None:
    alerts = code_alert("P0217", incident="i"), code_alert("P0480", incident="i", at_s=1)
    diagnosis, r = answer("i", *alerts)
    assert (r.incident_id, r.vehicle, r.group_key, r.time_ns) == ("i", "car", "engine.cooling", 5_000_000_000)
    assert r.alerts == ("alert-P0217", "alert-P0480")
    assert r.codes == ("P0217", "P0480")
    assert r.causes == diagnosis.causes
    assert cause_ids(diagnosis)[0] == "cooling_fan"
    assert [line.line for line in r.plan] == list(range(1, len(r.plan) + 1))
    assert all(line.parts for line in r.plan if line.operation == "OP-REPLACE-FAN")


def test_an_unknown_powertrain_is_read_from_the_signs() -> None:
    unknown = Vehicle(id="car")
    assert cause_ids(codes_answer("P0562", vehicle=unknown)[0])[0] == "alternator"
    assert cause_ids(codes_answer("P0562", "P0A94", vehicle=unknown)[0])[0] == "dcdc"


def test_an_unknown_incident_is_answered_with_nothing_to_do() -> None:
    empty = case()
    diagnosis = knowledge().diagnose(empty, "nobody", CAR)
    assert diagnosis.causes == ()
    assert knowledge().recommend(empty, diagnosis, CAR, 0).urgency is Urgency.MONITOR
