"""Which rules a backtest runs: those to be tried, those of today, and the values of its sweeps. Equal rules run once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.rule_files import RuleSet
from domain.errors import InputError
from domain.findings import Text
from rules.cohorts import NO_COHORTS, Cohorts
from rules.contradiction import contradiction, unreachable
from rules.overrides import NO_OVERRIDES, ParameterOverrides, Parameters
from rules.rule import Rule, RuleStatus, parse_duration_ns

_SWEEP = re.compile(r"\s*([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\s*=\s*([^:]+):([^:]+):([^:]+)")
DURATIONS = {
    "for": "hold_ns",
    "clear_for": "clear_hold_ns",
    "keep_firing_for": "keep_firing_ns",
    "min_interval": "min_interval_ns",
}
"""What else of a rule can be swept beside its parameters."""
UNREACHABLE = Text(en="can never hold", zh="条件永远不成立")
CONTRADICTORY = Text(en="raises and clears at once", zh="触发与解除条件同时成立")
MOST_VALUES = 200
"""Values of one sweep: each is one more rule to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Rules that stand together.

    Attributes:
        runs: name under which it runs -> the rule as written. silent: ids of rules that are only counted.
    """

    runs: Mapping[str, Rule]
    silent: frozenset[str] = frozenset()

    @property
    def rules(self) -> dict[str, Rule]:
        """Id -> rule."""
        return {rule.id: rule for rule in self.runs.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepValue:
    """One value of a sweep: the side of that one rule, or what is wrong with it."""

    value: float
    side: Side
    problem: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One number of one rule over a range. `unit`: "s" for durations. `present`: as the rule is written."""

    rule: Rule
    parameter: str
    unit: str
    present: float
    values: tuple[SweepValue, ...]


