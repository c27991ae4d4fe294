"""What is worked out of panes: a figure's numerator and denominator, and the panes in which it means something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.findings import Text
from models.trip.panes import PANE_S, Panes
from models.trip.slots import Floats

Bools = NDArray[np.bool_]

WHEELS = ("fl", "fr", "rl", "rr")
ATMOSPHERE_KPA = 101.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """The figure of a trip is Σ top / Σ bottom over the panes that count.

    Attributes:
        needs: columns without which it says nothing ("a|b": either). top, bottom: of each pane, None = 1, which makes a mean.
        when: which panes count; those with a value that is not finite never do.
    """

    needs: tuple[str, ...]
    top: Callable[[Panes], Floats]
    when: Callable[[Panes], Bools]
    bottom: Callable[[Panes], Floats] | None = None

    def known(self, panes: Panes) -> bool:
        """Whether any of these panes can say anything."""
        return all(any(name in panes.known for name in need.split("|")) for need in self.needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressor:
    """A coordinate of the operating point: (value - middle) / step, 0 where it is not known.

    Attributes:
        needs: columns, "a|b" for either. words: what it is called where a finding says what was taken into account.
    """

    value: Callable[[Panes], Floats]
    middle: float
    step: float
    words: Text

    def at(self, panes: Panes) -> Floats:
        """Of each pane."""
        return np.nan_to_num((self.value(panes) - self.middle) / self.step, nan=0.0)


def _either(first: str, second: str) -> Callable[[Panes], Floats]:
    return lambda panes: np.where(np.isnan(panes[first]), panes[second], panes[first])


def _supply_v(panes: Panes) -> Floats:
    """Voltage of the low-voltage supply per 12 V battery: trucks have two in a row."""
    volts = _either("battery_v", "module_v")(panes)
    return np.where(volts > 18.0, volts / 2.0, volts)


def _start_v(panes: Panes) -> Floats:
    """First voltage of a trip per 12 V battery; above about 13.2 V something charges it."""
    return np.where(panes["start_v"] > 18.0, panes["start_v"] / 2.0, panes["start_v"])


def _per_battery(name: str) -> Callable[[Panes], Floats]:
    return lambda panes: np.where(panes["crank_rest_v"] > 18.0, panes[name] / 2.0, panes[name])


def _running(panes: Panes, for_s: float) -> Bools:
    return (panes["engine_speed_rpm"] > 400.0) & (panes["running_s"] >= for_s)


def _warm(panes: Panes) -> Bools:
    """Settled after a start: running for five minutes, longer the colder it was then."""
    cold = np.maximum(0.0, 85.0 - np.nan_to_num(panes["first_coolant_c"], nan=20.0))
    return _running(panes, 0.0) & (panes["running_s"] >= 300.0 + 8.0 * cold)


def _cold_start_left(panes: Panes) -> Floats:
    """Kelvin by which the engine started colder than warm, fading over ten minutes of running."""
    cold = np.maximum(0.0, 85.0 - panes["first_coolant_c"])
    return np.asarray(cold * np.exp(-panes["running_s"] / 600.0))


def _tyre_kpa(panes: Panes, wheel: str) -> Floats:
    """Gauge pressure at 20 °C (Gay-Lussac); the air's temperature where the tyre's is not known."""
    celsius = panes[f"tyre_{wheel}_c"]
    celsius = np.where(np.isnan(celsius), panes["ambient_c"], celsius)
    kelvin = np.nan_to_num(celsius, nan=20.0) + 273.15
    return (panes[f"tyre_{wheel}_kpa"] + ATMOSPHERE_KPA) * (293.15 / kelvin) - ATMOSPHERE_KPA


def _tyre_against_others(wheel: str) -> Formula:
    others = [each for each in WHEELS if each != wheel]

    def difference(panes: Panes) -> Floats:
        level = _tyre_kpa(panes, wheel)
        rest = sum((_tyre_kpa(panes, each) for each in others), np.zeros(len(panes)))
        return level - rest / len(others)

    return Formula(
        needs=tuple(f"tyre_{each}_kpa" for each in WHEELS), top=difference, when=lambda panes: np.ones(len(panes), np.bool_)
    )


def _pad_against_others(wheel: str) -> Formula:
    """How much further one wheel's pads are worn than its axle mate's."""
    mate = wheel[0] + ("r" if wheel[1] == "l" else "l")
    mine, other = f"pad_{wheel}_percent", f"pad_{mate}_percent"
    return Formula(needs=(mine, other), top=lambda p: p[mine] - p[other], when=lambda p: np.ones(len(p), np.bool_))


def _worst_pad(panes: Panes) -> Floats:
    worn = np.stack([panes[f"pad_{wheel}_percent"] for wheel in WHEELS])
    return np.asarray(np.fmax.reduce(worn, axis=0))


def _current_step(panes: Panes) -> Floats:
    return panes["pack_a"] - panes["previous_pack_a"]


FORMULAS: Mapping[str, Formula] = {
    # at idle the alternator gives what it can, and consumers govern the voltage; above, the regulator does
    "charging_voltage": Formula(
        needs=("engine_speed_rpm", "battery_v|module_v"),
        top=_supply_v,
        when=lambda p: _running(p, 60.0) & (p["engine_speed_rpm"] > 1000.0),
    ),
    "crank_voltage": Formula(
        needs=("crank_low_v",), top=_per_battery("crank_low_v"), when=lambda p: np.isfinite(p["crank_low_v"])
    ),
    "crank_duration": Formula(needs=("crank_s",), top=lambda p: p["crank_s"], when=lambda p: p["crank_s"] < 30.0),
    "rest_voltage": Formula(
        needs=("start_v",), top=_start_v, when=lambda p: ~(p["parked_h"] < 3.0) & (_start_v(p) > 9.0) & (_start_v(p) < 13.2)
    ),
    # at rest the fan's switching and the heat of the engine bay govern the temperature, on the move the thermostat does
    "coolant": Formula(
        needs=("engine_speed_rpm", "speed_kmh", "coolant_c"),
        top=lambda p: p["coolant_c"],
        when=lambda p: _warm(p) & (p["speed_kmh"] > 10.0),
    ),
    "fuel_trim": Formula(
        # the short term trim swings about what the long term one has learnt, and only adds its noise
        needs=("long_trim_percent",),
        top=lambda p: p["long_trim_percent"],
        when=lambda p: _running(p, 60.0) & (p["coolant_c"] > 60.0),
    ),
    "misfire": Formula(needs=("misfires",), top=lambda p: p["misfires"], when=lambda p: _running(p, 60.0)),
    "boost": Formula(
        needs=("boost_kpa", "boost_desired_kpa"),
        top=lambda p: p["boost_kpa"] - p["boost_desired_kpa"],
        when=lambda p: _running(p, 30.0) & (p["boost_desired_kpa"] > 30.0),
    ),
    "dpf": Formula(
        needs=("dpf_pa", "exhaust_kgph"),
        top=lambda p: p["dpf_pa"],
        bottom=lambda p: p["exhaust_kgph"],
        when=lambda p: _running(p, 120.0) & (p["exhaust_kgph"] > 40.0) & ~(p["dpf_regenerating"] > 0.0),
    ),
    "scr": Formula(
        needs=("nox_in_ppm", "nox_out_ppm"),
        top=lambda p: p["nox_out_ppm"],
        bottom=lambda p: p["nox_in_ppm"],
        when=lambda p: _running(p, 300.0) & (p["nox_in_ppm"] > 50.0) & ~(p["scr_inlet_c"] < 220.0),
    ),
    "egr": Formula(
        needs=("egr_error_percent",),
        top=lambda p: p["egr_error_percent"],
        when=lambda p: _running(p, 120.0) & ~(p["egr_commanded_percent"] < 5.0),
    ),
    **{f"tyre_{wheel}": _tyre_against_others(wheel) for wheel in WHEELS},
    "brake_pad": Formula(
        needs=("|".join(f"pad_{wheel}_percent" for wheel in WHEELS),), top=_worst_pad, when=lambda p: np.ones(len(p), np.bool_)
    ),
    "cell_spread": Formula(
        needs=("cell_low_v", "cell_high_v"),
        top=lambda p: 1000.0 * (p["cell_high_v"] - p["cell_low_v"]),
        when=lambda p: ~(np.abs(p["pack_a"]) > 30.0),
    ),
    "pack_resistance": Formula(
        needs=("pack_v", "pack_a", "previous_pack_v"),
        top=lambda p: 1000.0 * (p["pack_v"] - p["previous_pack_v"]) * _current_step(p),
        bottom=lambda p: _current_step(p) ** 2,
        when=lambda p: (p["step_s"] <= 2.0 * PANE_S) & (np.abs(_current_step(p)) > 10.0),
    ),
    "pack_capacity": Formula(
        needs=("pack_a", "soc_percent"),
        top=lambda p: p["pack_a"] * p["step_s"] / 3600.0,
        bottom=lambda p: (p["soc_percent"] - p["previous_soc_percent"]) / 100.0,
        when=lambda p: p["step_s"] <= 100.0,
    ),
    "pack_heat": Formula(
        needs=("pack_high_c", "pack_low_c"),
        top=lambda p: p["pack_high_c"] - p["pack_low_c"],
        when=lambda p: np.isfinite(p["pack_a"]),
    ),
    "fuel_pressure": Formula(needs=("fuel_kpa",), top=lambda p: p["fuel_kpa"], when=lambda p: _running(p, 60.0)),
    **{f"pad_{wheel}": _pad_against_others(wheel) for wheel in WHEELS},
    "isolation": Formula(
        needs=("isolation_kohm",),
        top=lambda p: p["isolation_kohm"],
        when=lambda p: np.ones(len(p), np.bool_),
    ),
    "oil_pressure": Formula(
        needs=("oil_kpa", "engine_speed_rpm"), top=lambda p: p["oil_kpa"], when=lambda p: _warm(p) & ~(p["oil_c"] < 60.0)
    ),
    "oil_level": Formula(
        needs=("oil_level_percent",), top=lambda p: p["oil_level_percent"], when=lambda p: np.ones(len(p), np.bool_)
    ),
    "oil_life": Formula(
        needs=("oil_life_percent",), top=lambda p: p["oil_life_percent"], when=lambda p: np.ones(len(p), np.bool_)
    ),
}

REGRESSORS: Mapping[str, Regressor] = {
    "air": Regressor(value=_either("ambient_c", "intake_c"), middle=15.0, step=10.0, words=Text(en="air temperature", zh="气温")),
    "intake_air": Regressor(
        value=_either("intake_c", "ambient_c"), middle=25.0, step=10.0, words=Text(en="intake air temperature", zh="进气温度")
    ),
    "speed": Regressor(value=lambda p: p["speed_kmh"], middle=50.0, step=20.0, words=Text(en="road speed", zh="车速")),
    "revolutions": Regressor(
        value=lambda p: p["engine_speed_rpm"], middle=1600.0, step=500.0, words=Text(en="engine speed", zh="发动机转速")
    ),
    "load": Regressor(
        value=_either("load_percent", "torque_percent"), middle=35.0, step=15.0, words=Text(en="engine load", zh="发动机负荷")
    ),
    "idle": Regressor(
        value=lambda p: np.where(np.isnan(p["speed_kmh"]), np.nan, p["speed_kmh"] < 3.0),
        middle=0.3,
        step=0.5,
        words=Text(en="share of standing still", zh="怠速停车占比"),
    ),
    "engine_start_temperature": Regressor(
        value=lambda p: np.where(np.isnan(p["first_coolant_c"]), p["ambient_c"], p["first_coolant_c"]),
        middle=20.0,
        step=20.0,
        words=Text(en="temperature at the start", zh="启动时温度"),
    ),
    "coolant": Regressor(
        value=lambda p: p["coolant_c"], middle=85.0, step=10.0, words=Text(en="coolant temperature", zh="冷却液温度")
    ),
    "cold_start": Regressor(
        value=_cold_start_left, middle=0.0, step=20.0, words=Text(en="time since a cold start", zh="冷启动后时间")
    ),
    "boost_demand": Regressor(
        value=lambda p: p["boost_desired_kpa"], middle=80.0, step=40.0, words=Text(en="boost demand", zh="增压需求")
    ),
    "exhaust_flow": Regressor(
        value=lambda p: p["exhaust_kgph"], middle=200.0, step=100.0, words=Text(en="exhaust flow", zh="排气流量")
    ),
    "soot": Regressor(value=lambda p: p["dpf_soot_percent"], middle=50.0, step=30.0, words=Text(en="soot load", zh="碳载量")),
    "catalyst_temperature": Regressor(
        value=lambda p: p["scr_inlet_c"], middle=300.0, step=50.0, words=Text(en="catalyst temperature", zh="催化器温度")
    ),
    "current": Regressor(
        value=lambda p: np.abs(p["pack_a"]), middle=15.0, step=15.0, words=Text(en="battery current", zh="电池电流")
    ),
    "charge": Regressor(
        value=lambda p: p["soc_percent"], middle=60.0, step=20.0, words=Text(en="state of charge", zh="荷电状态")
    ),
    "pack_temperature": Regressor(
        value=lambda p: p["pack_c"], middle=25.0, step=10.0, words=Text(en="battery temperature", zh="电池温度")
    ),
    "pack_cold": Regressor(
        value=lambda p: np.maximum(0.0, 20.0 - p["pack_c"]), middle=0.0, step=10.0, words=Text(en="cold battery", zh="电池低温")
    ),
    "oil_temperature": Regressor(
        value=lambda p: p["oil_c"], middle=90.0, step=10.0, words=Text(en="oil temperature", zh="机油温度")
    ),
}
