"""Checks rule packs without running them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domain.errors import RuleError
from rules.pack import read_packs


def check(paths: Sequence[Path] | None = None) -> list[RuleError]:
    """Everything wrong with these packs (None = the shipped ones), in file order: unknown or ambiguous signals, units that
    differ, missing translations, unknown or unused parameters, unknown placeholders, durations, a `clear_when` that can hold
    together with `when`, ids that stand twice. Each error names file, line, column in the expression and a mend.
    """
    return read_packs(paths)[1]
