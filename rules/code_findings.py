"""Turns trouble codes themselves into findings of source kind "dtc"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from domain.findings import Finding, Transition
from domain.ports import CodeTable
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import NOT_AVAILABLE, CodeList, DtcBatch, DtcReport, Protocol, TroubleCode
from rules.code_finding_text import code_finding
from rules.code_level import levels, standing
from rules.code_state import CodeCase, Episode, Listing, ListKey

SECOND_NS = 1_000_000_000
UNKNOWN_COUNT = 127
"""J1939 occurrence count: not available."""


def source_id(report: DtcReport, code: str) -> str:
    """Stable id of a code: `P0301`; of a J1939 code with its ECU's address: `SPN102/FMI3/SA0`."""
    return f"{code}/SA{report.source}" if report.protocol is Protocol.J1939 else code


class CodeFindings:
    """Raises each trouble code when it is first listed, repeats on change, clears (`domain.ports.FindingStage`).

    - Stored, confirmed and active codes have the level of the code table, the failure mode and the lamps; pending, permanent
      and history ones are low.
    - A finding repeats when its level changes (pending becomes stored, a lamp comes on), the occurrence count changes or a
      freeze frame tells something new; a list that only says the same again finds nothing.
    - A code clears once complete lists of the same ECU and kind have lacked it for `clear_after_s` of event time, seen at the
      next such list or tick.

    Args:
        table: what is known of codes.
        clear_after_s: bridges ECUs that drop a code for moments.
    """

    name = "codes"
    version = "1"

    def __init__(self, table: CodeTable, *, clear_after_s: float = 60.0) -> None:
        self._lookup = cache(table.lookup)
        self._clear_after_ns = round(clear_after_s * SECOND_NS)
        self._cases: dict[str, CodeCase] = {}

    def evaluate(self, samples: SampleBatch, dtcs: DtcBatch) -> list[Finding]:
        """Findings sorted by (vehicle, time, source id)."""
        findings: list[Finding] = []
        for vehicle, time_ns, report in _in_order(samples, dtcs):
            if report is not None:
                findings += self._apply(vehicle, report)
            elif vehicle in self._cases:
                findings += self._expire(vehicle, time_ns, self._cases[vehicle].lists)
        findings.sort(key=lambda finding: (finding.vehicle, finding.time_ns, finding.source.id))
        return findings

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's lists and episodes; None where it has none."""
        case = self._cases.get(vehicle)
        return case.to_bytes() if case else None

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`."""
        self._cases[vehicle] = CodeCase.from_bytes(state)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._cases.pop(vehicle, None)

    def _apply(self, vehicle: str, report: DtcReport) -> Iterator[Finding]:
        case = self._cases.setdefault(vehicle, CodeCase())
        kind = CodeList.STORED if report.kind is CodeList.FREEZE_FRAME else report.kind
        key = (report.bus, report.source, int(report.protocol), int(kind))
        if case.says_the_same(key, report):
            return
        codes = _distinct(report)
        listings = case.lists.setdefault(key, {})
        for code, level in zip(codes, levels(report, codes, self._lookup), strict=True):
            before = listings.get(code.code)
            counted = _counts_anew(before, code)
            occurrence = before.occurrence if before is not None and not _count_known(code) else code.occurrence
            held = standing(report, code)
            listings[code.code] = Listing(
                source_id=source_id(report, code.code), level=level, standing=str(held), occurrence=occurrence
            )
            yield from self._settle(vehicle, case, report, code, counted=counted)
        if report.complete and report.kind is not CodeList.FREEZE_FRAME:
            listed = {code.code for code in codes}
            for name in [name for name in listings if name not in listed]:
                listings[name] = listings[name].missing_since(report.time_ns)
            yield from self._expire(vehicle, report.time_ns, [key])

    def _settle(self, vehicle: str, case: CodeCase, report: DtcReport, code: TroubleCode, *, counted: bool) -> Iterator[Finding]:
        """Raise or repeat a listed code where something is new."""
        name = source_id(report, code.code)
        level = case.level(name)
        episode = case.episodes.get(name)
        known = {} if episode is None else dict(episode.freeze)
        freeze = [value for value in report.freeze if known.get(value.signal) != value.value]
        changed = episode is not None and (level != episode.level or counted or bool(freeze))
        if episode is not None and not changed:
            return
        known.update({value.signal: value.value for value in freeze})
        case.episodes[name] = Episode(code=code.code, level=level, freeze=tuple(known.items()))
        yield code_finding(
            vehicle=vehicle,
            source_id=name,
            transition=Transition.RAISED if episode is None else Transition.REPEATED,
            time_ns=report.time_ns,
            info=self._lookup(code.code),
            level=level,
            standing=str(standing(report, code)),
            report=report,
            code=code,
        )

    def _expire(self, vehicle: str, time_ns: int, keys: Iterable[ListKey]) -> Iterator[Finding]:
        """Drop what has been missing long enough; clear codes that no list holds any more, repeat those held less firmly."""
        case = self._cases[vehicle]
        dropped: dict[str, Listing] = {}
        for key in list(keys):
            for name, listing in list(case.lists[key].items()):
                if listing.missing_ns is not None and time_ns - listing.missing_ns >= self._clear_after_ns:
                    dropped[listing.source_id] = case.lists[key].pop(name)
        for name in sorted(dropped):
            episode = case.episodes[name]
            holders = case.holders(name)
            level = case.level(name) if holders else episode.level
            if holders and level == episode.level:
                continue
            if holders:
                case.episodes[name] = Episode(code=episode.code, level=level, freeze=episode.freeze)
            else:
                del case.episodes[name]
            yield code_finding(
                vehicle=vehicle,
                source_id=name,
                transition=Transition.REPEATED if holders else Transition.CLEARED,
                time_ns=time_ns,
                info=self._lookup(episode.code),
                level=level,
                standing=holders[0].standing if holders else "",
            )


def _in_order(samples: SampleBatch, dtcs: DtcBatch) -> list[tuple[str, int, DtcReport | None]]:
    """Reports and ticks by vehicle and time; the reports of one time before its ticks, in the order given."""
    ticks = np.flatnonzero(samples.signal == TICK_SIGNAL).tolist()
    rows: list[tuple[str, int, DtcReport | None]] = [(dtcs.vehicles[report.vehicle], report.time_ns, report) for report in dtcs]
    rows += [(samples.vehicles[samples.vehicle[tick]], int(samples.time_ns[tick]), None) for tick in ticks]
    return sorted(rows, key=lambda row: (row[0], row[1], row[2] is None))


def _distinct(report: DtcReport) -> list[TroubleCode]:
    """Each code once: some ECUs list one twice (with other counts or failure types); the firmest, then most counted one stands."""
    best: dict[str, tuple[tuple[bool, int], TroubleCode]] = {}
    for code in report.codes:
        held = standing(report, code)
        if held is None:
            continue
        rank = (held.firm, code.occurrence if _count_known(code) else NOT_AVAILABLE)
        if code.code not in best or rank > best[code.code][0]:
            best[code.code] = (rank, code)
    return [code for _, code in best.values()]


def _count_known(code: TroubleCode) -> bool:
    return code.occurrence not in (NOT_AVAILABLE, UNKNOWN_COUNT)


def _counts_anew(before: Listing | None, code: TroubleCode) -> bool:
    """The ECU counts another occurrence than before."""
    return before is not None and _count_known(code) and before.occurrence != code.occurrence
