"""The functions with windows and memory, worked out anew from all samples each time, after docs/guides/rules.md."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rules.cohorts import Cohort
from rules.expression import Call, Dtc, Node, Signal, walk
from rules.functions import is_feature, leaves
from rules.meaning import column_name, evaluate
from rules.rule_state import DEFAULT_STALE_NS
from tests.rules.making import AIR, ENGINE, SECOND, SPEED

HOUR_NS = 3_600 * SECOND
DAY_NS = 24 * HOUR_NS
FOREVER = 2**61
UNITS = {"ms": SECOND // 1000, "s": SECOND, "min": 60 * SECOND, "h": HOUR_NS, "m": 1_000, "km": 1_000_000}
UNITS |= {"engine_min": 60_000_000, "engine_h": 3_600_000_000}


def stale_ns(leaf: Any) -> int:
    """How long a value may be used."""
    if isinstance(leaf, Signal):
        return DEFAULT_STALE_NS
    if isinstance(leaf, Dtc) or leaf.name == "cycles":
        return FOREVER
    if leaf.name == "steady":
        return round(leaf.args[1].value * SECOND)
    return min((stale_ns(inner) for inner in _sources(leaf)), default=FOREVER)


def _sources(call: Call) -> list[Any]:
    if call.name == "cohort":
        return [Signal(path=AIR)]
    arguments = call.args[:2] if call.name == "seq" else call.args[:1]
    return [leaf for node in arguments for leaf in leaves(node) if getattr(leaf, "name", "") not in ("absent", "local_hour")]


def memories_of(nodes: Sequence[Node], cohort: Cohort) -> list[Memory]:
    """One for each function with a window or memory, inner ones first."""
    found: dict[str, Memory] = {}
    for node in nodes:
        for call in reversed(list(walk(node))):
            if isinstance(call, Call) and is_feature(call):
                found.setdefault(column_name(call), Usual(call, cohort) if call.name == "cohort" else _memory(call))
    return list(found.values())


def _memory(call: Call) -> Memory:
    kinds = {"seq": Order, "cycles": Cycles, "steady": Steady}
    return kinds.get(call.name, Window)(call)


class Memory:
    """A function that sees the samples of its inputs."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.name = column_name(call)
        self.gap_ns = min((stale_ns(inner) for inner in _sources(call)), default=FOREVER)

    def follow(self, now: int, came: set[str], last: Mapping[str, tuple[int, float]]) -> None:
        """Records came, perhaps none of its inputs."""

    def wakes(self, came: set[str]) -> bool:
        return any(column_name(inner) in came for inner in _sources(self.call))

    def sample(self, now: int, last: Mapping[str, tuple[int, float]], parameters: Mapping[str, float]) -> float:
        """One of its inputs came: its new value."""
        values = [self._argument(node, now, last, parameters) for node in self.call.args[:2]]
        return self.take(now, values, last)

    def _argument(self, node: Node, now: int, last: Mapping[str, tuple[int, float]], parameters: Mapping[str, float]) -> float:
        fresh = {}
        for leaf in leaves(node):
            seen = last.get(column_name(leaf))
            if seen is not None and now - seen[0] <= stale_ns(leaf):
                fresh[column_name(leaf)] = seen[1]
        return evaluate(node, fresh, parameters) if not (isinstance(node, Call) and node.name == "trip") else math.nan

    def take(self, now: int, values: Sequence[float], last: Mapping[str, tuple[int, float]]) -> float:
        raise NotImplementedError

    def end(self) -> None:
        """The drive ends."""


class Order(Memory):
    first: int | None = None

    def take(self, now: int, values: Sequence[float], last: Mapping[str, tuple[int, float]]) -> float:
        first, then = values
        within = round(self.call.args[2].value * UNITS[str(self.call.args[2].unit)])
        result = math.nan if math.isnan(then) else float(then == 1.0 and self.first is not None and now - self.first <= within)
        if first == 1.0:
            self.first = now
        return result


class Cycles(Memory):
    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.past: list[bool] = []
        self.present: set[float] = set()

    def take(self, now: int, values: Sequence[float], last: Mapping[str, tuple[int, float]]) -> float:
        if not math.isnan(values[0]):
            self.present.add(values[0])
        wanted, among = (int(arg.value) for arg in self.call.args[1:])
        recent = self.past[-(among - 1) :] if among > 1 else []
        return float(sum(recent) + (1.0 in self.present) >= wanted)

    def end(self) -> None:
        if self.present:
            self.past.append(1.0 in self.present)
        self.present = set()


