"""One worked example of every wire format: a payload, its topic, and the rows that come of it. The guide shows the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ingest.wire.fleetwise_messages import message_class
from ingest.wire.names import Meaning, NameTable
from ingest.wire.sources import Source, source_of
from tests.ingest.gbt32960.packets import TIME_S as GB_TIME_S
from tests.ingest.gbt32960.packets import packet as gb_packet

NOW = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
SPEED = "Vehicle.Speed"
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
RPM = "Vehicle.Powertrain.CombustionEngine.Speed"

GB_SPEED_UNIT = bytes.fromhex("01 01 03 01 01F4 000003E8 0DAC 2710 32 01 0F 1388 0000")
"""Vehicle data: 50 km/h, 100 km, 350 V, 0 A, 50 %."""

Expected = tuple[Any, ...]
"""("frame", time_ns, bus, id, data), ("sample", time_ns, path, value), ("report", time_ns, kind, codes, complete)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """`source` reads `payload` published on `topic` by the registered device "dev" (or VIN "VIN1")."""

    name: str
    source: Source
    topic: str
    payload: bytes
    rows: tuple[Expected, ...]
    oddities: dict[tuple[str, str], int]


def _example(
    name: str, topic: str, payload: Any, *rows: Expected, oddities: Any = None, pattern: str = "", **source: Any
) -> Example:
    given = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    format_name = name.partition(" ")[0]
    return Example(
        name=name,
        source=source_of(format_name, pattern, **source),
        topic=topic,
        payload=given,
        rows=rows,
        oddities=oddities or {},
    )


def vehicle_data(**others: Any) -> bytes:
    """A FleetWise message with two signals, a code list and one raw frame."""
    made = message_class("VehicleData")(
        campaign_sync_id="c", decoder_sync_id="d", collection_event_time_ms_epoch=NOW // 1_000_000, **others
    )
    made.captured_signals.add(relative_time_ms=-500, signal_id=11, double_value=61.5)
    made.captured_signals.add(relative_time_ms=0, signal_id=12, double_value=2150.0)
    made.captured_signals.add(
        relative_time_ms=1,
        signal_id=13,
        string_value='{"DetectedDTCs":[{"DTCAndSnapshot":{"DTCStatusAvailabilityMask":"FF","dtcCodes":'
        '[{"DTC":"523400","DTCExtendedData":"","DTCSnapshotRecord":""}]},"ECUID":"01"}]}',
    )
    made.dtc_data.relative_time_ms = 2
    made.dtc_data.active_dtc_codes.append("P0301")
    made.can_frames.add(relative_time_ms=3, message_id=0x1A0, interface_id="1", byte_values=b"\x01\x02")
    return bytes(made.SerializeToString())


