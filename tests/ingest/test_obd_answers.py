"""Answers to polled PIDs: several in a frame, several frames, several ECUs; cut anywhere, spoilt anyhow."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import cantools
import isotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import EXTENDED_ID, FrameFlag
from domain.signals import SignalBatch
from ingest.bus_decoder import BusDecoder
from ingest.obd_layout import cut_answer
from ingest.obd_pids import pid_lengths
from ingest.profiles import dbc_profile, load_profile
from tests.ingest.diagnostic_frames import RECORDINGS
from tests.ingest.frames import F, frame_batch

PROFILE = load_profile("obd2")
ENGINE = "Vehicle.Powertrain.CombustionEngine."
SPEED, COOLANT = ENGINE + "Speed", ENGINE + "EngineCoolant.Temperature"
OBD = "Vehicle.OBD."


def decoder() -> BusDecoder:
    return BusDecoder({PROFILE.id: PROFILE}, lambda _vehicle: PROFILE.id)


def in_frames(answer: bytes, can_id: int = 0x7E8, start_s: float = 0.0) -> list[F]:
    """The answer cut into frames by someone else's transport layer."""
    address = isotp.Address(isotp.AddressingMode.Normal_11bits, txid=0x7E8, rxid=0x7E0)
    sent: list[isotp.CanMessage] = []
    inbox: list[isotp.CanMessage] = []
    layer = isotp.TransportLayerLogic(
        rxfn=lambda _timeout: inbox.pop(0) if inbox else None, txfn=sent.append, address=address, params={"tx_padding": 0xAA}
    )
    layer.send(answer)
    for _ in range(50):
        layer.process()
        if sent and sent[-1].data[0] >> 4 == 1:
            inbox.append(isotp.CanMessage(arbitration_id=0x7E0, data=bytes([0x30, 0, 0]), dlc=3))
    return [F(can_id, bytes(frame.data), start_s + 0.01 * n) for n, frame in enumerate(sent)]


def values(batch: SignalBatch, *, of: str = "paths") -> dict[str, list[float]]:
    """VSS path (or signal name) -> its valid values."""
    found: dict[str, list[float]] = {}
    for group in batch.groups:
        for key, row, valid in zip(getattr(group, of), group.values, group.valid, strict=True):
            if key and valid.any():
                found.setdefault(key, []).extend(row[valid].tolist())
    return found


def read(text: str) -> dict[str, list[float]]:
    return values(decoder().decode(frame_batch([F(0x7E8, bytes.fromhex(text))])))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("04 41 0C 1A F8 00 00 00", {SPEED: 1726.0}),
        ("03 41 05 7B CC CC CC CC", {COOLANT: 83.0}),
        ("03 41 0D 3C", {"Vehicle.Speed": 60.0}),
        ("06 41 01 83 07 65 04", {OBD + "Status.IsMILOn": 1.0, OBD + "Status.DTCCount": 3.0}),
        ("04 41 32 FF FC", {OBD + "EVAPVaporPressure": -1.0}),
        ("06 41 A6 00 01 E2 40", {"Vehicle.TraveledDistance": 12345.6}),
        ("05 41 67 01 7B 00", {COOLANT: 83.0}),
        ("05 41 67 02 7B 7B", {OBD + "CoolantTemperature2": 83.0}),
        ("06 41 34 80 00 80 00", {OBD + "O2WR.Sensor1.Lambda": 1.0, OBD + "O2WR.Sensor1.Current": 0.0}),
        ("04 41 14 5A FF", {OBD + "O2.Sensor1.Voltage": 0.45}),  # not used in the trim
        ("04 41 14 5A 80", {OBD + "O2.Sensor1.Voltage": 0.45, OBD + "O2.Sensor1.ShortTermFuelTrim": 0.0}),
        ("06 41 0C 1A F8 0D 3C", {SPEED: 1726.0, "Vehicle.Speed": 60.0}),
        ("07 41 05 7B 0D 3C 04 FF", {COOLANT: 83.0, "Vehicle.Speed": 60.0, OBD + "EngineLoad": 100.0}),
        ("05 41 06 80 07 90", {OBD + "ShortTermFuelTrim1": 0.0, OBD + "LongTermFuelTrim1": 12.5}),
        ("04 41 06 80 90", {OBD + "ShortTermFuelTrim1": 0.0, OBD + "ShortTermFuelTrim3": 12.5}),  # banks 1 and 3
    ],
)
def test_an_answer_gives_its_values_and_no_others(frame: str, expected: dict[str, float]) -> None:
    assert read(frame) == {path: [pytest.approx(value)] for path, value in expected.items()}


