"""The signals that detectors look at: VSS path, how long a value may be held, and what a sound sensor can say."""

from __future__ import annotations

from dataclasses import dataclass

_ENGINE = "Vehicle.Powertrain.CombustionEngine"
_AFTER = f"{_ENGINE}.Aftertreatment"
_DPF = f"{_ENGINE}.DieselParticulateFilter"
_PACK = "Vehicle.Powertrain.TractionBattery"
_WHEELS = (("fl", "Row1.Wheel.Left"), ("fr", "Row1.Wheel.Right"), ("rl", "Row2.Wheel.Left"), ("rr", "Row2.Wheel.Right"))


FAST_S, SLOW_S = 30.0, 150.0
"""Units that compress send what moves fast every 10 to 20 s, the rest every minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One signal.

    Attributes:
        name: with its unit. path: VSS path, in the catalogue's unit. low, high: outside of these a value counts as absent.
        stale_after_s: how long a value may be held where no newer one came.
        previous, first: the pane before, and the first pane of the trip, are kept too (`previous_NAME`, `first_NAME`).
    """

    name: str
    path: str
    low: float
    high: float
    stale_after_s: float
    previous: bool = False
    first: bool = False


def _channel(name: str, path: str, low: float, high: float, stale_after_s: float = FAST_S) -> Channel:
    return Channel(name=name, path=path, low=low, high=high, stale_after_s=stale_after_s)


