from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.care import DayUsage, OwnKind, OwnValue
from domain.frames import TickKind
from domain.ports import Jit, no_jit
from domain.signals import TICK_SIGNAL, SampleBatch
from dtc_knowledge.maintenance import shipped_readings
from notifier.reminders import usage_kernel
from notifier.reminders.usage_kernel import DAY_NS
from notifier.reminders.usage_meter import ODOMETER, OIL_C, OUTSIDE_C, PEDAL_ON, RPM, SPEED, TRACTION_A, TRACTION_V, UsageMeter
from tests.notifier.reminders.builders import DAY0

SERVICE = "Vehicle.Service.DistanceToService"
PADS = ("Vehicle.Chassis.Axle.Row1.Wheel.Left.Brake.PadWear", "Vehicle.Chassis.Axle.Row2.Wheel.Right.Brake.PadWear")
AIR_KPA = "Vehicle.Powertrain.CombustionEngine.AirFilter.DifferentialPressure"
BATTERY_V = "Vehicle.LowVoltageBattery.CurrentVoltage"
PATHS = (SPEED, RPM, OIL_C, ODOMETER, SERVICE, OUTSIDE_C, PEDAL_ON, *PADS, AIR_KPA, BATTERY_V, TRACTION_V, TRACTION_A)
START = DAY0 * DAY_NS + 8 * 3600 * 1_000_000_000
Row = tuple[float, int | str, float]
TICK, END = TICK_SIGNAL, float(TickKind.END_OF_DRIVE)
Days = dict[tuple[str, int], DayUsage]


def batch(rows: list[Row], vehicle: str = "car") -> SampleBatch:
    """Rows of (seconds, path or its number, value)."""
    numbers = [PATHS.index(signal) if isinstance(signal, str) else signal for _, signal, _ in rows]
    return SampleBatch(
        vehicles=(vehicle,),
        paths=PATHS,
        time_ns=np.array([START + round(second * 1e9) for second, _, _ in rows], np.int64),
        vehicle=np.zeros(len(rows), np.int32),
        signal=np.array(numbers, np.int32),
        value=np.array([value for _, _, value in rows], np.float64),
    )


def meter(jit: Jit = no_jit) -> UsageMeter:
    return UsageMeter(shipped_readings(), jit=jit)


def latest(*told: tuple[tuple[str, DayUsage], ...]) -> Days:
    """What a store holds that keeps the last word of each day."""
    return {(vehicle, day.day): day for days in told for vehicle, day in days}


def day_of(rows: list[Row]) -> DayUsage:
    (day,) = latest(meter().read(batch([*rows, (rows[-1][0] + 1, TICK, END)]))).values()
    return day


def drive(minutes: int, speed_kmh: float, oil_c: float = 90.0) -> list[Row]:
    seconds = range(minutes * 60 + 1)
    rows: list[Row] = [row for s in seconds for row in ((s, SPEED, speed_kmh), (s, RPM, 2000.0), (s, OIL_C, oil_c))]
    return [*rows, (minutes * 60 + 1, ODOMETER, 27_123.0), (minutes * 60 + 1, SERVICE, 900.0)]


def test_a_drive_adds_distance_time_oil_wear_and_a_trip() -> None:
    day = day_of(drive(10, 60.0))
    assert (day.day, day.trips, day.short_trips, day.odometer_km) == (DAY0, 1, 0, 27_123.0)
    assert (day.distance_km, day.driving_s, day.engine_h) == pytest.approx((10.0, 600.0, 1 / 6), rel=1e-4)
    assert day.oil_wear_rev == pytest.approx(20_000, rel=1e-3)
    assert day.own_values == (OwnValue(name="service", remaining_km=900.0),)


def test_cold_oil_ages_faster_and_a_short_trip_is_told() -> None:
    day = day_of(drive(5, 30.0, oil_c=10.0))
    assert (day.trips, day.short_trips) == (1, 1)
    assert day.oil_wear_rev == pytest.approx(40_000, rel=1e-3)


