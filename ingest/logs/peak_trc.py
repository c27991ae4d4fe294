"""PEAK trace files (PCAN-View, PCAN-Explorer, PEAK-Converter), versions 1.0 to 2.1.

    ;$FILEVERSION=1.1                                       ;$FILEVERSION=2.1
    ;$STARTTIME=45860.7961622454                            ;$COLUMNS=N,O,T,B,I,d,R,L,D
         1)         1.9  Rx         0076  8  3E 80 40 …          1      2501.000 DT 2      00C8 Tx -  8    09 08 07 …

Identifiers of more than four digits have 29 bits. Versions 2 name their columns in the header. Status, error and warning lines
are events: counted, not read. Source: PEAK's "TRC File Format" and python-can's reader.
"""

from __future__ import annotations

import re
from functools import lru_cache

from domain.frames import FrameFlag
from ingest.logs import line_steps as step
from ingest.logs.dates import day_and_time_ns, table_days_ns
from ingest.logs.line_format import QUIET, LineFormat, Session
from ingest.logs.line_steps import IdRule, LengthKind, Pattern, Step
from ingest.logs.timeline import Timeline

_STAMP = step.stamp(1_000_000, comma=True)
_ID = step.identifier(16, IdRule.MORE_THAN_FOUR_DIGITS)
_FD_TYPES = (b"FD", b"FB", b"FE", b"BI")
_EVENTS = re.compile(
    rb"(?:\d+\)?\s+)?-?\d+(?:[.,]\d+)?\s+(?:\d+\s+)?(?:(ST|Warng|Warning)|(ER|Error)|(EC)|(EV)|FFFFFFFF)\b", re.IGNORECASE
)
_KINDS = {1: "bus_status", 2: "bus_error", 3: "error_counters", 4: "log_event"}


def _first_versions() -> tuple[Pattern, ...]:
    """1.0 to 1.3; their lines cannot be confused, and files without a header exist."""
    start: Pattern = (step.number(), step.literal(b")"), step.gap(), _STAMP, step.gap())
    one_bus: Pattern = (step.fixed_bus(b"1"), step.way(), step.gap(), _ID, step.gap(), step.length())
    buses: Pattern = (
        step.bus(digits=True),
        step.gap(),
        step.way(),
        step.gap(),
        _ID,
        step.gap(),
        step.optional(2),
        step.literal(b"-"),
        step.gap(),
        step.length(),
    )
    oldest: Pattern = (step.fixed_bus(b"1"), _ID, step.gap(), step.length())
    remote: Pattern = (step.flag(FrameFlag.REMOTE), step.gap(), step.literal(b"RTR"), step.rest())
    forms = (one_bus, buses, oldest)
    return tuple((*start, *form, *end) for form in forms for end in ((step.data(), step.rest()), remote))


@lru_cache(maxsize=64)
def _by_columns(columns: str) -> tuple[Pattern, ...]:
    """2.0 and 2.1: one pattern for each type of line that is a frame."""
    data = tuple(_second_version(columns, kind, step.data()) for kind in (b"DT", *_FD_TYPES))
    return (*data, _second_version(columns, b"RR", step.flag(FrameFlag.REMOTE)))


def _second_version(columns: str, kind: bytes, data: Step) -> Pattern:
    fd = kind in _FD_TYPES
    code = LengthKind.FD_CODE if fd else LengthKind.CLASSIC
    meaning: dict[str, Step] = {
        "N": step.number(), "O": _STAMP, "T": step.literal(kind), "B": step.bus(digits=True), "I": _ID, "d": step.way(),
        "l": step.length(10, LengthKind.BYTES if fd else LengthKind.CLASSIC), "L": step.length(10, code),
    }  # fmt: skip
    steps: list[Step] = [step.fixed_bus(b"1"), *((step.flag(FrameFlag.FD),) if fd else ())]
    for letter in columns:
        if letter == "D":
            break
        steps += [meaning.get(letter, step.word()), step.gap()]
    return (*steps[:-1], data, step.rest())


_FIRST = _first_versions()
_PLAIN = (*_FIRST, *_by_columns("NOTBIdRLD"), *_by_columns("NOTIdlD"))
_START_TIME = re.compile(rb";\s*Start time:\s*(.*)", re.IGNORECASE)


class _Trc(Session):
    __slots__ = ("_exact",)

    def __init__(self) -> None:
        super().__init__(_PLAIN, Timeline(), control=b";")
        self._exact = False

    def heed(self, line: bytes, frames_before: int) -> bool:
        """Take columns and start from the header; other comments are for people."""
        name, _, value = line.partition(b"=")
        if name == b";$FILEVERSION":
            self.certain = True
            self._exact = False
            if value.strip().startswith(b"1"):
                self.patterns = _FIRST
        elif name == b";$COLUMNS":
            self.patterns = _by_columns(value.decode("latin-1").replace(",", "").replace(" ", ""))
        elif name == b";$STARTTIME" and (moment := table_days_ns(value)) is not None:
            self._exact = True
            self.timeline.begin(moment, frames_before)
        elif not self._exact and (said := _START_TIME.match(line)) and (moment := day_and_time_ns(said[1])) is not None:
            self.timeline.begin(moment, frames_before)
        return True

    def explain(self, line: bytes) -> str | None:
        """Tell events from broken frames."""
        if line.startswith(b";"):
            return QUIET
        event = _EVENTS.match(line)
        return None if event is None else _KINDS.get(event.lastindex or 0, "bus_status")


def _begin(_head: bytes) -> Session:
    return _Trc()


PEAK_TRC = LineFormat("PEAK TRC", _begin)