@pytest.mark.parametrize(
    "frame",
    [
        "21 41 0C 1A F8 00 00 00",  # a consecutive frame whose data looks like an answer
        "10 14 41 0C 1A F8 0D 3C",  # the first frame of a longer answer
        "04 42 0C 00 1A F8",  # a freeze frame
        "03 7F 01 12",
        "02 41 0C",
        "03 41 0C 1A F8",  # a length that cannot hold the PID's data
        "04 41 0C 1A",  # cut off
        "04 41 67 00 7B 7B",  # no sensor is fitted
        "03 41 B7 00",  # a PID that no table knows
        "",
    ],
)
def test_what_is_no_answer_or_not_whole_gives_nothing(frame: str) -> None:
    assert read(frame) == {}


def test_what_is_whole_of_a_short_answer_is_given_and_what_is_unknown_is_counted_by_pid() -> None:
    batch = decoder().decode(
        frame_batch([F(0x7E8, bytes.fromhex("05 41 34 80 00 80")), F(0x7E8, bytes.fromhex("05 41 0D 3C B7 01"))])
    )
    assert values(batch) == {OBD + "O2WR.Sensor1.Lambda": [1.0], "Vehicle.Speed": [60.0]}
    assert batch.anomalies == {("OBD2_PID34", "obd_short_answer"): 1, ("OBD2_PIDB7", "obd_unknown_pid"): 1}


def test_requests_and_answers_of_others_are_left_alone() -> None:
    others = [0x7E0, 0x7DF, 0x7F0, 0x18DAF110, 0x18DA10F1 | EXTENDED_ID, 0x18DB33F1 | EXTENDED_ID, 0x7E8 | EXTENDED_ID]
    batch = decoder().decode(frame_batch([F(can_id, bytes.fromhex("03 41 0D 3C")) for can_id in others]))
    assert (batch.groups, batch.known_frames, batch.unknown_frames) == ((), 0, len(others))


def test_error_and_remote_frames_say_nothing() -> None:
    data = bytes.fromhex("03 41 0D 3C")
    batch = decoder().decode(frame_batch([F(0x7E8, data, flags=FrameFlag.ERROR), F(0x7E8, data, flags=FrameFlag.REMOTE)]))
    assert (batch.groups, batch.unknown_frames) == ((), 0)


