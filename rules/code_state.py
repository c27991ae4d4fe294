"""What `rules.code_findings` carries per vehicle: the code lists of its ECUs and the episodes of its codes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from domain.findings import Severity, Urgency
from domain.trouble_codes import CodeList, DtcReport
from rules.code_level import Level

FORMAT = 1

ListKey = tuple[str, int, int, int]
"""(bus, ECU, protocol, kind): one list of codes that an ECU keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A code in one list. `missing_ns`: since when complete lists have lacked it."""

    source_id: str
    level: Level
    standing: str
    occurrence: int
    missing_ns: int | None = None

    def missing_since(self, time_ns: int) -> Listing:
        """Missing since then, or since before."""
        return self if self.missing_ns is not None else replace(self, missing_ns=time_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A code from raising to clearing. `freeze`: (signal, value) of its freeze frame as far as told."""

    code: str
    level: Level
    freeze: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True, kw_only=True)
class CodeCase:
    """One vehicle's lists (list -> code -> listing) and episodes (source id -> episode).

    `latest` holds the last report of each list; it only saves work and is no part of the state.
    """

    lists: dict[ListKey, dict[str, Listing]] = field(default_factory=dict)
    episodes: dict[str, Episode] = field(default_factory=dict)
    latest: dict[ListKey, DtcReport] = field(default_factory=dict)

    def says_the_same(self, key: ListKey, report: DtcReport) -> bool:
        """The report repeats the last one of its list, and no code of the list is missing; notes the report."""
        before = self.latest.get(key)
        if report.kind is CodeList.FREEZE_FRAME:
            self.latest.pop(key, None)
            return False
        self.latest[key] = report
        if before is None or before.codes != report.codes or before.lamps != report.lamps or before.complete != report.complete:
            return False
        return all(listing.missing_ns is None for listing in self.lists[key].values())

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

    def to_bytes(self) -> bytes:
        """Compact JSON."""
        lists = [[*key, [_listing_row(code, item) for code, item in items.items()]] for key, items in self.lists.items()]
        episodes = [[name, item.code, *_level_row(item.level), item.freeze] for name, item in self.episodes.items()]
        return json.dumps([FORMAT, lists, episodes], separators=(",", ":")).encode()

    @staticmethod
    def from_bytes(state: bytes) -> CodeCase:
        """The case of `to_bytes`.

        Raises:
            ValueError: of another format.
        """
        form, lists, episodes = json.loads(state)
        if form != FORMAT:
            raise ValueError(f"code state of format {form}, not {FORMAT}")
        case = CodeCase()
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
    return [code, item.source_id, *_level_row(item.level), item.standing, item.occurrence, item.missing_ns]


def _listing(row: list[Any]) -> tuple[str, Listing]:
    code, source_id, severity, urgency, standing, occurrence, missing_ns = row
    return code, Listing(
        source_id=source_id,
        level=_level(severity, urgency),
        standing=standing,
        occurrence=occurrence,
        missing_ns=missing_ns,
    )
