"""The 12 V or 24 V battery over months: charge after each stand, dip while cranking, charging while driving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.life.fleet_plan import LifeVehicle
from simulator.life.streams import Topic, stream
from simulator.life.weather import DAY_S

if TYPE_CHECKING:
    from simulator.life.driving import Moments
    from simulator.life.vehicle_life import VehicleLife

CRANK_HZ, CRANK_S = 20, 2.0
CELSIUS_RATED = 25.0
WAKING_A = 25.0
"""What an electric car's control units draw when it is unlocked, before the converter works: all that ever loads its battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """A vehicle's supply as built, per 12 V block.

    Attributes:
        blocks: 12 V blocks in series. resistance_ohm: of a block with cables at 25 °C when new. starter_a: plateau current at 20 °C.
        drain_per_day: share of the charge that control units draw. full: charge that the charger aims at. target_v: charging voltage.
        smart: whether it charges only when it pays.
    """

    blocks: int
    resistance_ohm: float
    starter_a: float
    drain_per_day: float
    full: float
    target_v: float
    smart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyStates:
    """At the start of each of k trips: charge 0..1, open-circuit voltage (all blocks), and the starter's dip."""

    supply: Supply
    charge: FloatArray
    rest_v: FloatArray
    resistance_ohm: FloatArray
    plateau_v: FloatArray
    crank_s: FloatArray


def draw_supply(seed: int, vehicle: LifeVehicle) -> Supply:
    """A battery of ordinary age: replaced every few years, so its age is its own."""
    rng = stream(seed, vehicle.number, Topic.STARTING)
    years, spread = rng.uniform(0.0, 4.0), np.exp(rng.normal(0.0, 0.06))
    truck, diesel = vehicle.is_truck, vehicle.powertrain == "diesel"
    return Supply(
        blocks=2 if truck else 1,
        resistance_ohm=float((0.0036 if diesel else 0.0050) * spread * (1.0 + 0.06 * years)),
        starter_a=420.0 if truck else 260.0 if diesel else 190.0,
        drain_per_day=float(rng.uniform(0.004, 0.009)),
        full=float(rng.uniform(0.90, 0.97)),
        target_v=float(rng.normal(14.3, 0.08)),
        smart=bool(rng.random() < 0.5) and not truck,
    )


def supply_states(seed: int, life: VehicleLife) -> SupplyStates:
    """Charge, rest voltage and cranking at every start."""
    supply, trips = draw_supply(seed, life.vehicle), life.trips
    weak = life.severity("battery_12v_weak", trips.start_s)
    poorly = life.effect("charging_weak", trips.start_s) / 2.0
    capacity = 1.0 - 0.55 * weak
    drained = np.maximum(trips.park_s, 0.0) / DAY_S * supply.drain_per_day / capacity
    cold = np.maximum(15.0 - trips.ambient_c, 0.0)
    hours = (2.0 if life.vehicle.powertrain != "ev" else 0.8) * (1.0 + 0.03 * cold)
    gained = (1.0 - np.exp(-trips.duration_s / 3600.0 / hours)) * np.maximum(1.0 - 1.2 * poorly, 0.0)
    drained, gained, spent = np.broadcast_arrays(drained, gained, 0.004 / capacity + 0.03 * poorly)
    charge = _charges(drained, gained, spent, life, supply.full)
    rest_v = 11.75 + charge - 0.2 * weak - 0.001 * cold
    growth = 1.0 + (life.effect("battery_12v_weak", trips.start_s) - weak)
    ohm = supply.resistance_ohm * growth * (1.0 + 0.010 * np.maximum(CELSIUS_RATED - trips.ambient_c, 0.0)) * (1.5 - 0.5 * charge)
    stiff = 1.0 + 0.006 * np.maximum(20.0 - life.start_c, 0.0)
    plateau = rest_v - ohm * supply.starter_a * stiff
    crank_s = 0.55 + 0.010 * np.maximum(20.0 - life.start_c, 0.0) + 0.45 * np.maximum(10.6 - plateau, 0.0)
    return SupplyStates(
        supply=supply,
        charge=charge,
        rest_v=rest_v * supply.blocks,
        resistance_ohm=ohm,
        plateau_v=plateau * supply.blocks,
        crank_s=crank_s,
    )


def _charges(drained: FloatArray, gained: FloatArray, spent: FloatArray, life: VehicleLife, full: float) -> FloatArray:
    """Charge at each start, trip after trip."""
    charge, charges = 0.9 * full, []
    for lost, won, used, driven in zip(drained.tolist(), gained.tolist(), spent.tolist(), life.driven.tolist(), strict=True):
        charge = max(charge - lost, 0.05)
        charges.append(charge)
        if driven:
            charge = max(charge - used, 0.05)
            charge += max(full - charge, 0.0) * won
    return np.array(charges, np.float64)


def resting_voltage(life: VehicleLife, trips: NDArray[np.intp]) -> FloatArray:
    """Voltage before these trips, with the ignition just on."""
    states = life.supply
    drawn = WAKING_A * states.resistance_ohm[trips] if life.vehicle.powertrain == "ev" else 0.0
    return np.asarray(states.rest_v[trips] - drawn, np.float64)


def crank_samples(life: VehicleLife, trips: NDArray[np.intp]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(seconds since key on, voltage, engine speed) of (trip, instant) while the starter turns and the engine catches."""
    states, supply = life.supply, life.supply.supply
    since = np.arange(round(CRANK_S * CRANK_HZ)) / CRANK_HZ
    rest, plateau = states.rest_v[trips][:, None], states.plateau_v[trips][:, None]
    lasts = states.crank_s[trips][:, None]
    turning = since < lasts
    pulse = 1.0 + 0.07 * np.sin(2 * np.pi * 3.3 * since) + 0.9 * np.exp(-since / 0.10)
    caught = since - lasts
    running = supply.target_v * supply.blocks
    voltage = np.where(
        turning, rest - (rest - plateau) * pulse, running - (running - rest) * np.exp(-np.maximum(caught, 0.0) / 0.5)
    )
    turns = 215.0 * np.clip(plateau / supply.blocks / 11.0, 0.3, 1.1)
    caught_rpm = 800.0 + 500.0 * np.exp(-np.maximum(caught, 0.0) / 0.8)
    speed = np.where(turning, turns * np.minimum(since / 0.1, 1.0), turns + (caught_rpm - turns) * np.minimum(caught / 0.3, 1.0))
    return np.broadcast_to(since, voltage.shape), voltage, speed


def running_voltage(life: VehicleLife, moments: Moments, noise: FloatArray) -> FloatArray:
    """Voltage while driving: the charger's target, less under load where charging is weak, never under what the battery holds."""
    states, supply = life.supply, life.supply.supply
    ambient, trip = moments.ambient_c, moments.trip
    comfort = np.clip(np.abs(ambient - 20.0) / 25.0, 0.0, 1.0)
    load = np.clip(0.25 + 0.45 * comfort + 0.2 * noise, 0.0, 1.0)
    target = supply.target_v - 0.006 * (ambient - 20.0) - 0.15 * load
    if supply.smart:
        lazy = (states.charge[trip] > 0.8) & (moments.since_s > 300.0) & (noise < 0.6)
        target = np.where(lazy, target - 1.0, target)
    target = target - life.effect("charging_weak", moments.time_s) * (0.35 + 0.65 * load)
    floor = 11.4 + 0.9 * states.charge[trip]
    return supply.blocks * np.maximum(target, floor)