class Variants:
    """The rules of all sides, each distinct one once and under a name of its own, so that one engine runs them all.

    What a rule decides and says counts; where it is written, its version, status, sources and owner do not.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[Rule, str], str] = {}
        """(rule, swept parameter or "") -> name: a swept rule is its own, because no override may stand for the value that is tried."""

    def rule_set(self, overrides: ParameterOverrides = NO_OVERRIDES, cohorts: Cohorts = NO_COHORTS) -> RuleSet:
        """Every distinct rule, active, with its name as its id; overrides stand for the parameters of all sides."""
        return RuleSet(
            rules=tuple(replace(rule, id=name) for (rule, _), name in self._names.items()),
            overrides=ParameterOverrides(
                fleet=self._renamed(overrides.fleet),
                models={model: self._renamed(level) for model, level in overrides.models.items()},
                vehicles={vehicle: self._renamed(level) for vehicle, level in overrides.vehicles.items()},
            ),
            cohorts=cohorts,
        )

    def _renamed(self, level: Parameters) -> Parameters:
        return {
            name: {
                parameter: value
                for parameter, value in level[rule.id].items()
                if parameter in rule.parameters and parameter != swept
            }
            for (rule, swept), name in self._names.items()
            if rule.id in level
        }

    def candidate(self, rules: Sequence[Rule], today: Sequence[Rule]) -> Side:
        """Rules that are tried: all but retired ones run as if they were active; one that raises nothing today either, being the
        very same there, is only counted.
        """
        kept = {rule.id: rule for rule in today if rule.status is not RuleStatus.ACTIVE}
        silent = {
            rule.id
            for rule in rules
            if rule.status is not RuleStatus.ACTIVE and rule.id in kept and kept[rule.id].content_hash == rule.content_hash
        }
        return self._side([rule for rule in rules if rule.status is not RuleStatus.RETIRED], silent)

    def today(self, rules: Sequence[Rule]) -> Side:
        """Rules as they are live: active ones raise, shadow ones are counted, others do not run."""
        running = [rule for rule in rules if rule.status in (RuleStatus.ACTIVE, RuleStatus.SHADOW)]
        return self._side(running, {rule.id for rule in running if rule.status is RuleStatus.SHADOW})

    def sweep(self, text: str, side: Side) -> Sweep:
        """`RULE.PARAMETER=FROM:TO:STEP`, or `RULE.for=…` and other durations (`5 s:60 s:5 s`, or seconds).

        Raises:
            InputError: not of that form, or the side has no such rule or number.
        """
        rule, parameter, (first, last, step) = _parsed(text, side)
        count = math.floor((last - first) / step + 1e-9) + 1
        if count > MOST_VALUES:
            raise InputError(f"--sweep {text}: {count:,} values", mend=f"at most {MOST_VALUES}: take a greater step")
        values = (float(f"{first + number * step:.12g}") for number in range(count))
        field = DURATIONS.get(parameter)
        return Sweep(
            rule=rule,
            parameter=parameter,
            unit="s" if field else "",
            present=getattr(rule, field) / 1e9 if field else rule.parameters[parameter],
            values=tuple(self._value(rule, parameter, value) for value in values),
        )

    def _value(self, rule: Rule, parameter: str, value: float) -> SweepValue:
        field = DURATIONS.get(parameter)
        changed = (
            replace(rule, **{field: round(value * 1e9)})  # type: ignore[arg-type]  # the four fields are all int
            if field
            else replace(rule, parameters={**rule.parameters, parameter: value})
        )
        problem = UNREACHABLE if unreachable(changed) else CONTRADICTORY if contradiction(changed) is not None else None
        return SweepValue(
            value=value, side=Side(runs={}) if problem else self._side([changed], set(), swept=parameter), problem=problem
        )

    def _side(self, rules: Sequence[Rule], silent: set[str], *, swept: str = "") -> Side:
        return Side(runs={self._name(rule, swept): rule for rule in rules}, silent=frozenset(silent))

    def _name(self, rule: Rule, swept: str) -> str:
        alike = replace(rule, version=1, status=RuleStatus.ACTIVE, sources=(), owner="", file=None, line=1)
        return self._names.setdefault((alike, swept), f"{rule.id}#{len(self._names)}")


def only(ids: Sequence[str], *packs: Sequence[Rule]) -> tuple[tuple[Rule, ...], ...]:
    """The packs with no rules but these; all of them where none is named.

    Raises:
        InputError: none of the packs has such a rule.
    """
    known = {rule.id for pack in packs for rule in pack}
    for rule_id in ids:
        if rule_id not in known:
            raise InputError(f"--only {rule_id}: there is no such rule", mend=_meant(rule_id, known))
    return tuple(tuple(rule for rule in pack if not ids or rule.id in ids) for pack in packs)


def _meant(rule_id: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(rule_id, known, n=1)
    return f"is it {near[0]}?" if near else "pitcall rules list shows their ids"


def _parsed(text: str, side: Side) -> tuple[Rule, str, tuple[float, float, float]]:
    form = "write RULE.PARAMETER=FROM:TO:STEP, such as coolant_overheat.limit=105:120:5 or coolant_overheat.for=0s:30s:5s"
    match = _SWEEP.fullmatch(text)
    if match is None:
        raise InputError(f"--sweep {text!r} cannot be read", mend=form)
    rule_id, parameter = match[1], match[2]
    rule = side.rules.get(rule_id)
    if rule is None:
        raise InputError(f"--sweep {text}: no rule {rule_id!r} among those of --rules", mend=_meant(rule_id, side.rules))
    if parameter not in DURATIONS and parameter not in rule.parameters:
        raise InputError(
            f"--sweep {text}: {rule_id} has no number {parameter!r}",
            file=rule.file,
            line=rule.line,
            mend=f"it has {', '.join([*rule.parameters, *DURATIONS])}; give a number in its conditions a name under `parameters`",
        )
    try:
        read = _seconds if parameter in DURATIONS else float
        first, last, step = (read(part.strip()) for part in match.groups()[2:])
    except ValueError as problem:
        raise InputError(f"--sweep {text}: {problem}", mend=form) from problem
    if not all(map(math.isfinite, (first, last, step))) or step <= 0 or last < first:
        raise InputError(f"--sweep {text}: the range is empty or its step is not above 0", mend=form)
    if parameter in DURATIONS and first < 0:
        raise InputError(f"--sweep {text}: a duration is not below 0", mend=form)
    return rule, parameter, (first, last, step)


def _seconds(text: str) -> float:
    duration_ns = parse_duration_ns(text)
    return float(text) if duration_ns is None else duration_ns / 1e9
