"""One pass over one vehicle's rows of a batch: each message to the reader of its protocol, each answer to a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.trouble_codes import CodeList, DtcReport, Protocol
from ingest.diagnostics import device_reports, freeze_frame, j1939_dm
from ingest.diagnostics.conversation import Conversation
from ingest.diagnostics.freeze_frame import FreezeFrame
from ingest.diagnostics.isotp_reports import IsoTpReports
from ingest.diagnostics.selection import FrameKind, address_bytes
from ingest.diagnostics.tables import DataIdentifier, Role, diagnostic_messages
from ingest.transport.isotp import NO_ADDRESS

PacketCodes = Callable[[bytes, int, int, int, Counter[str]], Iterable[DtcReport]]
"""(packet, time_ns, vehicle index, row, anomalies) -> its reports; no bytes may raise."""

_ISOTP = (FrameKind.ANSWER, FrameKind.OTHER_ISOTP, FrameKind.OTHER_CONTINUED)
_CONSECUTIVE = 2
_ALL_ADDRESSES = 0xFF
_ACKNOWLEDGED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the readers of messages know."""

    signals: freeze_frame.Signals
    identifiers: Mapping[int, DataIdentifier]
    packets: Mapping[str, PacketCodes]


class Reading:
    """One pass over one vehicle's rows of a batch."""

    def __init__(
        self,
        conversation: Conversation,
        context: Context,
        spn_layout: j1939_dm.SpnLayout,
        frames: FrameBatch,
        segment: slice,
    ) -> None:
        self.conversation, self.context, self.spn_layout = conversation, context, spn_layout
        self.frames, self.segment = frames, segment
        self.vehicle = int(frames.vehicle[segment.start])
        self.reports: list[DtcReport] = []
        self.anomalies: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        self._isotp = IsoTpReports(self)

    def run(self, rows: NDArray[np.intp], kinds: NDArray[np.uint8]) -> None:
        """Read the selected rows in order; the others only let time pass."""
        frames = self.frames
        columns = (rows, frames.time_ns[rows], frames.bus[rows], frames.can_id[rows], kinds[rows])
        for row, time_ns, bus, can_id, kind in zip(*(column.tolist() for column in columns), strict=True):
            self._close_due_freeze_frames(time_ns)
            if kind == FrameKind.TICK:
                self.conversation.expire(time_ns, self.anomalies)
                self.report_freeze_frames(self.conversation.freeze.close_all(self.anomalies), row)
            elif kind in (FrameKind.REPORT, FrameKind.PACKET):
                self._record(row, time_ns, frames.buses[bus], kind)
            elif kind in _ISOTP:
                self._isotp_frame(row, time_ns, frames.buses[bus], can_id, kind)
            else:
                self._j1939_frame(row, time_ns, frames.buses[bus], can_id, kind)
        self._close_due_freeze_frames(int(frames.time_ns[self.segment.stop - 1]))

    def report(self, row: int, bus: str, source: int, protocol: Protocol, kind: CodeList, **more: Any) -> None:
        """Add a report of this row's time."""
        more.setdefault("complete", False)
        more.setdefault("codes", ())
        self.reports.append(
            DtcReport(
                time_ns=int(self.frames.time_ns[row]),
                vehicle=self.vehicle,
                bus=bus,
                source=source,
                protocol=protocol,
                kind=kind,
                frame=row,
                **more,
            )
        )

    def _record(self, row: int, time_ns: int, bus: str, kind: int) -> None:
        data = self.frames.payload_bytes(row)
        if kind == FrameKind.PACKET:
            if bus in self.context.packets:
                self.reports += self.context.packets[bus](data, time_ns, self.vehicle, row, self.anomalies)
            return
        report = device_reports.decode_report(data, time_ns=time_ns, vehicle=self.vehicle, bus=bus, frame=row)
        if report is None:
            self.anomalies[device_reports.MALFORMED] += 1
        else:
            self.reports.append(report)

    def _isotp_frame(self, row: int, time_ns: int, bus: str, can_id: int, kind: int) -> None:
        data = self.frames.payload_bytes(row)
        address = NO_ADDRESS
        if data and address_bytes(can_id, data[0]):
            address, data = data[0], data[1:]
        listener = self.conversation.transport.isotp
        key = (bus, can_id, address)
        before = listener.transfers.get(key)
        if before is None and kind == FrameKind.OTHER_CONTINUED:
            return
        # an identifier that others use too is counted only while an answer is under way, or noise would be
        anomalies = self.anomalies if kind == FrameKind.ANSWER or before is not None else Counter[str]()
        message = listener.receive(key, time_ns, data, anomalies)
        if kind == FrameKind.OTHER_CONTINUED and not (data and data[0] >> 4 == _CONSECUTIVE):
            message = None  # another message of this identifier, which at most ends the answer under way
            if listener.transfers.get(key) is not before:
                listener.transfers.pop(key, None)
        if message is not None:
            self._isotp.read(row, time_ns, bus, can_id, message, is_standard=kind == FrameKind.ANSWER)

    def _j1939_frame(self, row: int, time_ns: int, bus: str, can_id: int, kind: int) -> None:
        data = self.frames.payload_bytes(row)
        source, destination = can_id & 0xFF, can_id >> 8 & 0xFF
        key = (bus, source, destination)
        if kind == FrameKind.ADDRESS_CLAIM:
            self.conversation.names.claim(bus, source, time_ns, data, self.anomalies)
        elif kind == FrameKind.REQUEST:
            self._clear_asked(row, bus, destination, int.from_bytes(data[:3], "little"))
        elif kind == FrameKind.ACKNOWLEDGEMENT:
            if data[0] == _ACKNOWLEDGED:
                self._cleared(row, bus, source, int.from_bytes(data[5:8], "little"), data)
            else:
                self.counted[f"{diagnostic_messages()[int.from_bytes(data[5:8], 'little')].name} refused"] += 1
        elif kind == FrameKind.TRANSPORT_MANAGEMENT:
            self.conversation.transport.j1939.manage(key, time_ns, data, self.anomalies)
        elif kind == FrameKind.TRANSPORT_DATA:
            completed = self.conversation.transport.j1939.transfer(key, time_ns, data, self.anomalies)
            if completed is not None:
                self._diagnostic_message(row, bus, source, *completed)
        else:
            pgn = can_id >> 8 & 0x3_FFFF
            self._diagnostic_message(row, bus, source, pgn if pgn >> 8 & 0xFF >= 240 else pgn & 0x3_FF00, data)

    def _clear_asked(self, row: int, bus: str, destination: int, pgn: int) -> None:
        """Nobody acknowledges a request to all, so the request itself is the report, of all ECUs of the bus."""
        if destination == _ALL_ADDRESSES:
            self._cleared(row, bus, _ALL_ADDRESSES, pgn, b"")
        else:
            self.counted[f"{diagnostic_messages()[pgn].name} requested"] += 1

    def _cleared(self, row: int, bus: str, source: int, pgn: int, raw: bytes) -> None:
        name = diagnostic_messages()[pgn].name
        self._j1939_report(row, bus, source, CodeList.CLEARED, message=name, complete=True, raw=raw)

    def _diagnostic_message(self, row: int, bus: str, source: int, pgn: int, payload: bytes) -> None:
        message = diagnostic_messages()[pgn]
        layout = self.spn_layout(source, self.conversation.names.name(bus, source))
        if message.role in j1939_dm.LISTS:
            told = j1939_dm.code_list(payload, message.role, message.name, layout, self.anomalies)
            if told is not None:
                kind, _ = j1939_dm.LISTS[message.role]
                lamps, codes = told
                self._j1939_report(
                    row, bus, source, kind, message=message.name, complete=True, codes=codes, lamps=lamps, raw=payload
                )
        elif message.role is Role.STATUS:
            monitors = j1939_dm.readiness(payload, self.anomalies)
            if monitors is not None:
                self._j1939_report(row, bus, source, CodeList.STATUS, message=message.name, monitors=monitors, raw=payload)
        elif message.role is Role.FREEZE_FRAME:
            for frozen in j1939_dm.freeze_frames(payload, layout, self.anomalies):
                more = {"codes": (frozen.code,), "freeze": frozen.values, "raw": payload}
                self._j1939_report(row, bus, source, CodeList.FREEZE_FRAME, message=message.name, **more)
        else:
            self.counted[message.name] += 1

    def _j1939_report(self, row: int, bus: str, source: int, kind: CodeList, **more: Any) -> None:
        self.report(row, bus, source, Protocol.J1939, kind, name=self.conversation.names.name(bus, source), **more)

    def _close_due_freeze_frames(self, time_ns: int) -> None:
        """Report freeze frames whose time is over, at the vehicle's first record of that time, whatever it is."""
        freeze = self.conversation.freeze
        while (deadline_ns := freeze.next_deadline_ns()) is not None and deadline_ns <= time_ns:
            times = self.frames.time_ns[self.segment]
            row = self.segment.start + int(np.argmax(times >= deadline_ns))
            self.report_freeze_frames(freeze.close_due(deadline_ns, self.anomalies), row)

    def report_freeze_frames(self, whole: list[FreezeFrame], row: int) -> None:
        """Add the reports of OBD freeze frames that this row shows to be whole."""
        for frozen in whole:
            more: dict[str, Any] = {"codes": (frozen.code,), "freeze": frozen.values, "message": "02"}
            self.report(row, frozen.bus, frozen.source, Protocol.OBD, CodeList.FREEZE_FRAME, **more)
