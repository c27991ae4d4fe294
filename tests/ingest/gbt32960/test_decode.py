"""GB/T 32960 packets: recorded ones give what was recorded with them, generated ones what another decoder makes of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtm_con import msg_checked

from domain.errors import DataFileError
from domain.vss import catalogue
from ingest.gbt32960.decode import packet_groups
from ingest.gbt32960.layout import dialects
from ingest.gbt32960.packet import HEADER_BYTES, TIME_BYTES, time_of, vin_of
from ingest.gbt32960.rows import read_packets
from tests.ingest.gbt32960.packets import TIME_S, batch, decoded, drawn_units, packet, sliced, values

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
EXPECT = DATA / "recordings" / "gb32960_dev" / "EXPECT.json"
needs_data = pytest.mark.skipif(not EXPECT.exists(), reason="recorded packets are not here (../shared/data)")
VEHICLE = bytes.fromhex("01 01 03 01 01F4 0001E240 0F0A 27A6 39 01 2E 01E0 00 00")
VEHICLE_2025 = bytes.fromhex("01 01 03 01 01F4 0001E240 0F0A 75C6 39 01 2E 01E0")


def recorded() -> list[dict[str, Any]]:
    return list(json.loads(EXPECT.read_text())["cases"])


@needs_data
def test_recorded_packets_are_whole_and_of_the_commands_and_vehicles_noted_with_them() -> None:
    for case in recorded():
        (row,), damaged = read_packets(bytes.fromhex(case["hex"]))
        expect = case["expect"]
        assert not damaged
        assert row.packet[2] == expect["cmd"]
        assert vin_of(row.packet).decode() == row.vin == expect["vin"]
        assert len(row.packet) == expect["total_len"]


@needs_data
def test_a_recorded_packet_gives_the_values_noted_with_it() -> None:
    case = next(case for case in recorded() if "vehicle" in case["expect"])
    expect = case["expect"]
    groups = decoded(bytes.fromhex(case["hex"]))
    vehicle = values(groups["GBT32960_2016.Vehicle"])
    names = {"speed_kmh": "Speed", "odo_km": "Odometer", "volt": "Voltage", "current": "Current", "soc": "StateOfCharge"}
    names |= {"insulation_kohm": "InsulationResistance", "accel": "AcceleratorPedal", "brake": "BrakePedal", "status": "State"}
    names |= {"charge": "ChargeState", "mode": "DriveMode", "dcdc": "DcDcState"}
    assert {name: vehicle[signal] for name, signal in names.items()} == {name: expect["vehicle"][name] for name in names}
    position = values(groups["GBT32960_2016.Position"])
    assert (position["Latitude"], position["Longitude"]) == (expect["position"]["lat"], expect["position"]["lon"])
    extremes = values(groups["GBT32960_2016.Extremes"])
    told = [extremes[name] for name in ("CellVoltageMax", "CellVoltageMin", "TemperatureMax", "TemperatureMin")]
    assert told == [expect["extremes"][name] for name in ("vmax", "vmin", "tmax", "tmin")]
    assert values(groups["GBT32960_2016.Alarm"]) == {"Level": 0.0, "Flags": 0.0}
    assert values(groups["GBT32960_2016.CellVoltage"])["Count"] == 108
    assert time_of(bytes.fromhex(case["hex"])) == 1_486_432_920 * 1_000_000_000


def test_one_row_has_the_time_of_china_as_utc() -> None:
    assert time_of(packet(VEHICLE)) == TIME_S * 1_000_000_000


def test_numbers_are_rounded_once() -> None:
    vehicle = values(decoded(packet(VEHICLE))["GBT32960_2016.Vehicle"])
    assert (vehicle["Speed"], vehicle["Odometer"], vehicle["Voltage"], vehicle["Current"]) == (50.0, 12345.6, 385.0, 15.0)


def test_the_start_bytes_decide_what_the_same_bytes_mean() -> None:
    vehicle = values(decoded(packet(VEHICLE_2025, edition=2025))["GBT32960_2025.Vehicle"])
    assert vehicle["Current"] == 15.0
    assert "GBT32960_2016.Vehicle" not in decoded(packet(VEHICLE_2025, edition=2025))


def test_current_is_positive_while_discharging_as_sent_and_while_charging_under_its_vss_path() -> None:
    group = decoded(packet(VEHICLE))["GBT32960_2016.Vehicle"]
    row = group.paths.index("Vehicle.Powertrain.TractionBattery.CurrentCurrent")
    assert group.values[row, 0] == -15.0


def test_abnormal_and_invalid_numbers_are_no_values() -> None:
    unit = bytes.fromhex("01 FE FF 01 FFFE FFFFFFFF FFFF FFFE FF FE 2E FFFF FF 65")
    vehicle = values(decoded(packet(unit))["GBT32960_2016.Vehicle"])
    known = {name for name, value in vehicle.items() if value is not None}
    assert known == {"DriveMode", "GearState", "BrakePedal"}
    assert vehicle["BrakePedal"] == 101


@pytest.mark.parametrize(
    ("state", "longitude", "latitude"), [(0, 112.5, 32.25), (2, 112.5, -32.25), (4, -112.5, 32.25), (1, None, None)]
)
def test_a_position_has_its_hemispheres_and_may_not_be_valid(state: int, longitude: float | None, latitude: float | None) -> None:
    unit = bytes([5, state]) + (112_500_000).to_bytes(4, "big") + (32_250_000).to_bytes(4, "big")
    position = values(decoded(packet(unit))["GBT32960_2016.Position"])
    assert (position["Longitude"], position["Latitude"]) == (longitude, latitude)


def test_a_position_in_another_coordinate_system_is_not_taken_for_wgs84() -> None:
    place = (112_500_000).to_bytes(4, "big") + (32_250_000).to_bytes(4, "big")
    wgs84 = values(decoded(packet(bytes([5, 0, 1]) + place, edition=2025))["GBT32960_2025.Position"])
    mars = values(decoded(packet(bytes([5, 0, 2]) + place, edition=2025))["GBT32960_2025.Position"])
    assert (wgs84["LongitudeWgs84"], mars["LongitudeWgs84"], mars["Longitude"]) == (112.5, None, 112.5)


def cells(first: int, *millivolts: int, pack: int = 1) -> bytes:
    head = bytes.fromhex(f"08 01 {pack:02X} 0F0A 27A6 0006 {first:04X} {len(millivolts):02X}")
    return head + b"".join(value.to_bytes(2, "big") for value in millivolts)


def test_cells_of_several_packets_of_one_time_are_one_pack() -> None:
    group = decoded(packet(cells(4, 3700, 0xFFFF, 3900)), packet(cells(1, 3800, 3650, 3850)))["GBT32960_2016.CellVoltage"]
    assert group.frame.tolist() == [1]
    told = values(group)
    assert (told["Min"], told["IdMin"], told["Max"], told["IdMax"], told["Count"]) == (3.65, 2, 3.9, 6, 5)
    assert told["Mean"] == pytest.approx((3.7 + 3.9 + 3.8 + 3.65 + 3.85) / 5)


def test_every_cell_of_every_pack_is_told_where_all_is_wanted() -> None:
    groups = decoded(packet(cells(4, 3700, 0xFFFF, 3900)), packet(cells(1, 3800, 3650)), packet(cells(1, 3100, pack=2)))
    cell = {name: value for name, value in values(groups["GBT32960_2016.CellVoltage1"]).items() if value is not None}
    assert cell == {"No001": 3.8, "No002": 3.65, "No004": 3.7, "No006": 3.9}
    assert values(groups["GBT32960_2016.CellVoltage2"]) == {"No001": 3.1}
    assert groups["GBT32960_2016.CellVoltage1"].frame.tolist() == [1]
    wanted = frozenset({"Vehicle.Powertrain.TractionBattery.CellVoltage.Min"})
    told = packet_groups(batch([packet(cells(1, 3800))]), Counter(), wanted=wanted)
    assert [group.message for group in told] == ["GBT32960_2016.CellVoltage"]


def test_cells_of_another_time_are_another_reading() -> None:
    later = packet(cells(4, 3700), time=bytes((25, 6, 1, 12, 30, 1)))
    group = decoded(packet(cells(1, 3800)), later)["GBT32960_2016.CellVoltage"]
    assert group.values[0].tolist() == [3.8, 3.7]


def test_a_list_of_invalid_cells_is_no_reading() -> None:
    told = values(decoded(packet(cells(1, 0xFFFF, 0xFFFE)))["GBT32960_2016.CellVoltage"])
    assert set(told.values()) == {None}


def test_every_motor_has_a_message_of_its_own_and_the_first_counts() -> None:
    unit = bytes.fromhex("02 02 01 01 34 52C1 4EDE 4A 10CC 271A 02 01 35 52C2 4EDF 4B 10CD 271B")
    groups = decoded(packet(unit))
    assert values(groups["GBT32960_2016.Motor1"])["Speed"] == 1185
    assert values(groups["GBT32960_2016.Motor2"])["Temperature"] == 35
    assert groups["GBT32960_2016.Motor1"].priority[0] < groups["GBT32960_2016.Motor2"].priority[0]


def test_units_may_come_in_any_order_with_custom_ones_between() -> None:
    custom = bytes.fromhex("80 0003 010203 E4 0000")
    anomalies: Counter[tuple[str, str]] = Counter()
    groups = list(packet_groups(batch([packet(custom, cells(1, 3800), custom, b"\x04\x01\x03\xe8\x00\x64", VEHICLE)]), anomalies))
    assert {"GBT32960_2016.Vehicle", "GBT32960_2016.Engine", "GBT32960_2016.CellVoltage"} <= {group.message for group in groups}
    assert anomalies == {("GBT32960_2016", "custom_unit"): 4}


def test_counts_that_are_abnormal_mean_that_there_is_no_list() -> None:
    fuel_cell = bytes.fromhex("03 0064 0064 0064 FFFE 0FA0 01 0064 02 0064 03 01")
    groups = decoded(packet(b"\x02\xfe", b"\x08\xff", fuel_cell, VEHICLE))
    assert values(groups["GBT32960_2016.FuelCellHydrogen"])["HydrogenTemperatureMax"] == 360
    assert values(groups["GBT32960_2016.Vehicle"])["Speed"] == 50


@pytest.mark.parametrize(
    ("tail", "kind"), [(b"\x0a\x01", "unknown_unit"), (b"\x02\x05\x01", "truncated_unit"), (b"\x80\xff\xff", "truncated_unit")]
)
def test_what_stands_before_a_damaged_unit_is_read_and_the_damage_counted(tail: bytes, kind: str) -> None:
    anomalies: Counter[tuple[str, str]] = Counter()
    groups = list(packet_groups(batch([packet(VEHICLE, tail)]), anomalies))
    assert [group.message for group in groups] == ["GBT32960_2016.Vehicle"]
    assert anomalies == {("gbt32960", kind): 1}


def test_encrypted_packets_are_counted_and_give_nothing() -> None:
    sealed = bytearray(packet(VEHICLE))
    sealed[21] = 3
    sealed[-1] ^= 1 ^ 3
    anomalies: Counter[tuple[str, str]] = Counter()
    assert list(packet_groups(batch([bytes(sealed)]), anomalies)) == []
    assert anomalies == {("gbt32960", "encrypted_packet"): 1}


def test_a_reissued_packet_is_read_like_another_and_a_platforms_answer_is_not() -> None:
    assert "GBT32960_2016.Vehicle" in decoded(packet(VEHICLE, command=3))
    answer = bytearray(packet(VEHICLE))
    answer[3] = 1
    answer[-1] ^= 0xFE ^ 1
    assert decoded(bytes(answer)) == {}


def test_only_wanted_paths_are_decoded() -> None:
    groups = packet_groups(batch([packet(VEHICLE, cells(1, 3800))]), Counter(), wanted=frozenset({"Vehicle.Speed"}))
    assert [group.message for group in groups] == ["GBT32960_2016.Vehicle"]


def test_every_field_has_words_and_a_source() -> None:
    import csv

    from ingest.gbt32960.fields import FIELDS

    with FIELDS.open(encoding="utf-8") as file:
        assert all(row["en"] and row["zh"] and row["source"] for row in csv.DictReader(file))
    paths = {field.path for dialect in dialects().values() for part in dialect.parts for field in part.shown if field.path}
    assert paths <= set(catalogue())


@pytest.mark.parametrize(("old", "new", "reason"), [
    (",Vehicle.Speed,", ",Vehicle.Sped,", "unknown VSS path"), ("1/10,0,km/h,", "1/10,0,m/s,", "in 'm/s'"),
    ("State&1=0,State&4", "State=0,State&4", "is no condition"), ("State&1=0,State&4", "State&1=0,4", "is no bit"),
    ("1:1|2:0", "1=1", "is no map"), ("value,State,1,", "value,State,3,", "a number of 3 bytes"),
    ("State&1=0,State&4", "Sate&1=0,State&4", "no field 'Sate'"), ("codes,BatteryFaults,4,1", "codes,BatteryFaults,4,", "a count of 0"),
])  # fmt: skip
def test_a_mistake_in_the_table_is_located(tmp_path: Path, old: str, new: str, reason: str) -> None:
    from ingest.gbt32960.fields import FIELDS

    text = FIELDS.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "fields.csv"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError, match=reason) as caught:
        dialects(file)
    assert caught.value.line == text[: text.index(old)].count("\n") + 1


# What rtm-con calls things, and where it is wrong: it gives packs of the 2016 edition the current offset of the 2025 edition.
RTM_NAMES = {
    "Vehicle": ("whole_vehicle", {"Speed": "vehicle_speed", "Odometer": "mileage_total", "Voltage": "voltage_total",
                "Current": "current_total", "StateOfCharge": "soc", "AcceleratorPedal": "accelerator_padel"}),
    "Engine": ("engine", {"Speed": "engine_torque", "Consumption": "fuel_consumption"}),
    "Extremes": ("pack_extrema", {"CellVoltageMax": "max_cell_volt", "CellVoltageMin": "min_cell_volt",
                 "TemperatureMax": "max_cell_temp", "TemperatureMin": "min_cell_temp", "CellVoltageMaxCell": "max_volt_cell_index"}),
}  # fmt: skip
RTM_MOTOR = {"Speed": "speed", "Torque": "torque", "Temperature": "temp", "ControllerTemperature": "ctrl_temp"}


@settings(max_examples=60)
@given(st.data(), st.sampled_from([2016, 2025]))
def test_generated_packets_mean_what_another_decoder_makes_of_them(draw: st.DataObject, edition: int) -> None:
    units = [(unit, data) for unit, data in drawn_units(str(edition), draw) if unit.id < 0x30 and unit.id != 3]
    signature = b"\xff\x01\x00\x02ab\x00\x02cd" if edition == 2025 else b""
    if not units:
        return
    raw = packet(*(data for _, data in units), signature, edition=edition)
    groups = decoded(raw)
    parsed = {str(item.data_type): item.data_content for item in msg_checked.parse(raw).payload.data_list}
    for message, (theirs, names) in RTM_NAMES.items():
        group = groups.get(f"GBT32960_{edition}.{message}")
        assert (group is not None) == (theirs in parsed)
        if group is not None:
            ours = values(group)
            for name, key in names.items():
                if key in parsed[theirs] and name in ours:
                    same(ours[name], parsed[theirs][key])
    for motor in parsed.get("emotor", ()):
        ours = values(groups[f"GBT32960_{edition}.Motor{motor.index}"])
        for name, key in RTM_MOTOR.items():
            same(ours[name], motor[key])
    lists(groups, parsed, edition)


def same(ours: float | None, theirs: Any) -> None:
    assert (ours is not None) == (theirs.valid is True)
    if ours is not None:
        assert ours == pytest.approx(theirs.value, abs=1e-6)


def lists(groups: dict[str, Any], parsed: dict[str, Any], edition: int) -> None:
    for block, inner, message in (("cell_volts", "cell_volts", "CellVoltage"), ("probe_temps", "probe_temps", "CellTemperature")):
        numbers = [item for pack in parsed.get(block, ()) for item in pack[inner]]
        good = [item.value for item in numbers if item.valid is True]
        group = groups.get(f"GBT32960_{edition}.{message}")
        assert (group is not None) == bool(numbers)
        if group is not None:
            told = values(group)
            figures = (min(good), max(good), sum(good) / len(good), len(good)) if good else (None,) * 4
            assert (
                (told["Min"], told["Max"], told["Mean"], told["Count"]) == pytest.approx(figures, abs=1e-9) if good else not good
            )
    for pack in parsed.get("cell_volts", ()):
        ours = values(groups[f"GBT32960_{edition}.CellVoltages{pack.index.value}"])
        same(ours["Voltage"], pack.volt)
        if ours["Current"] is not None:
            assert ours["Current"] - pack.curr.value == pytest.approx(2000 if edition == 2016 else 0)


@settings(max_examples=40)
@given(st.data(), st.sampled_from(["2016", "2025"]))
def test_the_values_do_not_depend_on_which_packets_share_a_batch(draw: st.DataObject, dialect: str) -> None:
    packets = [
        packet(*(data for _, data in drawn_units(dialect, draw)), edition=int(dialect), time=bytes((25, 6, 1, 12, 30, second)))
        for second in range(3)
    ]
    whole = batch(packets)
    together = _told([whole])
    assert together == _told(sliced(whole, 1, 2))


def _told(batches: list[Any]) -> dict[tuple[str, int], list[Any]]:
    told: dict[tuple[str, int], list[Any]] = {}
    for frames in batches:
        for group in packet_groups(frames, Counter()):
            for row, time_ns in enumerate(group.time_ns.tolist()):
                known = {name: value for name, value in values(group, row).items() if value is not None}
                told.setdefault((group.message, time_ns), []).append(known)
    return told


@settings(max_examples=150)
@given(st.data(), st.sampled_from(["2016", "2025"]))
def test_no_bytes_of_a_data_unit_make_it_fail_and_what_cannot_be_read_is_counted(draw: st.DataObject, dialect: str) -> None:
    raw = bytearray(packet(*(data for _, data in drawn_units(dialect, draw)), edition=int(dialect)))
    body = raw[HEADER_BYTES + TIME_BYTES : -1]
    if body:
        for _ in range(draw.draw(st.integers(1, 4))):
            body[draw.draw(st.integers(0, len(body) - 1))] = draw.draw(st.integers(0, 255))
        body = body[: draw.draw(st.integers(0, len(body)))]
    mutated = packet(bytes(body), edition=int(dialect))
    anomalies: Counter[tuple[str, str]] = Counter()
    for group in packet_groups(batch([mutated]), anomalies):
        assert group.values.shape == group.valid.shape == (len(group.names), len(group.frame))
    assert sum(count for (where, kind), count in anomalies.items() if kind != "custom_unit") <= 1
