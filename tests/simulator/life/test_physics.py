"""What the simulated cars do is possible, and each kind of fault shows where it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.signals import TICK_SIGNAL
from simulator.life import BadBatch, plan_fleet_year
from simulator.life.emission import ENGINE, PACK, Samples, Sampling, page_samples, signal_paths
from simulator.life.faults import NEVER, Episode
from simulator.life.fleet_year import FleetYear
from simulator.life.low_voltage import supply_states
from simulator.life.tables import fault_kinds, parameter_set
from simulator.life.traction_battery import capacity_ah
from simulator.life.vehicle_life import VehicleLife

DAY_S = 86_400.0
FLEET = plan_fleet_year(cars=60, seed=21, faults=False)
WHEEL = "Vehicle.Chassis.Axle.Row1.Wheel.Left"

SIGNS = {
    "battery_12v_weak": ("petrol", "Vehicle.LowVoltageBattery.CurrentVoltage", 0.01, -0.5),
    "charging_weak": ("petrol", "Vehicle.LowVoltageBattery.CurrentVoltage", 0.9, -0.4),
    "thermostat_open": ("petrol", f"{ENGINE}.EngineCoolant.Temperature", 0.7, -5.0),
    "cooling_weak": ("petrol", f"{ENGINE}.EngineCoolant.Temperature", 0.8, 3.0),
    "intake_air_leak": ("petrol", "Vehicle.OBD.LongTermFuelTrim1", 0.7, 5.0),
    "fuel_pump_weak": ("petrol", "Vehicle.OBD.LongTermFuelTrim1", 0.95, 5.0),
    "fuel_supply_weak": ("diesel", f"{ENGINE}.FuelDeliveryPressure", 0.5, -60.0),
    "misfire": ("petrol", f"{ENGINE}.Cylinder1.MisfireCount", 0.5, 4.0),
    "boost_leak": ("diesel", f"{ENGINE}.BoostPressure", 0.95, -8.0),
    "dpf_clogging": ("diesel", f"{ENGINE}.DieselParticulateFilter.DeltaPressure", 0.5, 600.0),
    "scr_weak": ("diesel", f"{ENGINE}.Aftertreatment.OutletNox", 0.5, 40.0),
    "egr_clogging": ("diesel", "Vehicle.OBD.EGRError", 0.5, -20.0),
    "brake_drag": ("petrol", f"{WHEEL}.Brake.PadWear", 0.5, 15.0),
    "tyre_leak": ("petrol", f"{WHEEL}.Tire.Pressure", 0.5, -60.0),
    "cell_deviation": ("ev", f"{PACK}.CellVoltage.Min", 0.5, -0.04),
    "pack_resistance": ("ev", f"{PACK}.CurrentVoltage", 0.01, -2.0),
    "pack_capacity": ("ev", f"{PACK}.StateOfCharge.Current", 0.01, -1.0),
    "pack_cooling_weak": ("ev", f"{PACK}.Temperature.Max", 0.95, 2.0),
    "isolation_low": ("ev", f"{PACK}.InsulationResistance", 0.5, -1000.0),
    "oil_pressure_low": ("petrol", f"{ENGINE}.EOP", 0.5, -60.0),
}
"""Kind -> powertrain, signal, quantile of a page's values, and by how much at least that is off at full severity."""


def number_of(powertrain: str, year: FleetYear = FLEET) -> int:
    """A vehicle that drives every working day."""
    usages = ("commuter", "delivery")
    return next(v.number for v in year.vehicles if v.powertrain == powertrain and v.usage in usages)


def values_of(samples: Samples, path: str) -> np.ndarray:
    return samples.value[samples.signal == signal_paths().index(path)]


def with_fault(life: VehicleLife, kind: str, *, onset_day: float) -> VehicleLife:
    given = next(each for each in parameter_set("development").faults if each.kind == kind)
    episode = Episode(
        kind=fault_kinds()[kind], place=1, lot="", onset_s=onset_day * DAY_S, develops_s=1.0, shape=1.0,
        size=float(np.mean(given.size)), shows_at=given.shows_at, sudden=False,
    )  # fmt: skip
    return VehicleLife(
        seed=life.seed, vehicle=life.vehicle, days=life.days, trips=life.trips, upkeep=replace(life.upkeep, episodes=(episode,))
    )


@pytest.mark.parametrize("kind", fault_kinds())
def test_each_kind_of_fault_shows_in_its_signal(kind: str) -> None:
    powertrain, path, quantile, least = SIGNS[kind]
    life = FLEET.life(number_of(powertrain))
    without, bad = (values_of(page_samples(each, 1, Sampling()), path) for each in (life, with_fault(life, kind, onset_day=0)))
    by = float(np.quantile(bad, quantile) - np.quantile(without, quantile))
    assert by / least >= 1.0, by


