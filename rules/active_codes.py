"""Which trouble codes are active, as columns of the rule kernel: `dtc("P030?")` becomes a signal sampled by every report.

A code is active from the first report that holds it as active or confirmed (`domain.code_state`) until a later complete list
of the same ECU and kind lacks it or it is cleared. Pending, permanent and history codes say nothing about activity. Before the
first such list it is unknown.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from fnmatch import fnmatchcase
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from domain.code_state import code_state
from domain.trouble_codes import CodeList, DtcBatch, DtcReport, Protocol, TroubleCode
from rules.kernel import NEVER

FORMAT = 1
_ACTIVE_LISTS = (CodeList.STORED, CodeList.ACTIVE, CodeList.EMISSION, CodeList.UDS_BY_STATUS, CodeList.UDS_SUPPORTED)

_ALL_ADDRESSES = 255

List = tuple[str, int, int, int]
"""(bus, ECU, protocol, kind): one list of codes that an ECU keeps."""

Rows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""time_ns, vehicle (of the batch), pattern, 1.0 active | 0.0 not."""


class ActiveCodes:
    """Carried per vehicle: the codes of each list that a pattern could ask for."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._lists: dict[str, dict[List, frozenset[str]]] = {}
        self._history: dict[str, list[tuple[int, frozenset[str]]]] = {}

    def apply(self, dtcs: DtcBatch) -> Rows:
        """One row per report and pattern, in the batch's order."""
        self._history = {}
        time_ns: list[int] = []
        vehicle: list[int] = []
        value: list[float] = []
        for report in dtcs if self._patterns else ():
            if report.kind in _ACTIVE_LISTS or self._clears(dtcs.vehicles[report.vehicle], report):
                value += self._apply_report(dtcs.vehicles[report.vehicle], report)
                time_ns += [report.time_ns] * len(self._patterns)
                vehicle += [report.vehicle] * len(self._patterns)
        pattern = np.tile(np.arange(len(self._patterns), dtype=np.int32), len(value) // max(1, len(self._patterns)))
        return np.array(time_ns, np.int64), np.array(vehicle, np.int32), pattern, np.array(value, np.float64)

    def _apply_report(self, vehicle: str, report: DtcReport) -> list[float]:
        lists = self._lists.setdefault(vehicle, {})
        history = self._history.setdefault(vehicle, [(NEVER, _union(lists))])
        if report.kind is CodeList.CLEARED:
            for key in lists:
                if _is_of(key, report):
                    lists[key] = frozenset() if report.complete else lists[key] - {code.code for code in report.codes}
        else:
            kind = CodeList.UDS_BY_STATUS if report.kind is CodeList.UDS_SUPPORTED else report.kind
            key = (report.bus, report.source, int(report.protocol), int(kind))
            before = frozenset() if report.complete else lists.get(key, frozenset())
            told = {code.code for code in report.codes}
            lists[key] = (before - told) | {code.code for code in report.codes if self._counts(report, code)}
        codes = _union(lists)
        history.append((report.time_ns, codes))
        return [float(any(fnmatchcase(code, pattern) for code in codes)) for pattern in self._patterns]

    def _clears(self, vehicle: str, report: DtcReport) -> bool:
        """Codes of a known list are cleared; DM3 concerns codes that are not active anyway."""
        if report.kind is not CodeList.CLEARED or report.message == "DM3":
            return False
        return any(_is_of(key, report) for key in self._lists.get(vehicle, ()))

    def _counts(self, report: DtcReport, code: TroubleCode) -> bool:
        state = code_state(report, code)
        return state is not None and state.firm and any(fnmatchcase(code.code, pattern) for pattern in self._patterns)

    def matching(self, vehicle: str, pattern: str, time_ns: int) -> tuple[str, ...]:
        """The codes that match and were active at a time that the last `apply` covers."""
        history = self._history.get(vehicle)
        if history is None:
            codes = _union(self._lists.get(vehicle, {}))
        else:
            codes = history[bisect_right(history, time_ns, key=itemgetter(0)) - 1][1]
        return tuple(sorted(code for code in codes if fnmatchcase(code, pattern)))

    def snapshot(self, vehicle: str) -> bytes:
        """The vehicle's lists as bytes, b"" where it has none."""
        lists = self._lists.get(vehicle)
        if not lists:
            return b""
        rows = [[*key, sorted(codes)] for key, codes in sorted(lists.items())]
        return json.dumps([FORMAT, rows], separators=(",", ":")).encode()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's lists from `snapshot`."""
        self.forget(vehicle)
        if state:
            form, rows = json.loads(state)
            if form != FORMAT:
                raise ValueError(f"code lists of format {form}, not {FORMAT}")
            self._lists[vehicle] = {(bus, ecu, protocol, kind): frozenset(codes) for bus, ecu, protocol, kind, codes in rows}

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's lists."""
        self._lists.pop(vehicle, None)
        self._history.pop(vehicle, None)


def _is_of(key: List, report: DtcReport) -> bool:
    """The list belongs to the ECU (J1939 address 255: to any) that reports."""
    bus, ecu, protocol, _ = key
    is_j1939 = protocol == Protocol.J1939
    if bus != report.bus or is_j1939 != (report.protocol is Protocol.J1939):
        return False
    return report.source == ecu or (is_j1939 and report.source == _ALL_ADDRESSES)


def _union(lists: dict[List, frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*lists.values())
