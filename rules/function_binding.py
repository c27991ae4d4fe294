"""Gives the functions with windows, memory, time and place their meaning: what they take, and what they yield."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from domain.vss import catalogue
from rules.expression import Call, ExpressionError, Node, Number, Signal
from rules.functions import (
    BY_TIME,
    BY_TRIP,
    INSTANT,
    LOOKUPS,
    MOST_LEVELS,
    OF_CONDITIONS,
    TIME_NS,
    WINDOWED,
    depth,
    window_argument,
    window_of,
)
from rules.units import NONE, Unit, parse_unit

Kind = Unit | bool | None
"""What an expression yields: True = truth; a unit; None = a number that takes any unit."""

TRUTH = True
SPECIAL = frozenset({*WINDOWED, "seq", "cycles", *LOOKUPS, *INSTANT, "near"})
MOST_CYCLES = 32
LEAST_WINDOW_NS = 1_000_000
KM_PER_DEGREE = 111.195
"""On a sphere with the earth's mean radius, 6,371 km."""
_EXTREMES = {"min": "lowest", "max": "highest"}
_WINDOW_MEND = "write for instance 60 s, 10 km, 20 engine_h or trip"

Bind = Callable[[Node], tuple[Node, Kind]]


def bind_function(call: Call, bind: Bind) -> tuple[Node, Kind]:
    """The call with its arguments bound, and what it yields.

    Raises:
        ExpressionError: an argument is of the wrong kind, or the call nests too deeply.
    """
    call = replace(call, name=_EXTREMES.get(call.name, call.name))
    bound, kind = _BINDERS.get(call.name, _bind_window)(call, bind)
    if depth(bound) > MOST_LEVELS:
        raise ExpressionError(f"more than {MOST_LEVELS} functions stand in each other", call.at, "take the innermost out")
    return bound, kind


def _bind_window(call: Call, bind: Bind) -> tuple[Node, Kind]:
    value, kind = bind(call.args[0])
    if (kind is TRUTH) != (call.name in OF_CONDITIONS):
        what = "a condition" if call.name in OF_CONDITIONS else "a number"
        raise ExpressionError(
            f"{call.name}() takes {what}", call.args[0].at, "compare it with a limit" if kind is not TRUTH else "use share()"
        )
    window = window_argument(call)
    basis, length = _window(window)
    _check_length(window, basis, length)
    unit = kind if isinstance(kind, Unit) else None
    if call.name in ("slope", "rate"):
        if basis != BY_TIME:
            raise ExpressionError(f"{call.name}() is per second and needs a window of time", window.at, "write for instance 60 s")
        unit = (unit or NONE) / _seconds()
    if call.name == "percentile":
        _check_percentile(call, kind)
    args = (value, *call.args[1:])
    return replace(call, args=args), NONE if call.name in OF_CONDITIONS else unit


def _seconds() -> Unit:
    return parse_unit("s") or NONE


def _window(node: Node) -> tuple[int, int]:
    found = window_of(node)
    if found is None:
        raise ExpressionError("is no window", node.at, _WINDOW_MEND)
    return found


def _check_length(node: Node, basis: int, length: int) -> None:
    least = LEAST_WINDOW_NS if basis == BY_TIME else 1_000
    if basis != BY_TRIP and not least <= length <= 2**58:
        raise ExpressionError("is too short or too long for a window", node.at, "1 ms to 9 years, 1 m to 10^11 km")


def _check_percentile(call: Call, kind: Kind) -> None:
    share, low, high = call.args[1], call.args[3], call.args[4]
    values = [_number(arg, "percentile()") for arg in (share, low, high)]
    if not 0.0 < values[0] < 100.0:
        raise ExpressionError("percentile() takes a percentage between 0 and 100", share.at, "write for instance 95")
    if values[1] >= values[2]:
        raise ExpressionError("percentile() takes the lower end of the range first", low.at, "exchange the last two")
    for bound in (low, high):
        if isinstance(bound, Number) and bound.unit is not None and isinstance(kind, Unit) and bound.unit != kind:
            raise ExpressionError(f"percentile() mixes {kind} and {bound.unit}", bound.at, f"convert it to {kind}")


def _number(node: Node, where: str) -> float:
    if not isinstance(node, Number):
        raise ExpressionError(f"{where} takes numbers here", node.at, "write the number itself")
    return node.value


def _bind_seq(call: Call, bind: Bind) -> tuple[Node, Kind]:
    first, then = (_condition(arg, bind, "seq()") for arg in call.args[:2])
    _duration(call.args[2])
    return replace(call, args=(first, then, call.args[2])), TRUTH


