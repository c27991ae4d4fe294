"""Outcomes of repairs move the shares of causes as they are reported."""

from __future__ import annotations

from dataclasses import replace

from app.calibration import REFRESH_NS, CalibratedKnowledge
from domain.repairs import RepairOutcome, RepairResult, cause_counts
from tests.dtc_knowledge.builders import CAR, case, code_alert, knowledge

SENSOR = RepairOutcome(
    order="o",
    result=RepairResult.FOUND,
    pattern="thermostat_stuck_open",
    cause="coolant_sensor_bias",
    author="",
    note="",
    created_ns=1,
)


def repairs(count: int) -> list[RepairOutcome]:
    return [replace(SENSOR, order=f"o{number}") for number in range(count)]


def test_new_outcomes_count_after_ten_minutes_and_the_prior_weighs_twenty_repairs() -> None:
    now, reported = 0, []
    calibrated = CalibratedKnowledge(knowledge(), lambda: reported, lambda: now)

    def share() -> float:
        diagnosis = calibrated.diagnose(case(code_alert("P0128", incident="i")), "i", CAR)
        return {cause.id: cause.probability for cause in diagnosis.causes}["coolant_sensor_bias"]

    assert share() == 0.1
    reported += repairs(20)
    assert share() == 0.1
    now += REFRESH_NS
    assert share() == (0.1 * 20 + 20) / 40


def test_the_latest_outcome_of_an_order_counts() -> None:
    later = replace(SENSOR, created_ns=2, result=RepairResult.NO_FAULT, pattern="", cause="")
    assert cause_counts([later, SENSOR]) == {}
    assert cause_counts([SENSOR, replace(SENSOR, order="p"), replace(SENSOR, created_ns=3)]) == {
        ("thermostat_stuck_open", "coolant_sensor_bias"): 2
    }


def test_repairs_in_a_table_and_in_the_database_add_up() -> None:
    counts = cause_counts(repairs(10))
    once, twice = knowledge().calibrated(counts), knowledge().calibrated(counts).calibrated(counts)
    (first,) = [c for c in once.files.patterns["thermostat_stuck_open"].causes if c.id == "coolant_sensor_bias"]
    (second,) = [c for c in twice.files.patterns["thermostat_stuck_open"].causes if c.id == "coolant_sensor_bias"]
    assert (first.share, first.repairs) == ((0.1 * 20 + 10) / 30, 10)
    assert (second.share, second.repairs) == ((0.1 * 20 + 20) / 40, 20)
