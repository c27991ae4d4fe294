"""The electric car's pack over months: charging habits, temperature, ageing, cells, isolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.electric import OPEN_CIRCUIT_V, SOC_POINTS
from simulator.life.streams import Topic, stream
from simulator.life.weather import DAY_S

if TYPE_CHECKING:
    from simulator.life.driving import Moments
    from simulator.life.vehicle_life import VehicleLife

CELLS = 96
NOMINAL_V = 355.0
SOAK_S = 9 * 3600.0
AC_A, DC_A, MOST_RECOVERED_A = 19.0, 150.0, 130.0
RECOVERED_PER_FREE_A = 5.0
"""A nearly full pack takes this much for each percent that is free."""
PLUG_S = 300.0
"""From the end of a trip to the start of charging, at least."""
COOLED_FROM_C = 33.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack as built. `habit`: state of charge under which it is plugged in; `goal`: up to which it is charged; `home`: slowly."""

    capacity_ah: float
    resistance_ohm: float
    spread_v: float
    habit: float
    goal: float
    home: bool
    kwh_per_km: float
    isolation_kohm: float
    low_cell: int
    high_cell: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackStates:
    """Of each trip: charge (percent) and °C at its start, Ah drawn and K gained in it.

    Of each charging session: the trip before it, start, length, current A, charge and °C at its start.
    """

    pack: Pack
    charge: FloatArray
    start_c: FloatArray
    drawn_ah: FloatArray
    gained_k: FloatArray
    session_after: NDArray[np.intp]
    session_start_s: FloatArray
    session_s: FloatArray
    session_a: FloatArray
    session_charge: FloatArray
    session_c: FloatArray


def draw_pack(life: VehicleLife) -> Pack:
    """A pack of its age."""
    rng = stream(life.seed, life.vehicle.number, Topic.PACK)
    years = life.vehicle.age_days / 365.0
    large = life.vehicle.model == "Yunchi S80"
    home = bool(rng.random() < 0.7)
    low, high = rng.permutation(CELLS)[:2] + 1
    return Pack(
        capacity_ah=float((220.0 if large else 165.0) * (1.0 - 0.018 * years) * rng.normal(1.0, 0.008)),
        resistance_ohm=float((0.062 if large else 0.080) * (1.0 + 0.03 * years) * rng.normal(1.0, 0.03)),
        spread_v=float(rng.uniform(0.004, 0.010) * (1.0 + 0.05 * years)),
        habit=float(rng.uniform(30.0, 65.0) if home else rng.uniform(15.0, 35.0)),
        goal=float(rng.choice([80.0, 88.0, 95.0])),
        home=home,
        kwh_per_km=float(rng.normal(0.165 if large else 0.145, 0.008)),
        isolation_kohm=float(np.exp(rng.normal(np.log(3000.0), 0.25))),
        low_cell=int(low),
        high_cell=int(high),
    )


def pack_states(life: VehicleLife) -> PackStates:
    """Trip after trip: drive, plug in when low, charge until the goal or the next trip."""
    pack = draw_pack(life)
    states, sessions = _trip_after_trip(life, pack, _drawn_ah(life, pack))
    table, charged = np.array(states).reshape(-1, 4).T, np.array(sessions).reshape(-1, 6).T
    return PackStates(
        pack=pack,
        charge=table[0],
        start_c=table[1],
        drawn_ah=table[2],
        gained_k=table[3],
        session_after=charged[0].astype(np.intp),
        session_start_s=charged[1],
        session_s=charged[2],
        session_a=charged[3],
        session_charge=charged[4],
        session_c=charged[5],
    )


def _drawn_ah(life: VehicleLife, pack: Pack) -> FloatArray:
    """Ah that each trip wants: driving, and heating or cooling the cabin."""
    trips = life.trips
    comfort_kw = 0.4 + np.clip(np.abs(trips.ambient_c - 21.0) * 0.07, 0.0, 2.6)
    drag = np.where(trips.motorway, 1.25, 0.95) * trips.burden
    kwh = trips.km * pack.kwh_per_km * drag + comfort_kw * trips.duration_s / 3600.0
    return np.asarray(kwh * 1000.0 / NOMINAL_V, np.float64)


