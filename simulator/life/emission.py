"""From a vehicle's life to the samples that its unit sends, page by page of 28 days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL
from simulator.drive_spec import FloatArray
from simulator.life.air_path import boost, exhaust_gas_recirculation
from simulator.life.brakes import pads
from simulator.life.combustion import fuel_trims, misfires
from simulator.life.devices import Device, draw_device, measured
from simulator.life.driving import Moments, drive
from simulator.life.engine_heat import coolant, oil
from simulator.life.exhaust import delivery_pressure, exhaust_flow, filter_pressure, nox, regenerating, soot_load
from simulator.life.fleet_plan import YEAR_START_NS
from simulator.life.low_voltage import CRANK_HZ, CRANK_S, crank_samples, resting_voltage, running_voltage
from simulator.life.streams import Topic, stream
from simulator.life.tables import sensors
from simulator.life.traction_battery import CellState, capacity_ah, cell_state, driven_pack, isolation
from simulator.life.tyres import tyres
from simulator.life.vehicle_life import VehicleLife

PAGE_DAYS = 28
REST_BEFORE_S, CRANK_BEFORE_S = 6.0, 2.2
CHARGING_STEP_S = 60.0

ENGINE, PACK = "Vehicle.Powertrain.CombustionEngine", "Vehicle.Powertrain.TractionBattery"
SPEED, AIR, SUPPLY = "Vehicle.Speed", "Vehicle.Exterior.AirTemperature", "Vehicle.LowVoltageBattery.CurrentVoltage"
ENGINE_SPEED, COOLANT = f"{ENGINE}.Speed", f"{ENGINE}.EngineCoolant.Temperature"
IGNITION, ODOMETER = "Vehicle.LowVoltageSystemState.IsIgnitionOn", "Vehicle.TraveledDistance"
CHARGING = f"{PACK}.Charging.IsCharging"
WHEELS = tuple(f"Vehicle.Chassis.Axle.Row{row}.Wheel.{side}" for row in (1, 2) for side in ("Left", "Right"))

Signals = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How often a unit sends while driving, in seconds; None = what suits the vehicle (10, trucks 20)."""

    fast_s: float | None = None
    slow_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """n samples in order of time; `signal` points into `PATHS`, `day` is the day of the trip that they belong to."""

    time_ns: NDArray[np.int64]
    signal: NDArray[np.int32]
    value: FloatArray
    day: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """k instants at which the same signals are sent: values (k, signals)."""

    time_s: FloatArray
    day: NDArray[np.int64]
    signals: NDArray[np.int32]
    values: FloatArray


def signal_paths() -> tuple[str, ...]:
    """What `Samples.signal` points into."""
    return tuple(sensors())


def page_samples(life: VehicleLife, page: int, sampling: Sampling) -> Samples:
    """What the unit sends of the trips that begin in days [28 page, 28 page + 28)."""
    rng = stream(life.seed, life.vehicle.number, Topic.PAGE, page)
    device = draw_device(life.seed, life.vehicle, life.days)
    chosen = np.flatnonzero((life.trips.day >= page * PAGE_DAYS) & (life.trips.day < (page + 1) * PAGE_DAYS))
    if not len(chosen):
        return _in_order([])
    step_s = sampling.fast_s or (20.0 if life.vehicle.is_truck else 10.0)
    moments = drive(life.vehicle, life.trips, chosen, step_s, rng)
    rows = [*_driving(life, device, moments, max(round(sampling.slow_s / step_s), 1), rng)]
    driven = chosen[life.driven[chosen]]
    rows += _starting(life, device, chosen, rng)
    if life.vehicle.powertrain == "ev":
        rows += _charging(life, device, driven, page)
    ends = life.trips.end_s[driven] + 1.0
    rows.append(_ticks(ends, life.trips.day[driven]))
    return _in_order(rows)


