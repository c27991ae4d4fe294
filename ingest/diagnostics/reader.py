"""Frames to trouble-code reports, with the state of every vehicle carried from batch to batch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.trouble_codes import CodeList, DtcBatch, DtcReport, Protocol, dtc_batch
from ingest.builtin import PidSignal, obd2_pids
from ingest.diagnostics import freeze_frame, j1939_dm, obd
from ingest.diagnostics.freeze_frame import FreezeFrame, FreezeFrameCollector, signals_by_pid
from ingest.diagnostics.selection import FrameKind, frame_kinds
from ingest.transport import isotp, j1939_tp
from ingest.transport.isotp import IsoTpListener
from ingest.transport.j1939_tp import TransportListener

_STATE_FORMAT = 2


class DiagnosticsReader:
    """The diagnostics stage: OBD-II code lists and freeze frames, and J1939 DM1, single frame or by transport protocol.

    Expects frames sorted by vehicle, then by the vehicle's total order. A report has the event time of the frame that
    completed it; a freeze frame that of the record that showed it to be whole (`FreezeFrameCollector`), so that no
    report is older than what an earlier batch gave.

    Args:
        pids: OBD-II values to decode in freeze frames; the built-in table where None.
    """

    name = "diagnostics"

    def __init__(self, pids: Sequence[PidSignal] | None = None) -> None:
        table = obd2_pids() if pids is None else tuple(pids)
        self._signals = signals_by_pid(table)
        self._vehicles: dict[str, _Listener] = {}
        shape = (
            _STATE_FORMAT,
            isotp.CONSECUTIVE_TIMEOUT_NS,
            j1939_tp.BROADCAST_TIMEOUT_NS,
            j1939_tp.CONNECTION_TIMEOUT_NS,
            freeze_frame.GATHER_NS,
            table,
        )
        self.version = hashlib.sha256(repr(shape).encode()).hexdigest()[:16]

    def read(self, frames: FrameBatch) -> DtcBatch:
        """The reports of these frames, and what was odd, counted."""
        if not len(frames):
            return dtc_batch(frames.vehicles, ())
        transport_open = any(listener.transport.sessions for listener in self._vehicles.values())
        kinds = frame_kinds(frames, transport_open=transport_open)
        rows = np.flatnonzero(kinds)
        anomalies: Counter[str] = Counter()
        reports: list[DtcReport] = []
        starts = np.flatnonzero(np.diff(frames.vehicle, prepend=np.int32(-1)))
        ends = np.append(starts[1:], len(frames))
        bounds = np.searchsorted(rows, np.append(starts, len(frames))).tolist()
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            vehicle = frames.vehicles[frames.vehicle[start]]
            mine = rows[bounds[number] : bounds[number + 1]]
            listener = self._vehicles.get(vehicle)
            if listener is None:
                if not len(mine):
                    continue
                listener = self._vehicles[vehicle] = _Listener()
            reading = _Reading(listener, self._signals, frames, slice(start, end), reports, anomalies)
            reading.run(mine, kinds)
            if listener.is_idle():
                del self._vehicles[vehicle]
        return dtc_batch(frames.vehicles, reports, {kind: count for kind, count in sorted(anomalies.items()) if count})

    def snapshot(self, vehicle: str) -> bytes | None:
        """Messages and freeze frames under way, as compact JSON; None where there are none."""
        listener = self._vehicles.get(vehicle)
        if listener is None:
            return None
        parts = (_STATE_FORMAT, listener.isotp.dump(), listener.transport.dump(), listener.freeze.dump())
        return json.dumps(parts, separators=(",", ":")).encode()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`.

        Raises:
            ValueError: the state is of another format.
        """
        form, transfers, sessions, gatherings = json.loads(state)
        if form != _STATE_FORMAT:
            raise ValueError(f"diagnostics state of format {form}, not {_STATE_FORMAT}")
        listener = self._vehicles[vehicle] = _Listener()
        listener.isotp.load(transfers)
        listener.transport.load(sessions)
        listener.freeze.load(gatherings)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._vehicles.pop(vehicle, None)


class _Listener:
    """What is under way in one vehicle."""

    __slots__ = ("freeze", "isotp", "transport")

    def __init__(self) -> None:
        self.isotp = IsoTpListener()
        self.transport = TransportListener(frozenset({j1939_dm.DM1_PGN}))
        self.freeze = FreezeFrameCollector()

    def is_idle(self) -> bool:
        return not (self.isotp.transfers or self.transport.sessions or self.freeze.gatherings)


