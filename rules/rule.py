"""A rule, compiled from its YAML form as far as one rule alone can be: names bound, units checked, texts parsed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from domain.findings import Severity, Text, Urgency
from rules.expression import Call, Dtc, Node, Signal, render, walk
from rules.template import Template

NANOSECONDS = {"ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)")


class RuleStatus(StrEnum):
    """Life of a rule; only an active one raises."""

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
    def inputs(self) -> tuple[Signal | Dtc, ...]:
        """Signals and trouble-code predicates that decide, each once, in the order written."""
        found = [node for condition in self.conditions for node in walk(condition) if isinstance(node, Signal | Dtc)]
        return tuple(dict.fromkeys(found))

    @property
    def paths(self) -> frozenset[str]:
        """Every VSS path that it reads, for decisions and for texts."""
        decides = {node.path for node in self.inputs if isinstance(node, Signal)}
        return frozenset(decides) | self.explanation_en.paths() | self.explanation_zh.paths()

    @property
    def content_hash(self) -> str:
        """16 hex digits over everything that shapes its decisions (not over its texts)."""
        parts = [self.id, *(render(node) for node in self.conditions), str(self.gate is None)]
        parts += [f"{name}={value!r}" for name, value in sorted(self.parameters.items())]
        parts += [str(self.hold_ns), str(self.clear_hold_ns), self.on_gap, self.gate_closed]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def full_version(self) -> str:
        """Declared version and content, such as "2+3fa9c1d2"."""
        return f"{self.version}+{self.content_hash[:8]}"


def parse_duration_ns(text: str) -> int | None:
    """`10 s`, `500 ms`, `20 min`, `1 h` in nanoseconds; None where it is none of these."""
    match = _DURATION.fullmatch(text.strip())
    return round(float(match[1]) * NANOSECONDS[match[2]]) if match else None