def test_oil_of_unknown_temperature_does_not_wear() -> None:
    day = day_of([(s, RPM, 2000.0) for s in range(60)])
    assert (day.engine_h, day.oil_wear_rev) == (pytest.approx(59 / 3600), 0.0)


def test_standing_is_idling_and_a_gap_is_nothing() -> None:
    day = day_of([(0, SPEED, 0.0), (5, SPEED, 0.0), (500, SPEED, 80.0), (501, SPEED, 80.0)])
    assert (day.idle_s, day.driving_s) == (5.0, 1.0)


@pytest.mark.parametrize(("signal", "value"), [(RPM, 0.0), (TRACTION_A, 30.0)])
def test_a_stopped_engine_and_a_car_that_charges_do_not_idle(signal: str, value: float) -> None:
    standing: list[Row] = [row for s in range(61) for row in ((s, signal, value), (s, SPEED, 0.0))]
    assert day_of([*standing, (61, ODOMETER, 5.0)]).idle_s == 0.0
    assert day_of([*((s, SPEED, 0.0) for s in range(61)), (61, RPM, 800.0)]).idle_s == 60.0


def test_driving_in_the_frost_is_told() -> None:
    cold = day_of([(0, OUTSIDE_C, -15.0), *((s, SPEED, 50.0) for s in range(11))])
    mild = day_of([(0, OUTSIDE_C, 15.0), *((s, SPEED, 50.0) for s in range(11))])
    assert (cold.extreme_s, mild.extreme_s) == (10.0, 0.0)


def test_braking_from_72_to_0_takes_200_joules_from_each_kilogram() -> None:
    slowing: list[Row] = [(10 + s, SPEED, 72.0 - 6 * s) for s in range(13)]
    pressed: list[Row] = [(10 + s, PEDAL_ON, 1.0) for s in range(13)]
    assert day_of(sorted([*slowing, *pressed], key=lambda row: row[0])).brake_mj == pytest.approx(0.2)
    assert day_of(slowing).brake_mj == day_of([(0, PEDAL_ON, 1.0), *slowing]).brake_mj == 0.0
    recuperating: list[Row] = [*pressed, *((10 + s, TRACTION_A, 80.0) for s in range(13))]
    assert day_of(sorted([*slowing, *recuperating], key=lambda row: row[0])).brake_mj == 0.0


def test_energy_is_what_was_taken_from_the_battery_not_what_was_charged() -> None:
    rows: list[Row] = [
        row for s in range(0, 3601, 10) for row in ((s, TRACTION_V, 400.0), (s, TRACTION_A, -50.0 if s < 1800 else 60.0))
    ]
    assert day_of(rows).energy_kwh == pytest.approx(10.0)


def test_packets_every_half_minute_are_enough() -> None:
    day = day_of([(30 * n, SPEED, 60.0) for n in range(21)])
    assert (day.distance_km, day.driving_s, day.trips) == (pytest.approx(10.0), 600.0, 1)


def test_the_wheel_that_is_worn_most_speaks_for_the_pads() -> None:
    day = day_of([(0, PADS[0], 17.0), (0, PADS[1], 34.0), (1, PADS[0], 18.0)])
    assert day.own_values == (OwnValue(name="brake_pads", kind=OwnKind.CONDITION, remaining_share=pytest.approx(0.6)),)


def test_a_filter_is_judged_at_its_highest_pressure_and_never_by_one_that_cannot_be() -> None:
    told = day_of([(0, AIR_KPA, 1.0), (1, AIR_KPA, 3.7), (2, AIR_KPA, 2.0)]).own_values
    assert told == (OwnValue(name="air_filter", kind=OwnKind.CONDITION, remaining_share=pytest.approx(0.5)),)
    assert day_of([(0, AIR_KPA, 1.0), (1, AIR_KPA, 60.0), (1, ODOMETER, 5.0)]).own_values == ()


