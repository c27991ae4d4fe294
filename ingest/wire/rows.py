"""Rows of one message of a wire format."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from domain.frames import EXTENDED_ID, FrameFlag
from domain.trouble_codes import DtcReport
from domain.vss import path_number
from ingest.diagnostics.device_reports import encode_report
from ingest.logs.log_format import Block
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.mqtt.payloads import LONGEST_CLASSIC, LONGEST_FD, MAX_BUS_BYTES, MAX_FRAMES, MAX_TIME_NS

DATA_ERRORS = (ValueError, LookupError, TypeError, ArithmeticError)
"""What reading a value that is not what it should be may raise."""
_LAST_11_BITS, _LAST_29_BITS = 0x7FF, 0x1FFF_FFFF
_MOST_NAMES = 200
_LONGEST_NAME = 64
_DOUBLE = struct.Struct("<d")
_UINT64 = struct.Struct("<Q")


class Row(NamedTuple):
    """One row of a FrameBatch; `data` holds what goes to the arena."""

    time_ns: int
    bus: str
    can_id: int
    length: int
    flags: int
    payload: int
    data: bytes


class Rows:
    """Collects what one message says.

    Attributes:
        oddities: (kind, name) -> count of what was used with a doubt or passed over ("unmapped_name", its name).
        refused: place -> why, of items that could not be used.
        boot_session, sequence: where the message numbers itself. device, vin: identity told in the payload, "" where it is not.
    """

    def __init__(self, bus: str, bus_names: Mapping[str, str] | None = None) -> None:
        self.bus = bus
        self._bus_names = bus_names or {}
        self.rows: list[Row] = []
        self.blocks: list[Block] = []
        self.oddities: Counter[tuple[str, str]] = Counter()
        self.refused: dict[int, str] = {}
        self.boot_session, self.sequence = 0, -1
        self.device = self.vin = ""
        self._block_rows = 0

    def __len__(self) -> int:
        return len(self.rows) + self._block_rows

    @contextmanager
    def item(self, place: int) -> Iterator[None]:
        """What goes wrong inside concerns this item alone: its rows are taken back and it is refused."""
        before = len(self.rows)
        try:
            yield
        except RefusedMessageError:
            raise
        except DATA_ERRORS as error:
            del self.rows[before:]
            self.refused[place] = words_of(error)

    def bus_named(self, name: str) -> str:
        """What the source's settings call this bus."""
        return self._bus_names.get(name, name)

    def odd(self, kind: str, name: str = "", count: int = 1) -> None:
        """Count an oddity; beyond 200 names in a message only the kind is counted."""
        key = (kind, name[:_LONGEST_NAME])
        if key not in self.oddities and len(self.oddities) >= _MOST_NAMES:
            key = (kind, "")
        self.oddities[key] += count

    def frame(
        self,
        time_ns: int,
        bus: str,
        can_id: int,
        data: bytes,
        *,
        extended: bool,
        flags: int = 0,
        length: int = 0,
    ) -> None:
        """A CAN frame; a remote frame gives `length` instead of data.

        Raises:
            ValueError: identifier, length or bus name out of range.
        """
        if not 0 <= can_id <= (_LAST_29_BITS if extended or flags & FrameFlag.ERROR else _LAST_11_BITS):
            raise ValueError("identifier out of range")
        size = length if flags & FrameFlag.REMOTE else len(data)
        if not 0 <= size <= (LONGEST_FD if flags & FrameFlag.FD else LONGEST_CLASSIC):
            raise ValueError("length out of range")
        bus = self.bus_named(bus)
        if not 0 < len(bus.encode()) <= MAX_BUS_BYTES:
            raise ValueError("bus name out of size")
        first = int.from_bytes(data[:8], "little")
        number = can_id | (EXTENDED_ID if extended else 0)
        self._add(Row(time_ns, bus, number, size, flags, first, data if len(data) > LONGEST_CLASSIC else b""))

    def sample(self, time_ns: int, path: str, value: float) -> None:
        """A value in the unit of its VSS path.

        Raises:
            ValueError: not finite.
        """
        if not math.isfinite(value):
            raise ValueError("a value that is no number")
        bits = int(_UINT64.unpack(_DOUBLE.pack(value))[0])
        self._add(Row(time_ns, self.bus, path_number(path), 8, int(FrameFlag.SAMPLE), bits, b""))

    def report(self, time_ns: int, report: DtcReport) -> None:
        """A trouble-code report; its own time, vehicle, bus and frame do not count."""
        self._arena(time_ns, self.bus, FrameFlag.REPORT, encode_report(report))

    def packet(self, time_ns: int, protocol: str, data: bytes) -> None:
        """A whole packet of another protocol."""
        self._arena(time_ns, protocol, FrameFlag.PACKET, data)

    def _arena(self, time_ns: int, bus: str, flag: FrameFlag, data: bytes) -> None:
        self._add(Row(time_ns, bus, 0, min(len(data), 255), int(flag), len(data), data))

    def _add(self, row: Row) -> None:
        if not 0 <= row.time_ns <= MAX_TIME_NS:
            raise ValueError("time out of range")
        if len(self) >= MAX_FRAMES:
            raise RefusedMessageError(Reason.OVERSIZED, f"more than {MAX_FRAMES} rows")
        self.rows.append(row)

    def block(self, block: Block) -> None:
        """Frames in columns, in the order of the message."""
        if len(self) + len(block.time_ns) > MAX_FRAMES:
            raise RefusedMessageError(Reason.OVERSIZED, f"more than {MAX_FRAMES} rows")
        if len(block.time_ns) and not 0 <= int(block.time_ns.min()) <= int(block.time_ns.max()) <= MAX_TIME_NS:
            raise ValueError("time out of range")
        if not all(0 < len(name.encode("utf-8", "replace")) <= MAX_BUS_BYTES for name in block.buses):
            raise ValueError("bus name out of size")
        self.blocks.append(replace(block, buses=tuple(self.bus_named(name) for name in block.buses)))
        self._block_rows += len(block.time_ns)


def words_of(error: Exception) -> str:
    """One clause, without much of what was sent."""
    if isinstance(error, KeyError):
        return f"no {error}"[:120]
    return (str(error) or type(error).__name__)[:120].replace("\n", " ")