class Steady(Memory):
    before: int | None = None

    def take(self, now: int, values: Sequence[float], last: Mapping[str, tuple[int, float]]) -> float:
        ok = self.before is not None and now - self.before <= round(self.call.args[1].value * SECOND)
        self.before = now
        return 1.0 if ok else math.nan


class Usual(Memory):
    """A look into the table of the vehicle's model, at the outside temperature that came."""

    def __init__(self, call: Call, cohort: Cohort) -> None:
        super().__init__(call)
        bands = cohort.get((call.args[0].path, call.args[1].value))  # type: ignore[attr-defined]  # they are bound
        self.rows = () if bands is None else bands.rows

    def sample(self, now: int, last: Mapping[str, tuple[int, float]], parameters: Mapping[str, float]) -> float:
        return next((value for low, high, value in self.rows if low <= last[AIR][1] < high), math.nan)


class Window(Memory):
    """Keeps every sample: time, coordinate, value, what was covered before it and what was true of that, became true."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        window = call.args[2] if call.name == "percentile" else call.args[1]
        self.trip = not hasattr(window, "unit")
        self.unit = "s" if self.trip else str(window.unit)
        self.length = 0 if self.trip else round(window.value * UNITS[self.unit])
        self.pane = max(1, self.length // 15)
        self.samples: list[tuple[int, int, float, int, int, bool]] = []
        self.chained = False
        self.travel = Travel(SPEED if self.unit in ("m", "km") else ENGINE)

    def follow(self, now: int, came: set[str], last: Mapping[str, tuple[int, float]]) -> None:
        if self.travel.path in came:
            self.travel.take(now, last[self.travel.path][1], engine=self.unit.startswith("engine"))

    def sample(self, now: int, last: Mapping[str, tuple[int, float]], parameters: Mapping[str, float]) -> float:
        measured = self.unit in ("m", "km", "engine_min", "engine_h")
        value = self._argument(self.call.args[0], now, last, parameters)
        at = now
        if measured:
            if self.travel.total is None:
                value = math.nan
            else:
                at = int(self.travel.total)
        return self.add(now, at, value)

    def add(self, now: int, at: int, value: float) -> float:
        if math.isnan(value):
            self.chained = False
            return math.nan
        covered = held = 0
        became = False
        if self.chained and now - self.samples[-1][0] <= self.gap_ns:
            covered = at - self.samples[-1][1]
            held = covered if self.samples[-1][2] != 0.0 else 0
            became = self.samples[-1][2] == 0.0 and value != 0.0
        self.chained = True
        self.samples.append((now, at, value, covered, held, became))
        newest = at // self.pane
        kept = [s for s in self.samples if self.trip or s[1] // self.pane > newest - 15]
        if not self.trip and sum(s[3] for s in kept) < 0.75 * self.length:
            return math.nan
        return self.statistic(kept)

    def statistic(self, kept: list[tuple[int, int, float, int, int, bool]]) -> float:
        values = [s[2] for s in kept]
        times = [s[0] / SECOND for s in kept]
        match self.call.name:
            case "mean":
                return statistics.fmean(values)
            case "std":
                return statistics.pstdev(values)
            case "lowest":
                return min(values)
            case "highest":
                return max(values)
            case "rate":
                return (values[-1] - values[0]) / (times[-1] - times[0]) if times[-1] > times[0] else math.nan
            case "slope":
                return statistics.linear_regression(times, values).slope if times[-1] > times[0] else math.nan
            case "share":
                covered = sum(s[3] for s in kept)
                return sum(s[4] for s in kept) / covered if covered else math.nan
            case "count":
                return float(sum(s[5] for s in kept))
        share, low, high = (self.call.args[n].value for n in (1, 3, 4))
        edges = [low + (bin_ + 1) * (high - low) / 32 for bin_ in range(32)]
        bins = [min(31, int((min(max(v, low), high) - low) / (high - low) * 32)) for v in values]
        return next(edge for n, edge in enumerate(edges) if sum(b <= n for b in bins) >= share / 100 * len(bins))

    def end(self) -> None:
        if self.trip:
            self.samples = []
            self.chained = False


class Travel:
    """Distance in mm, or time of the running engine in µs, from samples of the speed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.before: tuple[int, float] | None = None
        self.total: float | None = None

    def take(self, now: int, speed: float, *, engine: bool) -> None:
        total = self.total or 0.0
        if self.before is not None and now - self.before[0] <= DEFAULT_STALE_NS:
            elapsed = now - self.before[0]
            if engine:
                total += elapsed / 1000 if self.before[1] > 0 else 0.0
            else:
                total += max(self.before[1], 0.0) * elapsed / 3_600_000
        self.total, self.before = total, (now, speed)
