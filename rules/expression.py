"""Expressions of the rule language: syntax tree, tokenizer and Pratt parser (nothing is ever evaluated as Python).

Grammar, loosest first: `or` < `and` < `not` < comparison < `+ -` < `* /` < unary `-` < atoms. Atoms are numbers with an
optional unit (`7 celsius`, `20 %`), `true`/`false`, names (a parameter, a VSS path or an unambiguous tail of one),
calls (`abs`, `mean(x, 60 s)`, `seq(a, b, 30 s)` …) and what ECUs report (`dtc("P030?")`, `lamp("red_stop")` …).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rules.report_words import PREDICATES, pattern_mistake, status_mistake
from rules.units import NONE, Unit, parse_unit, unit_words

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = {
    "abs": (1, 1),
    "min": (2, None),
    "max": (2, None),
    "clamp": (3, 3),
    "mean": (2, 2),
    "std": (2, 2),
    "slope": (2, 2),
    "lowest": (2, 2),
    "highest": (2, 2),
    "rate": (2, 2),
    "share": (2, 2),
    "count": (2, 2),
    "percentile": (5, 5),
    "seq": (3, 3),
    "cycles": (3, 3),
    "absent": (2, 2),
    "local_hour": (1, 1),
    "near": (3, 3),
    "cohort": (2, 2),
}
"""Name -> (least, greatest) number of arguments."""
MOST_CHARACTERS = 2_000
MOST_DEPTH = 40
GREATEST_NUMBER = 1e15
_PER = ("s", "km", "min", "h")
"""What may stand after the slash of a unit that is no word of its own, as in `3 celsius/s`."""


class ExpressionError(Exception):
    """An expression that cannot be used. `column` is 1-based in the expression's text; `mend` says what to do."""

    def __init__(self, what: str, column: int, mend: str = "") -> None:
        super().__init__(what)
        self.what, self.column, self.mend = what, column, mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any part of an expression; `at` is its 1-based column and no part of its identity."""

    at: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Node):
    """A literal; `unit` None means that it takes the unit of what it is compared with or added to."""

    value: float
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """A name as written; binding replaces it by a `Signal` or a `Parameter`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Node):
    """A VSS signal."""

    path: str
    unit: Unit = NONE
    boolean: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Node):
    """A parameter of the rule; its value is looked up in the rule."""

    name: str
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dtc(Node):
    """What ECUs report (`rules.report_words`): `?` in the pattern stands for one character, `*` for any.

    Attributes:
        asks: "dtc", "new_dtc", "lamp", "ready" or "freeze_frame". status: second argument of dtc, "" without one.
        signal: second argument of freeze_frame.
    """

    pattern: str
    asks: str = "dtc"
    status: str = ""
    signal: Name | Signal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """An operator or function on its arguments: `+ - * / neg abs min max clamp`, a comparison, `and or not`."""

    name: str
    args: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node."""
    return node.args if isinstance(node, Call) else ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, in the order written."""
    yield node
    for child in children(node):
        yield from walk(child)


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r'|(?P<string>"[^"]*"|\'[^\']*\')'
    r"|(?P<operator><=|>=|==|!=|[-+*/()<>,%]))"
)
_INFIX = {"or": 10, "and": 20, **dict.fromkeys(COMPARISONS, 40), "+": 50, "-": 50, "*": 60, "/": 60}
_NOT_POWER, _MINUS_POWER = 30, 70
_MENDS = {"=": "write == to compare", "&": "write and", "|": "write or", "!": "write not"}

Token = tuple[str, str, int]
"""(kind, text, 1-based column)."""


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            column = position + len(text[position:]) - len(text[position:].lstrip()) + 1
            character = text[column - 1]
            raise ExpressionError(f"unexpected character {character!r}", column, _MENDS.get(character, "remove it"))
        kind = match.lastgroup or ""
        tokens.append((kind, match[kind], match.start(kind) + 1))
        position = match.end()
    return [*tokens, ("end", "", len(text) + 1)]