NEWER: dict[int, dict[str, Callable[[Sequence[int]], float]]] = {
    0x64: {"EngineTorqueAtPoint5": lambda d: d[4] - 125},
    0x66: {"MassAirFlowSensorB": lambda d: (256 * d[3] + d[4]) / 32},
    0x68: {"IntakeAirTemperatureBank2Sensor3": lambda d: d[6] - 40},
    0x69: {"CommandedEGRA": lambda d: d[1] * 100 / 255, "EGRBError": lambda d: d[6] * 100 / 128 - 100},
    0x6A: {"RelativeIntakeAirFlowBPosition": lambda d: d[4] * 100 / 255},
    0x6B: {"EGRTemperatureBank2Sensor2": lambda d: d[4] - 40},
    0x6C: {"CommandedThrottleActuatorB": lambda d: d[3] * 100 / 255},
    0x6D: {"FuelRailPressureA": lambda d: 10 * (256 * d[3] + d[4]), "FuelRailTemperatureB": lambda d: d[10] - 40},
    0x6E: {"InjectionControlPressureB": lambda d: 10 * (256 * d[7] + d[8])},
    0x6F: {"CompressorInletPressureB": lambda d: d[2]},
    0x70: {"CommandedBoostPressureA": lambda d: (256 * d[1] + d[2]) / 32, "BoostPressureB": lambda d: (256 * d[7] + d[8]) / 32},
    0x71: {"VariableGeometryTurboAPosition": lambda d: d[2] * 100 / 255},
    0x72: {"CommandedWastegateB": lambda d: d[3] * 100 / 255},
    0x73: {"ExhaustPressureBank2": lambda d: (256 * d[3] + d[4]) / 100},
    0x75: {"TurbochargerATurbineOutletTemperature": lambda d: (256 * d[5] + d[6]) / 10 - 40},
    0x76: {"TurbochargerBCompressorOutletTemperature": lambda d: d[2] - 40},
    0x77: {"ChargeAirCoolerTemperatureBank2Sensor1": lambda d: d[3] - 40},
    0x78: {"ExhaustGasTemperatureBank1Sensor4": lambda d: (256 * d[7] + d[8]) / 10 - 40},
    0x7A: {"ParticulateFilter1OutletPressure": lambda d: (256 * d[5] + d[6]) / 100},
    0x7C: {"ParticulateFilter2InletTemperature": lambda d: (256 * d[5] + d[6]) / 10 - 40},
    0x7F: {"TotalIdleRunTime": lambda d: ((d[5] << 24) + (d[6] << 16) + (d[7] << 8) + d[8]) / 3600},
    0x81: {"EmissionControlDevice5RunTime2": lambda d: (d[37] << 24) + (d[38] << 16) + (d[39] << 8) + d[40]},
    0x83: {"NoxConcentrationBank1Sensor1": lambda d: 256 * d[1] + d[2]},
    0x85: {"AverageReagentConsumption": lambda d: (256 * d[1] + d[2]) * 0.005, "ReagentTankLevel": lambda d: d[5] * 100 / 255},
    0x86: {"ParticulateMatterConcentrationBank1": lambda d: (256 * d[1] + d[2]) * 0.0125},
    0x87: {"IntakeManifoldAbsolutePressureA": lambda d: (256 * d[1] + d[2]) / 32},
    0x8B: {"AverageDistanceBetweenRegenerations": lambda d: 256 * d[5] + d[6]},
    0x8C: {"LambdaBank2Sensor2": lambda d: (256 * d[15] + d[16]) * 8 / 65535},
    0x8E: {"EngineFrictionTorque": lambda d: d[0] - 125},
    0x99: {"ExhaustGasTemperatureBank2Sensor5": lambda d: (256 * d[1] + d[2]) / 10 - 40},
    0x9A: {
        "HybridBatteryVoltage": lambda d: (256 * d[2] + d[3]) / 64,
        "HybridBatteryCurrent": lambda d: int.from_bytes(bytes(d[4:6]), "big", signed=True) / 10,
    },
    0x9B: {"ReagentConcentration": lambda d: d[1] / 4, "ReagentTankTemperature": lambda d: d[2] - 40},
    0x9D: {"VehicleFuelMassRate": lambda d: (256 * d[2] + d[3]) / 50},
    0x9E: {"EngineExhaustFlowRate": lambda d: (256 * d[0] + d[1]) / 5},
    0x9F: {"FuelSystemUse8": lambda d: d[8] * 100 / 255},
    0xA2: {"CylinderFuelRate": lambda d: (256 * d[0] + d[1]) / 32},
    0xA4: {"TransmissionGearRatio": lambda d: (256 * d[2] + d[3]) / 1000},
    0xA5: {"CommandedReagentDosing": lambda d: d[1] / 2},
    0xA8: {"NoxCorrectedConcentrationBank2Sensor4": lambda d: 256 * d[7] + d[8]},
    0xB2: {"TractionBatteryStateOfHealth": lambda d: d[0] * 100 / 255},
    0xD2: {"StateOfCertifiedRange": lambda d: d[2] * 100 / 255},
    0xD3: {"EngineOdometer": lambda d: ((d[0] << 24) + (d[1] << 16) + (d[2] << 8) + d[3]) / 10},
}


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_pids_of_many_values_follow_the_formulas_of_the_standard(random) -> None:  # type: ignore[no-untyped-def] # hypothesis' own
    for pid, formulas in NEWER.items():
        size = pid_lengths()[pid][0]
        data = bytes([0xFF, *random.randbytes(size - 1)]) if size > 2 else random.randbytes(size)
        found = values(decoder().decode(frame_batch(in_frames(bytes([0x41, pid]) + data))), of="names")
        for name, formula in formulas.items():
            assert found[name] == [pytest.approx(formula(data))], (hex(pid), name)


def test_readiness_is_that_of_spark_or_of_compression_ignition() -> None:
    spark = values(decoder().decode(frame_batch([F(0x7E8, bytes.fromhex("06 41 01 00 07 01 01"))])), of="names")
    diesel = values(decoder().decode(frame_batch([F(0x7E8, bytes.fromhex("06 41 01 00 0F 01 01"))])), of="names")
    assert spark["CatalystMonitorIncomplete"] == [1.0]
    assert diesel["DieselNmhcCatalystMonitorIncomplete"] == [1.0]
    assert not {name for name in spark if name.startswith("Diesel")}
    assert "CatalystMonitorSupported" not in diesel


