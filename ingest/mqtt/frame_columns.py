"""Binary frame messages of many vehicles joined into one `FrameBatch`, without a step per frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, FrameBatch, FrameFlag, MessageTable
from domain.messages import RawMessage
from ingest.mqtt.payloads import (
    HAS_SEQUENCE,
    HEADER,
    KNOWN_FLAGS,
    LONGEST_CLASSIC,
    LONGEST_FD,
    MAGIC,
    MAX_BUS_BYTES,
    MAX_BUSES,
    MAX_FRAMES,
    MAX_NUMBER,
    MAX_TIME_NS,
    VERSION,
    WIDE_TIMES,
    is_long,
)

NO_SEQUENCE = -1
_BUS_ROWS = 256
_FIRST_BYTES = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(256)], np.uint64)
_LAST_11_BITS, _LAST_29_BITS = np.uint32(0x7FF), np.uint32(0x1FFF_FFFF)


class Reason(StrEnum):
    """Why a message became a dead letter."""

    FOREIGN_TOPIC = "foreign_topic"
    UNSUPPORTED_KIND = "unsupported_kind"
    UNKNOWN_PAYLOAD = "unknown_payload"
    UNKNOWN_VERSION = "unknown_version"
    TRUNCATED = "truncated_message"
    OVERSIZED = "oversized_message"
    BAD_HEADER = "bad_header"
    BAD_FRAME = "bad_frame"
    MALFORMED_JSON = "malformed_json"
    BAD_STATUS = "bad_status"
    TOO_MANY_BUSES = "too_many_buses"
    UNKNOWN_DEVICE = "unknown_device"
    BAD_ITEM = "bad_item"


class RefusedMessageError(ValueError):
    """A message that cannot be used; `parse_messages` turns it into a dead letter."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(reason, detail)


