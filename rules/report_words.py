"""What rules may ask of the reports of ECUs: `dtc`, `new_dtc`, `lamp`, `ready` and `freeze_frame`, and the words that they take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from domain.code_state import CodeState, code_state
from domain.trouble_codes import CodeList, DtcReport, StatusBit, TroubleCode

PREDICATES = ("dtc", "new_dtc", "lamp", "ready", "freeze_frame")
LAMPS = ("malfunction", "red_stop", "amber_warning", "protect")
"""J1939 lamps; the malfunction lamp of OBD-II too."""
FIRM = ""
"""The status of a code that is there now or confirmed: what `dtc(PATTERN)` alone asks for."""
NEW = "new"
"""The status that `new_dtc` asks for; no word of the language."""

_WITH_STATUS = frozenset({CodeList.UDS_BY_STATUS, CodeList.UDS_SUPPORTED})
_BITS = {str(bit.name).lower(): bit for bit in StatusBit}
_BY_LIST: Mapping[CodeList, frozenset[str]] = {
    CodeList.STORED: frozenset({"confirmed"}),
    CodeList.EMISSION: frozenset({"active", "confirmed"}),
    CodeList.ACTIVE: frozenset({"active"}),
    CodeList.PREVIOUSLY_ACTIVE: frozenset({"history"}),
    CodeList.PENDING: frozenset({"pending"}),
    CodeList.PERMANENT: frozenset({"permanent"}),
}
STATUSES = (
    "active",
    "confirmed",
    "pending",
    "permanent",
    "history",
    *(word for word in _BITS if word not in ("pending", "confirmed")),
)
"""Words of `dtc(PATTERN, STATUS)`: the state of a code in any protocol, and the bits of the ISO 14229 status byte."""

TELLING: Mapping[str, frozenset[CodeList]] = {
    FIRM: frozenset({CodeList.STORED, CodeList.ACTIVE, CodeList.EMISSION}) | _WITH_STATUS,
    NEW: frozenset({CodeList.STORED, CodeList.ACTIVE, CodeList.EMISSION}) | _WITH_STATUS,
    "active": frozenset({CodeList.ACTIVE, CodeList.EMISSION}) | _WITH_STATUS,
    "history": frozenset({CodeList.PREVIOUSLY_ACTIVE}) | _WITH_STATUS,
    "permanent": frozenset({CodeList.PERMANENT}),
    **dict.fromkeys(_BITS, _WITH_STATUS),
    "confirmed": frozenset({CodeList.STORED, CodeList.EMISSION}) | _WITH_STATUS,
    "pending": frozenset({CodeList.PENDING}) | _WITH_STATUS,
}
"""Status -> the lists that can tell it. Before the first of these it is unknown."""

_CODE = re.compile(r"[A-Z0-9?*/]{1,40}")
_MONITOR = re.compile(r"[a-z_?*]{1,40}")
MOST_STARS = 3


def statuses(report: DtcReport, code: TroubleCode) -> frozenset[str]:
    """The words that hold for a code of this report's list."""
    words = set(_BY_LIST.get(report.kind, ()))
    state = code_state(report, code)
    if report.kind in _WITH_STATUS:
        words |= {word for word, bit in _BITS.items() if code.status & bit}
        words |= {"active"} if code.status & StatusBit.TEST_FAILED else set()
        words |= {"history"} if state is CodeState.HISTORY else set()
    if state is not None and state.firm and report.kind in TELLING[FIRM]:
        words.add(FIRM)
    return frozenset(words)


def pattern_mistake(predicate: str, pattern: str) -> tuple[str, str] | None:
    """(what is wrong, mend) of the first argument of a predicate; None where it can be used."""
    if predicate == "lamp":
        return None if pattern in LAMPS else ("lamp() takes the name of a lamp in quotes", f"write one of {_quoted(LAMPS)}")
    if predicate == "ready":
        good = _MONITOR.fullmatch(pattern) is not None and pattern.count("*") <= MOST_STARS
        return None if good else ("ready() takes a monitor in quotes", 'write ready("*") for all of them, or ready("catalyst")')
    if not _CODE.fullmatch(pattern) or pattern.count("*") > MOST_STARS:
        return f"{predicate}() takes a trouble code in quotes", f'write {predicate}("P0301") or {predicate}("P030?")'
    if re.fullmatch(r"SPN\d+", pattern):
        return f"{pattern} names no failure mode", f'write {predicate}("{pattern}/FMI*") for any, or "{pattern}/FMI3"'
    return None


def status_mistake(word: str) -> tuple[str, str] | None:
    """(what is wrong, mend) of the second argument of `dtc`."""
    if word in STATUSES:
        return None
    near = difflib.get_close_matches(word, STATUSES, n=1)
    return f"unknown status {word!r}", f"did you mean {near[0]!r}?" if near else f"write one of {_quoted(STATUSES[:5])} …"


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)
