"""Which frames of a batch can belong to a diagnostic message: a few passes over the columns, so that others cost little."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NOT_CAN, FrameBatch, FrameFlag
from ingest.diagnostics import obd, uds
from ingest.diagnostics.j1939_names import ADDRESS_CLAIM_PGN
from ingest.diagnostics.tables import Role, diagnostic_messages

_NOT_DATA = np.uint8(FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN)
_ALL = 0xFF
_NO_STANDARD_ID = 0x800

EXTENDED_REQUEST_ID = 0x6F1
"""The tester of extended addressing with 11-bit identifiers; its ECUs answer from 600 to 6EF with its address first."""
TESTER = 0xF1


class FrameKind(IntEnum):
    """What a frame may be part of."""

    NONE = 0
    ANSWER = 1
    """ISO-TP from the answering identifiers of ISO 15765-4: 7E8 to 7EF and 18DA F1 xx."""
    OTHER_ISOTP = 2
    """ISO-TP from any other identifier that diagnostics use: UDS only, and only where it looks like it."""
    J1939 = 3
    """A J1939 diagnostic message in a single frame."""
    ADDRESS_CLAIM = 4
    REQUEST = 5
    """J1939 request for a clear."""
    ACKNOWLEDGEMENT = 6
    """J1939 acknowledgement of a clear."""
    TRANSPORT_MANAGEMENT = 7
    TRANSPORT_DATA = 8
    OTHER_CONTINUED = 9
    """Any other frame of an identifier of OTHER_ISOTP that begins a long answer in this batch or has one under way."""
    TICK = 10
    REPORT = 11
    PACKET = 12


class FrameSelection:
    """Finds the frames of a batch that can belong to a diagnostic message, by two look-ups over the identifiers."""

    def __init__(self) -> None:
        messages = diagnostic_messages().values()
        self._standard = _standard_kinds()
        self._groups = _group_kinds([m.pgn for m in messages])
        self.pgns = frozenset(m.pgn for m in messages)
        self._wanted = np.array(sorted(self.pgns), np.uint64)
        self._clears = np.array([m.pgn for m in messages if m.role is Role.CLEAR], np.uint64)

    def kinds(self, frames: FrameBatch, *, transport_open: bool, open_ids: Collection[int]) -> NDArray[np.uint8]:
        """uint8[n] of `FrameKind`.

        Args:
            frames: any batch.
            transport_open: a J1939 transfer of a wanted message is under way. Where none is, and the batch announces none,
                transport frames belong to other messages and are left out.
            open_ids: the identifiers of OTHER_ISOTP whose messages are under way.
        """
        can_id = frames.can_id
        group = can_id >> 8
        kinds: NDArray[np.uint8] = self._groups[group & 0x3_FFFF]
        standard = np.flatnonzero(group < np.uint32(EXTENDED_ID >> 8))
        if len(standard):
            kinds[standard] = self._standard[np.minimum(can_id[standard], np.uint32(_NO_STANDARD_ID))]
        special = np.flatnonzero(frames.flags & _NOT_DATA)
        if len(special):
            kinds[special] = FrameKind.NONE
            for flag, kind in _RECORDS:
                kinds[special[(frames.flags[special] & flag) != 0]] = kind
        rows = np.flatnonzero((kinds > FrameKind.NONE) & (kinds < FrameKind.TICK))
        if len(rows):
            self._refine(frames, rows, kinds, transport_open=transport_open, open_ids=open_ids)
        return kinds

    def _refine(
        self,
        frames: FrameBatch,
        rows: NDArray[np.intp],
        kinds: NDArray[np.uint8],
        *,
        transport_open: bool,
        open_ids: Collection[int],
    ) -> None:
        """Leave out what the payload shows to be no diagnostic message."""
        of = kinds[rows]
        kinds[_not(rows[of == FrameKind.ANSWER], _answers(frames, rows[of == FrameKind.ANSWER]))] = FrameKind.NONE
        others = rows[of == FrameKind.OTHER_ISOTP]
        kinds[others] = _other_isotp(frames, others, open_ids)
        for kind, shift in ((FrameKind.REQUEST, 0), (FrameKind.ACKNOWLEDGEMENT, 40)):
            asked = rows[of == kind]
            pgn = frames.payload[asked] >> np.uint64(shift) & np.uint64(0xFF_FFFF)
            kinds[asked[~np.isin(pgn, self._clears)]] = FrameKind.NONE
        management = rows[of == FrameKind.TRANSPORT_MANAGEMENT]
        announced = frames.payload[management] >> np.uint64(40) & np.uint64(0xFF_FFFF)
        if not (transport_open or np.isin(announced, self._wanted).any()):
            kinds[management[frames.length[management] >= 8]] = FrameKind.NONE
            kinds[rows[of == FrameKind.TRANSPORT_DATA]] = FrameKind.NONE


_RECORDS = (
    (FrameFlag.TICK, FrameKind.TICK),
    (FrameFlag.REPORT, FrameKind.REPORT),
    (FrameFlag.PACKET, FrameKind.PACKET),
)


def address_bytes(can_id: int, first: int) -> int:
    """How many address bytes come before the protocol byte: 1 with extended and mixed addressing."""
    if can_id >> 16 & 0x83FF in (0x80CD, 0x80CE) or can_id == EXTENDED_REQUEST_ID:
        return 1
    return int(0x600 <= can_id < 0x6F0 and first == TESTER)


def _standard_kinds() -> NDArray[np.uint8]:
    kinds = np.zeros(_NO_STANDARD_ID + 1, np.uint8)
    kinds[0x600:_NO_STANDARD_ID] = FrameKind.OTHER_ISOTP
    kinds[0x7E8:0x7F0] = FrameKind.ANSWER
    return kinds


def _group_kinds(pgns: Collection[int]) -> NDArray[np.uint8]:
    """FrameKind by bits 25 to 8 of a 29-bit identifier; a group below PF 240 has its destination there."""
    kinds = np.zeros(1 << 18, np.uint8)

    def mark(pgn: int, kind: FrameKind) -> None:
        kinds[pgn : pgn + (256 if pgn >> 8 & 0xFF < 240 else 1)] = kind

    for pgn in pgns:
        mark(pgn, FrameKind.J1939)
    for pgn in (0xDA00, 0xDB00, 0xCD00, 0xCE00, 0x3FC00, 0x3FE00):  # ISO 15765-2, and 17FC, 17FE of ISO 15765-3
        kinds[pgn : pgn + 256] = FrameKind.OTHER_ISOTP
    kinds[0xDA00 | TESTER] = FrameKind.ANSWER
    mark(0xEA00, FrameKind.REQUEST)
    mark(0xE800, FrameKind.ACKNOWLEDGEMENT)
    mark(0xEC00, FrameKind.TRANSPORT_MANAGEMENT)
    mark(0xEB00, FrameKind.TRANSPORT_DATA)
    kinds[ADDRESS_CLAIM_PGN | _ALL] = FrameKind.ADDRESS_CLAIM
    return kinds


def _not(rows: NDArray[np.intp], keep: NDArray[np.bool_]) -> NDArray[np.intp]:
    return rows[~keep]


def _table(services: Collection[int]) -> NDArray[np.bool_]:
    table = np.zeros(256, np.bool_)
    table[list(services)] = True
    return table


_ANSWERS = _table(
    {
        *obd.LISTS,
        obd.FREEZE_FRAME_ANSWER,
        obd.CLEAR_ANSWER,
        obd.TEST_ANSWER,
        obd.IDENTIFICATION_ANSWER,
        obd.NEGATIVE_ANSWER,
        uds.READ_ANSWER,
        uds.CLEAR_ANSWER,
    }
)
_STATUS_PIDS = _table(obd.STATUS_PIDS)


def _answers(frames: FrameBatch, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Segmented frames, and single frames of the services that we read."""
    head = frames.payload[rows]
    first, second, third = (head >> np.uint64(shift) & np.uint64(0xFF) for shift in (0, 8, 16))
    service, detail = np.where(first == 0, third, second), np.where(first == 0, head >> np.uint64(24) & np.uint64(0xFF), third)
    frame_type = first >> np.uint64(4)
    read = _ANSWERS[service] | ((service == obd.STATUS_ANSWER) & _STATUS_PIDS[detail])
    keep: NDArray[np.bool_] = (frame_type == 1) | (frame_type == 2) | ((frame_type == 0) & read)
    return keep


