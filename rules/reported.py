"""What ECUs report, as columns of the rule kernel: `dtc("P030?")`, `lamp("red_stop")` … become signals sampled by reports.

A code has a status (`rules.report_words`) from the first list that says so until a later complete list of the same ECU and kind
says otherwise or lacks it, or it is cleared. Before the first list that can tell a status it is unknown, and so are lamps,
monitors and freeze frames before they are told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import CodeList, DtcBatch, DtcReport
from rules.expression import Dtc
from rules.kernel import NEVER
from rules.report_words import NEW, TELLING
from rules.told import Told

matches = lru_cache(65_536)(fnmatchcase)
"""Whether a code or monitor matches a pattern."""

Held = frozenset[tuple[str, str]]
"""(code, status) of all lists of a vehicle."""

Rows = tuple[NDArray[np.int64], list[str], NDArray[np.int32], NDArray[np.float64]]
"""time_ns, vehicle, number of the predicate, its value: of truth 1.0 or 0.0; NaN = unknown."""


class Reported:
    """Carried per vehicle: what a predicate could ask for (`rules.told.Told`).

    Args:
        predicates: bound; each is a column.
    """

    def __init__(self, predicates: Sequence[Dtc]) -> None:
        self._predicates = tuple(predicates)
        self._of_codes = [p for p, node in enumerate(predicates) if "dtc" in node.asks]
        self._of = {asks: [p for p, node in enumerate(predicates) if node.asks == asks] for asks in _NOT_OF_CODES}
        self._fresh = [p for p in self._of_codes if predicates[p].asks == "new_dtc"]
        self._kinds = frozenset[CodeList]().union(*(TELLING[_status(predicates[p])] for p in self._of_codes))
        self._told: dict[str, Told] = {}
        self._history: dict[str, list[tuple[int, Held]]] = {}

    def apply(self, samples: SampleBatch, dtcs: DtcBatch) -> Rows:
        """The rows that reports and ends of drives give, by vehicle and time."""
        self._history = {}
        rows: list[tuple[int, str, int, float]] = []
        for vehicle, time_ns, report in self._in_order(samples, dtcs) if self._predicates else ():
            told = self._told.get(vehicle)
            if told is None and report is not None and self._concerns(report):
                told = self._told[vehicle] = Told()
            if told is None:
                continue
            history = self._history.setdefault(vehicle, [(NEVER, told.held())])
            asked = self._ends(told) if report is None else self._takes(told, report)
            rows += [(time_ns, vehicle, p, self._value(told, self._predicates[p])) for p in asked]
            history.append((time_ns, told.held()))
        return (
            np.array([row[0] for row in rows], np.int64),
            [row[1] for row in rows],
            np.array([row[2] for row in rows], np.int32),
            np.array([row[3] for row in rows], np.float64),
        )

    def matching(self, vehicle: str, predicate: Dtc, time_ns: int) -> tuple[str, ...]:
        """The codes that match `dtc` or `new_dtc` at a time that the last `apply` covers."""
        history = self._history.get(vehicle)
        if history is not None:
            held = history[bisect_right(history, time_ns, key=itemgetter(0)) - 1][1]
        else:
            held = self._told[vehicle].held() if vehicle in self._told else frozenset()
        status = _status(predicate)
        return tuple(sorted(code for code, word in held if word == status and matches(code, predicate.pattern)))

    def snapshot(self, vehicle: str) -> bytes:
        """What the vehicle has told as bytes, b"" where that is nothing."""
        told = self._told.get(vehicle)
        return b"" if told is None else told.to_bytes()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set it from `snapshot`.

        Raises:
            ValueError: of another format.
        """
        self.forget(vehicle)
        if state:
            self._told[vehicle] = Told.from_bytes(state)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle."""
        self._told.pop(vehicle, None)
        self._history.pop(vehicle, None)

    def _in_order(self, samples: SampleBatch, dtcs: DtcBatch) -> list[tuple[str, int, DtcReport | None]]:
        """Reports, and ends of drives (None) where a predicate asks for the drive; the reports of one time first."""
        rows: list[tuple[str, int, DtcReport | None]] = [
            (dtcs.vehicles[report.vehicle], report.time_ns, report) for report in dtcs
        ]
        if self._fresh:
            ends = (samples.signal == TICK_SIGNAL) & (samples.value == TickKind.END_OF_DRIVE)
            rows += [
                (samples.vehicles[samples.vehicle[row]], int(samples.time_ns[row]), None) for row in np.flatnonzero(ends).tolist()
            ]
        return sorted(rows, key=lambda row: (row[0], row[1], row[2] is None))

    def _concerns(self, report: DtcReport) -> bool:
        if report.kind in self._kinds:
            return True
        lamps = report.lamps is not None or (report.monitors is not None and report.monitors.lamp_on >= 0)
        return bool(
            (lamps and self._of["lamp"])
            or (report.monitors is not None and self._of["ready"])
            or (report.freeze and self._of["freeze_frame"])
        )

    def _takes(self, told: Told, report: DtcReport) -> list[int]:
        """Note the report; gives the predicates that it samples."""
        if report.kind is CodeList.CLEARED:
            return self._clears(told, report)
        asked: list[int] = []
        if report.kind in self._kinds:
            told.take_list(report, lambda code: any(matches(code, self._predicates[p].pattern) for p in self._of_codes))
            asked += self._telling({report.kind})
        if self._of["lamp"]:
            lit = told.take_lamps(report)
            asked += [p for p in self._of["lamp"] if self._predicates[p].pattern in lit]
        if self._of["ready"] and told.take_monitors(report):
            asked += self._of["ready"]
        for p in self._of["freeze_frame"]:
            node = self._predicates[p]
            path = getattr(node.signal, "path", "")
            if told.take_freeze(report, path, lambda code, node=node: matches(code, node.pattern)):  # type: ignore[misc]  # the default binds the loop's value
                asked.append(p)
        return asked

    def _clears(self, told: Told, report: DtcReport) -> list[int]:
        kinds, others = told.clear(report)
        return [*self._telling(kinds), *(p for asks in others for p in self._of[asks])]

    def _ends(self, told: Told) -> list[int]:
        told.end_drive()
        return [p for p in self._fresh if told.is_told(TELLING[NEW])]

    def _telling(self, kinds: Iterable[CodeList]) -> list[int]:
        """The predicates of codes that lists of these kinds sample."""
        wanted = set(kinds)
        return [p for p in self._of_codes if wanted & TELLING[_status(self._predicates[p])]]

    def _value(self, told: Told, node: Dtc) -> float:
        if node.asks == "lamp":
            return told.lamp(node.pattern)
        if node.asks == "ready":
            return told.ready(lambda name: matches(name, node.pattern))
        if node.asks == "freeze_frame":
            return told.frozen(getattr(node.signal, "path", ""), lambda code: matches(code, node.pattern))
        status = _status(node)
        if not told.is_told(TELLING[status], whole=status == NEW):
            return float("nan")
        return float(any(word == status and matches(code, node.pattern) for code, word in told.held()))


_NOT_OF_CODES = ("lamp", "ready", "freeze_frame")


def _status(node: Dtc) -> str:
    return NEW if node.asks == "new_dtc" else node.status