SIX_PIDS = bytes.fromhex("41 0C 1A F8 0D 3C 05 7B 04 FF 11 80 0F 40")
SIX_VALUES = {
    SPEED: [1726.0],
    "Vehicle.Speed": [60.0],
    COOLANT: [83.0],
    OBD + "EngineLoad": [100.0],
    ENGINE + "TPS": [pytest.approx(50.2, abs=0.01)],
    OBD + "IntakeTemp": [24.0],
}


def test_six_pids_asked_for_at_once_are_all_read_at_the_time_of_the_last_frame() -> None:
    batch = decoder().decode(frame_batch(in_frames(SIX_PIDS)))
    assert values(batch) == SIX_VALUES
    assert {time for group in batch.groups for time in group.time_ns.tolist()} == {20_000_000}
    assert {frame for group in batch.groups for frame in group.frame.tolist()} == {2}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_cutting_batches_and_restarting_between_them_changes_no_value(data: st.DataObject) -> None:
    frames = (
        in_frames(SIX_PIDS) + in_frames(bytes.fromhex("41 7F 07") + bytes(12), start_s=0.1) + in_frames(SIX_PIDS, start_s=0.2)
    )
    other = [F(0x7E9, f.data, f.time_s + 0.001) for f in in_frames(SIX_PIDS)]
    frames = sorted(frames + other, key=lambda f: f.time_s)
    whole = values(decoder().decode(frame_batch(frames)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(frames) - 1))))
    reader, found = decoder(), dict[str, list[float]]()
    for begin, end in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        for path, numbers in values(reader.decode(frame_batch(frames[begin:end]))).items():
            found.setdefault(path, []).extend(numbers)
        state = reader.snapshot("car")
        reader = decoder()
        if state is not None:
            reader.restore("car", state)
    assert {path: sorted(numbers) for path, numbers in found.items()} == {path: sorted(n) for path, n in whole.items()}


def test_a_vehicle_at_rest_keeps_no_state() -> None:
    reader = decoder()
    first, *rest = in_frames(SIX_PIDS)
    reader.decode(frame_batch([first]))
    assert reader.snapshot("car") is not None
    reader.decode(frame_batch(rest))
    assert reader.snapshot("car") is None
    reader.decode(frame_batch([first]))
    reader.decode(frame_batch([F(0, b"", 60.0, flags=FrameFlag.TICK)]))
    assert reader.snapshot("car") is None
    reader.decode(frame_batch([first]))
    reader.forget("car")
    assert reader.snapshot("car") is None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0x7E8, 0x98DAF110]), st.binary(max_size=12)), max_size=12))
def test_no_bytes_raise_and_every_frame_is_known_or_unknown(rows: list[tuple[int, bytes]]) -> None:
    batch = decoder().decode(frame_batch([F(can_id, data) for can_id, data in rows]))
    assert batch.known_frames + batch.unknown_frames == len(rows)
    assert min(batch.known_frames, batch.unknown_frames) >= 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(pid_lengths())), min_size=1, max_size=6), st.data())
def test_an_answer_is_cut_where_it_was_joined_if_only_one_reading_uses_every_byte(pids: list[int], data: st.DataObject) -> None:
    fixed = [pid for pid in pids if len(pid_lengths()[pid]) == 1]
    parts = [(pid, data.draw(st.binary(min_size=pid_lengths()[pid][0], max_size=pid_lengths()[pid][0]))) for pid in fixed]
    assert cut_answer(b"".join(bytes([pid]) + part for pid, part in parts), pid_lengths()) == (parts, None)


@given(st.binary(max_size=600))
def test_cutting_ends_on_any_bytes_and_gives_no_byte_twice(answer: bytes) -> None:
    parts, _ = cut_answer(answer, pid_lengths())
    assert sum(1 + len(data) for _, data in parts) <= len(answer)


def test_frames_that_a_dbc_knows_too_are_counted_once(tmp_path) -> None:  # type: ignore[no-untyped-def] # pytest's own
    dbc = tmp_path / "obd.dbc"
    dbc.write_text('VERSION ""\nBO_ 2024 Answer: 8 X\n SG_ length : 0|8@1+ (1,0) [0|0] "" X\n')
    profile = load_profile("obd2", extra_dbc=[("*", dbc)])
    batch = BusDecoder({"p": profile}, lambda _: "p").decode(frame_batch([F(0x7E8, bytes.fromhex("03 41 0D 3C 00 00 00 00"))]))
    assert (batch.known_frames, batch.unknown_frames, len(batch.groups)) == (1, 0, 2)


