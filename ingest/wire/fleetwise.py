"""AWS IoT FleetWise edge agent: `VehicleData` in protobuf, plain or as a raw Snappy block, as the campaign says.

Signals come as numbers of the decoder manifest: the source's `manifest` tells their names, its `names` what is no VSS path.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from domain.trouble_codes import CodeList, DtcReport, Protocol, StatusBit, TroubleCode
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.wire.documents import json_of, listing, mapping, put_codes, put_value, trouble_code, unusable, whole
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 16 * 1024 * 1024
_MS_NS = 1_000_000


class FleetWise:
    """The format `fleetwise`."""

    name = "fleetwise"
    topic = "$aws/iotfleetwise/vehicles/{device}/signals"
    has_own_time = True

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Signals, active codes, UDS results, and the raw frames that older agents send."""
        data = _vehicle_data(message.payload)
        event_ms = data.collection_event_time_ms_epoch
        signals, frames = data.captured_signals, data.can_frames
        for place, signal in message.items(signals):
            with rows.item(place):
                _read_signal(message, signal, (event_ms + signal.relative_time_ms) * _MS_NS, rows)
        for place, frame in message.items(frames, start=len(signals)):
            with rows.item(place):
                _read_frame(frame, (event_ms + frame.relative_time_ms) * _MS_NS, rows)
        for _, codes in message.items([data.dtc_data] if data.HasField("dtc_data") else [], start=len(signals) + len(frames)):
            with rows.item(len(signals) + len(frames)):
                time_ns = (event_ms + codes.relative_time_ms) * _MS_NS
                put_codes(rows, time_ns, list(codes.active_dtc_codes), kind=CodeList.STORED, message="active_dtc_codes")


def _vehicle_data(payload: bytes) -> Any:
    """The message; a payload that is no sensible protobuf is tried as Snappy.

    Raises:
        RefusedMessageError: it is neither.
    """
    found = _parse(payload)
    if found is None:
        plain = _unpacked(payload)
        found = None if plain is None else _parse(plain)
    if found is None:
        raise unusable("neither VehicleData nor a Snappy block of it")
    return found


def _parse(payload: bytes) -> Any:
    """VehicleData with an event time; a Snappy block may look like protobuf of unknown fields, so the time is asked for."""
    from google.protobuf.message import DecodeError

    from ingest.wire.fleetwise_messages import message_class

    try:
        data = message_class("VehicleData").FromString(payload)
    except (DecodeError, UnicodeDecodeError):
        return None
    return data if data.collection_event_time_ms_epoch else None


def _unpacked(payload: bytes) -> bytes | None:
    """A raw Snappy block unpacked: its head tells the size as a varint (google/snappy format_description.txt)."""
    import pyarrow as pa

    size = shift = 0
    for byte in payload[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    else:
        return None
    if size > MOST_BYTES:
        raise RefusedMessageError(Reason.OVERSIZED, f"{size} bytes unpacked")
    if not size:
        return None
    try:
        return bytes(pa.decompress(payload, decompressed_size=size, codec="snappy", asbytes=True))
    except (OSError, pa.ArrowException):
        return None


def _read_signal(message: WireMessage, signal: Any, time_ns: int, rows: Rows) -> None:
    if signal.HasField("primitive_type_in_signal"):
        rows.odd("complex_signal", str(signal.primitive_type_in_signal.signal_id))
        return
    name = message.signals.get(signal.signal_id, str(signal.signal_id))
    if not signal.HasField("string_value"):
        put_value(rows, message.names, time_ns, name, signal.double_value)
        return
    text = signal.string_value
    if "DetectedDTCs" in text:
        _read_uds(mapping(json_of(text.encode("utf-8", "replace"))), time_ns, rows)
    else:
        put_value(rows, message.names, time_ns, name, text)


def _read_uds(document: Mapping[str, Any], time_ns: int, rows: Rows) -> None:
    """Result of a UDS query (interfaces/uds-dtc/udsDtcSchema.json): codes of each ECU with their 3 bytes.

    DTCStatusAvailabilityMask says which status bits the ECU knows, not a code's status; some clouds add "status" to a code.
    """
    for ecu in listing(document["DetectedDTCs"], "DetectedDTCs"):
        inside = mapping(mapping(ecu, "an ECU")["DTCAndSnapshot"], "DTCAndSnapshot")
        codes: list[TroubleCode] = []
        given = listing(inside.get("dtcCodes", []), "dtcCodes")
        for each in given:
            status = whole(each.get("status", int(StatusBit.CONFIRMED)), "status") if isinstance(each, dict) else 0
            code = trouble_code(each.get("DTC") if isinstance(each, dict) else each, StatusBit(status & 0xFF))
            if code is None:
                rows.odd("not_a_trouble_code", json.dumps(each, default=str))
            else:
                codes.append(code)
        report = DtcReport(
            time_ns=time_ns,
            vehicle=0,
            bus=rows.bus,
            source=int(str(ecu.get("ECUID", "0")), 16) & 0xFFFF_FFFF,
            protocol=Protocol.UDS,
            kind=CodeList.UDS_BY_STATUS,
            complete=len(codes) == len(given),
            codes=tuple(codes),
            message="19",
        )
        rows.report(time_ns, report)


def _read_frame(frame: Any, time_ns: int, rows: Rows) -> None:
    """Raw frames have no flag for 29-bit identifiers: what does not fit 11 bits is one."""
    from domain.frames import FrameFlag

    flags = FrameFlag.FD if len(frame.byte_values) > 8 else FrameFlag(0)
    can_id = frame.message_id & 0x1FFF_FFFF
    rows.frame(time_ns, frame.interface_id or "0", can_id, frame.byte_values, extended=can_id > 0x7FF, flags=flags)
