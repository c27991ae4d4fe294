from __future__ import annotations

import os

from app.reminder_simulation import simulate
from dtc_knowledge.maintenance import shipped_plans

CARS = 64 if os.environ.get("PITCALL_LONG_TESTS") else 10


def test_over_three_years_no_reminder_is_missed_doubled_or_for_completed_work() -> None:
    found = simulate(shipped_plans(), vehicles=CARS, years=3, seed=11)
    assert found["reminders"] > 30 * CARS
    assert {"declined", "done"} <= found["ended"].keys()
    assert found["by_basis"].keys() == {"condition", "measured", "schedule"}
    assert (found["missed"], found["doubled"], found["for_completed_work"]) == (0, 0, 0)
    assert found["forecast"]["median_error_days"] <= 7
    assert 0.6 <= found["forecast"]["within_interval"] <= 0.95
