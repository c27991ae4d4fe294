"""Which rules judge, and with which figures: packs, overrides by fleet, model and vehicle, and what is usual for each model."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.errors import InputError
from domain.fleet import DEVELOPMENT_KEY
from rules.cohorts import NO_COHORTS, Cohorts, load_cohorts
from rules.overrides import NO_OVERRIDES, ParameterOverrides, load_overrides
from rules.pack import load_rules, pack_files
from rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Rules with their figures, read and checked."""

    rules: tuple[Rule, ...]
    overrides: ParameterOverrides = NO_OVERRIDES
    cohorts: Cohorts = NO_COHORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFiles:
    """Where they stand.

    Attributes:
        paths: packs, files or folders, None = the shipped ones. key: of the vehicles' pseudonyms (overrides name VINs).
    """

    paths: tuple[Path, ...] | None = None
    overrides: Path | None = None
    cohorts: Path | None = None
    key: bytes = DEVELOPMENT_KEY

    def read(self) -> RuleSet:
        """All of it.

        Raises:
            InputError: the first thing wrong, with file, line and mend.
        """
        rules = load_rules(self.paths)
        return RuleSet(
            rules=rules,
            overrides=load_overrides(self.overrides, rules, self.key) if self.overrides else NO_OVERRIDES,
            cohorts=load_cohorts(self.cohorts) if self.cohorts else NO_COHORTS,
        )

    def marks(self) -> tuple[tuple[str, int, int], ...]:
        """Name, time of change and size of every file: other marks mean that something was changed."""
        return tuple((str(file), *_mark(file)) for file in self._files())

    def _files(self) -> Iterator[Path]:
        yield from pack_files(self.paths)
        yield from (file for file in (self.overrides, self.cohorts) if file is not None)


SHIPPED = RuleFiles()


class CurrentRules:
    """The rules as the files have them now; while these hold a mistake, those before (as in the pipeline).

    Raises:
        InputError: when made, and there is something wrong with the files already.
    """

    def __init__(self, files: RuleFiles) -> None:
        self._files, self._lock = files, threading.Lock()
        self._marks, self._rules = files.marks(), files.read().rules

    def __call__(self) -> tuple[Rule, ...]:
        """Read again only where a file has changed."""
        with self._lock:
            marks = self._files.marks()
            if marks != self._marks:
                self._marks = marks
                with contextlib.suppress(InputError):  # the pipeline logs it
                    self._rules = self._files.read().rules
            return self._rules


def _mark(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, -1
    return found.st_mtime_ns, found.st_size