def _trip_after_trip(
    life: VehicleLife, pack: Pack, wanted_ah: FloatArray
) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """Rows of the trips' and of the sessions' columns of `PackStates`, in their order."""
    trips = life.trips
    room_ah = np.broadcast_to(capacity_ah(life, pack, trips.start_s), len(trips))
    uncooled = np.broadcast_to(life.effect("pack_cooling_weak", trips.start_s), len(trips))
    next_s = np.append(trips.start_s[1:], (life.days + 1) * DAY_S)
    columns = (trips.park_s, trips.ambient_c, trips.end_s, wanted_ah, room_ah, uncooled, next_s, life.driven)
    charge, celsius = 70.0, float(trips.ambient_c[0]) if len(trips) else 20.0
    states: list[tuple[float, ...]] = []
    sessions: list[tuple[float, ...]] = []
    for place, (parked, ambient, end, ah, room, hot, until, driven) in enumerate(
        zip(*map(np.ndarray.tolist, columns), strict=True)
    ):
        celsius = ambient + (celsius - ambient) * float(np.exp(-max(parked, 0.0) / SOAK_S))
        used, gained = min(ah, max(charge - 3.0, 0.0) / 100.0 * room), _warmed(celsius, 0.10 * ah, hot)
        states.append((charge, celsius, used, gained))
        if not driven:
            continue
        charge, celsius = charge - used / room * 100.0, celsius + gained
        amps = AC_A if pack.home else DC_A
        lasts = min((pack.goal - charge) / 100.0 * room / amps * 3600.0, until - end - 2.0 * PLUG_S)
        if charge < pack.habit and lasts > PLUG_S:
            sessions.append((place, end + PLUG_S, lasts, amps, charge, celsius))
            charge += lasts / 3600.0 * amps / room * 100.0
            celsius += _warmed(celsius, 0.0 if pack.home else 11.0 * lasts / 1800.0, hot)
    return states, sessions


def _warmed(celsius: float, heat_k: float, uncooled: float) -> float:
    """K gained; above `COOLED_FROM_C` the cooling takes most of it, unless it is weak."""
    free = max(COOLED_FROM_C - celsius, 0.0)
    over = max(heat_k - free, 0.0)
    return min(heat_k, free) + over * (0.2 + 0.8 * uncooled) + 2.0 * uncooled * (heat_k > 0)


def capacity_ah(life: VehicleLife, pack: Pack, time_s: FloatArray) -> FloatArray:
    """Ah: ageing of 2 % a year, more where the pack fades."""
    return pack.capacity_ah * (1.0 - 0.018 * time_s / (365.0 * DAY_S)) * (1.0 - life.effect("pack_capacity", time_s))


def coldness(celsius: FloatArray) -> FloatArray:
    """By how much the cold slows the cells: 1 at 25 °C, 2 at about -3 °C."""
    return np.asarray(np.exp(np.clip(25.0 - celsius, -15.0, 45.0) / 40.0), np.float64)


def resistance_ohm(life: VehicleLife, time_s: FloatArray, celsius: FloatArray) -> FloatArray:
    """Ohm of the whole pack."""
    return life.pack.pack.resistance_ohm * coldness(celsius) * (1.0 + life.effect("pack_resistance", time_s))


