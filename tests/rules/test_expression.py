"""The rule language: parsing, meaning, names and units."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.binding import bind, resolve_path
from rules.expression import Boolean, Call, Dtc, ExpressionError, Name, Node, Number, parse, render
from rules.meaning import evaluate
from rules.units import Unit, parse_unit

NAN = math.nan


def value(text: str) -> float:
    node, _ = bind(parse(text), {})
    return evaluate(node, {}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 3 - 2", 5.0),
        ("12 / 3 / 2", 2.0),
        ("-2 * -3", 6.0),
        ("- (2 + 1)", -3.0),
        ("abs(-4)", 4.0),
        ("min(3, 1, 2)", 1.0),
        ("max(3, 1, 2)", 3.0),
        ("clamp(9, 1, 5)", 5.0),
        ("clamp(-9, 1, 5)", 1.0),
        ("1.5e3 + .5", 1500.5),
        ("1 < 2 and not 2 < 1", 1.0),
        ("1 > 2 or 2 >= 2", 1.0),
        ("not 1 < 2 or 1 < 2", 1.0),
        ("1 < 2 or 1 < 2 and 2 < 1", 1.0),
        ("115 celsius > 114 celsius", 1.0),
        ("20 % <= 20 percent", 1.0),
    ],
)
def test_operators_bind_as_in_school(text: str, expected: float) -> None:
    assert value(text) == expected


TRUE, FALSE, UNKNOWN = "1 < 2", "2 < 1", "Vehicle.Speed > 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{FALSE} and {UNKNOWN}", 0.0),
        (f"{UNKNOWN} and {FALSE}", 0.0),
        (f"{TRUE} and {UNKNOWN}", NAN),
        (f"{TRUE} or {UNKNOWN}", 1.0),
        (f"{UNKNOWN} or {TRUE}", 1.0),
        (f"{FALSE} or {UNKNOWN}", NAN),
        (f"not ({UNKNOWN})", NAN),
        ("Vehicle.Speed + 1 > 0", NAN),
        ("1 / 0 > 0", NAN),
        ("abs(Vehicle.Speed) != 1", NAN),
        ("max(Vehicle.Speed, 1) > 0", NAN),
    ],
)
def test_unknown_is_neither_true_nor_false(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, nan_ok=True)


def numbers() -> st.SearchStrategy[Node]:
    leaves = st.one_of(
        st.integers(-5, 5).map(lambda number: Number(value=float(number))),
        st.sampled_from(["speed", "limit", "Vehicle.Speed"]).map(lambda text: Name(text=text)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda op, a, b: Call(name=op, args=(a, b)), st.sampled_from("+-*/"), inner, inner),
            st.builds(lambda name, a, b: Call(name=name, args=(a, b)), st.sampled_from(["min", "max"]), inner, inner),
            inner.filter(lambda node: not isinstance(node, Number)).map(lambda node: Call(name="neg", args=(node,))),
        ),
        max_leaves=8,
    )


def conditions() -> st.SearchStrategy[Node]:
    leaves = st.one_of(
        st.booleans().map(lambda truth: Boolean(value=truth)),
        st.just(Dtc(pattern="P030?")),
        st.sampled_from(["pending", "test_failed"]).map(lambda status: Dtc(pattern="P0*", status=status)),
        st.just(Dtc(pattern="red_stop", asks="lamp")),
        st.just(Dtc(pattern="catalyst", asks="ready")),
        st.just(Dtc(pattern="P0301", asks="freeze_frame", signal=Name(text="Vehicle.Speed"))),
        st.builds(lambda op, a, b: Call(name=op, args=(a, b)), st.sampled_from(["<", ">=", "=="]), numbers(), numbers()),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda op, a, b: Call(name=op, args=(a, b)), st.sampled_from(["and", "or"]), inner, inner),
            inner.map(lambda node: Call(name="not", args=(node,))),
        ),
        max_leaves=8,
    )


@given(st.one_of(numbers(), conditions()))
def test_canonical_text_parses_to_the_same_tree(node: Node) -> None:
    assert parse(render(node)) == node


def mistake_in(text: str) -> ExpressionError | None:
    try:
        parse(text)
    except ExpressionError as problem:
        return problem
    return None


@given(st.text(alphabet="()<>=!+-*/.,% \"'andortuceVPilmx0159_", max_size=30))
def test_any_text_is_an_expression_or_a_named_mistake(text: str) -> None:
    problem = mistake_in(text)
    assert problem is None or (1 <= problem.column <= len(text) + 1 and problem.mend)


@pytest.mark.parametrize(
    ("text", "column", "what", "mend"),
    [
        ("1 +", 4, "ends too early", "belongs here"),
        ("1 = 2", 3, "unexpected character '='", "write =="),
        ("1 < 2 < 3", 7, "cannot be chained", "with and"),
        ("(1 + 2", 7, "expected ')'", "put )"),
        ("1 2", 3, "unexpected '2'", "operator"),
        ("sqrt(2)", 1, "unknown function 'sqrt'", "abs, min"),
        ("min(1)", 1, "at least 2 values", "correct"),
        ("clamp(1, 2)", 1, "takes 3 values", "correct"),
        ("dtc(P0301)", 5, "in quotes", 'dtc("P0301")'),
        ("5 furlongs", 3, "unknown unit 'furlongs'", "VSS catalogue"),
        ("__import__('os')", 1, "unknown function", "functions are"),
        ("a @ b", 3, "unexpected character '@'", "remove"),
    ],
)
def test_mistakes_name_their_column_and_the_mend(text: str, column: int, what: str, mend: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.column == column
    assert what in caught.value.what
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("EngineCoolant.Temprature > 1", "unknown signal", "'EngineCoolant.Temperature'"),
        ("Speed > 1", "ambiguous", "Vehicle.Speed"),
        ("limt > 1", "unknown signal 'limt'", "'limit'"),
        ("Vehicle.Speed > 100 kPa", "mixes km/h and kPa", "convert it to km/h"),
        ("Vehicle.Speed > limit", "mixes km/h and celsius", "convert"),
        ("Vehicle.Speed + EOP > 3", "mixes km/h and kPa", "convert"),
        ("Vehicle.Speed and true", "needs conditions", "compare"),
        ("Charging.IsCharging > 1", "needs numbers", "and, or, not"),
        ("min(Vehicle.Speed, EOP) > 1", "mixes", "convert"),
    ],
)
def test_names_and_units_must_fit(text: str, what: str, mend: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        bind(parse(text), {"limit": parse_unit("celsius")})
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_products_and_quotients_have_the_units_of_physics() -> None:
    _, ohm_per_volt = bind(parse("InsulationResistance / TractionBattery.CurrentVoltage"), {})
    assert isinstance(ohm_per_volt, Unit)
    assert str(ohm_per_volt) == "kOhm/V"
    assert ohm_per_volt == parse_unit("kOhm/V")
    _, share = bind(parse("EOP / MAP"), {})
    assert share == parse_unit("")
    _, power = bind(parse("TractionBattery.CurrentVoltage * TractionBattery.CurrentCurrent"), {})
    assert power == parse_unit("A*V")


def test_a_path_is_found_by_any_tail_that_is_unique() -> None:
    path = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
    assert {
        resolve_path(path),
        resolve_path("EngineCoolant.Temperature"),
        resolve_path("CombustionEngine.EngineCoolant.Temperature"),
    } == {path}
    assert resolve_path("Vehicle.Speed") == "Vehicle.Speed"
