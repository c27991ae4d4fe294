"""Passive ISO 15765-2 (ISO-TP) reassembly: one listener per vehicle, which sends no flow control."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

CONSECUTIVE_TIMEOUT_NS = 1_000_000_000
"""N_Cr of ISO 15765-2: longest silence between two frames of one message."""
MAX_MESSAGE_BYTES = 65_536
"""Longer announcements (possible with the 32-bit escape length) are taken for noise, so that a listener's state stays small."""
MAX_TRANSFERS = 64
"""Under way at once in one vehicle; a flood of first frames drops the longest silent ones."""

SEQUENCE_GAP = "isotp_sequence_gap"
TIMEOUT = "isotp_timeout"
RESTARTED = "isotp_restarted"
ORPHAN = "isotp_orphan_frame"
MALFORMED = "isotp_malformed_frame"
TOO_LONG = "isotp_too_long"
CROWDED_OUT = "isotp_crowded_out"

NO_ADDRESS = -1

Key = tuple[str, int, int]
"""(bus name, CAN id with bit 31 set for 29-bit identifiers, address byte of extended or mixed addressing or -1): a sender."""


@dataclass(slots=True, kw_only=True)
class Transfer:
    """A message of `size` bytes under way; `sequence` is the number expected next, `time_ns` the last frame's.

    `room` is how many bytes a full frame of this sender carries; only the last one may carry fewer.
    """

    size: int
    sequence: int
    time_ns: int
    room: int
    data: bytearray


class IsoTpListener:
    """Reassembles what several senders of one vehicle say, each message being complete or counted as aborted.

    Frames are given without the address byte that extended and mixed addressing put first (it belongs to the key), so all
    kinds of addressing are read alike. Flow control is not needed and is ignored.
    """

    __slots__ = ("transfers",)

    def __init__(self) -> None:
        self.transfers: dict[Key, Transfer] = {}

    def receive(self, key: Key, time_ns: int, frame: bytes, anomalies: Counter[str]) -> bytes | None:
        """The message that this frame completes, None otherwise; abandoned transfers are counted in `anomalies`."""
        kind = frame[0] >> 4 if frame else -1
        if kind == 0:
            return self._single(key, frame, anomalies)
        if kind == 1:
            self._first(key, time_ns, frame, anomalies)
        elif kind == 2:
            return self._consecutive(key, time_ns, frame, anomalies)
        elif kind != 3:
            anomalies[MALFORMED] += 1
        return None

    def _single(self, key: Key, frame: bytes, anomalies: Counter[str]) -> bytes | None:
        escaped = frame[0] == 0 and len(frame) + _address_bytes(key) > 8
        start = 2 if escaped else 1
        size = frame[1] if escaped else frame[0]
        if not 0 < size <= len(frame) - start:
            anomalies[MALFORMED] += 1
            return None
        self._abandon(key, anomalies)
        return frame[start : start + size]

    def _first(self, key: Key, time_ns: int, frame: bytes, anomalies: Counter[str]) -> None:
        whole = len(frame) + _address_bytes(key) >= 8
        size = (frame[0] & 0x0F) << 8 | frame[1] if whole else 0
        start = 2
        if whole and size == 0:
            size, start = int.from_bytes(frame[2:6], "big"), 6
        if size == 0 or size <= len(frame) - start:
            anomalies[MALFORMED] += 1
            return
        self._abandon(key, anomalies)
        if size > MAX_MESSAGE_BYTES:
            anomalies[TOO_LONG] += 1
            return
        if len(self.transfers) >= MAX_TRANSFERS:
            del self.transfers[min(self.transfers, key=lambda k: (self.transfers[k].time_ns, k))]
            anomalies[CROWDED_OUT] += 1
        data = bytearray(frame[start:])
        self.transfers[key] = Transfer(size=size, sequence=1, time_ns=time_ns, room=len(frame) - 1, data=data)

    def _consecutive(self, key: Key, time_ns: int, frame: bytes, anomalies: Counter[str]) -> bytes | None:
        transfer = self.transfers.get(key)
        if transfer is None:
            anomalies[ORPHAN] += 1
            return None
        fault = ""
        if time_ns - transfer.time_ns > CONSECUTIVE_TIMEOUT_NS:
            fault = TIMEOUT
        elif frame[0] & 0x0F != transfer.sequence:
            fault = SEQUENCE_GAP
        elif len(frame) - 1 < min(transfer.room, transfer.size - len(transfer.data)):
            fault = MALFORMED
        if fault:
            anomalies[fault] += 1
            del self.transfers[key]
            return None
        transfer.data += frame[1:]
        transfer.sequence = (transfer.sequence + 1) & 0x0F
        transfer.time_ns = time_ns
        if len(transfer.data) < transfer.size:
            return None
        del self.transfers[key]
        return bytes(transfer.data[: transfer.size])

    def _abandon(self, key: Key, anomalies: Counter[str]) -> None:
        if self.transfers.pop(key, None) is not None:
            anomalies[RESTARTED] += 1

    def expire(self, time_ns: int, anomalies: Counter[str]) -> None:
        """Give up what has been silent for too long, so that a vehicle at rest keeps no state."""
        for key in [k for k, t in self.transfers.items() if time_ns - t.time_ns > CONSECUTIVE_TIMEOUT_NS]:
            del self.transfers[key]
            anomalies[TIMEOUT] += 1

    def dump(self) -> list[list[str | int]]:
        """The transfers under way as plain values, for `load`."""
        return [[*key, t.size, t.sequence, t.time_ns, t.room, t.data.hex()] for key, t in self.transfers.items()]

    def load(self, rows: list[list[str | int]]) -> None:
        """Set the transfers from what `dump` gave."""
        self.transfers = {
            (str(bus), int(can_id), int(address)): Transfer(
                size=int(size),
                sequence=int(sequence),
                time_ns=int(time_ns),
                room=int(room),
                data=bytearray.fromhex(str(data)),
            )
            for bus, can_id, address, size, sequence, time_ns, room, data in rows
        }


def _address_bytes(key: Key) -> int:
    return 0 if key[2] == NO_ADDRESS else 1