def test_a_battery_is_judged_after_a_rest() -> None:
    told = day_of([(0, BATTERY_V, 12.3), (1, BATTERY_V, 10.5), (2, BATTERY_V, 14.1)]).own_values
    assert told == (OwnValue(name="battery_12v", kind=OwnKind.CONDITION, remaining_share=pytest.approx(0.5)),)


def test_a_day_that_is_over_is_told_even_in_the_middle_of_a_drive() -> None:
    before_midnight = 16 * 3600 - 5
    counted = meter()
    told = counted.read(batch([(before_midnight + s, SPEED, 36.0) for s in range(11)]))
    assert [(vehicle, day.day, day.driving_s) for vehicle, day in told] == [("car", DAY0, 4.0)]
    told = counted.read(batch([(before_midnight + 20, TICK, END)]))
    assert [(day.day, day.driving_s, day.trips) for _, day in told] == [(DAY0 + 1, 6.0, 1)]


def test_a_timer_ends_no_trip() -> None:
    told = meter().read(batch([(0, SPEED, 50.0), (1, SPEED, 50.0), (2, TICK, float(TickKind.TIMER))]))
    assert told == ()
    assert usage_kernel.END_OF_DRIVE == TickKind.END_OF_DRIVE


def test_a_vehicle_that_was_forgotten_begins_anew() -> None:
    counted = meter()
    counted.read(batch([(0, SPEED, 50.0), (1, SPEED, 50.0)]))
    counted.forget("car")
    assert counted.snapshot("car") is None
    assert counted.read(batch([(2, SPEED, 50.0), (3, TICK, END)])) == ()


VALUES = st.tuples(
    st.integers(0, 60_000), st.sampled_from([*range(len(PATHS)), TICK]), st.one_of(st.floats(-40, 6000), st.just(float("nan")))
)


def sample_rows(found: list[tuple[int, int, float]]) -> list[Row]:
    """In order of time; ticks end drives; many samples in the minutes around midnight."""
    rows = sorted(found, key=lambda row: row[0])
    return [
        (16 * 3600 - 60 + at * 0.0023, signal, float(END if number % 2 else 2.0) if signal == TICK else value)
        for number, (at, signal, value) in enumerate(rows)
    ]


def read_in_pieces(rows: list[Row], cuts: set[int], vehicle: str = "car") -> Days:
    counted, place = meter(), 0
    told = []
    for cut in [*sorted(cuts), len(rows)]:
        while 0 < cut < len(rows) and rows[cut][0] == rows[cut - 1][0]:
            cut += 1  # samples of one moment stay together
        if cut <= place:
            continue
        state = counted.snapshot(vehicle)
        counted = meter()
        if state is not None:
            counted.restore(vehicle, state)
        told.append(counted.read(batch(rows[place:cut], vehicle)))
        place = cut
    end: list[Row] = [(20 * 3600.0, TICK, END)]
    return latest(*told, counted.read(batch(end, vehicle)))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=60), st.sets(st.integers(0, 60), max_size=6))
def test_no_cut_and_no_snapshot_changes_a_day(found: list[tuple[int, int, float]], cuts: set[int]) -> None:
    rows = sample_rows(found)
    assert read_in_pieces(rows, cuts) == read_in_pieces(rows, set())


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES, max_size=40), st.lists(VALUES, max_size=40))
def test_vehicles_beside_each_other_and_compiled_arithmetic_change_nothing(
    one: list[tuple[int, int, float]], other: list[tuple[int, int, float]]
) -> None:
    batches = [batch([*sample_rows(found), (20 * 3600.0, TICK, END)], name) for name, found in (("a", one), ("b", other))]
    joined = SampleBatch(
        vehicles=("a", "b"),
        paths=PATHS,
        time_ns=np.concatenate([each.time_ns for each in batches]),
        vehicle=np.repeat(np.array([0, 1], np.int32), [len(each.time_ns) for each in batches]),
        signal=np.concatenate([each.signal for each in batches]),
        value=np.concatenate([each.value for each in batches]),
    )
    alone = latest(*itertools.chain(meter().read(each) for each in batches))
    assert latest(meter(lazy_jit).read(joined)) == alone