class FrameColumns:
    """Collects the columns of messages as bytes, and makes arrays of all of them at once."""

    def __init__(self) -> None:
        self._columns: tuple[list[bytes], ...] = tuple([] for _ in range(7))
        self._wide: list[tuple[int, bytes]] = []
        self._rows: list[tuple[int, int, int, int, int, int, int, int, int, int]] = []
        self._vehicles: dict[str, int] = {}
        self._buses: dict[str, int] = {}
        self._tables: dict[tuple[bytes, int], int] = {}
        self._bus_of: list[int] = []
        self._frames = 0

    def __len__(self) -> int:
        """Messages held."""
        return len(self._rows)

    def add(self, vehicle: str, message: RawMessage, payload: bytes) -> bool:
        """Hold one message; False where it carries neither frames nor a sequence number, and nothing is held.

        Raises:
            RefusedMessageError: not a frame batch, of another version, cut short, too large, or with numbers out of range.
        """
        if len(payload) < HEADER.size:
            raise RefusedMessageError(Reason.TRUNCATED, f"{len(payload)} bytes, shorter than the header")
        magic, version, options, buses, session, sequence, base, count, arena = HEADER.unpack_from(payload)
        if magic != MAGIC or version != VERSION:
            raise RefusedMessageError(Reason.UNKNOWN_VERSION, f"version {version} of the frame batch is not known")
        if options & ~(HAS_SEQUENCE | WIDE_TIMES) or session > MAX_NUMBER or sequence > MAX_NUMBER or base > MAX_TIME_NS:
            raise RefusedMessageError(Reason.BAD_HEADER, "an option is not known, or a number or the base time out of range")
        if count > MAX_FRAMES or buses > MAX_BUSES:
            raise RefusedMessageError(Reason.OVERSIZED, f"{count} frames on {buses} buses")
        wide = options & WIDE_TIMES
        times = HEADER.size + 8 * count
        ids = times + (8 if wide else 4) * count
        lengths = ids + 4 * count
        names, end = lengths + 3 * count, len(payload) - arena
        if end < names:
            raise RefusedMessageError(Reason.TRUNCATED, f"{len(payload)} bytes, too few for {count} frames")
        table = self._bus_table(payload[names:end], buses)
        if not count and not options & HAS_SEQUENCE:
            return False
        row = self._vehicles.setdefault(vehicle, len(self._vehicles))
        given = sequence if options & HAS_SEQUENCE else NO_SEQUENCE
        self._rows.append((row, session, given, message.received_ns, message.token, base, count, arena, table, buses))
        if wide:
            self._wide.append((self._frames, payload[times:ids]))
        self._frames += count
        for column, part in zip(
            self._columns,
            (
                payload[HEADER.size : times],
                bytes(4 * count) if wide else payload[times:ids],
                payload[ids:lengths],
                payload[lengths : lengths + count],
                payload[lengths + count : lengths + 2 * count],
                payload[lengths + 2 * count : names],
                payload[end:],
            ),
            strict=True,
        ):
            column.append(part)
        return True

    def _bus_table(self, names: bytes, count: int) -> int:
        """Where the rows of these bus names begin in `_bus_of`; tables that were seen before are shared."""
        known = self._tables.get((names, count))
        if known is not None:
            return known
        found = _bus_names(names, count)
        if len(self._buses | dict.fromkeys(found, 0)) > _BUS_ROWS:
            raise RefusedMessageError(Reason.TOO_MANY_BUSES, f"more than {_BUS_ROWS} bus names in messages received together")
        start = len(self._bus_of)
        self._bus_of += [self._buses.setdefault(name, len(self._buses)) for name in found]
        self._tables[names, count] = start
        return start

    def join(self) -> JoinedMessages:
        """Everything held, as arrays."""
        table = np.array(self._rows, np.int64).reshape(-1, 10)
        payload, after, can_id, length, flags, bus = (
            np.frombuffer(bytearray().join(parts), kind)
            for parts, kind in zip(self._columns[:6], ("<u8", "<u4", "<u4", "u1", "u1", "u1"), strict=True)
        )
        time_after = after.astype(np.int64)
        for start, part in self._wide:
            time_after[start : start + len(part) // 8] = np.frombuffer(part, "<i8")
        return JoinedMessages(
            vehicles=tuple(self._vehicles),
            buses=tuple(self._buses),
            table=table,
            message=np.repeat(np.arange(len(table), dtype=np.int32), table[:, _COUNT]),
            bus_of=np.array(self._bus_of or [0], np.uint8),
            time_after_ns=time_after,
            can_id=can_id.astype(np.uint32, copy=False),
            length=length,
            flags=flags,
            bus=bus,
            payload=payload.astype(np.uint64, copy=False),
            arena=np.frombuffer(bytearray().join(self._columns[6]), np.uint8),
        )


_VEHICLE, _SESSION, _SEQUENCE, _RECEIVED, _POSITION, _BASE, _COUNT, _ARENA, _BUS_TABLE, _BUSES = range(10)
"""Columns of `JoinedMessages.table`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedMessages:
    """The columns of all messages, one after another, as the devices sent them."""

    vehicles: tuple[str, ...]
    buses: tuple[str, ...]
    table: NDArray[np.int64]
    message: NDArray[np.int32]
    bus_of: NDArray[np.uint8]
    time_after_ns: NDArray[np.int64]
    can_id: NDArray[np.uint32]
    length: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    bus: NDArray[np.uint8]
    payload: NDArray[np.uint64]
    arena: NDArray[np.uint8]

    def refused(self) -> dict[int, RefusedMessageError]:
        """What is wrong, by row of the table; `batch` counts only where nothing is."""
        longest = np.where(self.flags & FrameFlag.FD != 0, np.uint8(LONGEST_FD), np.uint8(LONGEST_CLASSIC))
        faults = (
            ("identifier out of range", _bad_identifiers(self.can_id, self.flags)),
            ("unknown flag", self.flags & ~np.uint8(KNOWN_FLAGS) != 0),
            ("length out of range", self.length > longest),
            ("bus without a name", self.bus >= self.table[self.message, _BUSES]),
            ("time out of range", (self.time_after_ns < 0) | (self.time_after_ns > MAX_TIME_NS)),
        )
        starts = np.cumsum(self.table[:, _COUNT]) - self.table[:, _COUNT]
        wrong: dict[int, RefusedMessageError] = {}
        for words, bad in faults:
            frames = np.flatnonzero(bad)
            for row, first in zip(*np.unique(self.message[frames], return_index=True), strict=True):
                place = frames[first] - starts[row]
                wrong.setdefault(int(row), RefusedMessageError(Reason.BAD_FRAME, f"frame {place}: {words}"))
        sizes = np.where(is_long(self.length, self.flags), self.length, 0)
        told = np.bincount(self.message, weights=sizes, minlength=len(self.table)).astype(np.int64)
        for at in np.flatnonzero(told != self.table[:, _ARENA]):
            words = f"{self.table[at, _ARENA]} bytes of long payloads instead of {told[at]}"
            wrong.setdefault(int(at), RefusedMessageError(Reason.BAD_FRAME, words))
        return wrong

    def batch(self) -> FrameBatch:
        """Everything as one batch."""
        vehicle, count = self.table[:, _VEHICLE].astype(np.int32), self.table[:, _COUNT]
        starts = np.cumsum(count) - count
        long = is_long(self.length, self.flags)
        offset = _arena_offsets(long, self.length)
        return FrameBatch(
            vehicles=self.vehicles,
            buses=self.buses,
            messages=MessageTable(
                vehicle=vehicle,
                boot_session=self.table[:, _SESSION].copy(),
                sequence=self.table[:, _SEQUENCE].copy(),
                received_ns=self.table[:, _RECEIVED].copy(),
                position=self.table[:, _POSITION].copy(),
            ),
            time_ns=self.table[self.message, _BASE] + self.time_after_ns,
            vehicle=vehicle[self.message],
            bus=self.bus_of[self.table[self.message, _BUS_TABLE] + self.bus],
            can_id=self.can_id,
            message=self.message,
            index=np.arange(len(self.message), dtype=np.int64) - starts[self.message],
            length=self.length,
            flags=self.flags,
            payload=self._first_bytes(long, offset),
            arena_offset=offset,
            arena=self.arena,
        )

    def _first_bytes(self, long: NDArray[np.bool_], offset: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The payload column with zeros past each length; of a long payload the arena has the say."""
        first = self.payload & _FIRST_BYTES[self.length]
        if (self.flags & FrameFlag.REMOTE).any():
            first[self.flags & FrameFlag.REMOTE != 0] = 0
        if long.any():
            first[long] = self.arena[offset[long][:, None] + np.arange(8)].view("<u8")[:, 0]
        return first


def _bus_names(names: bytes, count: int) -> tuple[str, ...]:
    """The names of a bus table.

    Raises:
        RefusedMessageError: the bytes are not exactly that many names.
    """
    found, at = [], 0
    for _ in range(count):
        size = names[at] if at < len(names) else 0
        if not 0 < size <= MAX_BUS_BYTES or at + 1 + size > len(names):
            raise RefusedMessageError(
                Reason.TRUNCATED, f"the table of {count} bus names is cut short or holds a name out of size"
            )
        try:
            found.append(names[at + 1 : at + 1 + size].decode())
        except UnicodeDecodeError as error:
            raise RefusedMessageError(Reason.BAD_HEADER, "a bus name is not UTF-8") from error
        at += 1 + size
    if at != len(names):
        raise RefusedMessageError(Reason.OVERSIZED, f"{len(names) - at} bytes more than the header tells")
    return tuple(found)


def _bad_identifiers(can_id: NDArray[np.uint32], flags: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Beyond 29 bits, or beyond 11 bits without the mark of 29-bit identifiers (error frames carry classes of errors there)."""
    bare = can_id & np.uint32(0x7FFF_FFFF)
    beyond = np.where((can_id & np.uint32(EXTENDED_ID) != 0) | (flags & FrameFlag.ERROR != 0), _LAST_29_BITS, _LAST_11_BITS)
    return np.asarray(bare > beyond)


def _arena_offsets(long: NDArray[np.bool_], length: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where each long payload stands in the joined arena, -1 for the others."""
    offset = np.full(len(long), NO_ARENA, np.int64)
    sizes = length[long].astype(np.int64)
    offset[long] = np.cumsum(sizes) - sizes
    return offset