def driving_current(life: VehicleLife, moments: Moments) -> FloatArray:
    """A, positive when charging; each trip draws what its state says, however the driver's foot moves."""
    speed = moments.speed_kmh
    kilowatt = 0.05 * speed + 1.05e-5 * speed**3 + 0.5 * moments.effort * np.minimum(speed, 50.0)
    shape = kilowatt * 1000.0 / NOMINAL_V
    starts = np.flatnonzero(moments.first)
    counts = np.diff(np.append(starts, len(shape)))
    trip = moments.trip[starts]
    mean = np.add.reduceat(shape, starts) / counts if len(starts) else np.empty(0)
    wanted = life.pack.drawn_ah[trip] / (counts * moments.step_s / 3600.0)
    return np.minimum(-(shape + np.repeat(wanted - mean, counts)), MOST_RECOVERED_A)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """What the battery's own unit tells at n instants."""

    voltage: FloatArray
    current: FloatArray
    charge: FloatArray
    cell_min: FloatArray
    cell_max: FloatArray
    id_min: FloatArray
    id_max: FloatArray
    temperature_min: FloatArray
    temperature: FloatArray
    temperature_max: FloatArray


def cell_state(
    life: VehicleLife, time_s: FloatArray, charge: FloatArray, current: FloatArray, celsius: FloatArray, noise: FloatArray
) -> CellState:
    """Voltages from charge and current; `noise` (2, n) standard normal."""
    pack = life.pack.pack
    ohm = resistance_ohm(life, time_s, celsius)
    cell = np.interp(charge, SOC_POINTS, OPEN_CIRCUIT_V) + current * ohm / CELLS
    strain = 1.0 + 0.006 * np.abs(current) + np.maximum(25.0 - charge, 0.0) / 25.0
    low = pack.spread_v * strain * (1.0 + 0.08 * noise[0])
    episode = life.episode("cell_deviation")
    behind = (
        life.effect("cell_deviation", time_s) * (0.35 + 0.65 * (1.0 - charge / 100.0)) * (1.0 + 0.003 * np.maximum(-current, 0.0))
    )
    bad = episode.place if episode is not None else pack.low_cell
    uneven = life.effect("pack_cooling_weak", time_s)
    half = 1.0 + 0.008 * np.abs(current) + 3.5 * uneven
    tell_low, tell_high = (
        np.where(noise[0] > 1.2, 1 + (pack.low_cell + 7) % CELLS, pack.low_cell),
        np.where(noise[1] > 1.2, 1 + (pack.high_cell + 5) % CELLS, pack.high_cell),
    )
    return CellState(
        voltage=cell * CELLS - behind,
        current=current,
        charge=charge,
        cell_min=cell - np.maximum(low, behind),
        cell_max=cell + pack.spread_v * (0.8 + 0.06 * noise[1]),
        id_min=np.where(behind > low, float(bad), tell_low),
        id_max=tell_high.astype(np.float64),
        temperature_min=celsius - half,
        temperature=celsius,
        temperature_max=celsius + half,
    )


def driven_pack(life: VehicleLife, moments: Moments, noise: FloatArray) -> CellState:
    """The pack while driving."""
    states = life.pack
    current = driving_current(life, moments)
    drawn = moments.over_trips(-current) * moments.step_s / 3600.0
    room = capacity_ah(life, states.pack, moments.time_s)
    charge = np.clip(states.charge[moments.trip] - drawn / room * 100.0, 0.5, 100.0)
    share = np.minimum(moments.since_s / life.trips.duration_s[moments.trip], 1.0)
    celsius = states.start_c[moments.trip] + states.gained_k[moments.trip] * share
    current = np.minimum(current, RECOVERED_PER_FREE_A * (100.0 - charge) / coldness(celsius))
    return cell_state(life, moments.time_s, charge, current, celsius, noise)


def isolation(life: VehicleLife, moments: Moments) -> FloatArray:
    """Resistance to the body, kOhm: lower when wet, and by decades where the harness fails."""
    wet = 10.0 ** (-0.3 * moments.wet + 0.02 * moments.mood)
    decades = life.effect("isolation_low", moments.time_s) * (0.85 + 0.15 * moments.wet)
    return np.minimum(life.pack.pack.isolation_kohm * wet, 9000.0) * 10.0**-decades
