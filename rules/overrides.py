"""Parameters by fleet, model and vehicle that stand for the rules' own: a YAML list.

    - rule: coolant_overheat
      model: CS75                      # or `vin: LPC…`; neither: the whole fleet
      parameters: {limit: 112, clear: {value: 104, unit: celsius}}
      source: fleet operator, 2026-03

A vehicle's entry goes before its model's, and that before the fleet's.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import Document, load_yaml, validate
from domain.errors import DataFileError
from domain.fleet import Vehicle, pseudonym
from rules.contradiction import contradiction, unreachable
from rules.expression import Parameter, walk
from rules.rule import Rule
from rules.units import parse_unit

Parameters = Mapping[str, Mapping[str, float]]
"""Rule id -> parameter -> value."""
Number = Annotated[float, pydantic.Field(allow_inf_nan=False)]


class _Figure(pydantic.BaseModel, extra="forbid", frozen=True):
    value: Number
    unit: str


class _Entry(pydantic.BaseModel, extra="forbid", frozen=True):
    rule: str
    model: Annotated[str, pydantic.Field(min_length=1)] | None = None
    vin: Annotated[str, pydantic.Field(min_length=1)] | None = None
    parameters: Annotated[dict[str, Number | _Figure], pydantic.Field(min_length=1)]
    source: Annotated[str, pydantic.Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterOverrides:
    """`models` by name, `vehicles` by pseudonym."""

    fleet: Parameters = field(default_factory=dict)
    models: Mapping[str, Parameters] = field(default_factory=dict)
    vehicles: Mapping[str, Parameters] = field(default_factory=dict)

    def of(self, vehicle: Vehicle) -> Parameters:
        """What stands for the rules' own parameters in this vehicle."""
        levels = (self.fleet, self.models.get(vehicle.model, {}), self.vehicles.get(vehicle.id, {}))
        joined: dict[str, dict[str, float]] = {}
        for level in levels:
            for rule, values in level.items():
                joined[rule] = {**joined.get(rule, {}), **values}
        return joined


NO_OVERRIDES = ParameterOverrides()


def load_overrides(file: Path, rules: Sequence[Rule], key: bytes) -> ParameterOverrides:
    """Read a file of overrides.

    Args:
        rules: those that they are for. key: of the vehicles' pseudonyms.

    Raises:
        DataFileError: not valid, an unknown rule or parameter, another unit, said twice, or figures with which the rule can never
            raise or would raise and clear at once; names file, line, column and mend.
    """
    document = load_yaml(file)
    if not isinstance(document.data, list):
        raise DataFileError("is not a list of overrides", file=file, line=1, mend="begin each with `- rule: …`")
    by_id = {rule.id: rule for rule in rules}
    levels: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for number in range(len(document.data)):
        entry = validate(_Entry, document, number)
        if entry.model and entry.vin:
            raise _wrong(document, "a model and a VIN", "give one of them, or neither for the whole fleet", number, "vin")
        if entry.rule not in by_id:
            raise _wrong(document, f"no rule {entry.rule!r}", _nearest(entry.rule, by_id), number, "rule")
        level = ("vin", pseudonym(key, entry.vin)) if entry.vin else ("model", entry.model) if entry.model else ("fleet", "")
        values = levels.setdefault(level, {}).setdefault(entry.rule, {})
        for name, figure in entry.parameters.items():
            if name in values:
                raise _wrong(
                    document,
                    f"{entry.rule}: {name!r} is said twice for the same vehicles",
                    "keep one",
                    number,
                    "parameters",
                    name,
                )
            values[name] = _value(document, number, by_id[entry.rule], name, figure)
    overrides = ParameterOverrides(
        fleet=levels.get(("fleet", ""), {}),
        models={name: values for (kind, name), values in levels.items() if kind == "model"},
        vehicles={name: values for (kind, name), values in levels.items() if kind == "vin"},
    )
    _check_figures(document, by_id, overrides, key)
    return overrides


def _value(document: Document, number: int, rule: Rule, name: str, figure: float | _Figure) -> float:
    if name not in rule.parameters:
        what = f"{rule.id} has no parameter {name!r}"
        raise _wrong(document, what, _nearest(name, rule.parameters), number, "parameters", name)
    if isinstance(figure, _Figure):
        unit = next((n.unit for c in rule.conditions for n in walk(c) if isinstance(n, Parameter) and n.name == name), None)
        if parse_unit(figure.unit) != unit:
            mend = f"write it in {unit}" if unit is not None and str(unit) else "write the number alone"
            raise _wrong(document, f"{rule.id}: {name} is not in {figure.unit}", mend, number, "parameters", name)
        return figure.value
    return figure


def _check_figures(document: Document, rules: Mapping[str, Rule], overrides: ParameterOverrides, key: bytes) -> None:
    """Whether each rule still makes sense with the figures of each entry over those of the fleet."""
    for number, raw in enumerate(document.data):
        entry = validate(_Entry, document, number, data=raw)
        vehicle = Vehicle(id=pseudonym(key, entry.vin) if entry.vin else "", model=entry.model or "")
        rule = rules[entry.rule]
        changed = replace(rule, parameters={**rule.parameters, **overrides.of(vehicle)[rule.id]})
        if unreachable(changed):
            mend = "its comparisons, or they and the gate, exclude each other"
            raise _wrong(document, f"with these figures {rule.id} can never raise", mend, number, "parameters")
        both = contradiction(changed)
        if both is not None:
            example = ", ".join(f"{name} = {value:g}" for name, value in both.items())
            what = f"with these figures {rule.id} would raise and clear at once (at {example})"
            raise _wrong(document, what, "move the clear level with the limit", number, "parameters")


def _wrong(document: Document, what: str, mend: str, *key: str | int) -> DataFileError:
    line, column = document.place(key)
    return DataFileError(f"column {column}: {what}", file=document.file, line=line, mend=mend)


def _nearest(word: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(list(known)[:5])}" if known else "remove it"
