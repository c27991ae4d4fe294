"""Turns trouble codes themselves into findings of source kind "dtc"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache

import numpy as np

from domain.code_state import CodeState, code_state
from domain.codes import CodeInfo
from domain.findings import Finding, Transition
from domain.ports import CodeTable
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import NOT_AVAILABLE, CodeList, DtcBatch, DtcReport, Protocol, StatusBit, TroubleCode
from rules.code_finding_text import code_finding
from rules.code_level import ON, RED_STOP_LAMP, levels, watch_level
from rules.code_state import DETAIL_KINDS, CodeCase, Episode, Listing, ListKey

SECOND_NS = 1_000_000_000
UNKNOWN_COUNT = 127
"""J1939 occurrence count: not available."""


_SILENT_KINDS = (CodeList.TEST_RESULTS, CodeList.IDENTIFICATION)
_LIST_OF = {
    CodeList.FREEZE_FRAME: CodeList.STORED,
    CodeList.UDS_SUPPORTED: CodeList.UDS_BY_STATUS,
    CodeList.SNAPSHOT: CodeList.UDS_BY_STATUS,
    CodeList.EXTENDED_DATA: CodeList.UDS_BY_STATUS,
}
"""Reports that tell of the codes of another list."""
_ONE_ECU = (Protocol.OBD, Protocol.UDS)
"""Protocols by which one ECU answers under one identifier."""
_ALL_ADDRESSES = 255
_CLEARS_HISTORY = "DM3"

Held = tuple[TroubleCode, CodeState]


def source_id(report: DtcReport, code: str, ecu: int | None = None) -> str:
    """Stable id of a code: `P0301`; of a J1939 code with its ECU's address: `SPN102/FMI3/SA0`.

    `ecu`: number of the ECU (`CodeCase.ecu`) where it is not its address.
    """
    if report.protocol is not Protocol.J1939:
        return code
    number = report.source if ecu is None else ecu
    return f"{code}/SA{number & 0xFF}" + (f".{number >> 8}" if number > 0xFF else "")


class CodeFindings:
    """Raises each trouble code when it is first listed, repeats on change, clears (`domain.ports.FindingStage`).

    - Active and confirmed codes have the level of the code table, the failure mode and the lamps; all others are low. A code
      that was never tested is no finding.
    - A finding repeats when its level changes (pending becomes stored, a lamp comes on), the occurrence count changes or a
      freeze frame tells something new; a list that only says the same again finds nothing.
    - A code clears once complete lists of the same ECU and kind have lacked it for `clear_after_s` of event time, seen at the
      next such list or tick.
    - A code that a tool has cleared is low but stays until its ECU tells that its self-tests have finished, for at most
      `unverified_for_s`: until then its absence says nothing.
    - A red stop lamp without any code of its ECU is a finding of its own, `lamp.red_stop/SA0`.

    Args:
        table: what is known of codes.
        clear_after_s: bridges ECUs that drop a code for moments.
        unverified_for_s: how long a cleared code waits for a self-test; many ECUs never tell (an estimate: a week).
    """

    name = "codes"
    version = "3"

    def __init__(self, table: CodeTable, *, clear_after_s: float = 60.0, unverified_for_s: float = 7 * 86_400.0) -> None:
        self._known = cache(table.lookup)
        self._clear_after_ns = round(clear_after_s * SECOND_NS)
        self._unverified_ns = round(unverified_for_s * SECOND_NS)
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

    def lower(self, vehicle: str, sources: Collection[str]) -> None:
        """The episodes of these codes are over: a list that still names one raises it anew."""
        case = self._cases.get(vehicle)
        if case is None:
            return
        for name in [name for name in sources if name in case.episodes]:
            del case.episodes[name]
            for listings in case.lists.values():
                for code in [code for code, item in listings.items() if item.source_id == name]:
                    del listings[code]
            case.latest.clear()

    def _lookup(self, code: str) -> CodeInfo:
        return RED_STOP_LAMP if code == RED_STOP_LAMP.code else self._known(code)

    def _apply(self, vehicle: str, report: DtcReport) -> Iterator[Finding]:
        tells_codes = report.kind not in (*_SILENT_KINDS, CodeList.STATUS, CodeList.CLEARED)
        tells_tests = report.monitors is not None and bool(report.monitors.complete)
        if not tells_codes and (report.kind in _SILENT_KINDS or (vehicle not in self._cases and not tells_tests)):
            return
        case = self._cases.setdefault(vehicle, CodeCase())
        ecu = case.ecu(report)
        if report.kind is CodeList.CLEARED:
            yield from self._clear(vehicle, case, report, ecu)
        elif report.kind is CodeList.STATUS:
            if report.monitors is not None:
                case.note_monitors(report.bus, ecu, report.monitors.complete)
            if report.monitors is not None and report.monitors.all_complete:
                _verify(case, report, ecu)
        else:
            yield from self._apply_list(vehicle, case, report, ecu)

    def _apply_list(self, vehicle: str, case: CodeCase, report: DtcReport, ecu: int) -> Iterator[Finding]:
        key = _list_key(report, ecu)
        if case.says_the_same(key, report):
            return
        listings = case.lists.setdefault(key, {})
        codes = _held(report, listings)
        _note_passed(case, report, ecu, listings)
        for (code, state), level in zip(codes, levels(report, codes, self._lookup), strict=True):
            before = listings.get(code.code)
            listings[code.code] = Listing(
                source_id=source_id(report, code.code, ecu),
                level=level,
                state=state,
                occurrence=before.occurrence if before is not None and not _count_known(code) else code.occurrence,
                cleared_ns=_cleared_ns(before, report.time_ns) if state is CodeState.CLEARED_UNVERIFIED else None,
            )
            yield from self._settle(vehicle, case, report, (code, state), ecu, counted=_counts_anew(before, code))
        listed = {code.code for code, _ in codes}
        for code in report.codes if report.kind in (CodeList.UDS_BY_STATUS, CodeList.UDS_SUPPORTED) else ():
            if code.code in listings and code.code not in listed:
                listings[code.code] = listings[code.code].verified(report.time_ns)  # tested and passed
        if report.complete and report.kind not in DETAIL_KINDS:
            for name in [name for name in listings if name not in listed]:
                listings[name] = listings[name].missing_since(report.time_ns)
            yield from self._expire(vehicle, report.time_ns, [key])

    def _clear(self, vehicle: str, case: CodeCase, report: DtcReport, ecu: int) -> Iterator[Finding]:
        """A tool has cleared codes: they are not repaired by that, but wait for a self-test."""
        if report.message != _CLEARS_HISTORY:
            case.tested.pop((report.bus, ecu), None)
        only = None if report.complete else {code.code for code in report.codes}
        touched: dict[str, str] = {}
        for key, listings in case.lists.items():
            if not _is_cleared(key, report, ecu):
                continue
            case.latest.pop(key, None)
            for name, item in listings.items():
                if item.cleared_ns is None and (only is None or name in only):
                    touched[item.source_id] = name
                    listings[name] = Listing(
                        source_id=item.source_id,
                        level=watch_level(self._lookup(name)),
                        state=CodeState.CLEARED_UNVERIFIED,
                        occurrence=item.occurrence,
                        cleared_ns=report.time_ns,
                    )
        for name in sorted(touched):
            yield from self._sink(vehicle, case, name, report.time_ns)

    def _settle(
        self, vehicle: str, case: CodeCase, report: DtcReport, held: Held, ecu: int, *, counted: bool
    ) -> Iterator[Finding]:
        """Raise or repeat a listed code where something is new."""
        code, state = held
        name = source_id(report, code.code, ecu)
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
            state=state,
            report=report,
            code=code,
            tested=case.passed(report, ecu),
        )

    def _expire(self, vehicle: str, time_ns: int, keys: Iterable[ListKey]) -> Iterator[Finding]:
        """Drop what has been missing long enough; clear codes that no list holds any more, repeat those held less firmly."""
        case = self._cases[vehicle]
        dropped: set[str] = set()
        for key in list(keys):
            for name, item in list(case.lists[key].items()):
                missing = item.missing_ns is not None and time_ns - item.missing_ns >= self._clear_after_ns
                if missing or (item.cleared_ns is not None and time_ns - item.cleared_ns >= self._unverified_ns):
                    dropped.add(case.lists[key].pop(name).source_id)
        for name in sorted(dropped):
            yield from self._sink(vehicle, case, name, time_ns)

    def _sink(self, vehicle: str, case: CodeCase, name: str, time_ns: int) -> Iterator[Finding]:
        """Clear a code that no list holds any more, repeat one that is held less firmly than its episode says."""
        episode = case.episodes[name]
        holders = case.holders(name)
        level = case.level(name) if holders else episode.level
        if holders and level == episode.level:
            return
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
            state=holders[0].state if holders else None,
        )


def _list_key(report: DtcReport, ecu: int) -> ListKey:
    kind = _LIST_OF.get(report.kind, report.kind)
    if report.kind is CodeList.FREEZE_FRAME and report.protocol is Protocol.J1939:
        kind = CodeList.PREVIOUSLY_ACTIVE
    return (report.bus, ecu, int(report.protocol), int(kind))


def _is_of_ecu(key: ListKey, report: DtcReport, ecu: int) -> bool:
    """The list belongs to the ECU that reports."""
    bus, owner, protocol, _ = key
    if bus != report.bus:
        return False
    if report.protocol is Protocol.J1939:
        return protocol == Protocol.J1939 and ecu in (owner, _ALL_ADDRESSES)
    same = protocol in _ONE_ECU if report.protocol in _ONE_ECU else protocol == report.protocol
    return same and owner == ecu


def _is_cleared(key: ListKey, report: DtcReport, ecu: int) -> bool:
    """The clear concerns this list: never permanent codes; DM3 the previously active ones, DM11 the others."""
    if key[3] == CodeList.PERMANENT or not _is_of_ecu(key, report, ecu):
        return False
    if report.protocol is not Protocol.J1939:
        return True
    return (key[3] == CodeList.PREVIOUSLY_ACTIVE) == (report.message == _CLEARS_HISTORY)


def _verify(case: CodeCase, report: DtcReport, ecu: int) -> None:
    """All self-tests of the ECU have finished since its codes were cleared: what it does not list again is gone."""
    for key, listings in case.lists.items():
        if _is_of_ecu(key, report, ecu):
            for name, item in listings.items():
                if item.cleared_ns is not None:
                    listings[name] = item.verified(report.time_ns)


def _note_passed(case: CodeCase, report: DtcReport, ecu: int, listings: dict[str, Listing]) -> None:
    """Codes of a UDS list whose test has run to its end and passed, where the ECU tells which tests have run."""
    if report.availability < 0 or not report.availability & StatusBit.NOT_COMPLETED_SINCE_CLEAR:
        return
    passed = {code.code: code_state(report, code, known=code.code in listings) is None for code in report.codes}
    case.note_passed(
        report.bus, ecu, [code for code, done in passed.items() if done], [code for code, done in passed.items() if not done]
    )


def _cleared_ns(before: Listing | None, time_ns: int) -> int:
    return time_ns if before is None or before.cleared_ns is None else before.cleared_ns


def _in_order(samples: SampleBatch, dtcs: DtcBatch) -> list[tuple[str, int, DtcReport | None]]:
    """Reports and ticks by vehicle and time; the reports of one time before its ticks, in the order given."""
    ticks = np.flatnonzero(samples.signal == TICK_SIGNAL).tolist()
    rows: list[tuple[str, int, DtcReport | None]] = [(dtcs.vehicles[report.vehicle], report.time_ns, report) for report in dtcs]
    rows += [(samples.vehicles[samples.vehicle[tick]], int(samples.time_ns[tick]), None) for tick in ticks]
    return sorted(rows, key=lambda row: (row[0], row[1], row[2] is None))


def _held(report: DtcReport, listings: dict[str, Listing]) -> list[Held]:
    """Each code held once: some ECUs list one twice (with other counts or failure types); the firmest, then most counted stands.

    A red stop lamp that no code explains counts as one.
    """
    best: dict[str, tuple[tuple[bool, int], Held]] = {}
    for code in report.codes:
        state = code_state(report, code, known=code.code in listings)
        if state is None or state is CodeState.NEVER_TESTED:
            continue
        rank = (state.firm, code.occurrence if _count_known(code) else NOT_AVAILABLE)
        if code.code not in best or rank > best[code.code][0]:
            best[code.code] = (rank, (code, state))
    lit = report.kind is CodeList.ACTIVE and report.lamps is not None and report.lamps.red_stop == ON
    if lit and not best:
        return [(TroubleCode(code=RED_STOP_LAMP.code), CodeState.ACTIVE)]
    return [held for _, held in best.values()]


def _count_known(code: TroubleCode) -> bool:
    return code.occurrence not in (NOT_AVAILABLE, UNKNOWN_COUNT)


def _counts_anew(before: Listing | None, code: TroubleCode) -> bool:
    """The ECU counts another occurrence than before."""
    return before is not None and _count_known(code) and before.occurrence != code.occurrence
