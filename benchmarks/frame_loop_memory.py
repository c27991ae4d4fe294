"""Windows, sequences and counts as plain Python: one object each, brought up to date at each sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.frame_loop_rule import Function, Seen, function_of
from rules.expression import Node, Number
from rules.features import Feature
from rules.functions import BY_TIME, BY_TRIP, TIME_NS, WINDOWED, window_argument, window_of

PANES = 15
BINS = 32


def memory_of(feature: Feature) -> Memory:
    """What works out the feature."""
    kinds: dict[str, type[Memory]] = {
        "seq": Order,
        "cycles": Cycles,
        "steady": Steady,
        "odometer": Travel,
        "engine_clock": Travel,
    }
    return Window(feature) if feature.call.name in WINDOWED else kinds[feature.call.name](feature)


class Memory:
    """A function that remembers; `begin` before the first sample."""

    def __init__(self, feature: Feature) -> None:
        item = feature.item
        self.call, self._inputs = feature.call, item.inputs
        self._functions: list[Function] = [
            function_of(node, self._inputs, item.parameters, item.naming) for node in item.programs if node is not None
        ]

    def begin(self, feature: Feature, stale: Mapping[str, int]) -> None:
        """Forget everything; `stale`: how long each value may be used, ns."""
        self._stale = [(name, stale[name]) for name in self._inputs]
        self._gap_ns = min((stale[name] for name in feature.sources), default=1 << 62)

    def take(self, now: int, seen: Seen) -> float | None:
        """An input came: the value now."""
        values: list[float | None] = []
        for name, stale in self._stale:
            at = seen.get(name)
            values.append(None if at is None or now - at[0] > stale else at[1])
        return self.value(now, [function(values) for function in self._functions])

    def value(self, now: int, arguments: Sequence[float | bool | None]) -> float | None:
        """The value after a sample."""
        raise NotImplementedError

    def end_drive(self) -> None:
        """The drive ends."""


class Order(Memory):
    """`seq(first, then, within)`."""

    def begin(self, feature: Feature, stale: Mapping[str, int]) -> None:
        """Forget everything."""
        super().begin(feature, stale)
        self._within_ns, self._first_ns = length_ns(self.call.args[2]), -(1 << 62)

    def value(self, now: int, arguments: Sequence[float | bool | None]) -> float | None:
        """Whether the first held before."""
        first, then = arguments
        result = None if then is None else float(bool(then) and now - self._first_ns <= self._within_ns)
        if first:
            self._first_ns = now
        return result


class Cycles(Memory):
    """`cycles(condition, wanted, among)`."""

    def begin(self, feature: Feature, stale: Mapping[str, int]) -> None:
        """Forget everything."""
        super().begin(feature, stale)
        wanted, among = (arg.value if isinstance(arg, Number) else 0.0 for arg in self.call.args[1:])
        self._wanted, self._among = math.ceil(wanted), int(among)
        self._past: list[bool] = []
        self._now: bool | None = None

    def value(self, now: int, arguments: Sequence[float | bool | None]) -> float | None:  # noqa: ARG002 - as the others
        """Whether it held in enough drives."""
        if arguments[0] is not None:
            self._now = bool(self._now or arguments[0])
        recent = self._past[1 - self._among :] if self._among > 1 else []
        return float(sum(recent) + bool(self._now) >= self._wanted)

    def end_drive(self) -> None:
        """The drive counts if anything was known in it."""
        if self._now is not None:
            self._past.append(self._now)
        self._now = None


class Steady(Memory):
    """`min_rate`: the signal came twice within a time."""

    def begin(self, feature: Feature, stale: Mapping[str, int]) -> None:
        """Forget everything."""
        super().begin(feature, stale)
        self._within_ns, self._last_ns = length_ns(self.call.args[-1]), -(1 << 62)

    def value(self, now: int, arguments: Sequence[float | bool | None]) -> float | None:  # noqa: ARG002 - it only counts that one came
        """True where the one before is near."""
        near, self._last_ns = now - self._last_ns <= self._within_ns, now
        return 1.0 if near else None


class Travel(Memory):
    """Distance in mm, or time of the running engine in µs."""

    def begin(self, feature: Feature, stale: Mapping[str, int]) -> None:
        """Forget everything."""
        super().begin(feature, stale)
        self._total, self._last_ns, self._speed = 0.0, -(1 << 62), 0.0

    def value(self, now: int, arguments: Sequence[float | bool | None]) -> float | None:
        """What has been covered so far."""
        speed = arguments[0]
        if speed is None:
            return None
        if now - self._last_ns <= self._gap_ns:
            if self.call.name == "odometer":
                self._total += max(self._speed, 0.0) * (now - self._last_ns) / 3_600_000.0
            elif self._speed > 0:
                self._total += (now - self._last_ns) / 1_000.0
        self._last_ns, self._speed = now, speed
        return self._total


class _Pane:
    """Samples of a fifteenth of a window."""

    __slots__ = ("bins", "covered", "first", "greatest", "held", "least", "moments", "n", "rose", "total")

    def __init__(self) -> None:
        self.n = self.rose = 0
        self.total = self.covered = self.held = 0.0
        self.least, self.greatest = math.inf, -math.inf
        self.moments = [0.0] * 5
        self.first = (0.0, 0.0)
        self.bins: list[int] = []


class Window(Memory):
    """A function over the pane of the newest sample and the fourteen before it, or over the drive."""

    def begin(self, feature: Feature, stale: Mapping[str, int]) -> None:
        """Forget everything."""
        super().begin(feature, stale)
        self._basis, self._length = window_of(window_argument(self.call)) or (BY_TRIP, 0)
        self._pane_length = max(1, self._length // PANES)
        self._newest = -1
        self._panes: dict[int, _Pane] = {}
        self._last: tuple[int, int, float] | None = None
        self._origin = 0
        self._statistic = getattr(self, f"_{self.call.name}")
        self._figures = [arg.value if isinstance(arg, Number) else 0.0 for arg in self.call.args]

    def end_drive(self) -> None:
        """A window over the drive begins anew."""
        if self._basis == BY_TRIP:
            self._newest, self._last = -1, None
            self._panes.clear()

    def value(self, now: int, arguments: Sequence[float | bool | None]) -> float | None:
        """The statistic after a sample."""
        value = arguments[0]
        by_time = self._basis in (BY_TIME, BY_TRIP)
        where = now if by_time else arguments[1]
        if value is None or where is None:
            self._last = None
            return None
        at = int(where)
        pane = self._pane_of(at)
        self._origin = self._origin or now
        self._add(pane, now, at, float(value))
        self._last = (now, at, float(value))
        covered = sum(pane.covered for pane in self._panes.values())
        if self._basis != BY_TRIP and 4 * covered < 3 * self._length:
            return None
        result: float | None = self._statistic([self._panes[number] for number in sorted(self._panes)], covered)
        return result

    def _pane_of(self, at: int) -> _Pane:
        number = 0 if self._basis == BY_TRIP else at // self._pane_length
        if number > self._newest:
            self._newest = number
            self._panes[number] = _Pane()
            for old in [old for old in self._panes if old <= number - PANES]:
                del self._panes[old]
        return self._panes[self._newest]

    def _add(self, pane: _Pane, now: int, at: int, value: float) -> None:
        chained = self._last is not None and now - self._last[0] <= self._gap_ns
        if chained and self._last is not None:
            pane.covered += at - self._last[1]
            pane.held += (at - self._last[1]) if self._last[2] else 0
            pane.rose += not self._last[2] and bool(value)
        seconds = (now - self._origin) / 1e9
        if not pane.n:
            pane.first = (seconds, value)
        pane.n += 1
        pane.total += value
        pane.least, pane.greatest = min(pane.least, value), max(pane.greatest, value)
        if self.call.name in ("std", "slope"):
            for number, term in enumerate((seconds, seconds * seconds, seconds * value, value * value)):
                pane.moments[number] += term
        elif self.call.name == "percentile":
            low, high = self._figures[3:5]
            pane.bins = pane.bins or [0] * BINS
            pane.bins[min(BINS - 1, int((min(max(value, low), high) - low) / (high - low) * BINS))] += 1

    def _mean(self, panes: list[_Pane], _covered: float) -> float:
        return sum(pane.total for pane in panes) / sum(pane.n for pane in panes)

    def _std(self, panes: list[_Pane], covered: float) -> float:
        squares = sum(pane.moments[3] for pane in panes) / sum(pane.n for pane in panes)
        return math.sqrt(max(0.0, squares - self._mean(panes, covered) ** 2))

    def _slope(self, panes: list[_Pane], _covered: float) -> float | None:
        n, x = sum(pane.n for pane in panes), sum(pane.total for pane in panes)
        t, tt, tx = (sum(pane.moments[number] for pane in panes) for number in range(3))
        spread = n * tt - t * t
        return (n * tx - t * x) / spread if spread > 0.0 else None

    def _lowest(self, panes: list[_Pane], _covered: float) -> float:
        return min(pane.least for pane in panes)

    def _highest(self, panes: list[_Pane], _covered: float) -> float:
        return max(pane.greatest for pane in panes)

    def _rate(self, panes: list[_Pane], _covered: float) -> float | None:
        began, value = panes[0].first
        if self._last is None:
            return None
        seconds = (self._last[0] - self._origin) / 1e9 - began
        return (self._last[2] - value) / seconds if seconds > 0.0 else None

    def _share(self, panes: list[_Pane], covered: float) -> float | None:
        return sum(pane.held for pane in panes) / covered if covered else None

    def _count(self, panes: list[_Pane], _covered: float) -> float:
        return float(sum(pane.rose for pane in panes))

    def _percentile(self, panes: list[_Pane], _covered: float) -> float | None:
        share, low, high = self._figures[1], *self._figures[3:5]
        wanted, seen = share / 100.0 * sum(pane.n for pane in panes), 0
        for number in range(BINS):
            seen += sum(pane.bins[number] for pane in panes)
            if seen >= wanted:
                return low + (number + 1) * (high - low) / BINS
        return None


def length_ns(node: Node) -> int:
    """A length of time."""
    return round(node.value * TIME_NS[str(node.unit)]) if isinstance(node, Number) else 0
