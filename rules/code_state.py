"""What `rules.code_findings` carries per vehicle: the code lists of its ECUs and the episodes of its codes."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from domain.code_state import CodeState
from domain.findings import Severity, Urgency
from domain.trouble_codes import CodeList, DtcReport, Protocol
from rules.code_level import Level

FORMAT = 3

ListKey = tuple[str, int, int, int]
"""(bus, ECU, protocol, kind): one list of codes that an ECU keeps."""
MOST_TESTED = 64
"""So many self-tests and passed codes of one ECU are remembered; one that tells of every code it knows tells of hundreds."""
MAX_NAMED_ECUS = 256
"""A flood of address claims names no more."""


DETAIL_KINDS = (CodeList.FREEZE_FRAME, CodeList.SNAPSHOT, CodeList.EXTENDED_DATA)
"""Reports that tell details of some codes and list none completely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A code in one list.

    `missing_ns`: since when complete lists have lacked it. `cleared_ns`: since when a tool has cleared it, with no self-test
    having finished since; meanwhile its absence means nothing.
    """

    source_id: str
    level: Level
    state: CodeState
    occurrence: int
    missing_ns: int | None = None
    cleared_ns: int | None = None

    def missing_since(self, time_ns: int) -> Listing:
        """Missing since then, or since before; one that was cleared is not missed."""
        return self if self.missing_ns is not None or self.cleared_ns is not None else replace(self, missing_ns=time_ns)

    def verified(self, time_ns: int) -> Listing:
        """A self-test has finished without finding it: it is missed from now on."""
        return replace(self, missing_ns=time_ns, cleared_ns=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A code from raising to clearing. `freeze`: (signal, value) of its freeze frame as far as told."""

    code: str
    level: Level
    freeze: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True, kw_only=True)
class CodeCase:
    """One vehicle's lists (list -> code -> listing) and episodes (source id -> episode).

    `homes`: (bus, NAME) -> (ECU number, address last seen at) of the ECUs that claimed an address. `tested`: (bus, ECU) -> self-tests
    and codes that have run to their end without a fault since the last clear. `latest` holds the last report of each list; it
    only saves work and is no part of the state.
    """

    homes: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    lists: dict[ListKey, dict[str, Listing]] = field(default_factory=dict)
    episodes: dict[str, Episode] = field(default_factory=dict)
    tested: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)
    latest: dict[ListKey, DtcReport] = field(default_factory=dict)

    def ecu(self, report: DtcReport) -> int:
        """The number of the reporting ECU: its address; of one known by its NAME, the address where it was first seen.

        An ECU with a new NAME at the address of one that has not moved has replaced it, and takes over its lists; at the
        address of one that has moved it is another, and its number is the address plus 256.
        """
        if report.protocol is not Protocol.J1939 or report.name < 0:
            return report.source
        bus, own = report.bus, (report.bus, report.name)
        if own in self.homes:
            home = self.homes[own][0]
        else:
            home = report.source
            for key, (number, seen_at) in list(self.homes.items()):
                if key[0] == bus and number == home and seen_at == home:
                    del self.homes[key]
            taken = {number for key, (number, _) in self.homes.items() if key[0] == bus}
            while home in taken:
                home += 256
            if len(self.homes) >= MAX_NAMED_ECUS:
                return home
        self.homes[own] = (home, report.source)
        return home

    def says_the_same(self, key: ListKey, report: DtcReport) -> bool:
        """The report repeats the last one of its list, and no code of the list is missing; notes the report."""
        before = self.latest.get(key)
        if report.kind in DETAIL_KINDS:
            self.latest.pop(key, None)
            return False
        self.latest[key] = report
        if before is None or before.codes != report.codes or before.lamps != report.lamps or before.complete != report.complete:
            return False
        return all(item.missing_ns is None and item.cleared_ns is None for item in self.lists[key].values())

    def holders(self, source_id: str) -> list[Listing]:
        """The listings of a code in all lists, the firmest first."""
        found = [item for listings in self.lists.values() for item in listings.values() if item.source_id == source_id]
        return sorted(found, key=lambda item: item.level.urgency, reverse=True)

    def level(self, source_id: str) -> Level:
        """The worst level of a code in any list."""
        first, *others = self.holders(source_id)
        level = first.level
        for other in others:
            level = level.joined(other.level)
        return level

    def note_monitors(self, bus: str, ecu: int, complete: tuple[str, ...]) -> None:
        """What an ECU tells of its self-tests takes the place of what it told before."""
        known = [name for name in self.tested.get((bus, ecu), ()) if not name.islower()]
        self.tested[bus, ecu] = (*complete, *known)[:MOST_TESTED]

    def note_passed(self, bus: str, ecu: int, passed: Collection[str], others: Collection[str]) -> None:
        """Codes whose test has passed, and `others` of the same report that have not."""
        kept = [name for name in self.tested.get((bus, ecu), ()) if name not in others and name not in passed]
        if passed or len(kept) != len(self.tested.get((bus, ecu), ())):
            self.tested[bus, ecu] = (*kept, *passed)[:MOST_TESTED]

    def passed(self, report: DtcReport, ecu: int) -> tuple[str, ...]:
        """What the ECU has tested without a fault; self-tests only beside a complete list, which lacks what they would have found."""
        names = self.tested.get((report.bus, ecu), ())
        return names if report.complete else tuple(name for name in names if not name.islower())

    def to_bytes(self) -> bytes:
        """Compact JSON."""
        lists = [[*key, [_listing_row(code, item) for code, item in items.items()]] for key, items in self.lists.items()]
        episodes = [[name, item.code, *_level_row(item.level), item.freeze] for name, item in self.episodes.items()]
        homes = [[*key, *home] for key, home in self.homes.items()]
        tested = [[*key, *names] for key, names in self.tested.items()]
        return json.dumps([FORMAT, lists, episodes, homes, tested], separators=(",", ":")).encode()

    @staticmethod
    def from_bytes(state: bytes) -> CodeCase:
        """The case of `to_bytes`.

        Raises:
            ValueError: of another format.
        """
        form, *parts = json.loads(state)
        if form != FORMAT:
            raise ValueError(f"code state of format {form}, not {FORMAT}")
        lists, episodes, homes, tested = parts
        case = CodeCase(homes={(bus, name): (number, address) for bus, name, number, address in homes})
        case.tested = {(bus, ecu): tuple(names) for bus, ecu, *names in tested}
        for bus, ecu, protocol, kind, rows in lists:
            case.lists[bus, ecu, protocol, kind] = dict(_listing(row) for row in rows)
        for name, code, severity, urgency, freeze in episodes:
            values = tuple((signal, value) for signal, value in freeze)
            case.episodes[name] = Episode(code=code, level=_level(severity, urgency), freeze=values)
        return case


def _level_row(level: Level) -> tuple[str, int]:
    return level.severity.value, int(level.urgency)


def _level(severity: str, urgency: int) -> Level:
    return Level(severity=Severity(severity), urgency=Urgency(urgency))


def _listing_row(code: str, item: Listing) -> list[Any]:
    held = (item.state.value, item.occurrence, item.missing_ns, item.cleared_ns)
    return [code, item.source_id, *_level_row(item.level), *held]


def _listing(row: list[Any]) -> tuple[str, Listing]:
    code, source_id, severity, urgency, state, occurrence, missing_ns, cleared_ns = row
    return code, Listing(
        source_id=source_id,
        level=_level(severity, urgency),
        state=CodeState(state),
        occurrence=occurrence,
        missing_ns=missing_ns,
        cleared_ns=cleared_ns,
    )