def _other_isotp(frames: FrameBatch, rows: NDArray[np.intp], open_ids: Collection[int]) -> NDArray[np.uint8]:
    """FrameKind of each: UDS services 14 and 19 and their answers are told by structure."""
    can_id = frames.can_id[rows]
    head = frames.payload[rows]
    first = head & np.uint64(0xFF)
    group = can_id >> 16 & 0x83FF
    prefixed = (can_id == EXTENDED_REQUEST_ID) | (group == 0x80CD) | (group == 0x80CE)
    prefixed |= (can_id >= 0x600) & (can_id < 0x6F0) & (first == TESTER)
    head = np.where(prefixed, head >> np.uint64(8), head)
    b0, b1, b2, b3 = (head >> np.uint64(shift) & np.uint64(0xFF) for shift in (0, 8, 16, 24))
    escaped = (b0 == 0) & (frames.length[rows] > 8)
    size = np.where(escaped, b1, b0)
    service, detail = np.where(escaped, b2, b1), np.where(escaped, b3, b2)
    single = (b0 < 8) & (
        ((service == uds.READ_ANSWER) & (size >= 2) & _REPORTS[detail])
        | ((service == uds.READ_REQUEST) & (size >= 2) & _REPORTS[detail])
        | ((service == uds.CLEAR_REQUEST) & (size == 4))
        | ((service == uds.CLEAR_ANSWER) & (size == 1))
        | ((service == uds.NEGATIVE_ANSWER) & (size == 3) & ((detail == uds.READ_REQUEST) | (detail == uds.CLEAR_REQUEST)))
    )
    very_long = (b0 == 0x10) & (b1 == 0)
    long_service = np.where(very_long, head >> np.uint64(48) & np.uint64(0xFF), b2)
    begins = (b0 >> np.uint64(4) == 1) & (long_service == uds.READ_ANSWER) & (very_long | _REPORTS[b3])
    kinds = np.where(single | begins, np.uint8(FrameKind.OTHER_ISOTP), np.uint8(FrameKind.NONE))
    heard = np.union1d(np.array(list(open_ids), np.uint32), can_id[begins])
    if len(heard):
        kinds[np.isin(can_id, heard) & ~(single | begins)] = FrameKind.OTHER_CONTINUED
    return kinds


_REPORTS = _table(uds.KNOWN_REPORTS)
