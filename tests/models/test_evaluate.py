"""Figures of an evaluation, on trips whose outcome is known by construction."""

from __future__ import annotations

from typing import Any

import pytest

from app.simulated_trips import DAY_NS
from models.artefact import load_artefact
from models.baseline import Baseline
from models.evaluate import evaluate_coolant
from simulator.drive_spec import FIRST_START_NS as START_NS
from tests.models.test_coolant_detector import NORMAL, days
from tests.models.trips import steady_trip

ARTEFACT = load_artefact()
KNOWN = {name: Baseline(location=0.0, scale=0.7, trips=30) for name in ("sound", "ill", "missed", "nervous")}


def evaluated(*vehicles: str) -> dict[str, Any]:
    trips = {
        "sound": days([NORMAL] * 6, "sound"),
        "ill": [*days([NORMAL] * 2, "ill"), steady_trip("ill", minutes=6.0, start_ns=START_NS + 2 * DAY_NS)]
        + [steady_trip("ill", coolant=NORMAL - 4, start_ns=START_NS + day * DAY_NS) for day in (3, 4, 5)],
        "missed": days([NORMAL] * 6, "missed"),
        "nervous": days([NORMAL, NORMAL - 15, *[NORMAL] * 4], "nervous"),
    }
    onsets = {"ill": START_NS + 2 * DAY_NS, "missed": START_NS + 2 * DAY_NS}
    chosen = [batch for name in vehicles for batch in trips[name]]
    return evaluate_coolant(ARTEFACT, chosen, onsets, baselines=KNOWN, replicates=200)


def test_every_figure_is_what_was_built_in() -> None:
    figures = evaluated("sound", "ill", "missed", "nervous")
    assert figures["vehicles"] == 4
    assert figures["healthy_trips"] == figures["healthy_days"] == 6 + 2 + 2 + 6
    assert figures["judged_trips"] == 23
    assert (figures["found"], figures["recall"]) == (1, 0.5)
    assert figures["false_alarms"] == 1
    assert figures["false_alarms_per_1000_trips"] == figures["false_alarms_per_1000_vehicle_days"] == 1000 / 16
    # the short trip of the onset counts in the owner's trips and not in those that could be judged
    assert (figures["delay_trips"], figures["delay_judged_trips"]) == (3.0, 2.0)
    assert figures["delay_s"] == pytest.approx(2 * 86_400 + 20 * 60)


def test_intervals_hold_the_figure() -> None:
    figures = evaluated("sound", "ill", "missed", "nervous")
    for name in ("recall", "false_alarms_per_1000_trips", "delay_trips"):
        low, high = figures[f"{name}_ci"]
        assert low <= figures[name] <= high


def test_no_false_alarm_seen_is_not_none_to_come() -> None:
    figures = evaluated("sound", "ill")
    assert figures["false_alarms"] == 0
    # the rule of three, for 97.5 %
    assert figures["false_alarms_per_1000_trips_ci"] == [0.0, pytest.approx(1000 * 3.689 / 8, rel=1e-3)]
    assert figures["recall_ci"] == [pytest.approx(0.025), 1.0]


def test_an_evaluation_of_nothing_has_no_figures() -> None:
    figures = evaluate_coolant(ARTEFACT, [], {})
    assert figures["vehicles"] == 0
    assert figures["recall"] is figures["recall_ci"] is figures["false_alarms_per_1000_trips"] is None
