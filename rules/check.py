"""Checks rule packs without running them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domain.errors import DataFileError, InputError
from domain.fleet import DEVELOPMENT_KEY
from rules.cohorts import load_cohorts
from rules.overrides import load_overrides
from rules.pack import read_packs


def check(paths: Sequence[Path] | None = None, *, overrides: Path | None = None, cohorts: Path | None = None) -> list[InputError]:
    """Everything wrong with these packs (None = the shipped ones), in file order: unknown or ambiguous signals, units that
    differ, missing translations, unknown or unused parameters, unknown placeholders, durations, a `clear_when` that can hold
    together with `when`, ids that stand twice. Each error names file, line, column in the expression and a mend. Of overrides
    (once the rules are right) and of a table of cohorts the first mistake.
    """
    rules, problems = read_packs(paths)
    found: list[InputError] = [*problems]
    try:
        if overrides is not None and not problems:
            load_overrides(overrides, rules, DEVELOPMENT_KEY)
        if cohorts is not None:
            load_cohorts(cohorts)
    except DataFileError as problem:
        found.append(problem)
    return found
