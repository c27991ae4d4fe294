"""A rule, compiled from its YAML form as far as one rule alone can be: names bound, units checked, texts parsed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from domain.findings import Severity, Text, Urgency
from rules.expression import Call, Node, Number, Signal, render, walk
from rules.functions import Leaf, is_feature, leaves
from rules.template import Template
from rules.units import parse_unit

NANOSECONDS = {"ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)")


class RuleStatus(StrEnum):
    """Life of a rule; only an active one raises, a shadow one runs and is counted."""

    DRAFT = "draft"
    SHADOW = "shadow"
    ACTIVE = "active"
    RETIRED = "retired"


class Pause(StrEnum):
    """What a running timer does while nothing can be said."""

    HOLD = "hold"
    """It stands still; only the time in which the condition was known to hold counts."""
    RESET = "reset"
    """It starts anew."""
    UNKNOWN = "unknown"
    """It stands still, and the whole condition is unknown as soon as any input is missing (`on_gap` only)."""


_ON_GAP = {Pause.HOLD: 0, Pause.RESET: 1, Pause.UNKNOWN: 2}


class Trigger(StrEnum):
    """What raises: that the condition holds, or that it begins to hold."""

    LEVEL = "level"
    EDGE = "edge"
    """It must have been seen false since the drive began, and since it last raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        gate: the rule is evaluated only while this is true; None = always.
        when: raises after it has held for `hold_ns` of event time.
        clear_when: clears after it has held for `clear_hold_ns`; None = not `when`.
        parameters: name -> value.
        on_gap: what timers do while an input is missing or stale, so that `when` is unknown.
        gate_closed: what timers do while the gate is false.
        trigger: whether it must have been seen false first.
        keep_firing_ns: does not clear before so long after `when` was last seen true. min_interval_ns: does not raise again before
            so long after it last raised; 0 = at once.
        min_rate_hz: every signal must come so often, or the rule abstains; 0 = any rate.
        applies_to: powertrains, () for all.
        codes: trouble codes that it corroborates.
        file, line: where it is written.
    """

    id: str
    version: int
    status: RuleStatus
    system: str
    component: str
    group_key: str
    severity: Severity
    urgency: Urgency
    gate: Node | None
    when: Node
    clear_when: Node | None
    hold_ns: int
    clear_hold_ns: int
    parameters: Mapping[str, float] = field(hash=False)
    on_gap: Pause = Pause.HOLD
    gate_closed: Pause = Pause.RESET
    trigger: Trigger = Trigger.LEVEL
    keep_firing_ns: int = 0
    min_interval_ns: int = 0
    min_rate_hz: float = 0.0
    applies_to: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    title: Text
    explanation_en: Template
    explanation_zh: Template
    sources: tuple[str, ...]
    owner: str
    file: Path | None = None
    line: int = 1

    @property
    def clearing(self) -> Node:
        """The condition that clears."""
        return Call(name="not", args=(self.when,)) if self.clear_when is None else self.clear_when

    @property
    def conditions(self) -> tuple[Node, ...]:
        """Gate (where there is one), raising and clearing condition."""
        return (*(() if self.gate is None else (self.gate,)), self.when, self.clearing)

    @property
    def inputs(self) -> tuple[Leaf, ...]:
        """What decides, each once, in the order written: signals, trouble-code predicates, features, functions of the time."""
        return tuple(dict.fromkeys(leaf for condition in self.conditions for leaf in leaves(condition)))

    @property
    def features(self) -> tuple[Call, ...]:
        """Windows, sequences and other functions with memory in its conditions and texts, outermost ones."""
        nodes = (*self.conditions, *self.shown_nodes)
        found = (leaf for node in nodes for leaf in leaves(node) if isinstance(leaf, Call))
        return tuple(dict.fromkeys(leaf for leaf in found if is_feature(leaf)))

    @property
    def shown_nodes(self) -> tuple[Node, ...]:
        """What its texts show."""
        return self.explanation_en.nodes() + self.explanation_zh.nodes()

    @property
    def guarded(self) -> tuple[Node | None, Node, Node]:
        """Gate, raising and clearing condition, each unknown while a signal comes less often than `min_rate_hz`."""
        return (None if self.gate is None else self._guard(self.gate)), self._guard(self.when), self._guard(self.clearing)

    @property
    def guarded_conditions(self) -> tuple[Node, ...]:
        """`guarded` without a gate that is not there."""
        return tuple(node for node in self.guarded if node is not None)

    def _guard(self, condition: Node) -> Node:
        if not self.min_rate_hz:
            return condition
        signals = dict.fromkeys(item for item in walk(condition) if isinstance(item, Signal))
        period = Number(value=1.0 / self.min_rate_hz, unit=parse_unit("s"))
        for signal in signals:
            condition = Call(name="require", args=(Call(name="steady", args=(signal, period)), condition))
        return condition

    @property
    def paths(self) -> frozenset[str]:
        """Every VSS path that it reads, for decisions and for texts."""
        decides = {item.path for node in self.guarded_conditions for item in walk(node) if isinstance(item, Signal)}
        return frozenset(decides) | self.explanation_en.paths() | self.explanation_zh.paths()

    @property
    def pauses(self) -> tuple[int, int, int]:
        """on_gap, gate_closed and trigger as the kernel's numbers."""
        return _ON_GAP[self.on_gap], int(self.gate_closed is Pause.HOLD), int(self.trigger is Trigger.EDGE)

    @property
    def content_hash(self) -> str:
        """16 hex digits over everything that shapes its decisions (not over its texts)."""
        parts = [self.id, *(render(node) for node in self.conditions), str(self.gate is None)]
        parts += [f"{name}={value!r}" for name, value in sorted(self.parameters.items())]
        parts += [str(self.hold_ns), str(self.clear_hold_ns), self.on_gap, self.gate_closed]
        more = [self.trigger.value, str(self.keep_firing_ns), str(self.min_interval_ns), repr(self.min_rate_hz)]
        parts += more if more != ["level", "0", "0", "0.0"] else []
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def full_version(self) -> str:
        """Declared version and content, such as "2+3fa9c1d2"."""
        return f"{self.version}+{self.content_hash[:8]}"


def parse_duration_ns(text: str) -> int | None:
    """`10 s`, `500 ms`, `20 min`, `1 h` in nanoseconds; None where it is none of these."""
    match = _DURATION.fullmatch(text.strip())
    return round(float(match[1]) * NANOSECONDS[match[2]]) if match else None
