"""Messages that no classic frame holds: whole ISO-TP answers and J1939 transport messages as frames of their own, for the decoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from domain.frames import EXTENDED_ID, NO_ARENA, FrameBatch
from ingest.message_spec import MessageSpec, Transport
from ingest.transport.payloads import NO_PGN, Addressing, Payload, PayloadReader

_PRIORITY = 6 << 26
"""Default priority of SAE J1939-21: what a transported group would have if one frame held it."""
_WORD_BYTES = 8
_FIRST_SPECIFIC_FORMAT = 240


class CarriedMessages:
    """Reads the payloads that some messages are carried in, with the transfers under way of every vehicle.

    Expects frames sorted by vehicle, then by the vehicle's total order; how they are cut into batches changes nothing.

    Args:
        messages: those to listen for; what comes in one frame is passed over.
    """

    name = "carried"

    def __init__(self, messages: Iterable[MessageSpec]) -> None:
        carried = tuple(messages)
        ids = sorted({m.can_id for m in carried if m.transport is Transport.ISO_TP})
        pgns = sorted({m.can_id for m in carried if m.transport is Transport.J1939})
        self.wanted = bool(ids or pgns)
        self.version = hashlib.sha256(repr((1, ids, pgns)).encode()).hexdigest()[:16]
        self._reader = PayloadReader(isotp=dict.fromkeys(ids, Addressing.NORMAL), pgns=frozenset(pgns))

    def read(self, frames: FrameBatch) -> tuple[list[Payload], dict[str, int]]:
        """The payloads that these frames complete, and what was odd, counted."""
        if not self.wanted:
            return [], {}
        payloads = self._reader.read(frames)
        anomalies = {kind: count for kind, count in self._reader.anomalies.items() if count}
        self._reader.anomalies.clear()
        return payloads, anomalies

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's transfers under way, None where there are none."""
        return self._reader.snapshot(vehicle)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`; raises ValueError for another format."""
        self._reader.restore(vehicle, state)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._reader.forget(vehicle)


def as_frames(payloads: Sequence[Payload], frames: FrameBatch, *, prefix_bytes: int = 0) -> FrameBatch:
    """One row for each payload, with the time, vehicle and bus of the frame that completed it.

    An ISO-TP answer has the identifier it came with, after `prefix_bytes` that hold its length as the first frame does; a
    J1939 message has the identifier that one frame of its group, source and destination would have.
    """
    rows = np.array([payload.frame for payload in payloads], np.int64)
    contents = [_content(payload, prefix_bytes) for payload in payloads]
    lengths = np.array([len(content) for content in contents], np.uint16)
    offsets = np.cumsum(lengths, dtype=np.int64) - lengths
    return FrameBatch(
        vehicles=frames.vehicles,
        buses=frames.buses,
        messages=frames.messages,
        time_ns=frames.time_ns[rows],
        vehicle=frames.vehicle[rows],
        bus=frames.bus[rows],
        can_id=np.array([_identifier(payload) for payload in payloads], np.uint32),
        message=frames.message[rows],
        index=frames.index[rows],
        length=lengths,  # type: ignore[arg-type]  # a payload may be longer than any frame; only numpy decodes it
        flags=np.zeros(len(rows), np.uint8),
        payload=np.array([int.from_bytes(content[:_WORD_BYTES], "little") for content in contents], np.uint64),
        arena_offset=np.where(lengths > _WORD_BYTES, offsets, NO_ARENA),
        arena=np.frombuffer(b"".join(contents), np.uint8),
    )


def _content(payload: Payload, prefix_bytes: int) -> bytes:
    # 65,535 bytes are as long as a description can be; the transport allows one more
    if payload.pgn != NO_PGN or not prefix_bytes:
        return payload.data[:0xFFFF]
    return ((len(payload.data) & (1 << 8 * prefix_bytes) - 1).to_bytes(prefix_bytes, "big") + payload.data)[:0xFFFF]


def _identifier(payload: Payload) -> int:
    if payload.pgn == NO_PGN:
        return payload.can_id
    destination = payload.destination if payload.pgn >> 8 & 0xFF < _FIRST_SPECIFIC_FORMAT else 0
    return EXTENDED_ID | _PRIORITY | (payload.pgn & 0x3FFFF) << 8 | destination << 8 | payload.source