CHANNELS: tuple[Channel, ...] = (
    _channel("engine_speed_rpm", f"{_ENGINE}.Speed", 0.0, 9000.0),
    _channel("battery_v", "Vehicle.LowVoltageBattery.CurrentVoltage", 4.0, 34.0),
    _channel("module_v", "Vehicle.OBD.ControlModuleVoltage", 4.0, 34.0),
    _channel("speed_kmh", "Vehicle.Speed", 0.0, SLOW_S),
    Channel(
        name="coolant_c", path=f"{_ENGINE}.EngineCoolant.Temperature", low=-40.0, high=140.0, stale_after_s=FAST_S, first=True
    ),
    _channel("load_percent", "Vehicle.OBD.EngineLoad", 0.0, 100.0),
    _channel("torque_percent", f"{_ENGINE}.TorquePercent", -125.0, 125.0),
    _channel("ambient_c", "Vehicle.Exterior.AirTemperature", -50.0, 60.0, SLOW_S),
    _channel("intake_c", "Vehicle.OBD.IntakeTemp", -45.0, 120.0, SLOW_S),
    _channel("oil_c", f"{_ENGINE}.EngineOil.Temperature", -45.0, 160.0, SLOW_S),
    _channel("oil_kpa", f"{_ENGINE}.EOP", 0.0, 1200.0, SLOW_S),
    _channel("oil_level_percent", f"{_ENGINE}.EngineOil.LevelPercent", 0.0, 125.0, SLOW_S),
    _channel("oil_life_percent", f"{_ENGINE}.EngineOil.LifeRemainingPercent", 0.0, 100.0, SLOW_S),
    _channel("map_kpa", f"{_ENGINE}.MAP", 5.0, 500.0),
    _channel("maf_gps", f"{_ENGINE}.MAF", 0.0, 700.0),
    _channel("long_trim_percent", "Vehicle.OBD.LongTermFuelTrim1", -100.0, 99.5),
    _channel("misfires", f"{_ENGINE}.MisfireCount", 0.0, 4000.0, SLOW_S),
    _channel("fuel_kpa", f"{_ENGINE}.FuelDeliveryPressure", 0.0, 3000.0, SLOW_S),
    _channel("boost_kpa", f"{_ENGINE}.BoostPressure", 0.0, 500.0),
    _channel("boost_desired_kpa", f"{_ENGINE}.BoostPressureDesired", 0.0, 500.0),
    _channel("egr_commanded_percent", "Vehicle.OBD.CommandedEGR", 0.0, 100.0),
    _channel("egr_error_percent", "Vehicle.OBD.EGRError", -100.0, 99.5),
    _channel("egr_actual_percent", "Vehicle.OBD.ActualEGRA", 0.0, 100.0),
    _channel("dpf_pa", f"{_DPF}.DeltaPressure", -1000.0, 100_000.0),
    _channel("dpf_soot_percent", f"{_DPF}.SootLoad", 0.0, 250.0, SLOW_S),
    _channel("dpf_regenerating", f"{_DPF}.IsRegenerating", 0.0, 1.0, SLOW_S),
    _channel("dpf_inlet_c", f"{_DPF}.InletTemperature", -40.0, 1000.0),
    _channel("exhaust_kgph", f"{_ENGINE}.ExhaustMassFlow", 0.0, 6000.0),
    _channel("scr_inlet_c", f"{_AFTER}.SCRIntakeTemperature", -40.0, 1000.0),
    _channel("nox_in_ppm", f"{_AFTER}.IntakeNox", 0.0, 3500.0),
    _channel("nox_out_ppm", f"{_AFTER}.OutletNox", 0.0, 3500.0),
    *(
        _channel(f"tyre_{name}_kpa", f"Vehicle.Chassis.Axle.{place}.Tire.Pressure", 20.0, 1200.0, SLOW_S)
        for name, place in _WHEELS
    ),
    *(
        _channel(f"tyre_{name}_c", f"Vehicle.Chassis.Axle.{place}.Tire.Temperature", -50.0, 120.0, SLOW_S)
        for name, place in _WHEELS
    ),
    *(
        _channel(f"pad_{name}_percent", f"Vehicle.Chassis.Axle.{place}.Brake.PadWear", 0.0, 100.0, SLOW_S)
        for name, place in _WHEELS
    ),
    Channel(name="pack_v", path=f"{_PACK}.CurrentVoltage", low=20.0, high=1200.0, stale_after_s=FAST_S, previous=True),
    Channel(name="pack_a", path=f"{_PACK}.CurrentCurrent", low=-2000.0, high=2000.0, stale_after_s=FAST_S, previous=True),
    Channel(name="soc_percent", path=f"{_PACK}.StateOfCharge.Current", low=0.0, high=100.0, stale_after_s=FAST_S, previous=True),
    _channel("pack_c", f"{_PACK}.Temperature.Average", -45.0, 100.0, SLOW_S),
    _channel("pack_low_c", f"{_PACK}.Temperature.Min", -45.0, 100.0, SLOW_S),
    _channel("pack_high_c", f"{_PACK}.Temperature.Max", -45.0, 100.0, SLOW_S),
    _channel("cell_low_v", f"{_PACK}.CellVoltage.Min", 1.0, 5.0),
    _channel("cell_high_v", f"{_PACK}.CellVoltage.Max", 1.0, 5.0),
    _channel("isolation_kohm", f"{_PACK}.InsulationResistance", 0.0, 100_000.0, SLOW_S),
)

DERIVED = (
    "step_s",
    "age_s",
    "running_s",
    "parked_h",
    "crank_low_v",
    "crank_s",
    "crank_rest_v",
    "crank_recovery_v_per_s",
    "start_v",
)
"""What a trip remembers, beside the channels: seconds since the pane before, since the trip's first record, with the engine turning,
hours parked; of its start, once, the lowest voltage, duration, voltage at rest before it, and recovery within about a second after
it; and the trip's first voltage, with its first pane."""

PATH_OF = {each.name: each.path for each in CHANNELS}

PREVIOUS = tuple(each.name for each in CHANNELS if each.previous)
FIRST = tuple(each.name for each in CHANNELS if each.first)

COLUMNS = (
    *(each.name for each in CHANNELS),
    *DERIVED,
    *(f"previous_{name}" for name in PREVIOUS),
    *(f"first_{name}" for name in FIRST),
)
"""Names of the rows of a block of panes."""
