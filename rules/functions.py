"""What the functions of the rule language are called, what they take, and what a window is."""

from __future__ import annotations

from collections.abc import Iterator

from rules.expression import Call, Dtc, Name, Node, Number, Parameter, Signal, children, walk

WINDOWED = ("mean", "std", "slope", "lowest", "highest", "rate", "share", "count", "percentile")
"""Functions over a window; `min` and `max` of a value and a window are called `lowest` and `highest` once bound."""
OF_CONDITIONS = ("share", "count")
MEMORIES = ("seq", "cycles", "odometer", "engine_clock", "steady")
"""Functions that remember; the last three are made by the compiler: distance, engine time, and `min_rate`."""
LOOKUPS = ("cohort",)
"""Functions that look something up by a signal."""
FEATURES = (*WINDOWED, *MEMORIES, *LOOKUPS)
"""Functions that are worked out before the rules and then read like signals."""
LASTING = ("cycles", "odometer", "engine_clock")
"""Features that keep their value until the next one, however old it is."""
INSTANT = ("absent", "local_hour")
"""Functions that depend on the time at which they are asked."""
TRIP = "trip"
AIR_TEMPERATURE = Signal(path="Vehicle.Exterior.AirTemperature")
"""Chooses the band of `cohort`."""
MOST_LEVELS = 3
"""How deep features may stand in features."""

TIME_NS = {"ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
DISTANCE_MM = {"m": 1_000, "km": 1_000_000}
ENGINE_US = {"engine_min": 60_000_000, "engine_h": 3_600_000_000}

Basis = int
BY_TIME, BY_DISTANCE, BY_ENGINE, BY_TRIP = range(4)
"""What a window is measured in: ns of event time, mm driven, µs of running engine, or the drive so far."""


def window_of(node: Node) -> tuple[Basis, int] | None:
    """(basis, length) of `60 s`, `10 km`, `20 engine_h` or `trip`; None for anything else."""
    if isinstance(node, Name) and node.text == TRIP:
        return BY_TRIP, 0
    if not isinstance(node, Number) or node.unit is None:
        return None
    unit = str(node.unit)
    for basis, sizes in ((BY_TIME, TIME_NS), (BY_DISTANCE, DISTANCE_MM), (BY_ENGINE, ENGINE_US)):
        if unit in sizes:
            return basis, round(node.value * sizes[unit])
    return None


def is_feature(node: Node) -> bool:
    """It is worked out before the rules."""
    return isinstance(node, Call) and node.name in FEATURES


Leaf = Signal | Dtc | Call
"""What a condition reads: a signal, a trouble-code predicate, a feature or a function of the time."""


def leaves(node: Node) -> Iterator[Leaf]:
    """What the expression reads, in the order written; the insides of features are not looked into."""
    if isinstance(node, Signal | Dtc) or (isinstance(node, Call) and node.name in (*FEATURES, *INSTANT)):
        yield node
    else:
        for child in children(node):
            yield from leaves(child)


def arguments(call: Call) -> tuple[Node, ...]:
    """The expressions that a feature is worked out from: its arguments; of `cohort` what chooses the band."""
    if call.name in LOOKUPS:
        return (AIR_TEMPERATURE,)
    return call.args[: 2 if call.name == "seq" else 1]


def window_argument(call: Call) -> Node:
    """The argument of a windowed feature that is its window."""
    return call.args[2] if call.name == "percentile" else call.args[1]


def depth(node: Node) -> int:
    """How many features stand in each other at most."""
    return is_feature(node) + max((depth(child) for child in children(node)), default=0)


def features_in(node: Node) -> list[Call]:
    """Every feature in the expression, inner ones first, each once."""
    found = [item for item in walk(node) if isinstance(item, Call) and is_feature(item)]
    return list(dict.fromkeys(reversed(found)))


def parameters_in(node: Node) -> list[str]:
    """Names of the parameters in the expression, sorted."""
    return sorted({item.name for item in walk(node) if isinstance(item, Parameter)})
