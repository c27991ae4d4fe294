"""CAN frames of many vehicles as columns: what every log reader and every message payload yields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

EXTENDED_ID = 0x8000_0000
"""Bit 31 of `FrameBatch.can_id`: the identifier has 29 bits."""

NO_ARENA = -1


class FrameFlag(IntFlag):
    """Bits of `FrameBatch.flags`."""

    REMOTE = 1
    ERROR = 2
    FD = 4
    TRANSMITTED = 8
    TICK = 16
    """Not a frame but a tick record (`can_id` is a `TickKind`): it is journaled, ordered, held back and cut like data."""
    SAMPLE = 32
    """Not a frame but a value that the device has decoded: `can_id` is `domain.vss.path_number` of its path, `payload` the
    bits of a float64 in the unit of the VSS path, `bus` names the wire format."""
    REPORT = 64
    """Not a frame but a trouble-code report that the device has decoded (`ingest.records` has its bytes), in the arena."""
    PACKET = 128
    """Not a CAN frame but a whole packet of another protocol, in the arena; `bus` names the protocol ("gbt32960")."""


IN_ARENA = FrameFlag.REPORT | FrameFlag.PACKET
"""Records whose size may pass 255 bytes: `payload` is their size, `length` is min(size, 255), the bytes are in the arena."""
NOT_CAN = FrameFlag.TICK | FrameFlag.SAMPLE | FrameFlag.REPORT | FrameFlag.PACKET
"""Records that are no CAN frames: they pass hold-back, sequencing and state as rows like any other."""


class TickKind(IntEnum):
    """What a tick record tells."""

    END_OF_DRIVE = 1
    """Ignition off, or five minutes of event time without data: closes the trip and lets the tail be evaluated."""
    TIMER = 2
    """Event time has passed without data, for absence rules and timers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTable:
    """One row per received message: an MQTT publish, or a whole log file. All columns have the same length.

    Attributes:
        vehicle: int32, index into the batch's `vehicles`.
        boot_session: int64, grows from one boot (or drive) of the vehicle to the next.
        sequence: int64, gapless within a boot session; -1 where the device sends none.
        received_ns: int64, when the message became available to us (wall time, ns since epoch).
        position: int64, acknowledgement token or file position; meaning belongs to the source.
    """

    vehicle: NDArray[np.int32]
    boot_session: NDArray[np.int64]
    sequence: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    position: NDArray[np.int64]

    @staticmethod
    def single(*, boot_session: int = 0, sequence: int = 0, received_ns: int = 0, position: int = 0) -> MessageTable:
        """A table with one row, of vehicle 0."""
        one = [np.array([v], np.int64) for v in (boot_session, sequence, received_ns, position)]
        return MessageTable(
            vehicle=np.zeros(1, np.int32), boot_session=one[0], sequence=one[1], received_ns=one[2], position=one[3]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBatch:
    """Frames (and ticks) as columns of equal length n, in arrival order unless a stage says otherwise.

    Attributes:
        vehicles: vehicle ids (pseudonyms) that the `vehicle` column points into; stages keep their own id -> slot map.
        buses: bus names as logged (can0, 1) that the `bus` column points into.
        messages: the table that the `message` column points into.
        time_ns: int64, event time in ns since epoch (the vehicle's clock).
        vehicle: int32. bus: uint8. message: int32.
        index: int64, position within the message; (time, boot session, sequence, index) is the total order of a vehicle's records.
        can_id: uint32, bit 31 set for 29-bit identifiers.
        length: uint8, payload bytes. flags: uint8 of `FrameFlag`.
        payload: uint64, the first 8 bytes as a little-endian load (bytes past `length` are zero).
        arena_offset: int64, offset of the whole payload in `arena`, -1 for payloads of at most 8 bytes.
        arena: uint8, bytes of longer payloads.
    """

    vehicles: tuple[str, ...]
    buses: tuple[str, ...]
    messages: MessageTable
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    message: NDArray[np.int32]
    index: NDArray[np.int64]
    length: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    payload: NDArray[np.uint64]
    arena_offset: NDArray[np.int64]
    arena: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> FrameBatch:
        """The same batch with only these rows, in this order (tables and arena are shared)."""
        return replace(self, **{name: getattr(self, name)[rows] for name in FRAME_COLUMNS})

    def payload_bytes(self, row: int) -> bytes:
        """The payload of one frame, `length` bytes (of a record in the arena, all of it)."""
        size = int(self.payload[row] if self.flags[row] & IN_ARENA else self.length[row])
        offset = int(self.arena_offset[row])
        if offset != NO_ARENA:
            return self.arena[offset : offset + size].tobytes()
        return int(self.payload[row]).to_bytes(8, "little")[:size]


FRAME_COLUMNS = ("time_ns", "vehicle", "bus", "can_id", "message", "index", "length", "flags", "payload", "arena_offset")
_COLUMN_TYPES = {
    "time_ns": np.int64,
    "vehicle": np.int32,
    "bus": np.uint8,
    "can_id": np.uint32,
    "message": np.int32,
    "index": np.int64,
    "length": np.uint8,
    "flags": np.uint8,
    "payload": np.uint64,
    "arena_offset": np.int64,
}


def empty_frames(vehicles: tuple[str, ...] = (), buses: tuple[str, ...] = ()) -> FrameBatch:
    """A batch of no frames."""
    table = MessageTable(
        vehicle=np.empty(0, np.int32), **{f.name: np.empty(0, np.int64) for f in fields(MessageTable) if f.name != "vehicle"}
    )
    columns = {name: np.empty(0, kind) for name, kind in _COLUMN_TYPES.items()}
    return FrameBatch(vehicles=vehicles, buses=buses, messages=table, arena=np.empty(0, np.uint8), **columns)


def concat_frames(batches: Sequence[FrameBatch]) -> FrameBatch:
    """One batch with the rows of all, in order; vehicle, bus and message tables are merged, arenas joined.

    Raises:
        OverflowError: more than 256 bus names.
    """
    full = [b for b in batches if len(b)]
    if len(full) == 1:
        return full[0]
    if not full:
        return batches[0] if batches else empty_frames()
    vehicles: dict[str, int] = {}
    buses: dict[str, int] = {}
    columns: dict[str, list[NDArray[np.generic]]] = {name: [] for name in FRAME_COLUMNS}
    tables: dict[str, list[NDArray[np.generic]]] = {f.name: [] for f in fields(MessageTable)}
    message_base = arena_base = 0
    for batch in full:
        vehicle_of = np.array([vehicles.setdefault(v, len(vehicles)) for v in batch.vehicles] or [0], np.int32)
        bus_of = [buses.setdefault(b, len(buses)) for b in batch.buses] or [0]
        if len(buses) > 256:
            raise OverflowError("more than 256 bus names in one batch")
        for name in FRAME_COLUMNS:
            columns[name].append(getattr(batch, name))
        columns["vehicle"][-1] = vehicle_of[batch.vehicle]
        columns["bus"][-1] = np.array(bus_of, np.uint8)[batch.bus]
        columns["message"][-1] = (batch.message + message_base).astype(np.int32)
        columns["arena_offset"][-1] = np.where(batch.arena_offset == NO_ARENA, NO_ARENA, batch.arena_offset + arena_base)
        for name, parts in tables.items():
            parts.append(getattr(batch.messages, name))
        tables["vehicle"][-1] = vehicle_of[batch.messages.vehicle]
        message_base += len(batch.messages.sequence)
        arena_base += len(batch.arena)
    return FrameBatch(
        vehicles=tuple(vehicles),
        buses=tuple(buses),
        messages=MessageTable(**{name: np.concatenate(parts) for name, parts in tables.items()}),
        arena=np.concatenate([b.arena for b in full]),
        **{name: np.concatenate(parts) for name, parts in columns.items()},
    )
