"""Explanations with placeholders: `Coolant at {EngineCoolant.Temperature:.0f} °C for {duration_s:.0f} s`.

A placeholder holds any expression of the rule language, `duration_s` (how long the condition has held) or a parameter,
and an optional number format after a colon.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rules.binding import bind
from rules.expression import ExpressionError, Node, Signal, parse, walk
from rules.meaning import evaluate
from rules.units import Unit, parse_unit

DURATION = "duration_s"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FORMAT = re.compile(r"[+,]?(\.\d)?[fge%]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """A number to be put into the text."""

    node: Node
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Text and placeholders in turn."""

    parts: tuple[str | Placeholder, ...]

    def nodes(self) -> tuple[Node, ...]:
        """What its placeholders show."""
        return tuple(part.node for part in self.parts if isinstance(part, Placeholder))

    def paths(self) -> frozenset[str]:
        """VSS paths of its placeholders."""
        return frozenset(item.path for node in self.nodes() for item in walk(node) if isinstance(item, Signal))

    def fill(self, inputs: Mapping[str, float], parameters: Mapping[str, float], duration_s: float) -> str:
        """The text with its numbers; "?" where a value is unknown."""
        known = {**parameters, DURATION: duration_s}
        return "".join(part if isinstance(part, str) else _number(part, inputs, known) for part in self.parts)


def _number(placeholder: Placeholder, inputs: Mapping[str, float], parameters: Mapping[str, float]) -> str:
    value = evaluate(placeholder.node, inputs, parameters)
    return format(value, placeholder.format) if math.isfinite(value) else "?"


def parse_template(text: str, parameters: Mapping[str, Unit | None]) -> Template:
    """Parse and bind an explanation.

    Raises:
        ExpressionError: a placeholder that is unknown or malformed; its column counts in the whole text.
    """
    names = {**parameters, DURATION: parse_unit("s")}
    parts: list[str | Placeholder] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [text[end : match.start()], _placeholder(match[1], match.start() + 1, names)]
        end = match.end()
    rest = text[end:]
    if "{" in rest or "}" in rest:
        raise ExpressionError("a brace without its partner", end + re.search(r"[{}]", rest).start() + 1, "close the placeholder")  # type: ignore[union-attr] # found one line above
    return Template(parts=tuple(part for part in (*parts, rest) if part != ""))


def _placeholder(text: str, column: int, names: Mapping[str, Unit | None]) -> Placeholder:
    expression, _, form = text.partition(":")
    if not _FORMAT.fullmatch(form):
        raise ExpressionError(f"unknown number format {form!r}", column, "write for instance {limit:.1f}")
    try:
        node, _ = bind(parse(expression), names)
    except ExpressionError as problem:
        what = f"placeholder {{{text}}}: {problem.what}"
        raise ExpressionError(what, column + problem.column, problem.mend) from problem
    return Placeholder(node=node, format=form or "g")