def _bind_cycles(call: Call, bind: Bind) -> tuple[Node, Kind]:
    condition = _condition(call.args[0], bind, "cycles()")
    wanted, among = (_number(arg, "cycles()") for arg in call.args[1:])
    if not (wanted.is_integer() and among.is_integer() and 1 <= wanted <= among <= MOST_CYCLES):
        raise ExpressionError(
            "cycles() takes how many of how many drives", call.args[1].at, f"two whole numbers up to {MOST_CYCLES}"
        )
    return replace(call, args=(condition, *call.args[1:])), TRUTH


def _bind_absent(call: Call, bind: Bind) -> tuple[Node, Kind]:
    signal, _ = bind(call.args[0])
    if not isinstance(signal, Signal):
        raise ExpressionError("absent() takes a signal", call.args[0].at, "write absent(Vehicle.Speed, 30 s)")
    _duration(call.args[1])
    return replace(call, args=(signal, call.args[1])), TRUTH


def _bind_hour(call: Call, bind: Bind) -> tuple[Node, Kind]:
    zone, _ = bind(call.args[0])
    if not -14.0 <= _number(zone, "local_hour()") <= 14.0:
        raise ExpressionError("local_hour() takes the hours ahead of UTC", zone.at, "8 for China, 1 for Germany in winter")
    return replace(call, args=(zone,)), NONE


def _bind_near(call: Call, bind: Bind) -> tuple[Node, Kind]:
    """A fence of some km is small: the earth is flat in it, and the expression needs only sums and products."""
    latitude, longitude, radius = (_number(bind(arg)[0], "near()") for arg in call.args)
    unit = call.args[2].unit if isinstance(call.args[2], Number) else None
    if str(unit) not in ("km", "m"):
        raise ExpressionError("near() takes a radius in km or m", call.args[2].at, "write near(31.23, 121.47, 2 km)")
    if not (abs(latitude) <= 85.0 and abs(longitude) <= 180.0):
        raise ExpressionError(
            "near() takes latitude and longitude in degrees", call.args[0].at, "write near(31.23, 121.47, 2 km)"
        )
    km = radius / (1_000.0 if str(unit) == "m" else 1.0)
    east = KM_PER_DEGREE * math.cos(math.radians(latitude))
    parts = [_squared_km("Latitude", latitude, KM_PER_DEGREE, call.at), _squared_km("Longitude", longitude, east, call.at)]
    return Call(
        name="<=", args=(Call(name="+", args=tuple(parts), at=call.at), Number(value=km * km, at=call.at)), at=call.at
    ), TRUTH


def _bind_cohort(call: Call, bind: Bind) -> tuple[Node, Kind]:
    signal, kind = bind(call.args[0])
    if not isinstance(signal, Signal) or kind is TRUTH:
        raise ExpressionError(
            "cohort() takes a signal with a number", call.args[0].at, "write cohort(EngineCoolant.Temperature, 95)"
        )
    if not 0.0 < _number(call.args[1], "cohort()") < 100.0:
        raise ExpressionError("cohort() takes a percentage between 0 and 100", call.args[1].at, "write for instance 95")
    return replace(call, args=(signal, call.args[1])), kind


def _squared_km(name: str, at: float, km_per_degree: float, column: int) -> Node:
    path = f"Vehicle.CurrentLocation.{name}"
    signal = Signal(path=path, unit=parse_unit(catalogue()[path].unit) or NONE, at=column)
    off = Call(name="-", args=(signal, Number(value=at, at=column)), at=column)
    km = Call(name="*", args=(off, Number(value=round(km_per_degree, 9), at=column)), at=column)
    return Call(name="*", args=(km, km), at=column)


def _condition(node: Node, bind: Bind, where: str) -> Node:
    bound, kind = bind(node)
    if kind is not TRUTH:
        raise ExpressionError(f"{where} takes a condition", node.at, "compare it with a limit")
    return bound


def _duration(node: Node) -> None:
    if not isinstance(node, Number) or str(node.unit) not in TIME_NS:
        raise ExpressionError("is no length of time", node.at, "write for instance 30 s or 10 min")
    _check_length(node, BY_TIME, round(node.value * TIME_NS[str(node.unit)]))


_BINDERS: dict[str, Callable[[Call, Bind], tuple[Node, Kind]]] = {
    "seq": _bind_seq,
    "cycles": _bind_cycles,
    "absent": _bind_absent,
    "local_hour": _bind_hour,
    "near": _bind_near,
    "cohort": _bind_cohort,
}