def _driving(life: VehicleLife, device: Device, moments: Moments, slow_every: int, rng: np.random.Generator) -> list[_Rows]:
    """Fast signals at each instant, slow ones at some of them."""
    noise = rng.standard_normal((2, len(moments)), dtype=np.float32).astype(np.float64)
    slow = (moments.since_s / moments.step_s + 0.5).astype(np.intp) % slow_every == 0
    luck = rng.random(len(moments), dtype=np.float32)
    seldom = moments.at(slow)
    if life.vehicle.powertrain == "ev":
        cells = driven_pack(life, moments, noise)
        fast: Signals = {SPEED: moments.speed_kmh, **_pack_fast(cells)}
        slowly = _pack_slow(cells, slow) | {
            f"{PACK}.InsulationResistance": isolation(life, seldom),
            CHARGING: np.zeros(len(seldom)),
        }
    else:
        fast, slowly = _engine_signals(life, moments, slow, seldom, noise, rng)
    fast[SUPPLY] = running_voltage(life, moments, moments.mood)
    slowly |= _vehicle_slow(life, seldom, rng)
    arrives = device.arrives(moments.time_s, luck) & life.driven[moments.trip]
    return [
        _sent(life, device, moments, fast, "fast", arrives, rng),
        _sent(life, device, seldom, slowly, "slow", arrives[slow], rng),
    ]


def _engine_signals(
    life: VehicleLife, moments: Moments, slow: NDArray[np.bool_], seldom: Moments, noise: FloatArray, rng: np.random.Generator
) -> tuple[Signals, Signals]:
    """Fast and slow signals of a combustion engine and what is around it."""
    coolant_c = coolant(life, moments)
    fast = {
        SPEED: moments.speed_kmh,
        ENGINE_SPEED: moments.engine_rpm,
        "Vehicle.OBD.EngineLoad": moments.load_percent,
        COOLANT: coolant_c,
    }
    oil_c, fast[f"{ENGINE}.EOP"] = oil(life, moments, coolant_c)
    slowly = {f"{ENGINE}.EngineOil.Temperature": oil_c[slow]}
    if life.vehicle.is_turbo:
        fast[f"{ENGINE}.BoostPressureDesired"], fast[f"{ENGINE}.BoostPressure"] = boost(life, moments, noise[0])
    if life.vehicle.powertrain == "petrol":
        fast["Vehicle.OBD.ShortTermFuelTrim1"], fast["Vehicle.OBD.LongTermFuelTrim1"] = fuel_trims(life, moments, coolant_c)
        counts = misfires(life, seldom, rng)
        slowly |= {f"{ENGINE}.Cylinder{number}.MisfireCount": each for number, each in enumerate(counts, start=1)}
        slowly[f"{ENGINE}.MisfireCount"] = sum(counts, np.zeros(len(seldom)))
        return fast, slowly
    after, slowly_after = _diesel_signals(life, moments, seldom, coolant_c, noise)
    return fast | after, slowly | slowly_after


def _diesel_signals(
    life: VehicleLife, moments: Moments, seldom: Moments, coolant_c: FloatArray, noise: FloatArray
) -> tuple[Signals, Signals]:
    """Fast and slow signals of recirculation, aftertreatment and fuel delivery."""
    flow = exhaust_flow(life, moments)
    intake, outlet, catalyst_c = nox(life, moments, noise[1])
    commanded, error = exhaust_gas_recirculation(life, moments, coolant_c, noise[0])
    fast = {
        f"{ENGINE}.DieselParticulateFilter.DeltaPressure": filter_pressure(life, moments, flow),
        f"{ENGINE}.ExhaustMassFlow": flow,
        f"{ENGINE}.Aftertreatment.IntakeNox": intake,
        f"{ENGINE}.Aftertreatment.OutletNox": outlet,
        f"{ENGINE}.Aftertreatment.SCRIntakeTemperature": catalyst_c,
        "Vehicle.OBD.CommandedEGR": commanded,
        "Vehicle.OBD.EGRError": error,
    }
    slowly = {
        f"{ENGINE}.FuelDeliveryPressure": delivery_pressure(life, seldom),
        f"{ENGINE}.DieselParticulateFilter.SootLoad": soot_load(life, seldom),
        f"{ENGINE}.DieselParticulateFilter.IsRegenerating": regenerating(life, seldom),
    }
    return fast, slowly