def test_vehicles_without_the_built_in_pids_are_left_alone(tmp_path) -> None:  # type: ignore[no-untyped-def] # pytest's own
    dbc = tmp_path / "other.dbc"
    dbc.write_text('VERSION ""\nBO_ 256 Other: 8 X\n SG_ one : 0|8@1+ (1,0) [0|0] "" X\n')
    profiles = {"p": dbc_profile([("*", dbc)]), "obd2": PROFILE}
    rows = [F(0x7E8, bytes.fromhex("03 41 0D 3C"), vehicle=car) for car in ("a", "b")]
    batch = BusDecoder(profiles, lambda vehicle: "obd2" if vehicle == "b" else "p").decode(frame_batch(rows))
    assert [group.vehicle.tolist() for group in batch.groups] == [[1]]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(set(range(0x04, 0x5F)) - {0x12, 0x13, 0x1D, 0x1E, 0x20, 0x32, 0x40, 0x41, 0x54})),
    st.binary(min_size=4, max_size=4),
)
def test_values_are_those_of_cantools_with_a_public_dbc(pid: int, data: bytes) -> None:
    file = RECORDINGS / "obd2_gps_drive_10min" / "OBD2-v1.4.dbc"
    if not file.exists():
        pytest.skip("no OBD2 DBC beside this checkout")
    size = pid_lengths()[pid][0]
    frame = bytes([2 + size, 0x41, pid]) + data[:size].ljust(5, b"\0")
    theirs = _public_obd(file).decode_message(0x7E8, frame, decode_choices=False)
    ours = values(decoder().decode(frame_batch([F(0x7E8, frame)])), of="names")
    public = [value for name, value in theirs.items() if name.startswith("S1_PID")]
    wanted = [value for numbers in ours.values() for value in numbers]
    assert public, hex(pid)
    in_trim = 0x14 <= pid <= 0x1B and data[1] == 0xFF  # "not used in the trim" is a number there
    in_amperes = 0x34 <= pid <= 0x3B
    for number, value in enumerate(public[: len(wanted)] if not in_trim else public[:1]):
        assert wanted[number] * (1000 if in_amperes and number == 1 else 1) == pytest.approx(value, rel=1e-3, abs=1e-3), hex(pid)


_BOOKS: dict[str, cantools.database.Database] = {}


def _public_obd(file) -> cantools.database.Database:  # type: ignore[no-untyped-def] # a path
    return _BOOKS.setdefault(str(file), cantools.database.load_file(file))


def test_a_recorded_drive_gives_the_figures_of_the_public_dbc() -> None:
    folder = RECORDINGS / "obd2_gps_drive_10min"
    if not folder.exists():
        pytest.skip("no recordings beside this checkout")
    mdf = pytest.importorskip("asammdf").MDF(folder / "00000002-60FE415D.MF4")
    known = next(d for d in json.loads((folder / "EXPECT.json").read_text())["decoded"] if d["dbc"].startswith("OBD2"))["signals"]
    rows = []
    for group in mdf.groups:
        names = {channel.name for channel in group.channels}
        if "CAN_DataFrame" not in names:
            continue
        frame = mdf.get("CAN_DataFrame", group=mdf.groups.index(group), raw=True).samples
        for bus, can_id, data, size in zip(
            frame["CAN_DataFrame.BusChannel"],
            frame["CAN_DataFrame.ID"],
            frame["CAN_DataFrame.DataBytes"],
            frame["CAN_DataFrame.DataLength"],
            strict=True,
        ):
            if can_id == 0x7E8 and bus == 1:
                rows.append(F(0x7E8, bytes(data)[: int(size)]))
    mdf.close()
    found = values(decoder().decode(frame_batch(rows)), of="names")
    ours = {"0C_EngineRPM": "EngineSpeed", "0D_VehicleSpeed": "VehicleSpeed", "05_EngineCoolantTemp": "EngineCoolantTemperature", "42_ControlModuleVolt": "ControlModuleVoltage",
        "11_ThrottlePosition": "ThrottlePosition", "04_CalcEngineLoad": "CalculatedEngineLoad", "2F_FuelTankLevel": "FuelLevel"}  # fmt: skip
    for name, signal in ours.items():
        figures, numbers = known[f"OBD2.S1_PID_{name}"], found[signal]
        assert len(numbers) == figures["n"], name
        assert (min(numbers), max(numbers)) == pytest.approx((figures["min"], figures["max"]), rel=1e-3), name
        assert sum(numbers) / len(numbers) == pytest.approx(figures["mean"], rel=1e-3), name
