"""The built-in OBD-II and J1939 messages against a public DBC, recorded trucks and answers worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import fmean

import cantools
import pytest

from domain.errors import DataFileError
from domain.frames import EXTENDED_ID
from domain.vss import catalogue
from ingest import builtin
from ingest.builtin import j1939_messages, obd2_messages, obd2_pids
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.mux import broken_branches
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


def decode(message: MessageSpec, text: str) -> dict[str, float]:
    """VSS path -> value of a frame, multiplexing and not-available values respected."""
    data = bytes.fromhex(text)
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
        if not signal.path or not present(signal) or raw is None:
            continue
        if signal.raw_valid_max is None or raw <= signal.raw_valid_max:
            physical = raw * signal.scale + signal.offset
            values[signal.path] = physical * signal.path_unit_scale + signal.path_unit_offset
    return values


def responders(can_id: int) -> list[MessageSpec]:
    return [m for m in obd2_messages() if can_id & m.can_id_mask == m.can_id]


ENGINE = responders(0x7E8)[0]


def pgn(number: int) -> MessageSpec:
    return next(m for m in j1939_messages() if m.can_id == number)


def test_at_least_forty_pids_and_thirty_spns_have_a_vss_name() -> None:
    assert len({pid.pid for pid in obd2_pids() if pid.path}) >= 40
    assert len({s.path for m in j1939_messages() for s in m.signals if s.path}) >= 30


@pytest.mark.parametrize("message", ALL, ids=lambda m: m.name)
def test_every_message_is_sound(message: MessageSpec) -> None:
    names = [s.name for s in message.signals]
    assert len(names) == len(set(names))
    assert broken_branches(message) == []
    assert message.origin
    for signal in message.signals:
        if signal.path and signal.path_unit_scale == 1:
            assert signal.unit == catalogue()[signal.path].unit, signal.name
        assert not signal.mux_parent or signal.mux_parent in names


def test_names_and_numbers_are_unique() -> None:
    assert len({m.name for m in ALL}) == len(ALL)
    assert len({m.can_id for m in j1939_messages()}) == len(j1939_messages())
    spns = [s.name for m in j1939_messages() for s in m.signals]
    assert len(set(spns)) == len(spns)


def test_every_answering_identifier_belongs_to_exactly_one_message() -> None:
    answering = [*range(0x7E8, 0x7F0), *(0x18DAF100 + address | EXTENDED_ID for address in range(256))]
    assert all(len(responders(can_id)) == 1 for can_id in answering)
    others = [0x7E0, 0x7DF, 0x7F0, 0x18DAF110, 0x18DA10F1 | EXTENDED_ID, 0x18DB33F1 | EXTENDED_ID, 0x7E8 | EXTENDED_ID]
    assert all(responders(can_id) == [] for can_id in others)


def test_the_engine_outranks_other_responders_and_a_dbc_outranks_all() -> None:
    def priority(can_id: int) -> int:
        return max(s.priority for s in responders(can_id)[0].signals)

    assert 0 < priority(0x7E8) < priority(0x7E9) < priority(0x7EA)
    assert 0 < priority(0x18DAF110 | EXTENDED_ID) < priority(0x18DAF118 | EXTENDED_ID)


SPEED = "Vehicle.Powertrain.CombustionEngine.Speed"
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"


@pytest.mark.parametrize(
    ("frame", "values"),
    [
        ("04 41 0C 1A F8 00 00 00", {SPEED: 1726.0}),
        ("03 41 05 7B CC CC CC CC", {COOLANT: 83.0}),
        ("03 41 0D 3C", {"Vehicle.Speed": 60.0}),
        ("06 41 01 83 07 65 04", {"Vehicle.OBD.Status.IsMILOn": 1.0, "Vehicle.OBD.Status.DTCCount": 3.0}),
        ("04 41 32 FF FC", {"Vehicle.OBD.EVAPVaporPressure": -1.0}),
        ("06 41 A6 00 01 E2 40", {"Vehicle.TraveledDistance": 12345.6}),
        ("05 41 67 01 7B 00", {COOLANT: 83.0}),
        ("06 41 34 80 00 80 00", {"Vehicle.OBD.O2WR.Sensor1.Lambda": 1.0, "Vehicle.OBD.O2WR.Sensor1.Current": 0.0}),
    ],
)
def test_an_answer_gives_its_value_and_no_other(frame: str, values: dict[str, float]) -> None:
    assert decode(ENGINE, frame) == pytest.approx(values)


@pytest.mark.parametrize(
    "frame",
    [
        "21 41 0C 1A F8 00 00 00",  # a consecutive frame whose data looks like an answer
        "10 14 41 0C 1A F8 0D 3C",  # the first frame of an answer to several PIDs
        "04 42 0C 00 1A F8",  # a freeze frame
        "03 7F 01 12",
        "03 41 0C 1A F8",  # a length that cannot hold the PID's data
        "04 41 0C 1A",  # cut off
        "05 41 67 02 7B 7B",  # the sensor is not fitted
    ],
)
def test_what_is_no_answer_or_not_whole_gives_nothing(frame: str) -> None:
    assert decode(ENGINE, frame) == {}


def test_a_two_byte_value_of_which_one_byte_came_is_missing_but_its_whole_neighbour_is_read() -> None:
    assert set(decode(ENGINE, "06 41 34 80 00 80")) == {"Vehicle.OBD.O2WR.Sensor1.Lambda"}


def test_freeze_frames_and_polling_answers_read_the_same_bits() -> None:
    data = bytes(range(0x81, 0x87))
    for pid in obd2_pids():
        if pid.when_a:
            continue
        head = bytes([2 + pid.data_bytes, 0x41, pid.pid])
        signal = next(s for s in ENGINE.signals if s.name == f"PID{pid.pid:02X} {pid.name}")
        raw = raw_value(signal, head + data[: pid.data_bytes])
        assert raw is not None
        assert pid.decode(data[: pid.data_bytes]) == raw * signal.scale + signal.offset


def test_pids_agree_with_a_public_dbc() -> None:
    file = RECORDINGS / "obd2_gps_drive_10min" / "OBD2-v1.4.dbc"
    if not file.exists():
        pytest.skip("no OBD2 DBC beside this checkout")
    (message,) = cantools.database.load_file(file).messages
    public = {(s.multiplexer_ids[0], s.start): s for s in message.signals if s.multiplexer_ids and s.name.startswith("S1_PID")}
    compared = 0
    for signal, pid in zip(ENGINE.signals[-len(obd2_pids()) :], obd2_pids(), strict=True):
        peer = public.get((pid.pid, signal.start))
        if peer is None or pid.pid in {0x01, 0x67} or pid.signed:  # there a bitmap, an overall byte, unsigned by mistake
            continue
        compared += 1
        assert (peer.length, peer.byte_order) == (signal.length, "big_endian"), signal.name
        assert peer.offset == signal.offset, signal.name
        assert peer.scale == pytest.approx(signal.scale, rel=1e-4), signal.name
    assert compared >= 60


def test_spns_agree_with_a_public_dbc() -> None:
    file = RECORDINGS / "research_truck_normal" / "CSS-Electronics-SAE-J1939-DEMO.dbc"
    if not file.exists():
        pytest.skip("no J1939 DBC beside this checkout")
    for message in cantools.database.load_file(file).messages:
        ours = {s.name.split()[0]: s for s in pgn(message.frame_id >> 8 & 0x3FFFF).signals}
        for peer in message.signals:
            signal = ours[f"SPN{peer.spn}"]
            assert (peer.start, peer.length) == (signal.start, signal.length)
            assert (peer.scale, peer.offset) == (signal.scale, signal.offset)


@pytest.mark.parametrize(
    ("group", "frame", "values"),
    [
        (61444, "F0 7D 7D 40 1F FF FF FF", {SPEED: 1000.0, "Vehicle.Powertrain.CombustionEngine.TorquePercent": 0.0}),
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
    ],
)
def test_a_broadcast_gives_what_is_available(group: int, frame: str, values: dict[str, float]) -> None:
    assert decode(pgn(group), frame) == pytest.approx(values)


def test_parameter_groups_are_matched_from_any_sender() -> None:
    assert {m.match for m in j1939_messages()} == {Match.PGN}
    assert {m.match for m in obd2_messages()} == {Match.EXACT}


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
    header = "pid,name,data_bytes,first_bit,bits,signed,scale,offset,unit,path,path_scale,stale_s,when_a,source\n"
    (tmp_path / "obd2_pids.csv").write_text(header + "0D,VehicleSpeed,1,0,8,,1,0,km/h,Vehicle.Sped,,,,SAE J1979\n")
    monkeypatch.setattr(builtin, "_DATA", tmp_path)
    with pytest.raises(DataFileError, match=r"obd2_pids\.csv:2: unknown VSS path 'Vehicle\.Sped'; add it"):
        obd2_pids.__wrapped__()