def _vehicle_slow(life: VehicleLife, moments: Moments, rng: np.random.Generator) -> Signals:
    """Air, odometer, tyres and pads."""
    pressures, temperatures = tyres(life, moments, rng.standard_normal((4, len(moments))))
    share = moments.since_s / life.trips.duration_s[moments.trip]
    signals = {AIR: moments.ambient_c, ODOMETER: life.odometer_km[moments.trip] - (1.0 - share) * life.trips.km[moments.trip]}
    for wheel, pressure, warm, worn in zip(WHEELS, pressures, temperatures, pads(life, moments), strict=True):
        signals |= {f"{wheel}.Tire.Pressure": pressure, f"{wheel}.Tire.Temperature": warm, f"{wheel}.Brake.PadWear": worn}
    return signals


def _pack_fast(cells: CellState) -> Signals:
    return {
        f"{PACK}.CurrentVoltage": cells.voltage,
        f"{PACK}.CurrentCurrent": cells.current,
        f"{PACK}.StateOfCharge.Current": cells.charge,
        f"{PACK}.CellVoltage.Min": cells.cell_min,
        f"{PACK}.CellVoltage.Max": cells.cell_max,
    }


def _pack_slow(cells: CellState, chosen: NDArray[np.bool_]) -> Signals:
    return {
        f"{PACK}.CellVoltage.IdMin": cells.id_min[chosen],
        f"{PACK}.CellVoltage.IdMax": cells.id_max[chosen],
        f"{PACK}.Temperature.Min": cells.temperature_min[chosen],
        f"{PACK}.Temperature.Average": cells.temperature[chosen],
        f"{PACK}.Temperature.Max": cells.temperature_max[chosen],
    }


def _sent(
    life: VehicleLife,
    device: Device,
    moments: Moments,
    signals: Mapping[str, FloatArray],
    rate: str,
    arrives: NDArray[np.bool_],
    rng: np.random.Generator,
) -> _Rows:
    """The signals that this powertrain sends at this rate, as its sensors measure them."""
    paths = [path for path, sensor in sensors().items() if getattr(sensor, life.vehicle.powertrain) == rate and path in signals]
    true = np.stack([np.broadcast_to(signals[path], len(moments)) for path in paths])
    values = measured(device, paths, true, moments.time_s, rng)
    return _Rows(
        time_s=moments.time_s[arrives],
        day=life.trips.day[moments.trip[arrives]],
        signals=_numbers(paths),
        values=values[:, arrives].T,
    )


def _starting(life: VehicleLife, device: Device, trips: NDArray[np.intp], rng: np.random.Generator) -> list[_Rows]:
    """One sample of the car at rest, and the cranking."""
    starts, days, ambient = life.trips.start_s[trips], life.trips.day[trips], life.trips.ambient_c[trips]
    arrives = device.arrives(starts, rng.random(len(trips))) & life.driven[trips]
    resting = {SUPPLY: resting_voltage(life, trips), AIR: ambient, IGNITION: np.ones(len(trips))}
    engine = life.vehicle.powertrain != "ev"
    if engine:
        resting |= {ENGINE_SPEED: np.zeros(len(trips)), COOLANT: life.start_c[trips]}
    paths = list(resting)
    values = measured(device, paths, np.stack([resting[path] for path in paths]), starts, rng)
    if engine:
        values[paths.index(ENGINE_SPEED)] = 0.0  # a standing engine has no noise
    rows = [
        _Rows(time_s=starts[arrives] - REST_BEFORE_S, day=days[arrives], signals=_numbers(paths), values=values[:, arrives].T)
    ]
    if engine:
        since, voltage, speed = crank_samples(life, trips)
        time_s = (starts[:, None] - CRANK_BEFORE_S + since).ravel()
        turning = measured(device, [SUPPLY, ENGINE_SPEED], np.stack([voltage.ravel(), speed.ravel()]), time_s, rng)
        sent = np.repeat(arrives, round(CRANK_HZ * CRANK_S))
        day = np.repeat(days, round(CRANK_HZ * CRANK_S))
        rows.append(
            _Rows(time_s=time_s[sent], day=day[sent], signals=_numbers([SUPPLY, ENGINE_SPEED]), values=turning[:, sent].T)
        )
    return rows