def parse(text: str) -> Node:
    """The expression as a tree, names still as written.

    Raises:
        ExpressionError: it is not an expression; names the column and the mend.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"is longer than {MOST_CHARACTERS} characters", MOST_CHARACTERS, "split it into several rules")
    parser = _Parser(_tokens(text))
    node = parser.expression(0)
    kind, rest, column = parser.peek()
    if kind != "end":
        raise ExpressionError(f"unexpected {rest!r}", column, "put an operator before it or remove it")
    return node


class _Parser:
    """Operator precedence by binding power (Pratt 1973)."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def peek(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def expression(self, power: int) -> Node:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise ExpressionError(f"is nested more than {MOST_DEPTH} deep", self.peek()[2], "write it more simply")
        node = self._infix(power)
        self._depth -= 1
        return node

    def _infix(self, power: int) -> Node:
        left = self._prefix()
        compared = False
        while True:
            kind, text, column = self.peek()
            binding = _INFIX.get(text, 0) if kind in ("operator", "name") else 0
            if binding <= power:
                return left
            if text in COMPARISONS:
                if compared:
                    raise ExpressionError("comparisons cannot be chained", column, "join two comparisons with and")
                compared = True
            self.take()
            left = Call(name=text, args=(left, self.expression(binding)), at=column)

    def _prefix(self) -> Node:
        kind, text, column = self.take()
        if kind == "number":
            if float(text) > GREATEST_NUMBER:
                raise ExpressionError(f"number {text[:20]} is too great", column, f"stay below {GREATEST_NUMBER:g}")
            return Number(value=float(text), unit=self._unit(), at=column)
        if kind == "name":
            return self._named(text, column)
        if text == "-":
            return _negated(self.expression(_MINUS_POWER), column)
        if text == "(":
            inner = self.expression(0)
            self._expect(")")
            return inner
        what = "the expression ends too early" if kind == "end" else f"unexpected {text!r}"
        raise ExpressionError(what, column, "a number, a name or ( belongs here")

    def _named(self, text: str, column: int) -> Node:
        if text == "not":
            return Call(name="not", args=(self.expression(_NOT_POWER),), at=column)
        if text in ("true", "false"):
            return Boolean(value=text == "true", at=column)
        if text in ("and", "or"):
            raise ExpressionError(f"unexpected {text!r}", column, "a number, a name or ( belongs here")
        if self.peek()[1] != "(":
            return Name(text=text, at=column)
        self.take()
        return self._reported(text, column) if text in PREDICATES else self._call(text, column)

    def _reported(self, asks: str, column: int) -> Node:
        pattern, at = self._string()
        pattern = pattern.upper() if "dtc" in asks or asks == "freeze_frame" else pattern
        self._refuse(pattern_mistake(asks, pattern), at)
        status, signal = "", None
        if asks == "freeze_frame":
            self._expect(",")
            kind, text, at = self.take()
            self._refuse(None if kind == "name" else ("freeze_frame() takes a signal", "name the value that it froze"), at)
            signal = Name(text=text, at=at)
        elif asks == "dtc" and self.peek()[1] == ",":
            self.take()
            status, at = self._string()
            self._refuse(status_mistake(status), at)
        self._expect(")")
        return Dtc(pattern=pattern, asks=asks, status=status, signal=signal, at=column)

    def _string(self) -> tuple[str, int]:
        """Its words, "" where there is no string, and its column."""
        kind, text, at = self.take()
        return (text[1:-1].strip() if kind == "string" else ""), at

    def _refuse(self, mistake: tuple[str, str] | None, column: int) -> None:
        if mistake is not None:
            raise ExpressionError(mistake[0], column, mistake[1])

    def _call(self, name: str, column: int) -> Node:
        if name not in FUNCTIONS:
            raise ExpressionError(f"unknown function {name!r}", column, f"functions are {', '.join((*FUNCTIONS, *PREDICATES))}")
        args = [self.expression(0)]
        while self.peek()[1] == ",":
            self.take()
            args.append(self.expression(0))
        self._expect(")")
        least, greatest = FUNCTIONS[name]
        if len(args) < least or (greatest is not None and len(args) > greatest):
            count = str(least) if least == greatest else f"at least {least}"
            raise ExpressionError(f"{name}() takes {count} values, not {len(args)}", column, "correct the call")
        return Call(name=name, args=tuple(args), at=column)

    def _unit(self) -> Unit | None:
        kind, text, column = self.peek()
        if (kind, text) != ("operator", "%") and (kind != "name" or text in ("and", "or", "not")):
            return None
        self.take()
        below = self._tokens[self._next + 1][1] if self.peek()[1] == "/" else ""
        if f"{text}/{below}" in unit_words() or (below in _PER and parse_unit(text) is not None):
            self.take()
            text = f"{text}/{self.take()[1]}"
        unit = parse_unit(text)
        if unit is None:
            raise ExpressionError(f"unknown unit {text!r}", column, "use a unit of the VSS catalogue, such as celsius, kPa, V, %")
        return unit

    def _expect(self, text: str) -> None:
        _, found, column = self.take()
        if found != text:
            raise ExpressionError(f"expected {text!r}, found {found or 'the end'!r}", column, f"put {text} there")


def _negated(node: Node, column: int) -> Node:
    if isinstance(node, Number):
        return Number(value=-node.value, unit=node.unit, at=column)
    return Call(name="neg", args=(node,), at=column)


def render(node: Node) -> str:
    """The expression as canonical text: whole VSS paths, parameters by name; parsing it gives the same tree."""
    return _render(node, 0)


def _render(node: Node, outer: int) -> str:
    match node:
        case Number(value=value, unit=unit):
            return f"{value:.15g}{f' {unit}' if unit is not None else ''}"
        case Boolean(value=value):
            return str(value).lower()
        case Dtc():
            return _render_reported(node)
        case Signal(path=name) | Name(text=name) | Parameter(name=name):
            return name
        case Call(name=name, args=args) if name in _INFIX:
            power = _INFIX[name]
            inner = f"{_render(args[0], power - (name not in COMPARISONS))} {name} {_render(args[1], power)}"
            return f"({inner})" if power <= outer else inner
        case Call(name="not", args=args):
            inner = f"not {_render(args[0], _NOT_POWER)}"
            return f"({inner})" if outer >= _NOT_POWER else inner
        case Call(name="neg", args=args):
            return f"-{_render(args[0], _MINUS_POWER)}"
        case Call(name=name, args=args):
            return f"{name}({', '.join(_render(arg, 0) for arg in args)})"
    raise ValueError(node)


def _render_reported(node: Dtc) -> str:
    more = f', "{node.status}"' if node.status else "" if node.signal is None else f", {_render(node.signal, 0)}"
    return f'{node.asks}("{node.pattern}"{more})'
