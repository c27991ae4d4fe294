from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.care import OwnValue
from domain.signals import TICK_SIGNAL, SampleBatch
from notifier.reminders.usage_meter import DAY_NS, ODOMETER, OIL_C, RPM, SPEED, UsageMeter
from tests.notifier.reminders.builders import DAY0

SERVICE = "Vehicle.Service.DistanceToService"
PATHS = (SPEED, RPM, OIL_C, ODOMETER, SERVICE)
START = DAY0 * DAY_NS + 8 * 3600 * 1_000_000_000
Row = tuple[float, int, float]
TICK = int(TICK_SIGNAL)


def batch(rows: list[Row]) -> SampleBatch:
    """Rows of (seconds, number of the path, value)."""
    return SampleBatch(
        vehicles=("car",),
        paths=PATHS,
        time_ns=np.array([START + round(second * 1e9) for second, _, _ in rows], np.int64),
        vehicle=np.zeros(len(rows), np.int32),
        signal=np.array([signal for _, signal, _ in rows], np.int32),
        value=np.array([value for _, _, value in rows], np.float64),
    )


def drive(minutes: int, speed_kmh: float, oil_c: float = 90.0) -> list[Row]:
    seconds = range(minutes * 60 + 1)
    rows = [row for s in seconds for row in ((s, 0, speed_kmh), (s, 1, 2000.0), (s, 2, oil_c))]
    return [*rows, (minutes * 60 + 1, 3, 27_123.0), (minutes * 60 + 1, 4, 900.0), (minutes * 60 + 2, TICK, 0.0)]


def test_a_drive_adds_distance_time_oil_wear_and_a_trip() -> None:
    meter = UsageMeter()
    meter.read(batch(drive(10, 60.0)))
    (day,) = meter.days("car")
    assert (day.day, day.trips, day.short_trips, day.odometer_km) == (DAY0, 1, 0, 27_123.0)
    assert (day.distance_km, day.driving_s, day.engine_h) == pytest.approx((10.0, 600.0, 1 / 6), rel=1e-4)
    assert day.oil_wear_rev == pytest.approx(20_000, rel=1e-3)
    assert day.own_values == (OwnValue(name="service", remaining_km=900.0),)


def test_cold_oil_ages_faster_and_a_short_trip_is_told() -> None:
    meter = UsageMeter()
    meter.read(batch(drive(5, 30.0, oil_c=10.0)))
    (day,) = meter.days("car")
    assert (day.trips, day.short_trips) == (1, 1)
    assert day.oil_wear_rev == pytest.approx(40_000, rel=1e-3)


def test_standing_is_idling_and_a_gap_is_nothing() -> None:
    meter = UsageMeter()
    meter.read(batch([(0, 0, 0.0), (5, 0, 0.0), (500, 0, 80.0), (501, 0, 80.0)]))
    (day,) = meter.days("car")
    assert (day.idle_s, day.driving_s) == (5.0, 1.0)


VALUES = st.tuples(st.integers(0, 120), st.sampled_from([0, 1, 2, 3, 4, TICK]), st.floats(-40, 6000))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=60), st.sets(st.integers(0, 60), max_size=6))
def test_no_cut_and_no_snapshot_changes_a_sum(found: list[tuple[int, int, float]], cuts: set[int]) -> None:
    rows = [(second * 2.3, signal, value) for second, signal, value in sorted(found, key=lambda row: row[0])]
    whole = UsageMeter()
    whole.read(batch(rows))
    meter, place = UsageMeter(), 0
    for cut in [*sorted(cuts), len(rows)]:
        while 0 < cut < len(rows) and rows[cut][0] == rows[cut - 1][0]:
            cut += 1  # samples of one moment stay together
        if cut <= place:
            continue
        state = meter.snapshot("car")
        meter = UsageMeter()
        if state is not None:
            meter.restore("car", state)
        meter.read(batch(rows[place:cut]))
        place = cut
    assert meter.days("car") == whole.days("car")
