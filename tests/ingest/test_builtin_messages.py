"""The built-in OBD-II and J1939 messages against public DBCs, recorded trucks and groups worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import fmean

import cantools
import pytest

from domain.errors import DataFileError
from domain.vss import catalogue
from ingest import builtin, obd_pids
from ingest.builtin import j1939_messages, obd2_messages, obd2_pids
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.mux import broken_branches
from ingest.obd_pids import pid_lengths, responders
from tests.ingest.diagnostic_frames import RECORDINGS, recording

ALL = (*obd2_messages(), *j1939_messages())


def raw_value(signal: SignalSpec, data: bytes) -> int | None:
    """The signal's bits, None where the frame is too short; written apart from the product's own kernels."""
    bits = "".join(f"{byte:08b}" for byte in data)
    if signal.big_endian:
        at = 8 * (signal.start // 8) + 7 - signal.start % 8
        picked = bits[at : at + signal.length]
    else:
        places = range(signal.start + signal.length - 1, signal.start - 1, -1)
        picked = "".join(bits[8 * (p // 8) + 7 - p % 8] for p in places if p // 8 < len(data))
    if len(picked) < signal.length:
        return None
    raw = int(picked, 2)
    return raw - (1 << signal.length) if signal.kind == NumberKind.SIGNED and picked[0] == "1" else raw


def decode_signals(message: MessageSpec, data: bytes) -> dict[str, float]:
    """Signal name -> value in its VSS unit (or its own), multiplexing and not-available values respected; no selectors."""
    by_name = {s.name: s for s in message.signals}

    def present(signal: SignalSpec) -> bool:
        if not signal.mux_parent:
            return True
        parent = by_name[signal.mux_parent]
        value = raw_value(parent, data)
        return present(parent) and value is not None and any(low <= value <= high for low, high in signal.mux_ranges)

    values = {}
    for signal in message.signals:
        raw = raw_value(signal, data)
        if signal.is_selector or not present(signal) or raw is None:
            continue
        if signal.raw_valid_max is None or raw <= signal.raw_valid_max:
            physical = raw * signal.scale + signal.offset
            mapped = physical * signal.path_unit_scale + signal.path_unit_offset
            values[signal.name] = mapped if signal.path else physical
    return values


def decode(message: MessageSpec, text: str) -> dict[str, float]:
    """VSS path -> value of a frame."""
    paths = {s.name: s.path for s in message.signals if s.path}
    values = decode_signals(message, bytes.fromhex(text))
    return {paths[name]: value for name, value in values.items() if name in paths}


def pgn(number: int) -> MessageSpec:
    return next(m for m in j1939_messages() if m.can_id == number)


def test_every_standard_pid_is_known_and_most_of_what_trucks_broadcast() -> None:
    assert set(range(0xC1)) - set(pid_lengths()) <= {0x95, 0x96, 0x97, *range(0xAB, 0xC0)}
    assert len([pid for pid in obd2_pids() if pid.bits]) >= 400
    assert len({s.name.split()[0] for m in j1939_messages() for s in m.signals}) >= 500
    assert len({s.path for m in ALL for s in m.signals if s.path}) >= 400


def test_every_message_is_sound() -> None:
    for message in ALL:
        names = [s.name for s in message.signals]
        assert len(names) == len(set(names)), message.name
        overlaps = [b for b in broken_branches(message) if message.match is Match.PGN or b.reason == "overlong_signals"]
        assert overlaps == [], message.name
        assert message.origin
        for signal in message.signals:
            if signal.path and abs(signal.path_unit_scale) == 1:
                assert signal.unit == catalogue()[signal.path].unit, (message.name, signal.name)
            assert not signal.mux_parent or signal.mux_parent in names


def test_every_conversion_between_units_is_one_we_know() -> None:
    known = {
        ("mA", "A"): 0.001,
        ("s", "h"): 1 / 3600,
        ("h", "s"): 3600,
        ("s", "min"): 1 / 60,
        ("kPa", "Pa"): 1000,
        ("MPa", "kPa"): 1000,
        ("km", "m"): 1000,
        ("kg/h", "g/s"): 1000 / 3600,
        ("rad", "degrees"): 57.29577951308232,
        ("rad/s", "degrees/s"): 57.29577951308232,
        ("percent", "percent"): -1,  # what remains -> what is worn
    }
    for message in ALL:
        for signal in message.signals:
            if signal.path and signal.path_unit_scale != 1:
                assert signal.path_unit_scale == pytest.approx(known[signal.unit, catalogue()[signal.path].unit]), signal.name
                assert (signal.path_unit_offset != 0) == (signal.path_unit_scale == -1)


def test_names_and_numbers_are_unique() -> None:
    assert len({m.name for m in ALL}) == len(ALL)
    assert len({m.can_id for m in j1939_messages()}) == len(j1939_messages())
    assert len({m.can_id for m in obd2_messages()}) == len(obd2_messages())
    spns = [s.name for m in j1939_messages() for s in m.signals]
    assert len(set(spns)) == len(spns)


def test_each_spn_stands_in_one_group_only() -> None:
    group_of: dict[str, set[str]] = {}
    for message in j1939_messages():
        for signal in message.signals:
            group_of.setdefault(signal.name.split()[0], set()).add(message.name)
    assert [spn for spn, groups in group_of.items() if len(groups) > 1] == []


def test_every_answering_identifier_belongs_to_exactly_one_class_of_responders() -> None:
    ids = [can_id for responder in responders() for can_id in responder.can_ids()]
    assert len(ids) == len(set(ids))
    assert set(ids) == {*range(0x7E8, 0x7F0), *range(0x98DAF100, 0x98DAF200)}


def test_the_engine_outranks_other_responders_and_what_is_broadcast_outranks_all_answers() -> None:
    rank = {can_id: r.rank for r in responders() for can_id in r.can_ids()}
    assert rank[0x7E8] < rank[0x7E9] < rank[0x7EA]
    assert rank[0x98DAF110] < rank[0x98DAF118]
    answers = min(s.priority for m in obd2_messages() for s in m.signals if s.path)
    assert max(s.priority for m in j1939_messages() for s in m.signals) < answers


def test_the_finer_odometer_outranks_the_coarse_one_and_trip_distances_are_no_odometer() -> None:
    by_spn = {s.name.split()[0]: s for m in j1939_messages() for s in m.signals}
    assert by_spn["SPN917"].path == by_spn["SPN245"].path == "Vehicle.TraveledDistance"
    assert by_spn["SPN917"].priority < by_spn["SPN245"].priority
    assert by_spn["SPN918"].path == by_spn["SPN244"].path == ""


def test_pids_agree_with_a_public_dbc() -> None:
    file = RECORDINGS / "obd2_gps_drive_10min" / "OBD2-v1.4.dbc"
    if not file.exists():
        pytest.skip("no OBD2 DBC beside this checkout")
    (message,) = cantools.database.load_file(file).messages
    public = {(s.multiplexer_ids[0], s.start): s for s in message.signals if s.multiplexer_ids and s.name.startswith("S1_PID")}
    whole_bytes = {
        0x01,
        0x03,
        0x12,
        0x13,
        0x1D,
        0x1E,
        0x41,
        *range(0x65, 0x71),
    }  # there bitmaps and supported sensors as one number
    compared = 0
    for ours in obd2_messages():
        for signal in ours.signals:
            peer = public.get((ours.can_id, signal.start + 24))
            if peer is None or ours.can_id in whole_bytes or signal.kind is NumberKind.SIGNED:  # unsigned there by mistake
                continue
            compared += 1
            assert (peer.length, peer.byte_order) == (signal.length, "big_endian"), (ours.name, signal.name)
            assert peer.offset == signal.offset, signal.name
            assert peer.scale == pytest.approx(signal.scale, rel=1e-4), signal.name
    assert compared >= 115


def test_spns_agree_with_public_dbcs() -> None:
    folders = ("research_truck_normal", "truck_j1939_two_buses")
    files = [file for folder in folders for file in (RECORDINGS / folder).glob("*J1939*.dbc")]
    files += [RECORDINGS / "truck_j1939_two_buses" / "tp_j1939.dbc"]
    if not all(file.exists() for file in files) or len(files) < 3:
        pytest.skip("no J1939 DBCs beside this checkout")
    compared = 0
    for file in files:
        for message in cantools.database.load_file(file).messages:
            ours = {s.start: s for s in pgn(message.frame_id >> 8 & 0x3FFFF).signals}
            for peer in message.signals:
                signal = ours[peer.start]
                compared += 1
                assert (peer.length, peer.scale, peer.offset) == (signal.length, signal.scale, signal.offset)
                assert peer.spn in (None, int(signal.name.split()[0].removeprefix("SPN")))
    assert compared >= 5


SPEED = "Vehicle.Powertrain.CombustionEngine.Speed"
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
TORQUE = "Vehicle.Powertrain.CombustionEngine.TorquePercent"
WHEEL = "Vehicle.Chassis.Axle."


@pytest.mark.parametrize(
    ("group", "frame", "values"),
    [
        (61444, "F0 FF 7D 40 1F FF FF FF", {SPEED: 1000.0, TORQUE: 0.0}),
        (65262, "7B FF FF FF FF FF FF FF", {COOLANT: 83.0}),
        (65262, "FE FF 00 FB FF FF FF FF", {}),  # error indicators
        (65265, "FF 00 FA CF FF FF FF FF", {"Vehicle.Speed": 250.0, "Vehicle.Chassis.Brake.IsPedalPressed": 0.0}),
        (65265, "FF FF FF DF FF FF FF FF", {"Vehicle.Chassis.Brake.IsPedalPressed": 1.0}),
        (65265, "FF 00 FB EF FF FF FF FF", {}),
        (61445, "FF FF FF FB FF FF FF FF", {}),  # park is no gear number
        (61445, "FF FF FF 7C FF FF FF FF", {"Vehicle.Powertrain.Transmission.CurrentGear": -1.0}),
        (
            65267,
            "80 8F 9B 95 00 B0 8C C2",
            {"Vehicle.CurrentLocation.Latitude": 41.0, "Vehicle.CurrentLocation.Longitude": 116.4},
        ),
        (
            64946,
            "FF FF FF FF 19 00 FF FF",
            {"Vehicle.Powertrain.CombustionEngine.DieselParticulateFilter.DeltaPressure": 2500.0},
        ),
        (65253, "40 0D 03 00 FF FF FF FF", {"Vehicle.Powertrain.CombustionEngine.EngineHours": 10000.0}),
        (65217, "00 2D 31 01 FF FF FF FF", {"Vehicle.TraveledDistance": 100_000.0}),
        (65268, "00 C8 FF FF FF FF FF FF", {WHEEL + "Row1.Wheel.Left.Tire.Pressure": 800.0}),
        (65268, "13 C8 60 25 FF FF FF FF", {WHEEL + "Row2.Wheel.Right.Tire.Pressure": 800.0, WHEEL + "Row2.Wheel.Right.Tire.Temperature": 26.0}),
        (65268, "45 C8 60 25 FF FF FF FF", {}),  # a wheel that no path is for
        (65196, "FA 00 FF FF FF FF FF FF", {WHEEL + "Row1.Wheel.Left.Brake.PadWear": 0.0, WHEEL + "Row1.Wheel.Right.Brake.PadWear": 100.0}),
        (61450, "FF FF 20 1C FF FF FF FF", {"Vehicle.Powertrain.CombustionEngine.MAF": 100.0}),
        (61584, "FF FF FF FF 80 3E FF FF", {"Vehicle.Powertrain.TractionBattery.CurrentVoltage": 800.0}),
        (61455, "A0 0F FF FF FF FF FF FF", {"Vehicle.Powertrain.CombustionEngine.Aftertreatment.OutletNox": 0.0}),
        (65279, "FD FF F4 01 FF FF FF FF", {"Vehicle.Powertrain.FuelSystem.IsWaterInFuel": 1.0, "Vehicle.Powertrain.FuelSystem.Range": 500_000.0}),
    ],
)  # fmt: skip
def test_a_broadcast_gives_what_is_available(group: int, frame: str, values: dict[str, float]) -> None:
    assert decode(pgn(group), frame) == pytest.approx(values, abs=1e-9)


def test_the_torque_curve_is_read_from_a_transported_group() -> None:
    data = bytes.fromhex("8016C8" + "FFFF FF" * 4 + "4038FFFFC409" + "FF" * 17)
    values = decode_signals(pgn(65251), data)
    assert values == {
        "SPN188 EngineSpeedAtIdlePoint1": 720.0,
        "SPN539 EngineTorqueAtPoint1": 75.0,
        "SPN532 EngineSpeedAtHighIdlePoint6": 1800.0,
        "SPN544 EngineReferenceTorque": 2500.0,
    }


def test_parameter_groups_are_matched_from_any_sender() -> None:
    assert {m.match for m in j1939_messages()} == {Match.PGN}
    assert {m.match for m in obd2_messages()} == {Match.OBD_ANSWER}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("research_truck_normal", "normal.log.gz"),
        ("kenworth_truck", "KWTruck.txt.gz"),
        ("maxxforce_dm1_single", "candump-RTSMaxxForceResourceExhaustion.log.gz"),
    ],
)
def test_recorded_trucks_give_the_figures_known_of_them(name: str, file: str) -> None:
    by_spn = {s.name.split()[0]: (m.can_id, s) for m in j1939_messages() for s in m.signals}
    known = json.loads((RECORDINGS / name / "EXPECT.json").read_text())["spn_stats"] if (RECORDINGS / name).exists() else {}
    frames: dict[tuple[int, int], list[bytes]] = {}
    for _, can_id, data, _ in recording(name, file):
        frames.setdefault((can_id >> 8 & 0x3FFFF, can_id & 0xFF), []).append(data)
    for key, figures in known.items():
        spn, _, source = key.partition(" SA")
        group, signal = by_spn[spn]
        raws = Counter(raw_value(signal, data) for data in frames[group, int(source)])
        assert signal.raw_valid_max is not None
        valid = [raw for raw in raws.elements() if raw is not None and raw <= signal.raw_valid_max]
        assert len(valid) == figures["valid"], key
        assert raws.total() - len(valid) == figures["not_available"] + figures["error"], key
        if valid:
            values = [raw * signal.scale + signal.offset for raw in valid]
            assert (min(values), max(values)) == pytest.approx((figures["min"], figures["max"]), rel=1e-9), key
            assert fmean(values) == pytest.approx(figures["mean"], abs=1e-4), key
    assert len(known) >= 10


def test_a_wrong_vss_path_in_the_table_names_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = "pid,name,data_bytes,first_bit,bits,signed,scale,offset,unit,path,path_scale,stale_s,source\n"
    (tmp_path / "obd2_pids.csv").write_text(header + "0D,VehicleSpeed,1,0,8,,1,0,km/h,Vehicle.Sped,,,SAE J1979\n")
    monkeypatch.setattr(obd_pids, "DATA", tmp_path)
    with pytest.raises(DataFileError, match=r"obd2_pids\.csv:2: unknown VSS path 'Vehicle\.Sped'; add it"):
        obd2_pids.__wrapped__()


def test_a_parameter_past_the_end_of_its_group_names_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = "pgn,message,spn,name,byte,bit,bits,scale,offset,source\n"
    (tmp_path / "j1939_spns.csv").write_text(header + "65262,ET1,110,CoolantTemperature,8,1,16,1,-40,SAE J1939-71\n")
    monkeypatch.setattr(builtin, "DATA", tmp_path)
    with pytest.raises(DataFileError, match=r"j1939_spns\.csv:2: the parameter lies outside its group"):
        j1939_messages.__wrapped__()
