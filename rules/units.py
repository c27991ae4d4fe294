"""Units of the rule language: products of unit words with whole exponents, such as `celsius`, `kOhm/V` or `km/h`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from domain.vss import catalogue


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of unit words; `factors` holds (word, exponent), sorted by word, without zero exponents."""

    factors: tuple[tuple[str, int], ...] = ()

    def __mul__(self, other: Unit) -> Unit:
        return self._combine(other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return self._combine(other, -1)

    def _combine(self, other: Unit, sign: int) -> Unit:
        exponents = dict(self.factors)
        for word, exponent in other.factors:
            exponents[word] = exponents.get(word, 0) + sign * exponent
        return Unit(tuple(sorted((word, n) for word, n in exponents.items() if n)))

    def __str__(self) -> str:
        above = "*".join(_power(word, n) for word, n in self.factors if n > 0)
        below = "".join(f"/{_power(word, -n)}" for word, n in self.factors if n < 0)
        return f"{above or ('1' if below else '')}{below}"


NONE = Unit()
"""A pure number."""


def _power(word: str, exponent: int) -> str:
    return word if exponent == 1 else f"{word}^{exponent}"


_OF_WINDOWS = frozenset({"ms", "s", "min", "h", "m", "km", "engine_min", "engine_h"})
"""What lengths of windows are written in, besides what signals are."""


@cache
def unit_words() -> frozenset[str]:
    """Every word that may stand for a unit: those of the VSS catalogue (`km/h` is one word there)."""
    return _OF_WINDOWS | {signal.unit for signal in catalogue().values() if signal.unit}


def parse_unit(text: str) -> Unit | None:
    """`kOhm/V` -> Unit; "%" is percent; "" is a pure number; None where a word is no unit."""
    text = text.strip().replace("%", "percent")
    if not text:
        return NONE
    if text in unit_words():
        return Unit(((text, 1),))
    above, *below = text.split("/")
    words = above.split("*") if above != "1" else []
    result = NONE
    for word, sign in [(word.strip(), 1) for word in words] + [(word.strip(), -1) for word in below]:
        if word not in unit_words():
            return None
        result = result * Unit(((word, sign),))
    return result