FLEETWISE_ROWS: tuple[Expected, ...] = (
    ("sample", NOW - SECOND // 2, SPEED, 61.5),
    ("sample", NOW, RPM, 2150.0),
    ("report", NOW + 1_000_000, "UDS_BY_STATUS", ("C1234",), True),
    ("frame", NOW + 3_000_000, "1", 0x1A0, b"\x01\x02"),
    ("report", NOW + 2_000_000, "STORED", ("P0301",), True),
)
MANIFEST = {"signals": {11: SPEED, 12: "my.rpm"}, "names": NameTable({"my.rpm": (Meaning(path=RPM),)})}
FLEETWISE_TOPIC = "$aws/iotfleetwise/vehicles/dev/signals"


def snappy(payload: bytes) -> bytes:
    """As the agent compresses."""
    return bytes(pa.compress(payload, codec="snappy", asbytes=True))


def arrow_stream(table: pa.Table) -> bytes:
    """An IPC stream of the table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def examples() -> tuple[Example, ...]:
    """All of them."""
    return (*_ours(), *_platforms(), *_devices(), *_gateways())


def _ours() -> tuple[Example, ...]:
    return (
        _example(
            "signals",
            "pitcall/v1/VIN1/signals",
            {"time": "2026-01-01T00:00:00.5Z", "values": {SPEED: 50, COOLANT: "88.5", "Vehicle.Unknown": 1}},
            ("sample", NOW + SECOND // 2, SPEED, 50.0),
            ("sample", NOW + SECOND // 2, COOLANT, 88.5),
            oddities={("unmapped_name", "Vehicle.Unknown"): 1},
        ),
        _example(
            "dtc",
            "pitcall/v1/VIN1/dtc",
            {
                "time_ns": NOW,
                "list": "stored",
                "complete": True,
                "source": 2024,
                "codes": [{"code": "P0301", "status": ["confirmed"]}],
            },
            ("report", NOW, "STORED", ("P0301",), True),
        ),
        _example(
            "dtc of a truck",
            "pitcall/v1/VIN1/dtc",
            {"protocol": "j1939", "codes": [{"spn": 102, "fmi": 3, "occurrence": 4}], "lamps": {"amber_warning": "on"}},
            ("report", NOW, "ACTIVE", ("SPN102/FMI3",), False),
        ),
    )


def _platforms() -> tuple[Example, ...]:
    packet = gb_packet(GB_SPEED_UNIT, vin=b"VIN1".ljust(17, b"0"))
    masked = gb_packet(GB_SPEED_UNIT, vin=b"VIN" + b"*" * 14)
    vehicle = {
        "Type": "Vehicle",
        "Status": 1,
        "Charging": 3,
        "Mode": 1,
        "Speed": 500,
        "Mileage": 1000,
        "Voltage": 3500,
        "Current": 10000,
        "SOC": 50,
        "DC": 1,
        "Gear": 15,
        "Resistance": 5000,
        "AcceleratorPedal": 0,
        "BrakePedal": 0,
    }
    time = {"Year": 25, "Month": 6, "Day": 1, "Hour": 12, "Minute": 30, "Second": 0}
    emqx = {"Cmd": 2, "Encrypt": 1, "Vin": "VIN10000000000000", "Data": {"Time": time, "Infos": [vehicle]}}
    return (
        _example("gbt32960-emqx", "gbt32960/VIN1/upstream/info", emqx, ("packet", GB_TIME_S * SECOND, "gbt32960", masked)),
        _example("gbt32960", "gbt32960/VIN1/raw", packet, ("packet", GB_TIME_S * SECOND, "gbt32960", masked)),
        _example(
            "gbt32960 in hexadecimal, two packets",
            "gbt32960/dev/hex",
            (packet + packet).hex(" ").encode(),
            *[("packet", GB_TIME_S * SECOND, "gbt32960", masked)] * 2,
            pattern="gbt32960/{device}/hex",
        ),
        _example(
            "vss of Azure's reference",
            "vss/dev/values",
            {
                "values": [
                    {
                        "path": SPEED,
                        "dp": [{"value": "50", "ts": "2026-01-01T00:00:00Z"}, {"value": "51", "ts": "2026-01-01T00:00:01Z"}],
                    }
                ]
            },
            ("sample", NOW, SPEED, 50.0),
            ("sample", NOW + SECOND, SPEED, 51.0),
        ),
        _example(
            "vss event of Azure's reference",
            "vss/dev/events",
            {
                "type": "VehicleHealth",
                "timestamp": "2026-01-01T00:00:00Z",
                "extendedProperties": [{"name": "obd2ErrorCodes", "value": "P0101"}],
            },
            ("report", NOW, "STORED", ("P0101",), False),
        ),
        _example(
            "vss of a VISS server",
            "vss/dev/sub",
            {"action": "subscription", "data": {"path": "Vehicle/Speed", "dp": {"value": "50", "ts": "2026-01-01T00:00:00Z"}}},
            ("sample", NOW, SPEED, 50.0),
        ),
        _example("vss plain", "vss/dev/plain", {"timestamp": NOW // SECOND, SPEED: 50}, ("sample", NOW, SPEED, 50.0)),
        _example("fleetwise plain", FLEETWISE_TOPIC, vehicle_data(), *FLEETWISE_ROWS, **MANIFEST),
        _example("fleetwise in a Snappy block", FLEETWISE_TOPIC, snappy(vehicle_data()), *FLEETWISE_ROWS, **MANIFEST),
    )


def _devices() -> tuple[Example, ...]:
    return (
        _example(
            "wican frames",
            "wican/dev/can/rx",
            b'{"bus":"0","type":"rx","ts":51561,"frame":[{"id":2024,"dlc":3,"rtr":false,"extd":false,"data":[3,65,91,170,0,0,0,0]},'
            b'{"id":217056256,"dlc":8,"rtr":false,"extd":true,"data":[1,2,3,4,5,6,7,8]}]};',
            ("frame", NOW, "can0", 2024, b"\x03\x41\x5b"),
            ("frame", NOW, "can0", 217056256 | 1 << 31, bytes(range(1, 9))),
            buses={"0": "can0"},
        ),
        _example(
            "wican AutoPID",
            "wican/dev/can/rx",
            {"SPEED": 0, "COOLANT_TMP": 93, "TYRE_P_FL": 30, "CHARGING": "on", "T_CAB": 21},
            ("sample", NOW, SPEED, 0.0),
            ("sample", NOW, COOLANT, 93.0),
            ("sample", NOW, "Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure", 206.84271),
            ("sample", NOW, "Vehicle.Powertrain.TractionBattery.Charging.IsCharging", 1.0),
            oddities={("unmapped_name", "T_CAB"): 1},
        ),
        _example(
            "senquip",
            "senquip/dev/json",
            {
                "deviceid": "dev",
                "vsys": 4.17,
                "can1": [{"id": 218040064, "data": "000000000000FFFF"}, {"id": 1, "data": "0102030"}],
                "ts": 1767225600.5,
            },
            ("frame", NOW + SECOND // 2, "can1", 218040064 | 1 << 31, bytes.fromhex("000000000000FFFF")),
            ("frame", NOW + SECOND // 2, "can1", 1 | 1 << 31, bytes.fromhex("010203")),
            oddities={("odd_number_of_digits", ""): 1, ("unmapped_name", "vsys"): 1},
        ),
        _example(
            "teltonika",
            "teltonika/dev/data",
            {
                "state": {
                    "reported": {
                        "ts": NOW // 1_000_000,
                        "latlng": "54.700000,25.250000",
                        "sat": 9,
                        "66": 11922,
                        "30": 2,
                        "281": "P0301,P0420",
                    }
                }
            },
            ("sample", NOW, "Vehicle.CurrentLocation.Latitude", 54.7),
            ("sample", NOW, "Vehicle.CurrentLocation.Longitude", 25.25),
            ("sample", NOW, "Vehicle.LowVoltageBattery.CurrentVoltage", 11.922),
            ("sample", NOW, "Vehicle.OBD.Status.DTCCount", 2.0),
            ("report", NOW, "STORED", ("P0301", "P0420"), True),
        ),
        _example(
            "autopi codes",
            "autopi/dev/obd",
            {"_type": "dtc", "_stamp": "2026-01-01T00:00:00.250000", "values": [{"code": "P0420", "text": "Catalyst"}]},
            ("report", NOW + SECOND // 4, "STORED", ("P0420",), True),
        ),
        _example(
            "autopi values",
            "autopi/dev/obd",
            [{"_type": "rpm", "_stamp": "2026-01-01T00:00:00", "value": 2150.5, "unit": "rpm"}],
            ("sample", NOW, RPM, 2150.5),
        ),
        _example(
            "ovms",
            "ovms/user/dev/metric/v/b/current",
            b"-12.5",
            ("sample", NOW, "Vehicle.Powertrain.TractionBattery.CurrentCurrent", 12.5),
        ),
    )


def _gateways() -> tuple[Example, ...]:
    frames = pa.table(
        {"time_ns": [NOW, NOW + 1], "bus": ["can0", "can1"], "id": [0x201, 0x18FEEE00], "data": [b"\x01", bytes(range(12))]}
    )
    wide = pa.table(
        {"time": pa.array([NOW // 1000], pa.timestamp("us", "UTC")), SPEED: [50.0], COOLANT: pa.array([None], pa.float64())}
    )
    return (
        _example(
            "candump",
            "candump/dev",
            b"(1767225600.000001) can0 201#0BB81F40\n(1767225600.000002) can0 18FEEE00#7D\n",
            ("frame", NOW + 1000, "can0", 0x201, bytes.fromhex("0BB81F40")),
            ("frame", NOW + 2000, "can0", 0x18FEEE00 | 1 << 31, b"\x7d"),
        ),
        _example(
            "arrow frames",
            "arrow/dev",
            arrow_stream(frames),
            ("frame", NOW, "can0", 0x201, b"\x01"),
            ("frame", NOW + 1, "can1", 0x18FEEE00 | 1 << 31, bytes(range(12))),
        ),
        _example("arrow values", "arrow/dev", arrow_stream(wide), ("sample", NOW, SPEED, 50.0)),
    )