class _Reading:
    """One pass over one vehicle's rows of a batch."""

    def __init__(
        self,
        listener: _Listener,
        signals: freeze_frame.Signals,
        frames: FrameBatch,
        segment: slice,
        reports: list[DtcReport],
        anomalies: Counter[str],
    ) -> None:
        self.listener, self.signals, self.frames, self.segment = listener, signals, frames, segment
        self.reports, self.anomalies = reports, anomalies
        self.vehicle = int(frames.vehicle[segment.start])

    def run(self, rows: NDArray[np.intp], kinds: NDArray[np.uint8]) -> None:
        """Read the selected rows in order; the others only let time pass."""
        frames = self.frames
        columns = (rows, frames.time_ns[rows], frames.bus[rows], frames.can_id[rows], kinds[rows])
        for row, time_ns, bus, can_id, kind in zip(*(column.tolist() for column in columns), strict=True):
            self._close_due_freeze_frames(time_ns)
            if kind == FrameKind.TICK:
                self.listener.isotp.expire(time_ns, self.anomalies)
                self.listener.transport.expire(time_ns, self.anomalies)
                self._report_freeze_frames(self.listener.freeze.close_all(self.anomalies), row)
            else:
                self._frame(row, time_ns, frames.buses[bus], can_id, kind)
        self._close_due_freeze_frames(int(frames.time_ns[self.segment.stop - 1]))

    def _frame(self, row: int, time_ns: int, bus: str, can_id: int, kind: int) -> None:
        payload = self.frames.payload_bytes(row)
        source = can_id & 0xFF
        if kind == FrameKind.OBD_ANSWER:
            message = self.listener.isotp.receive((bus, can_id, isotp.NO_ADDRESS), time_ns, payload, self.anomalies)
            if message is not None:
                self._obd_answer(row, time_ns, bus, can_id, message)
        elif kind == FrameKind.DM1:
            self._dm1(row, time_ns, bus, source, payload)
        else:
            key = (bus, source, can_id >> 8 & 0xFF)
            if kind == FrameKind.TRANSPORT_MANAGEMENT:
                self.listener.transport.manage(key, time_ns, payload, self.anomalies)
                return
            completed = self.listener.transport.transfer(key, time_ns, payload, self.anomalies)
            if completed is not None:
                self._dm1(row, time_ns, bus, source, completed[1])

    def _obd_answer(self, row: int, time_ns: int, bus: str, source: int, message: bytes) -> None:
        service = message[0]
        if service in obd.LISTS:
            answer = obd.code_list(message, self.anomalies)
            if answer is not None:
                self.reports.append(
                    DtcReport(
                        time_ns=time_ns,
                        vehicle=self.vehicle,
                        bus=bus,
                        source=source,
                        protocol=Protocol.OBD,
                        kind=answer.kind,
                        complete=answer.complete,
                        codes=answer.codes,
                        frame=row,
                        raw=message,
                    )
                )
        elif service == obd.FREEZE_FRAME_ANSWER:
            whole = self.listener.freeze.receive(bus, source, time_ns, message, self.signals, self.anomalies)
            self._report_freeze_frames(whole, row)
        elif service == obd.NEGATIVE_ANSWER and len(message) > 1 and message[1] in obd.REQUESTS:
            self.anomalies[obd.NEGATIVE] += 1

    def _dm1(self, row: int, time_ns: int, bus: str, source: int, message: bytes) -> None:
        active = j1939_dm.active_codes(message, self.anomalies)
        if active is not None:
            lamps, codes = active
            self.reports.append(
                DtcReport(
                    time_ns=time_ns,
                    vehicle=self.vehicle,
                    bus=bus,
                    source=source,
                    protocol=Protocol.J1939,
                    kind=CodeList.ACTIVE,
                    complete=True,
                    codes=codes,
                    lamps=lamps,
                    frame=row,
                    raw=message,
                )
            )

    def _close_due_freeze_frames(self, time_ns: int) -> None:
        """Report freeze frames whose time is over, at the vehicle's first record of that time, whatever it is."""
        freeze = self.listener.freeze
        while (deadline_ns := freeze.next_deadline_ns()) is not None and deadline_ns <= time_ns:
            times = self.frames.time_ns[self.segment]
            row = self.segment.start + int(np.argmax(times >= deadline_ns))
            self._report_freeze_frames(freeze.close_due(deadline_ns, self.anomalies), row)

    def _report_freeze_frames(self, whole: list[FreezeFrame], row: int) -> None:
        for freeze in whole:
            self.reports.append(
                DtcReport(
                    time_ns=int(self.frames.time_ns[row]),
                    vehicle=self.vehicle,
                    bus=freeze.bus,
                    source=freeze.source,
                    protocol=Protocol.OBD,
                    kind=CodeList.FREEZE_FRAME,
                    complete=False,
                    codes=(freeze.code,),
                    freeze=freeze.values,
                    frame=row,
                )
            )
