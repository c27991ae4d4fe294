"""A rule as plain Python: its conditions are compiled to Python functions of the values that may still be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

from rules.expression import COMPARISONS, Boolean, Call, Dtc, Node, Number, Parameter, Signal, walk
from rules.features import qualified, rule_item
from rules.functions import INSTANT, LOOKUPS, TIME_NS, Leaf, is_feature, leaves
from rules.meaning import column_name
from rules.rule import Pause, Rule, Trigger

Seen = dict[str, tuple[int, float | None]]
"""Column -> time in ns and value (None = unknown) of its last sample."""
Values = Sequence[float | None]
Function = Callable[[Values], float | bool | None]

_TRUTHS = ("seq", "cycles", "steady", "absent")


class UntoldError(Exception):
    """A rule uses what the loop does not know: other reports of ECUs than stored trouble codes, or tables."""


class LoopRule:
    """Gate, condition, hold, clear: one vehicle's state of one rule.

    Raises:
        UntoldError: on making it.
    """

    def __init__(self, rule: Rule) -> None:
        self.id = rule.id
        self._rule = rule
        item = rule_item(rule)
        self.listens, self._inputs = item.listens, item.inputs
        if any(_is_untold(node) for condition in rule.guarded_conditions for node in walk(condition)):
            raise UntoldError(rule.id)
        self._instants = _instants(item.programs)
        names = (*self._inputs, *(column_name(leaf) for leaf in self._instants))
        self._gate, self._when, self._clear = (
            None if node is None else function_of(node, names, rule.parameters, lambda leaf: qualified(leaf, rule))
            for node in item.programs
        )
        self._resets, self._strict = rule.on_gap is Pause.RESET, rule.on_gap is Pause.UNKNOWN
        self._gate_holds, self._edge = rule.gate_closed is Pause.HOLD, rule.trigger is Trigger.EDGE
        self._hold_ns, self._clear_hold_ns = rule.hold_ns, rule.clear_hold_ns
        self._keep_ns, self._interval_ns = rule.keep_firing_ns, rule.min_interval_ns

    def begin(self, stale: Mapping[str, int]) -> None:
        """Forget everything; `stale`: how long each value may be used, ns."""
        self._stale = [(name, stale[name]) for name in self._inputs]
        self.active = self._seen_false = False
        self._since: int | None = None
        self._known_until = 0
        self._last_true = self._last_raised = -(1 << 62)
        self._awake_ns: int | None = None

    def changes(self, now: int, seen: Seen, *, came: bool) -> bool:
        """Evaluate at this time; True where it changes its mind. `came`: an input did."""
        if came and self._awake_ns is None:
            self._awake_ns = now
        if self._since is not None and now > self._known_until:
            self._since = None if self._resets else self._since + now - self._known_until
        values = self._values(now, seen)
        closed, holds = self._holds(now, values)
        if closed or holds is None:
            if (closed and not self._gate_holds) or (not closed and self._resets):
                self._since = None
            else:
                self._known_until = now
            return False
        if not holds:
            self._since = None
            self._seen_false |= not self.active
            return False
        if not self.active and self._edge and not self._seen_false:
            return False
        if self._since is None:
            self._since = now
        self._known_until = min(
            (seen[name][0] + stale for name, stale in self._stale if name in seen and now - seen[name][0] <= stale),
            default=1 << 62,
        )
        if not self._is_due(now):
            return False
        self.active, self._since, self._seen_false = not self.active, None, False
        if self.active:
            self._last_true = self._last_raised = now
        return True

    def _values(self, now: int, seen: Seen) -> list[float | None]:
        values: list[float | None] = []
        for name, stale in self._stale:
            at = seen.get(name)
            values.append(None if at is None or now - at[0] > stale else at[1])
        return values + [self._instant(leaf, now, seen) for leaf in self._instants]

    def _instant(self, leaf: Call, now: int, seen: Seen) -> float | None:
        number = leaf.args[-1].value if isinstance(leaf.args[-1], Number) else 0.0
        if leaf.name == "local_hour":
            return (now + int(number * 3_600e9)) % 86_400_000_000_000 / 3_600e9
        at = seen.get(leaf.args[0].path) if isinstance(leaf.args[0], Signal) else None
        if at is None or self._awake_ns is None:
            return None
        length_ns = number * TIME_NS[str(leaf.args[1].unit)]  # type: ignore[attr-defined]  # a length of time
        return float(now - max(at[0], self._awake_ns) > length_ns)

    def _holds(self, now: int, values: Values) -> tuple[bool, float | bool | None]:
        """(gate closed, whether the condition in question holds; None = unknown)."""
        if self._strict and None in values[: len(self._inputs)]:
            return False, None
        if self._gate is not None:
            gate = self._gate(values)
            if not gate:
                return gate is not None, None
        if not self.active:
            return False, self._when(values)  # type: ignore[misc]  # only the gate may be absent
        if self._keep_ns and self._when(values):  # type: ignore[misc]
            self._last_true = now
        return False, self._clear(values)  # type: ignore[misc]

    def _is_due(self, now: int) -> bool:
        lasted = now - (self._since or 0)
        if self.active:
            return lasted >= self._clear_hold_ns and now - self._last_true >= self._keep_ns
        return lasted >= self._hold_ns and now - self._last_raised >= self._interval_ns

    def end_drive(self) -> None:
        """Timers stop."""
        self._since, self._seen_false, self._awake_ns = None, False, None


def _is_untold(node: Node) -> bool:
    if isinstance(node, Dtc):
        return node != Dtc(pattern=node.pattern)
    return isinstance(node, Call) and node.name in LOOKUPS


def _instants(programs: Sequence[Node | None]) -> list[Call]:
    found = (leaf for node in programs if node is not None for leaf in leaves(node))
    return list(dict.fromkeys(leaf for leaf in found if isinstance(leaf, Call) and leaf.name in INSTANT))


def function_of(node: Node, inputs: Sequence[str], parameters: Mapping[str, float], naming: Callable[[Leaf], str]) -> Function:
    """The expression (of our own packs) as a compiled Python function of the values of `inputs`.

    Raises:
        UntoldError: it calls a function that has no meaning here.
    """
    text = _Python({name: number for number, name in enumerate(inputs)}, parameters, naming).text(node)
    function: Function = eval(f"lambda v: {text}")  # noqa: S307
    return function


class _Python:
    """Writes Python expressions in which None is unknown, and stays so."""

    def __init__(self, index: Mapping[str, int], parameters: Mapping[str, float], naming: Callable[[Leaf], str]) -> None:
        self._index, self._parameters, self._naming = index, parameters, naming
        self._numbers = count()

    def text(self, node: Node) -> str:
        match node:
            case Number(value=value) | Boolean(value=value):
                return repr(value)
            case Parameter(name=name):
                return repr(self._parameters[name])
            case Signal(boolean=boolean):
                return self._leaf(node, truth=boolean)
            case Dtc():
                return self._leaf(node, truth=True)
            case Call(name=name) if is_feature(node) or name in INSTANT:
                return self._leaf(node, truth=name in _TRUTHS)
            case Call(name="not", args=(only,)):
                t = self._name()
                return f"(None if ({t} := {self.text(only)}) is None else not {t})"
            case Call(name=name, args=args):
                return self._call(name, [self.text(arg) for arg in args], args)
        raise UntoldError(type(node).__name__)

    def _leaf(self, leaf: Leaf, *, truth: bool) -> str:
        value = f"v[{self._index[self._naming(leaf)]}]"
        if not truth:
            return value
        t = self._name()
        return f"(None if ({t} := {value}) is None else {t} != 0.0)"

    def _call(self, name: str, words: list[str], args: Sequence[Node]) -> str:
        t = self._name()
        if name == "and":
            left, right = words
            return f"(False if ({t} := {left}) is False else {right} if {t} else False if {right} is False else None)"
        if name == "or":
            left, right = words
            return f"(True if ({t} := {left}) else {right} if {t} is False else True if {right} else None)"
        if name == "require":
            return f"({words[1]} if {words[0]} else None)"
        known, names = [], []
        for word, arg in zip(words, args, strict=True):
            if isinstance(arg, Number | Parameter | Boolean):
                names.append(word)
            else:
                names.append(self._name())
                known.append(f"({names[-1]} := {word}) is None")
        value = _value(name, names)
        if name == "/":
            known.append(f"{names[1]} == 0.0")
        return f"(None if {' or '.join(known)} else {value})" if known else f"({value})"

    def _name(self) -> str:
        return f"t{next(self._numbers)}_"


def _value(name: str, words: list[str]) -> str:
    if name in (*COMPARISONS, "+", "-", "*", "/"):
        return f"{words[0]} {name} {words[1]}"
    if name == "neg":
        return f"-{words[0]}"
    if name == "clamp":
        return f"min(max({words[0]}, {words[1]}), {words[2]})"
    if name in ("abs", "min", "max"):
        return f"{name}({', '.join(words)})"
    raise UntoldError(name)
