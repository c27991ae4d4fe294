"""Many messages' rows joined into one batch, and that batch merged with the one of our own frame messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frames import FRAME_COLUMNS, NO_ARENA, FrameBatch, MessageTable, empty_frames
from ingest.logs.log_format import Block
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.wire.rows import Rows

BUS_ROWS = 256


@dataclass(frozen=True, slots=True)
class MessageRows:
    """A message whose rows are to be joined."""

    vehicle: str
    received_ns: int
    token: int
    rows: Rows


class RowJoin:
    """Puts messages' rows together as columns; a bus name too many refuses its message.

    Args:
        taken: bus names that the batch has already, of the 256 that it may have.
    """

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._buses = {name: number for number, name in enumerate(taken)}
        self._messages: list[MessageRows] = []

    def add(self, message: MessageRows) -> None:
        """Take a message in.

        Raises:
            RefusedMessageError: with its bus names there would be more than 256.
        """
        names = {row.bus: None for row in message.rows.rows} | {
            block.buses[number]: None for block in message.rows.blocks for number in np.unique(block.bus).tolist()
        }
        if len(self._buses | names) > BUS_ROWS:
            raise RefusedMessageError(Reason.TOO_MANY_BUSES, f"more than {BUS_ROWS} bus names in messages received together")
        for name in names:
            self._buses.setdefault(name, len(self._buses))
        self._messages.append(message)

    def batch(self) -> FrameBatch:
        """Everything taken in; a message's rows come before its blocks."""
        if not self._messages:
            return empty_frames()
        vehicles = {name: number for number, name in enumerate(dict.fromkeys(each.vehicle for each in self._messages))}
        table = MessageTable(
            vehicle=np.array([vehicles[each.vehicle] for each in self._messages], np.int32),
            boot_session=np.array([each.rows.boot_session for each in self._messages], np.int64),
            sequence=np.array([each.rows.sequence for each in self._messages], np.int64),
            received_ns=np.array([each.received_ns for each in self._messages], np.int64),
            position=np.array([each.token for each in self._messages], np.int64),
        )
        columns, arena = self._single_rows()
        parts = [columns]
        for number, each in enumerate(self._messages):
            index = len(each.rows.rows)
            for block in each.rows.blocks:
                parts.append(self._block(block, number, index, len(arena)))
                arena += block.arena.tobytes()
                index += len(block.time_ns)
        joined = columns if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in columns}
        frames = FrameBatch(
            vehicles=tuple(vehicles),
            buses=tuple(self._buses),
            messages=table,
            vehicle=table.vehicle[joined["message"]],
            arena=np.frombuffer(bytes(arena), np.uint8),
            **joined,
        )
        return frames if len(parts) == 1 else frames.take(np.argsort(frames.message, kind="stable"))

    def _single_rows(self) -> tuple[dict[str, NDArray[Any]], bytearray]:
        """Columns of the rows that came one by one, and their arena."""
        rows = [row for each in self._messages for row in each.rows.rows]
        counts = np.array([len(each.rows.rows) for each in self._messages], np.int64)
        message = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        starts = np.cumsum(counts) - counts
        sizes = np.array([len(row.data) for row in rows], np.int64)
        return {
            "time_ns": np.array([row.time_ns for row in rows], np.int64),
            "bus": np.array([self._buses[row.bus] for row in rows], np.uint8),
            "can_id": np.array([row.can_id for row in rows], np.uint32),
            "message": message,
            "index": np.arange(len(rows), dtype=np.int64) - starts[message],
            "length": np.array([row.length for row in rows], np.uint8),
            "flags": np.array([row.flags for row in rows], np.uint8),
            "payload": np.array([row.payload for row in rows], np.uint64),
            "arena_offset": np.where(sizes > 0, np.cumsum(sizes) - sizes, NO_ARENA),
        }, bytearray().join(row.data for row in rows)

    def _block(self, block: Block, message: int, index: int, arena: int) -> dict[str, NDArray[Any]]:
        count = len(block.time_ns)
        bus_of = np.array([self._buses.get(name, 0) for name in block.buses] or [0], np.uint8)
        return {
            "time_ns": block.time_ns,
            "bus": bus_of[block.bus],
            "can_id": block.can_id,
            "message": np.full(count, message, np.int32),
            "index": np.arange(index, index + count, dtype=np.int64),
            "length": block.length,
            "flags": block.flags,
            "payload": block.payload,
            "arena_offset": np.where(block.arena_offset == NO_ARENA, NO_ARENA, block.arena_offset + arena),
        }


def merge_in_order(own: FrameBatch, foreign: FrameBatch) -> FrameBatch:
    """Both as one batch in order of arrival, which the tokens tell; messages without frames keep their row of the table.

    `foreign` was joined with the bus names of `own` taken, so that its bus numbers hold for both.
    """
    if not len(foreign.messages.position):
        return own
    if not len(own.messages.position):
        return foreign
    vehicles = {name: number for number, name in enumerate(dict.fromkeys((*own.vehicles, *foreign.vehicles)))}
    vehicle_of = np.array([vehicles[name] for name in foreign.vehicles], np.int32)
    count = len(own.messages.position)
    columns: dict[str, Any] = {name: np.concatenate([getattr(own, name), getattr(foreign, name)]) for name in FRAME_COLUMNS}
    table = {
        f.name: np.concatenate([getattr(own.messages, f.name), getattr(foreign.messages, f.name)]) for f in fields(MessageTable)
    }
    columns["vehicle"][len(own) :] = vehicle_of[foreign.vehicle]
    table["vehicle"][count:] = vehicle_of[foreign.messages.vehicle]
    inside = columns["arena_offset"][len(own) :]
    inside[inside != NO_ARENA] += len(own.arena)
    order = np.argsort(table["position"], kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    columns["message"] = rank[columns["message"] + np.where(np.arange(len(columns["message"])) < len(own), 0, count)]
    merged = replace(
        foreign,
        vehicles=tuple(vehicles),
        messages=MessageTable(**{name: column[order] for name, column in table.items()}),
        arena=np.concatenate([own.arena, foreign.arena]),
        **columns,
    )
    return merged.take(np.argsort(merged.message, kind="stable"))
