"""Protobuf messages of AWS IoT FleetWise's edge agent, described here so that no generated code is kept.

Field numbers: aws-iot-fleetwise-edge interfaces/protobuf/schemas, edgeToCloud/vehicle_data.proto (with the fields that older agents
used: 7 CAN frames) and cloudToEdge/decoder_manifest.proto.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "pitcall.fleetwise"
_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "sint64": _Field.TYPE_SINT64,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
}
_MESSAGES = {
    "VehicleData": (
        "1 string campaign_sync_id", "2 string decoder_sync_id", "3 uint32 collection_event_id",
        "4 uint64 collection_event_time_ms_epoch", "5 CapturedSignal* captured_signals", "6 DtcData dtc_data",
        "7 CanFrame* can_frames",
    ),
    "CapturedSignal": (
        "1 sint64 relative_time_ms", "2 uint32 signal_id", "3 double double_value ?", "4 string string_value ?",
        "10 PrimitiveTypeInSignal primitive_type_in_signal",
    ),
    "PrimitiveTypeInSignal": ("1 uint32 signal_id", "2 uint32* signal_path"),
    "CanFrame": ("1 sint64 relative_time_ms", "2 uint32 message_id", "3 string interface_id", "4 bytes byte_values"),
    "DtcData": ("1 sint64 relative_time_ms", "2 string* active_dtc_codes"),
    "DecoderManifest": ("1 string sync_id", "2 CanSignal* can_signals", "3 ObdPidSignal* obd_pid_signals"),
    "CanSignal": (
        "1 uint32 signal_id", "2 string interface_id", "3 uint32 message_id", "4 bool is_big_endian", "5 bool is_signed",
        "6 uint32 start_bit", "7 double offset", "8 double factor", "9 uint32 length",
    ),
    "ObdPidSignal": (
        "1 uint32 signal_id", "2 string interface_id", "3 uint32 pid_response_length", "4 uint32 service_mode", "5 uint32 pid",
        "6 double scaling", "7 double offset", "8 uint32 start_byte", "9 uint32 byte_length", "10 uint32 bit_right_shift",
        "11 uint32 bit_mask_length",
    ),
}  # fmt: skip
"""Message -> fields "NUMBER TYPE[*] NAME [?]"; `*` repeated, `?` told apart from zero where absent."""


@cache
def message_class(name: str) -> Any:
    """The class of a message, such as "VehicleData"."""
    file = descriptor_pb2.FileDescriptorProto(name="pitcall/fleetwise.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for text in fields:
            number, kind, field, *optional = text.split()
            _describe(described, int(number), kind, field, optional=bool(optional))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


def _describe(message: descriptor_pb2.DescriptorProto, number: int, kind: str, name: str, *, optional: bool) -> None:
    label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
    word = kind.rstrip("*")
    field = message.field.add(name=name, number=number, label=label)
    if word in _TYPES:
        field.type = _TYPES[word]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{word}"
    if optional:
        message.oneof_decl.add(name=f"_{name}")
        field.oneof_index, field.proto3_optional = len(message.oneof_decl) - 1, True
