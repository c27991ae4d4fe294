"""Whole payloads from the frames of many vehicles, whatever they carry: the transport stage for those who decode payloads.

    reader = PayloadReader(isotp={0x7E8: Addressing.NORMAL}, pgns=frozenset({65251}))
    for payload in reader.read(frames): ...  # frames sorted by vehicle, then by the vehicle's total order

Transfers under way are carried per vehicle from batch to batch (`snapshot`, `restore`, `forget`); what was aborted is counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from domain.frames import NOT_CAN, FrameBatch, FrameFlag
from ingest.transport.isotp import NO_ADDRESS, IsoTpListener
from ingest.transport.j1939_tp import TransportListener

_STATE_FORMAT = 1
_NOT_DATA = np.uint8(FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN)
_TICK = np.uint8(FrameFlag.TICK)
NO_PGN = -1


class Addressing(IntEnum):
    """How a CAN id carries ISO-TP."""

    NORMAL = 0
    """11-bit ids, and 29-bit ids with the addresses in them (18DA tt ss, 18DB tt ss)."""
    EXTENDED = 1
    """The first data byte is the target address (as some makers do with 11-bit ids)."""
    MIXED = 2
    """The first data byte is the address extension (29-bit 18CE tt ss, 18CD tt ss, and 11-bit ids)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A whole message.

    Attributes:
        frame: row of its last frame in the batch. time_ns: event time of that frame. vehicle: index as in the batch.
        can_id: of its last frame, bit 31 set for 29-bit identifiers.
        pgn: J1939 parameter group of a transported message, -1 for ISO-TP.
        source: J1939 source address; ISO-TP: sending address of an 18DA-like id, else the CAN id without bit 31.
        destination: J1939 destination (255 all); ISO-TP: address byte of extended or mixed addressing, else -1.
        data: the bytes, without padding.
    """

    frame: int
    time_ns: int
    vehicle: int
    bus: str
    can_id: int
    pgn: int
    source: int
    destination: int
    data: bytes


class VehicleTransport:
    """The transfers under way in one vehicle."""

    __slots__ = ("isotp", "j1939")

    def __init__(self, pgns: frozenset[int] | None) -> None:
        self.isotp = IsoTpListener()
        self.j1939 = TransportListener(pgns)

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        return not (self.isotp.transfers or self.j1939.sessions)

    def expire(self, time_ns: int, anomalies: Counter[str]) -> None:
        """Give up what has been silent for too long."""
        self.isotp.expire(time_ns, anomalies)
        self.j1939.expire(time_ns, anomalies)

    def dump(self) -> list[list[list[str | int]]]:
        """Plain values for `load`."""
        return [self.isotp.dump(), self.j1939.dump()]

    def load(self, rows: list[list[list[str | int]]]) -> None:
        """Set from what `dump` gave."""
        transfers, sessions = rows
        self.isotp.load(transfers)
        self.j1939.load(sessions)


class PayloadReader:
    """ISO-TP messages of some CAN ids (single frames too) and transported J1939 messages of some parameter groups.

    Args:
        isotp: CAN id (bit 31 set for 29-bit) -> addressing. An id may carry several senders where the address byte differs.
        pgns: parameter groups wanted by J1939 transport; None for all, empty for none. Single-frame groups are not given.
    """

    def __init__(self, *, isotp: Mapping[int, Addressing] | None = None, pgns: frozenset[int] | None = frozenset()) -> None:
        self._isotp = dict(isotp or {})
        self._ids = np.array(sorted(self._isotp), np.uint32)
        self._pgns = pgns
        self._vehicles: dict[str, VehicleTransport] = {}
        self.anomalies: Counter[str] = Counter()

    @property
    def is_idle(self) -> bool:
        """Nothing is under way in any vehicle."""
        return not self._vehicles

    def read(self, frames: FrameBatch) -> list[Payload]:
        """The payloads that these frames complete, in the frames' order; oddities are added to `anomalies`."""
        rows = np.flatnonzero(self._selected(frames))
        columns = (rows, frames.time_ns[rows], frames.vehicle[rows], frames.bus[rows], frames.can_id[rows], frames.flags[rows])
        payloads: list[Payload] = []
        for row, time_ns, vehicle, bus, can_id, flags in zip(*(column.tolist() for column in columns), strict=True):
            name = frames.vehicles[vehicle]
            transport = self._vehicles.get(name)
            if flags & FrameFlag.TICK:
                if transport is not None:
                    transport.expire(time_ns, self.anomalies)
            else:
                if transport is None:
                    transport = self._vehicles[name] = VehicleTransport(self._pgns)
                payload = self._frame(transport, frames, row, time_ns, vehicle, frames.buses[bus], can_id)
                if payload is not None:
                    payloads.append(payload)
            if transport is not None and transport.is_idle:
                self._vehicles.pop(name, None)
        return payloads

    def _selected(self, frames: FrameBatch) -> NDArray[np.bool_]:
        can_id = frames.can_id
        wanted: NDArray[np.bool_] = np.isin(can_id, self._ids) if len(self._ids) else np.zeros(len(frames), np.bool_)
        if self._pgns is None or self._pgns:
            group = can_id & 0x83FF_0000
            wanted |= (group == 0x80EB_0000) | (group == 0x80EC_0000)
        wanted &= (frames.flags & _NOT_DATA) == 0
        wanted |= (frames.flags & _TICK) != 0
        return wanted

    def _frame(
        self, transport: VehicleTransport, frames: FrameBatch, row: int, time_ns: int, vehicle: int, bus: str, can_id: int
    ) -> Payload | None:
        data = frames.payload_bytes(row)
        addressing = self._isotp.get(can_id)
        pgn, source, destination = NO_PGN, isotp_source(can_id), NO_ADDRESS
        message: bytes | None
        if addressing is not None:
            if addressing is not Addressing.NORMAL and data:
                destination, data = data[0], data[1:]
            message = transport.isotp.receive((bus, can_id, destination), time_ns, data, self.anomalies)
        else:
            source, destination = can_id & 0xFF, can_id >> 8 & 0xFF
            completed = _j1939(transport, (bus, source, destination), can_id, time_ns, data, self.anomalies)
            pgn, message = completed or (NO_PGN, None)
        if message is None:
            return None
        return Payload(
            frame=row,
            time_ns=time_ns,
            vehicle=vehicle,
            bus=bus,
            can_id=can_id,
            pgn=pgn,
            source=source,
            destination=destination,
            data=message,
        )

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's transfers under way, as compact JSON; None where there are none."""
        transport = self._vehicles.get(vehicle)
        return None if transport is None else json.dumps([_STATE_FORMAT, transport.dump()], separators=(",", ":")).encode()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`.

        Raises:
            ValueError: the state is of another format.
        """
        form, rows = json.loads(state)
        if form != _STATE_FORMAT:
            raise ValueError(f"transport state of format {form}, not {_STATE_FORMAT}")
        transport = self._vehicles[vehicle] = VehicleTransport(self._pgns)
        transport.load(rows)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._vehicles.pop(vehicle, None)


def isotp_source(can_id: int) -> int:
    """Who sends: the source address in 29-bit ids that carry one (18DA, 18DB, 18CD, 18CE), else the id without bit 31."""
    if can_id >> 16 & 0x83FF in (0x80DA, 0x80DB, 0x80CD, 0x80CE):
        return can_id & 0xFF
    return can_id & 0x1FFF_FFFF


def _j1939(
    transport: VehicleTransport, key: tuple[str, int, int], can_id: int, time_ns: int, data: bytes, anomalies: Counter[str]
) -> tuple[int, bytes] | None:
    if can_id >> 16 & 0xFF == 0xEC:
        transport.j1939.manage(key, time_ns, data, anomalies)
        return None
    return transport.j1939.transfer(key, time_ns, data, anomalies)
