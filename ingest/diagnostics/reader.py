"""Frames to trouble-code reports, with the state of every vehicle carried from batch to batch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from domain.frames import FrameBatch
from domain.trouble_codes import DtcBatch, DtcReport, dtc_batch
from ingest.builtin import PidSignal, obd2_pids
from ingest.diagnostics import freeze_frame
from ingest.diagnostics.conversation import ANSWER_WITHIN_NS, Conversation
from ingest.diagnostics.freeze_frame import signals_by_pid
from ingest.diagnostics.reading import Context, PacketCodes, Reading
from ingest.diagnostics.selection import FrameKind, FrameSelection
from ingest.diagnostics.tables import DataIdentifier, data_identifiers
from ingest.gbt32960.codes import PACKET_CODES
from ingest.transport import isotp, j1939_tp

_STATE_FORMAT = 3

SpnLayouts = Callable[[str, int, int], int | None]
"""(vehicle, source address, NAME or -1) -> layout 1, 2 or 3 of an ECU whose J1939 codes have conversion method 1."""


class DiagnosticsReader:
    """The diagnostics stage: OBD-II, UDS and J1939 messages on CAN, and reports of devices, into one fault record.

    Expects frames sorted by vehicle, then by the vehicle's total order. A report has the event time of the frame that
    completed it; a freeze frame that of the record that showed it to be whole (`FreezeFrameCollector`), so that no
    report is older than what an earlier batch gave.

    Args:
        pids: OBD-II values to decode in freeze frames; the built-in table where None.
        identifiers: UDS data identifiers of snapshots whose length is known beside the standard ones (they are the maker's).
        packets: name of a protocol (the bus of `FrameFlag.PACKET` rows) -> what reads its packets.
        spn_layouts: tells the SPN layout of old J1939 ECUs; without it their codes are marked as assumed.
    """

    name = "diagnostics"

    def __init__(
        self,
        pids: Sequence[PidSignal] | None = None,
        *,
        identifiers: Mapping[int, DataIdentifier] | None = None,
        packets: Mapping[str, PacketCodes] | None = None,
        spn_layouts: SpnLayouts | None = None,
    ) -> None:
        table = obd2_pids() if pids is None else tuple(pids)
        self._context = Context(
            signals=signals_by_pid(table),
            identifiers={**data_identifiers(), **(identifiers or {})},
            packets={**PACKET_CODES, **(packets or {})},
        )
        self._spn_layouts = spn_layouts or (lambda _vehicle, _source, _name: None)
        self._selection = FrameSelection()
        self._vehicles: dict[str, Conversation] = {}
        shape = (
            _STATE_FORMAT,
            isotp.CONSECUTIVE_TIMEOUT_NS,
            j1939_tp.BROADCAST_TIMEOUT_NS,
            j1939_tp.CONNECTION_TIMEOUT_NS,
            freeze_frame.GATHER_NS,
            ANSWER_WITHIN_NS,
            table,
        )
        self.version = hashlib.sha256(repr(shape).encode()).hexdigest()[:16]

    def read(self, frames: FrameBatch) -> DtcBatch:
        """The reports of these frames, and what was odd, counted."""
        if not len(frames):
            return dtc_batch(frames.vehicles, ())
        open_transports = [c.transport for c in self._vehicles.values() if not c.transport.is_idle]
        kinds = self._selection.kinds(
            frames,
            transport_open=any(transport.j1939.sessions for transport in open_transports),
            open_ids={can_id for transport in open_transports for _, can_id, _ in transport.isotp.transfers},
        )
        rows = np.flatnonzero(kinds != FrameKind.NONE)
        anomalies: Counter[str] = Counter()
        counted: Counter[str] = Counter()
        reports: list[DtcReport] = []
        starts = np.flatnonzero(np.diff(frames.vehicle, prepend=np.int32(-1)))
        ends = np.append(starts[1:], len(frames))
        bounds = np.searchsorted(rows, np.append(starts, len(frames))).tolist()
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            vehicle = frames.vehicles[frames.vehicle[start]]
            mine = rows[bounds[number] : bounds[number + 1]]
            conversation = self._vehicles.get(vehicle)
            if conversation is None:
                if not len(mine):
                    continue
                conversation = self._vehicles[vehicle] = Conversation(self._selection.pgns)
            layout = partial(self._spn_layouts, vehicle)
            reading = Reading(conversation, self._context, layout, frames, slice(start, end))
            reading.run(mine, kinds)
            reports += reading.reports
            anomalies.update(reading.anomalies)
            counted.update(reading.counted)
            if conversation.is_idle:
                del self._vehicles[vehicle]
        return dtc_batch(frames.vehicles, reports, _sorted(anomalies), _sorted(counted))

    def snapshot(self, vehicle: str) -> bytes | None:
        """Messages and freeze frames under way and what is known of ECUs, as compact JSON; None where there is nothing."""
        conversation = self._vehicles.get(vehicle)
        if conversation is None:
            return None
        return json.dumps((_STATE_FORMAT, *conversation.dump()), separators=(",", ":")).encode()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`.

        Raises:
            ValueError: the state is of another format.
        """
        form, *parts = json.loads(state)
        if form != _STATE_FORMAT:
            raise ValueError(f"diagnostics state of format {form}, not {_STATE_FORMAT}")
        conversation = self._vehicles[vehicle] = Conversation(self._selection.pgns)
        conversation.load(parts)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._vehicles.pop(vehicle, None)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {kind: count for kind, count in sorted(counts.items()) if count}
