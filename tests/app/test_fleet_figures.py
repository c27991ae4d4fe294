"""Alerts of simulated fleets held against the truth, and the run that makes them."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import cli
from app.fleet_alerts import SIDES, VehicleAlerts, fleet_alerts
from app.fleet_figures import DAY_NS, evaluate_fleets, merge, of_tier, tables
from domain.findings import Alert, AlertState, Severity, Source, SourceKind, Text, Urgency
from simulator.life import FaultRecord, VehicleHistory, plan_fleet_year
from simulator.life.faults import NEVER

YEAR = plan_fleet_year(cars=1, days=100, seed=1)
CAR = YEAR.vehicles[0].id
DAY_S = 86_400.0


def alert(day: float, group: str = "engine.cooling", *, urgency: Urgency = Urgency.SOON, source: str = "r") -> Alert:
    time_ns = YEAR.start_ns + round(day * DAY_NS)
    text = Text(en="x", zh="x")
    return Alert(
        id=f"{group}{day}{source}", incident_id="i", vehicle=CAR, source=Source(kind=SourceKind.RULE, id=source),
        state=AlertState.OPEN, severity=Severity.MEDIUM, urgency=urgency, group_key=group, title=text, explanation=text,
        opened_ns=time_ns, updated_ns=time_ns,
    )  # fmt: skip


def fault(onset: float, shows: float, failed: float | None, repaired: float | None, *, sudden: bool = False) -> FaultRecord:
    days = {"onset_s": onset, "detectable_s": shows, "failed_s": failed, "repaired_s": repaired}
    return FaultRecord(
        kind="cooling_weak", family="cooling", component="water_pump", group_key="engine.cooling", sudden=sudden,
        **{name: NEVER if day is None else day * DAY_S for name, day in days.items()},
    )  # fmt: skip


def document(faults: list[FaultRecord], alerts: list[Alert]):
    history = VehicleHistory(faults=tuple(faults), services=(), breakdowns=(), driven_days=np.arange(100))
    vehicle = VehicleAlerts(vehicle=CAR, history=history, alerts=dict.fromkeys(SIDES, tuple(alerts)))
    return evaluate_fleets([(YEAR, [vehicle])])["sides"]["both"]


def test_an_alert_before_the_failure_finds_the_fault_and_leads_by_the_days_between():
    found = document([fault(20, 30, 60, 65)], [alert(40)])["alerts"]
    family = found["families"]["cooling"]
    assert (found["right"], found["false"]) == (1, 0)
    assert (family["faults"], family["found"], family["recall"]) == (1, 1, 1.0)
    assert family["lead_days_median"] == pytest.approx(20.0)


def test_an_alert_between_failure_and_repair_is_right_but_finds_nothing():
    found = document([fault(20, 30, 60, 65)], [alert(62)])["alerts"]
    assert (found["right"], found["false"], found["families"]["cooling"]["found"]) == (1, 0, 0)


@pytest.mark.parametrize("wrong", [alert(10), alert(70), alert(40, "engine.turbo")])
def test_alerts_before_the_onset_after_the_repair_and_of_other_groups_are_false(wrong):
    found = document([fault(20, 30, 60, 65)], [wrong])["alerts"]
    assert (found["right"], found["false"], found["families"]["cooling"]["found"]) == (0, 1, 0)
    assert found["false_per_1000_vehicle_days"] == pytest.approx(10.0)
    assert found["false_by_source"] == {"r": 1}


@pytest.mark.parametrize(
    "never", [fault(20, 30, None, 50), fault(20, 30, None, None), fault(20, 30, 32, 40), fault(20, 30, 60, 65, sudden=True)]
)
def test_faults_that_did_not_fail_or_gave_no_time_are_not_to_be_found(never):
    assert document([never], [])["alerts"]["families"]["cooling"]["faults"] == 0


def test_alerts_of_a_group_close_together_are_one_episode():
    assert len(merge([alert(1), alert(9), alert(20), alert(40), alert(2, "engine.turbo")])) == 3


def test_what_only_analysts_see_is_a_tier_of_its_own():
    seen = [alert(40, urgency=Urgency.MONITOR), alert(41), alert(42, urgency=Urgency.MONITOR, source="ev_charge_low")]
    assert [each.opened_ns for each in of_tier(seen, "alerts")] == [seen[1].opened_ns]
    assert [each.opened_ns for each in of_tier(seen, "watch")] == [seen[0].opened_ns]
    held = replace(alert(41), standing=replace(alert(41).standing, unconfirmed=True))
    assert of_tier([held], "alerts") == []


def test_the_alerts_of_a_fleet_do_not_depend_on_the_cars_beside():
    alone, beside = plan_fleet_year(cars=2, days=9, seed=3), plan_fleet_year(cars=3, days=9, seed=3)
    assert [each.alerts for each in fleet_alerts(alone)] == [each.alerts for each in fleet_alerts(beside)][:2]


def test_the_command_prints_a_table_of_every_side():
    words = "models evaluate --fleet --seed 3 --seeds 1 --cars 1 --days 5"
    result = CliRunner().invoke(cli, words.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert all(f"| {side} | alerts |" in result.stdout for side in SIDES)
    assert "| cooling | 1 | 0 | 0.00 (0.00 to 0.00) | - |" in tables(
        {"vehicle_days": 1, "sides": {"both": document([fault(20, 30, 60, 65)], [])}}
    )