def _charging(life: VehicleLife, device: Device, driven: NDArray[np.intp], page: int) -> list[_Rows]:
    """Sessions at the charger, and the ticks that end them. They have a stream of their own: faults change how many there are."""
    rng = stream(life.seed, life.vehicle.number, Topic.FAULT_NOISE, page)
    states = life.pack
    sessions = np.flatnonzero(np.isin(states.session_after, driven))
    if not len(sessions):
        return []
    counts = (states.session_s[sessions] / CHARGING_STEP_S).astype(np.intp) + 1
    session = np.repeat(sessions, counts)
    since = (np.arange(len(session)) - np.repeat(np.cumsum(counts) - counts, counts)) * CHARGING_STEP_S
    time_s = states.session_start_s[session] + since
    amps = states.session_a[session]
    charge = np.minimum(
        states.session_charge[session] + since / 3600.0 * amps / capacity_ah(life, states.pack, time_s) * 100.0, 100.0
    )
    warms = np.where(amps > 100.0, 11.0 * since / 1800.0, 0.0)
    celsius = np.minimum(states.session_c[session] + warms, np.maximum(states.session_c[session], 42.0))
    cells = cell_state(life, time_s, charge, amps, celsius, rng.standard_normal((2, len(session))))
    signals = _pack_fast(cells) | _pack_slow(cells, np.ones(len(session), np.bool_)) | {CHARGING: np.ones(len(session))}
    paths = list(signals)
    values = measured(device, paths, np.stack([signals[path] for path in paths]), time_s, rng)
    arrives = device.arrives(time_s, rng.random(len(session)))
    day = life.trips.day[states.session_after[session]]
    ends = states.session_start_s[sessions] + states.session_s[sessions] + 1.0
    return [
        _Rows(time_s=time_s[arrives], day=day[arrives], signals=_numbers(paths), values=values[:, arrives].T),
        _ticks(ends, life.trips.day[states.session_after[sessions]]),
    ]


def _ticks(time_s: FloatArray, day: NDArray[np.int64]) -> _Rows:
    values = np.full((len(time_s), 1), float(TickKind.END_OF_DRIVE))
    return _Rows(time_s=time_s, day=day, signals=np.array([TICK_SIGNAL], np.int32), values=values)


def _numbers(paths: Sequence[str]) -> NDArray[np.int32]:
    order = {path: number for number, path in enumerate(sensors())}
    return np.array([order[path] for path in paths], np.int32)


def _in_order(rows: Sequence[_Rows]) -> Samples:
    """All samples by time; those of one instant in the order given."""
    rows = [each for each in rows if len(each.time_s)]
    if not rows:
        return Samples(time_ns=np.empty(0, np.int64), signal=np.empty(0, np.int32), value=np.empty(0), day=np.empty(0, np.int32))
    time_ns = np.concatenate([np.rint(each.time_s * 1e3).astype(np.int64) for each in rows]) * 1_000_000 + YEAR_START_NS
    widths = np.concatenate([np.full(len(each.time_s), len(each.signals)) for each in rows])
    order = np.argsort(time_ns, kind="stable")
    ends = np.cumsum(widths[order])
    begin = np.empty(len(order), np.intp)
    begin[order] = ends - widths[order]
    signal, value = np.empty(ends[-1], np.int32), np.empty(ends[-1])
    first = 0
    for each in rows:
        places = begin[first : first + len(each.time_s), None] + np.arange(len(each.signals))
        signal[places] = each.signals
        value[places] = each.values
        first += len(each.time_s)
    day = np.concatenate([each.day for each in rows]).astype(np.int32)
    return Samples(
        time_ns=np.repeat(time_ns[order], widths[order]), signal=signal, value=value, day=np.repeat(day[order], widths[order])
    )
