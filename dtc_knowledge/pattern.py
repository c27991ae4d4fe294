"""Worked root-cause patterns as the diagnosis uses them: light records, made once from the files."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Check, Text, Urgency
from domain.vss import catalogue


class Role(StrEnum):
    """What a sign does in a pattern."""

    REQUIRED = "required"
    """Without it the pattern does not apply."""
    TRIGGER = "trigger"
    """One of these at least."""
    SUPPORT = "support"
    AGAINST = "against"


UNIT_SIGNS = {"celsius": "°C", "percent": "%"}
"""Units as people write them, where the catalogue spells them out."""
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A trouble code ("P0301", "SPN100/FMI1"; `*` stands for anything) in a role, and where that is known from."""

    code: str
    role: Role
    source: str

    def matches(self, code: str) -> bool:
        """Whether a reported code is this one."""
        return matches(self.code, code)


def matches(sign: str, code: str) -> bool:
    """Whether `code` is `sign`, in which one `*` stands for anything."""
    head, star, tail = sign.partition("*")
    return code == sign if not star else len(code) >= len(head) + len(tail) and code.startswith(head) and code.endswith(tail)


def hits(sign: str, codes: Collection[str]) -> list[str]:
    """The codes that are `sign`; a sign without `*` is looked up, not searched for."""
    if "*" not in sign:
        return [sign] if sign in codes else []
    return [code for code in codes if matches(sign, code)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralSigns:
    """`count` different codes of `codes` together, in a role."""

    count: int
    codes: tuple[str, ...]
    role: Role

    def hits(self, reported: Iterable[str]) -> list[str]:
        """The reported codes that are among them; empty where they are fewer than `count`."""
        found = [code for code in reported if any(matches(sign, code) for sign in self.codes)]
        return found if len(found) >= self.count else []


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingSign:
    """A rule or model id in a role."""

    id: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """A condition on measured values: `signal` plus `factor` times `other` compared with `value`."""

    signal: str
    other: str | None
    factor: float
    comparison: str
    value: float
    role: Role

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether it holds; False where a value is missing."""
        if self.signal not in values or (self.other is not None and self.other not in values):
            return False
        measured = values[self.signal] + (self.factor * values[self.other] if self.other is not None else 0.0)
        return COMPARISONS[self.comparison](measured, self.value)

    @property
    def words(self) -> str:
        """As an engineer would write it."""
        other = "" if self.other is None else f" {'+' if self.factor > 0 else '-'} {self.other}"
        return f"{self.signal}{other} {self.comparison} {self.value:g}"

    @property
    def text(self) -> Text:
        """The same for people, with the names of the signals: "Highest cell voltage - Lowest cell voltage > 0.1 V"."""
        known = catalogue()
        first, second = known[self.signal], known[self.other] if self.other is not None else None
        sign = "+" if self.factor > 0 else "-"
        tail = f" {self.comparison} {self.value:g} {UNIT_SIGNS.get(first.unit, first.unit)}".rstrip()
        return Text(
            en=first.name.en + (f" {sign} {second.name.en}" if second else "") + tail,
            zh=first.name.zh + (f" {sign} {second.name.zh}" if second else "") + tail,
        )

    def missing(self, values: Mapping[str, float]) -> tuple[str, ...]:
        """Its signals that have no value."""
        return tuple(path for path in (self.signal, self.other) if path is not None and path not in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Multiplies a cause's share when a sign is `present` (or when all of `signs` are absent), or when `predicate` holds."""

    signs: tuple[str, ...]
    present: bool
    times: float
    predicate: Predicate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternCause:
    """A root cause that a pattern suggests: `share` of the pattern's cases, `repair` operations in order."""

    id: str
    title: Text
    share: float
    shifts: tuple[Shift, ...]
    repair: tuple[str, ...]
    source: str
    repairs: int = 0
    """How many repairs with a known outcome stand behind the share, beside the prior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """`count` different active codes of `codes` together ask for `urgency`, for a `reason`."""

    count: int
    codes: tuple[str, ...]
    urgency: Urgency
    reason: Text

    def holds(self, active: Iterable[str]) -> bool:
        """Whether enough of them are active."""
        return sum(any(matches(sign, code) for sign in self.codes) for code in active) >= self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A worked root-cause pattern; see `dtc_knowledge.schema.PatternEntry` for the meaning of the fields."""

    id: str
    title: Text
    system: str
    fallback: bool
    powertrains: tuple[str, ...]
    makers: tuple[str, ...]
    models: tuple[str, ...]
    signs: tuple[Sign, ...]
    several: tuple[SeveralSigns, ...]
    findings: tuple[FindingSign, ...]
    predicates: tuple[Predicate, ...]
    explains: tuple[str, ...]
    causes: tuple[PatternCause, ...]
    checks: tuple[Check, ...]
    tells: tuple[tuple[str, tuple[str, ...]], ...]
    """Check id -> the causes that it confirms."""
    urgency: Urgency
    decisive: tuple[str, ...]
    worse: tuple[Worse, ...]
    reason: Text
    drive: str
    safety: str
    action: str
    advice: Text
    needs: tuple[str, ...]
    sources: tuple[str, ...]

    def fits(self, powertrain: str, model: str = "", maker: str = "") -> bool:
        """Whether it applies to such a vehicle."""
        return (
            (not self.powertrains or powertrain in self.powertrains)
            and (not self.models or model in self.models)
            and (not self.makers or maker.lower() in self.makers)
        )

    def triggered_by(self, key: str) -> bool:
        """Whether the code, rule or model id is one of the signs that the pattern rests on."""
        main = (Role.REQUIRED, Role.TRIGGER)
        return any(s.role in main and (s.code == key or ("*" in s.code and s.matches(key))) for s in self.signs) or any(
            f.role in main and f.id == key for f in self.findings
        )

    def explains_code(self, code: str) -> bool:
        """Whether the code is a consequence of this pattern, although it belongs to another system."""
        return any(matches(sign, code) for sign in self.explains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A repair operation: `hours` of labour as a decimal string, `parts` as (number, quantity), `needs` of the workshop."""

    id: str
    title: Text
    hours: str
    parts: tuple[tuple[str, int], ...]
    needs: tuple[str, ...]
    source: str
