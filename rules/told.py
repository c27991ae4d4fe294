"""What the ECUs of one vehicle have told: code lists, lamps, monitors and freeze frames."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from domain.trouble_codes import CodeList, DtcReport, Protocol
from rules.report_words import FIRM, LAMPS, NEW, statuses

FORMAT = 2
ON, OFF = 1, 0
_ALL_ADDRESSES = 255
_SAME_LIST = {CodeList.UDS_SUPPORTED: CodeList.UDS_BY_STATUS}

Ecu = tuple[str, int, int]
"""(bus, address, protocol)."""
ListKey = tuple[str, int, int, int]
"""(bus, address, protocol, kind): one list of codes that an ECU keeps."""
Matches = Callable[[str], bool]


@dataclass(slots=True, kw_only=True)
class Listed:
    """One list: code -> its statuses. `whole`: a complete report of it was seen. `new`: codes that came to it in this drive."""

    codes: dict[str, frozenset[str]] = field(default_factory=dict)
    whole: bool = False
    new: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Told:
    """One vehicle.

    Attributes:
        lamps: ECU -> lamp -> 1 on, 0 off. monitors: ECU -> (complete, incomplete).
        frozen_values: (ECU, code, path) -> value, the latest told last.
    """

    lists: dict[ListKey, Listed] = field(default_factory=dict)
    lamps: dict[Ecu, dict[str, int]] = field(default_factory=dict)
    monitors: dict[Ecu, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    frozen_values: dict[tuple[Ecu, str, str], float] = field(default_factory=dict)

    def held(self) -> frozenset[tuple[str, str]]:
        """(code, status) over all lists."""
        pairs = {(code, word) for listed in self.lists.values() for code, words in listed.codes.items() for word in words}
        return frozenset(pairs | {(code, NEW) for listed in self.lists.values() for code in listed.new})

    def is_told(self, kinds: Collection[CodeList], *, whole: bool = False) -> bool:
        """A list of one of these kinds was seen; with `whole`, a complete one."""
        return any(CodeList(key[3]) in kinds and (listed.whole or not whole) for key, listed in self.lists.items())

    def take_list(self, report: DtcReport, wanted: Matches) -> None:
        """A list of codes; only wanted ones are kept."""
        kind = _SAME_LIST.get(report.kind, report.kind)
        listed = self.lists.setdefault((*_ecu(report), int(kind)), Listed())
        before = {code for code, words in listed.codes.items() if FIRM in words}
        told = {code.code: statuses(report, code) for code in report.codes if wanted(code.code)}
        listed.codes = told if report.complete else listed.codes | told
        firm = {code for code, words in listed.codes.items() if FIRM in words}
        listed.new = (listed.new | (firm - before if listed.whole else frozenset())) & firm
        listed.whole |= report.complete

    def take_lamps(self, report: DtcReport) -> set[str]:
        """Lamps that the report tells of."""
        told: dict[str, int] = {}
        if report.kind is CodeList.ACTIVE and report.lamps is not None:
            told = {name: getattr(report.lamps, name) for name in LAMPS}
        elif report.monitors is not None and report.monitors.lamp_on >= 0:
            told = {"malfunction": report.monitors.lamp_on}
        if told:
            known = {**self.lamps.get(_ecu(report), {}), **told}
            self.lamps[_ecu(report)] = {name: state for name, state in known.items() if state in (ON, OFF)}
        return set(told)

    def take_monitors(self, report: DtcReport) -> bool:
        """Whether the report tells which monitors have finished."""
        monitors = report.monitors
        if monitors is None or not (monitors.complete or monitors.incomplete):
            return False
        self.monitors[_ecu(report)] = (monitors.complete, monitors.incomplete)
        return True

    def take_freeze(self, report: DtcReport, path: str, wanted: Matches) -> bool:
        """Whether the report tells the value of this path that a wanted code froze."""
        value = next((item.value for item in report.freeze if item.signal == path), None)
        codes = [code.code for code in report.codes if wanted(code.code)]
        for code in codes if value is not None else ():
            key = (_ecu(report), code, path)
            self.frozen_values.pop(key, None)
            self.frozen_values[key] = float(value or 0.0)
        return value is not None and bool(codes)

    def clear(self, report: DtcReport) -> tuple[set[CodeList], tuple[str, ...]]:
        """A tool has cleared codes of an ECU, or those that the report names; permanent codes stay.

        Returns:
            The kinds of the lists, and those of the other predicates, that it concerns.
        """
        only = None if report.complete else {code.code for code in report.codes}
        kinds = set()
        for key, listed in self.lists.items():
            if _is_of(key[:3], report) and _list_is_cleared(key, report):
                listed.codes = {} if only is None else {code: words for code, words in listed.codes.items() if code not in only}
                listed.new &= frozenset(listed.codes)
                kinds.add(CodeList(key[3]))
        frozen = [key for key in self.frozen_values if _is_of(key[0], report) and (only is None or key[1] in only)]
        for place in frozen:
            del self.frozen_values[place]
        reset = [ecu for ecu in self.monitors if _is_of(ecu, report)] if only is None else []
        for ecu in reset:
            del self.monitors[ecu]
        return kinds, (*(("freeze_frame",) if frozen else ()), *(("ready",) if reset else ()))

    def end_drive(self) -> None:
        """No code is new any more."""
        for listed in self.lists.values():
            listed.new = frozenset()

    def lamp(self, name: str) -> float:
        """1 where any ECU lights it, 0 where one says that it is off and none lights it."""
        states = [lamps[name] for lamps in self.lamps.values() if name in lamps]
        return float(max(states)) if states else math.nan

    def ready(self, wanted: Matches) -> float:
        """1 where all supported ones of these monitors have finished in every ECU, 0 where one has not."""
        done = any(wanted(name) for complete, _ in self.monitors.values() for name in complete)
        waits = any(wanted(name) for _, incomplete in self.monitors.values() for name in incomplete)
        return 0.0 if waits else 1.0 if done else math.nan

    def frozen(self, path: str, wanted: Matches) -> float:
        """The value of this path that was told last of a wanted code."""
        found = [value for (_, code, name), value in self.frozen_values.items() if name == path and wanted(code)]
        return found[-1] if found else math.nan

    def to_bytes(self) -> bytes:
        """Compact JSON."""
        lists = [
            [*key, each.whole, sorted(each.new), {c: sorted(w) for c, w in each.codes.items()}]
            for key, each in self.lists.items()
        ]
        lamps = [[*ecu, lamps] for ecu, lamps in self.lamps.items()]
        monitors = [[*ecu, *each] for ecu, each in self.monitors.items()]
        frozen = [[*ecu, code, path, value] for (ecu, code, path), value in self.frozen_values.items()]
        return json.dumps([FORMAT, lists, lamps, monitors, frozen], separators=(",", ":")).encode()

    @staticmethod
    def from_bytes(state: bytes) -> Told:
        """What `to_bytes` gave.

        Raises:
            ValueError: of another format.
        """
        form, *parts = json.loads(state)
        if form != FORMAT:
            raise ValueError(f"code lists of format {form}, not {FORMAT}")
        lists, lamps, monitors, frozen = parts
        return Told(
            lists={
                (bus, ecu, protocol, kind): Listed(
                    whole=whole, new=frozenset(new), codes={code: frozenset(words) for code, words in codes.items()}
                )
                for bus, ecu, protocol, kind, whole, new, codes in lists
            },
            lamps={(bus, ecu, protocol): dict(each) for bus, ecu, protocol, each in lamps},
            monitors={(bus, ecu, protocol): (tuple(done), tuple(waits)) for bus, ecu, protocol, done, waits in monitors},
            frozen_values={((bus, ecu, protocol), code, path): value for bus, ecu, protocol, code, path, value in frozen},
        )


def _ecu(report: DtcReport) -> Ecu:
    return report.bus, report.source, int(report.protocol)


def _is_of(ecu: Ecu, report: DtcReport) -> bool:
    """The ECU (J1939 address 255: any) is the one that reports."""
    bus, address, protocol = ecu
    is_j1939 = protocol == Protocol.J1939
    if bus != report.bus or is_j1939 != (report.protocol is Protocol.J1939):
        return False
    return report.source == address or (is_j1939 and report.source == _ALL_ADDRESSES)


def _list_is_cleared(key: ListKey, report: DtcReport) -> bool:
    """Never permanent codes; of J1939 DM3 the previously active ones, DM11 the others."""
    if key[3] == CodeList.PERMANENT:
        return False
    if report.protocol is not Protocol.J1939:
        return True
    return (key[3] == CodeList.PREVIOUSLY_ACTIVE) == (report.message == "DM3")