@pytest.mark.parametrize("powertrain", ["petrol", "diesel", "ev"])
def test_values_stay_within_what_is_possible(powertrain: str) -> None:
    year = replace(FLEET, sampling=Sampling(fast_s=20.0))
    batch = year.samples([v.number for v in FLEET.vehicles if v.powertrain == powertrain][:5], first_day=150, days=56)
    limits = {
        "Vehicle.Speed": (0, 150), f"{ENGINE}.Speed": (0, 4500), f"{ENGINE}.EngineCoolant.Temperature": (-45, 126),
        "Vehicle.LowVoltageBattery.CurrentVoltage": (5, 30), f"{PACK}.CellVoltage.Min": (2.6, 4.35),
        f"{PACK}.CellVoltage.Max": (2.6, 4.4), f"{PACK}.StateOfCharge.Current": (0, 100), f"{PACK}.Temperature.Max": (-30, 60),
        f"{WHEEL}.Tire.Pressure": (120, 1000), f"{ENGINE}.EOP": (20, 620),
    }  # fmt: skip
    for path, (low, high) in limits.items():
        values = batch.value[batch.signal == signal_paths().index(path)]
        if len(values):
            assert low <= values.min() <= values.max() <= high, path


def test_what_a_trip_draws_is_what_its_charge_falls_by() -> None:
    life = FLEET.life(number_of("ev"))
    samples = page_samples(replace(life), 3, Sampling(fast_s=1.0))
    current, charge = (values_of(samples, f"{PACK}.{name}") for name in ("CurrentCurrent", "StateOfCharge.Current"))
    ends = np.flatnonzero(samples.signal == TICK_SIGNAL)
    driving = slice(0, int(np.count_nonzero(samples.signal[: ends[0]] == signal_paths().index(f"{PACK}.CurrentCurrent"))))
    drawn_ah = -current[driving].sum() / 3600.0
    room = float(capacity_ah(life, life.pack.pack, np.array([84 * DAY_S]))[0])
    assert charge[driving][0] - charge[driving][-1] == pytest.approx(100.0 * drawn_ah / room, abs=0.3)


def test_charge_is_kept_between_empty_and_full_over_the_year() -> None:
    for vehicle in FLEET.vehicles[:20]:
        life = FLEET.life(vehicle.number)
        assert ((life.supply.charge > 0) & (life.supply.charge <= 1)).all()
        if vehicle.powertrain == "ev":
            assert ((life.pack.charge >= 0) & (life.pack.charge <= 100)).all()


def test_wear_only_grows_until_the_part_is_changed() -> None:
    for vehicle in FLEET.vehicles[:20]:
        life = FLEET.life(vehicle.number)
        assert (np.diff(life.odometer_km) >= 0).all()
        changes = [visit.time_s for visit in life.pads.services]
        for axle in life.pads.worn:
            fell = life.trips.start_s[1:][np.diff(axle) < 0]
            assert all(any(0 <= start - change < 40 * DAY_S for change in changes) for start in fell.tolist())


def test_a_battery_sinks_while_the_car_stands_and_dips_deeper_in_the_cold() -> None:
    lives = (
        FLEET.life(vehicle.number) for vehicle in FLEET.vehicles if vehicle.usage == "commuter" and vehicle.powertrain == "petrol"
    )
    life = next(each for each in lives if each.trips.park_s.max() > 10 * DAY_S)
    states, parked = supply_states(life.seed, life), life.trips.park_s
    long, short = parked > 6 * DAY_S, parked < 0.5 * DAY_S
    assert states.rest_v[long].mean() < states.rest_v[short].mean() - 0.02
    cold, warm = np.argsort(life.trips.ambient_c)[:30], np.argsort(life.trips.ambient_c)[-30:]
    assert states.plateau_v[cold].mean() < states.plateau_v[warm].mean() - 0.1


def test_the_truth_is_in_order() -> None:
    year = plan_fleet_year(cars=150, seed=22)
    outcomes = set()
    for vehicle in year.vehicles:
        life = year.life(vehicle.number)
        for fault in life.faults:
            outcomes.add(fault.outcome)
            assert fault.onset_s <= fault.detectable_s <= fault.repaired_s
            assert fault.failed_s == NEVER or fault.onset_s <= fault.failed_s <= fault.repaired_s
        for breakdown in life.breakdowns:
            repair = next(v for v in life.services if v.kind == breakdown.kind and v.cured and v.time_s > breakdown.time_s)
            stands = (life.trips.start_s >= breakdown.time_s) & (life.trips.start_s < repair.time_s)
            assert not life.driven[stands].any()
    assert outcomes == {"failed", "repaired", "open"}


def test_a_bad_lot_fails_more_often_and_changes_nothing_else() -> None:
    batch = BadBatch(component="ignition_coil", share=0.2, hazard=30.0)
    plain, bad = plan_fleet_year(cars=250, seed=23), plan_fleet_year(cars=250, seed=23, bad_batches=(batch,))
    with_lot = [v.number for v in bad.vehicles if v.lots.get("ignition_coil") == batch.lot]
    assert 0.1 < len(with_lot) / sum("ignition_coil" in v.lots for v in bad.vehicles) < 0.3

    def misfires(year: FleetYear, numbers: list[int]) -> int:
        return sum(fault.kind == "misfire" for number in numbers for fault in year.history(number).faults)

    assert misfires(bad, with_lot) > 5 * max(misfires(plain, with_lot), 1)
    other = next(v.number for v in bad.vehicles if v.number not in with_lot)
    assert plain.samples([other]).value.tolist() == bad.samples([other]).value.tolist()


def test_the_evaluation_set_has_other_figures_for_every_kind() -> None:
    pairs = zip(parameter_set("development").faults, parameter_set("evaluation").faults, strict=True)
    assert all(a.kind == b.kind and a.develops_days != b.develops_days and a.size != b.size for a, b in pairs)
