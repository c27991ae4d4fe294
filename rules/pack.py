"""Reads rule packs: `rules/packs/*.yaml`, one file per system, each a list of rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from datafiles import Document, load_yaml, validate
from domain.errors import RuleError
from domain.findings import Severity, Text, Urgency
from rules.binding import bind_condition
from rules.contradiction import contradiction, unreachable
from rules.expression import ExpressionError, Node, Parameter, parse, walk
from rules.functions import features_in
from rules.rule import Pause, Rule, RuleStatus, Trigger, parse_duration_ns
from rules.template import Placeholder, Template, parse_template
from rules.units import Unit, parse_unit

_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*Hz")

MOST_FUNCTIONS = 8
"""Functions with memory in one rule: each costs state in every vehicle."""

Word = Annotated[str, pydantic.Field(min_length=1)]


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class TextModel(_Model):
    """Words in both languages."""

    en: Word
    zh: Word


class ParameterModel(_Model):
    """A number with a name; without a unit it takes that of what it is compared with."""

    value: float
    unit: str | None = None


class AppliesToModel(_Model):
    """Which vehicles a rule concerns."""

    powertrain: tuple[Literal["petrol", "diesel", "hybrid", "ev", "truck"], ...] = ()


class RuleModel(_Model):
    """A rule as written; `rules.rule.Rule` says what the fields mean."""

    id: Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[int, pydantic.Field(ge=1)]
    status: RuleStatus
    system: Annotated[str, pydantic.Field(pattern=r"^[a-z0-9_.]+$")]
    component: Annotated[str, pydantic.Field(pattern=r"^[a-z0-9_]*$")] = ""
    group_key: Word | None = None
    severity: Severity
    urgency: str
    gate: str | None = None
    when: str
    clear_when: str | None = None
    hold: Annotated[str, pydantic.Field(alias="for")] = "0 s"
    clear_for: str = "0 s"
    parameters: dict[Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")], ParameterModel] = {}
    on_gap: Pause = Pause.HOLD
    gate_closed: Literal[Pause.HOLD, Pause.RESET] = Pause.RESET
    trigger: Trigger = Trigger.LEVEL
    keep_firing_for: str = "0 s"
    min_interval: str = "0 s"
    min_rate: str = "0 Hz"
    applies_to: AppliesToModel = AppliesToModel()
    codes: tuple[str, ...] = ()
    title: TextModel
    explanation: TextModel
    source: Annotated[tuple[Word, ...], pydantic.Field(min_length=1)]
    owner: Word

    @pydantic.field_validator("urgency")
    @classmethod
    def _known(cls, word: str) -> str:
        if word not in Urgency.__members__:
            raise ValueError(f"must be one of {', '.join(Urgency.__members__)}")
        return word


def shipped_packs() -> tuple[Path, ...]:
    """The packs that come with pitcall, by name."""
    folder = Path(str(files("rules").joinpath("packs")))
    return tuple(sorted(folder.glob("*.yaml")))


def pack_files(paths: Sequence[Path] | None) -> tuple[Path, ...]:
    """The YAML files among `paths`; a folder stands for the packs in it; None for the shipped ones."""
    if paths is None:
        return shipped_packs()
    return tuple(file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path]))


def load_rules(paths: Sequence[Path] | None = None) -> tuple[Rule, ...]:
    """Every rule of these files or folders (None = the shipped packs), in file order.

    Raises:
        RuleError: the first thing wrong, with file, line and mend (`rules.check.check` lists them all).
    """
    rules, problems = read_packs(paths)
    if problems:
        raise problems[0]
    return rules


def list_rules(rules: Sequence[Rule]) -> list[dict[str, str]]:
    """What `rules list --json` shows: id, version, status, system and severity of each rule."""
    return [
        {"id": r.id, "version": r.full_version, "status": r.status.value, "system": r.system, "severity": r.severity.value}
        for r in rules
    ]


def read_packs(paths: Sequence[Path] | None = None) -> tuple[tuple[Rule, ...], list[RuleError]]:
    """The rules that can be used, and everything that is wrong with the others."""
    rules: dict[str, Rule] = {}
    problems: list[RuleError] = []
    for file in pack_files(paths):
        try:
            document = load_yaml(file, error=RuleError)
            if not isinstance(document.data, list):
                raise RuleError("is not a list of rules", file=file, line=1, mend="begin each rule with `- id: …`")
        except RuleError as problem:
            problems.append(problem)
            continue
        for number in range(len(document.data)):
            rule, wrong = _read_rule(document, number)
            problems += wrong
            if rule is not None and rule.id in rules:
                first = rules[rule.id]
                where = f"{first.file}:{first.line}"
                wrong = [RuleError(f"rule id {rule.id!r} stands at {where} too", file=file, line=rule.line, mend="rename one")]
                problems += wrong
            elif rule is not None:
                rules[rule.id] = rule
    return tuple(rules.values()), problems


def _read_rule(document: Document, number: int) -> tuple[Rule | None, list[RuleError]]:
    try:
        model = validate(RuleModel, document, number, error=RuleError)
    except RuleError as problem:
        return None, [problem]
    return _Builder(document, number, model).build()


class _Builder:
    """Turns one validated model into a rule, collecting what is wrong."""

    def __init__(self, document: Document, number: int, model: RuleModel) -> None:
        self._document, self._number, self._model = document, number, model
        self.problems: list[RuleError] = []
        self._units: dict[str, Unit | None] = {}

    def build(self) -> tuple[Rule | None, list[RuleError]]:
        model = self._model
        for name, parameter in model.parameters.items():
            self._units[name] = self._unit(name, parameter)
        gate = self._condition("gate", model.gate)
        when = self._condition("when", model.when)
        clear_when = self._condition("clear_when", model.clear_when)
        hold_ns, clear_hold_ns = self._duration("for", model.hold), self._duration("clear_for", model.clear_for)
        english, chinese = self._template("en", model.explanation.en), self._template("zh", model.explanation.zh)
        if self.problems or when is None or english is None or chinese is None:
            return None, self.problems
        rule = Rule(
            id=model.id,
            version=model.version,
            status=model.status,
            system=model.system,
            component=model.component,
            group_key=model.group_key or model.system,
            severity=model.severity,
            urgency=Urgency[model.urgency],
            gate=gate,
            when=when,
            clear_when=clear_when,
            hold_ns=hold_ns,
            clear_hold_ns=clear_hold_ns,
            parameters={name: parameter.value for name, parameter in model.parameters.items()},
            on_gap=model.on_gap,
            gate_closed=model.gate_closed,
            trigger=model.trigger,
            keep_firing_ns=self._duration("keep_firing_for", model.keep_firing_for),
            min_interval_ns=self._duration("min_interval", model.min_interval),
            min_rate_hz=self._rate(model.min_rate),
            applies_to=model.applies_to.powertrain,
            codes=model.codes,
            title=Text(en=model.title.en, zh=model.title.zh),
            explanation_en=english,
            explanation_zh=chinese,
            sources=model.source,
            owner=model.owner,
            file=self._document.file,
            line=self._document.line(self._number),
        )
        self._check_whole(rule)
        return (None if self.problems else rule), self.problems

    def _check_whole(self, rule: Rule) -> None:
        """What can be seen only when all parts are known."""
        used = {node.name for condition in rule.conditions for node in walk(condition) if isinstance(node, Parameter)}
        for name in self._model.parameters:
            if name not in used:
                self._wrong(
                    f"parameter {name!r} decides nothing", "use it in gate, when or clear_when, or remove it", "parameters", name
                )
        if not rule.inputs:
            self._wrong("when: reads no signal and no trouble code", "name a signal", "when")
        if unreachable(rule):
            self._wrong("when: can never hold", "its comparisons, or they and the gate, exclude each other", "when")
        nodes = (*rule.conditions, *rule.shown_nodes)
        functions = {call for node in nodes for call in features_in(node)}
        if len(functions) > MOST_FUNCTIONS:
            what = f"when: {len(functions)} windows and other functions with memory, more than {MOST_FUNCTIONS}"
            self._wrong(what, "split it into several rules", "when")
        if _numbers(rule.explanation_en) != _numbers(rule.explanation_zh):
            self._wrong(
                "explanation: the two languages show different numbers", "use the same placeholders in both", "explanation"
            )
        both = contradiction(rule)
        if both is not None:
            example = ", ".join(f"{name} = {value:g}" for name, value in both.items())
            self._wrong(
                f"clear_when holds together with when (at {example})", "put the clear level beyond the limit", "clear_when"
            )

    def _wrong(self, what: str, mend: str, *key: str) -> None:
        line = self._document.line(self._number, *key)
        self.problems.append(RuleError(f"{self._model.id}: {what}", file=self._document.file, line=line, mend=mend))

    def _condition(self, field: str, text: str | None) -> Node | None:
        if text is None:
            return None
        try:
            return bind_condition(parse(text), self._units)
        except ExpressionError as problem:
            self._wrong(f"{field}, column {problem.column}: {problem.what}", problem.mend, field)
            return None

    def _template(self, language: str, text: str) -> Template | None:
        try:
            return parse_template(text, self._units)
        except ExpressionError as problem:
            what = f"explanation.{language}, column {problem.column}: {problem.what}"
            self._wrong(what, problem.mend, "explanation", language)
            return None

    def _unit(self, name: str, parameter: ParameterModel) -> Unit | None:
        unit = None if parameter.unit is None else parse_unit(parameter.unit)
        if parameter.unit is not None and unit is None:
            self._wrong(f"unknown unit {parameter.unit!r}", "use a unit of the VSS catalogue", "parameters", name, "unit")
        return unit

    def _rate(self, text: str) -> float:
        match = _RATE.fullmatch(text.strip())
        if match is None:
            self._wrong(f"min_rate: {text!r} is no rate", "write for instance 1 Hz or 0.2 Hz", "min_rate")
        return float(match[1]) if match else 0.0

    def _duration(self, field: str, text: str) -> int:
        duration_ns = parse_duration_ns(text)
        if duration_ns is None:
            self._wrong(f"{field}: {text!r} is no duration", "write for instance 500 ms, 10 s or 20 min", field)
        return duration_ns or 0


def _numbers(template: Template) -> list[Any]:
    return sorted((part for part in template.parts if isinstance(part, Placeholder)), key=repr)
