"""EMQX's JSON becomes the packet it was made of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.gbt32960.emqx import UNITS, packet_of_emqx
from ingest.gbt32960.layout import CodeSection, NumberList, Part, Unit, dialects
from ingest.gbt32960.packet import split_packets, time_of
from tests.ingest.gbt32960.packets import TIME, TIME_S, VIN, decoded, drawn_units, packet, values

TIME_DOCUMENT = dict(zip(("Year", "Month", "Day", "Hour", "Minute", "Second"), TIME, strict=True))


def message(*infos: dict[str, Any], command: int = 2, **data: Any) -> dict[str, Any]:
    return {"Cmd": command, "Encrypt": 1, "Vin": VIN.decode(), "Data": {"Time": TIME_DOCUMENT, "Infos": list(infos), **data}}


VEHICLE = json.loads("""{"AcceleratorPedal": 90, "BrakePedal": 0, "Charging": 1, "Current": 15000, "DC": 1, "Gear": 5, "Mileage": 999999,
    "Mode": 1, "Resistance": 6000, "SOC": 50, "Speed": 2000, "Status": 1, "Type": "Vehicle", "Voltage": 5000}""")


def test_the_documented_vehicle_message_means_what_its_documentation_says() -> None:
    raw = packet_of_emqx(message(VEHICLE))
    assert len(split_packets(raw).packets) == 1
    assert time_of(raw) == TIME_S * 1_000_000_000
    vehicle = values(decoded(raw)["GBT32960_2016.Vehicle"])
    names = ("Speed", "Odometer", "Voltage", "Current", "StateOfCharge", "Gear", "InsulationResistance", "AcceleratorPedal")
    assert [vehicle[name] for name in names] == [200, 99999.9, 500, 500, 50, 5, 6000, 90]


def test_fault_codes_are_hexadecimal_digits() -> None:
    alarm = {
        "Type": "Alarm",
        "MaxAlarmLevel": 1,
        "GeneralAlarmFlag": 3,
        "FaultChargeableDeviceList": ["00C8"],
        "FaultEngineList": ["006F"],
    }
    raw = packet_of_emqx(message(alarm))
    assert raw == packet(bytes.fromhex("07 01 00000003 01 000000C8 00 01 0000006F 00"))


def test_what_is_left_out_is_invalid_and_a_count_may_be_abnormal() -> None:
    raw = packet_of_emqx(message({"Type": "Vehicle", "Speed": 500}, {"Type": "DriveMotor", "Number": 254, "Motors": []}))
    vehicle = {name: value for name, value in values(decoded(raw)["GBT32960_2016.Vehicle"]).items() if value is not None}
    assert vehicle == {"Speed": 50.0, "GearState": 255.0}
    assert raw[-2] == 254


def test_a_login_and_a_logout_are_packets_too() -> None:
    login = message(command=1, Seq=1, ICCID="12345678901234567890", Num=1, Length=1, Id="C")
    data = TIME + b"\0\1" + b"12345678901234567890" + b"\1\1C"
    assert packet_of_emqx(login) == packet(data[6:], command=1)
    assert packet_of_emqx(message(command=4, Seq=9)) == packet(b"\0\x09", command=4)


@pytest.mark.parametrize(("change", "reason"), [
    ({"Vin": None}, "Vin"), ({"Vin": "X" * 18}, "Vin"), ({"Cmd": "2"}, "Cmd"), ({"Cmd": 256}, "Cmd"), ({"Data": []}, "Data"),
    ({"Data": {"Time": {"Year": 25}}}, "Data.Time.Month"), ({"Data": {"Infos": {}}}, "Data.Infos"),
    ({"Data": {"Infos": [3]}}, r"Data.Infos\[0\]"), ({"Data": {"Infos": [{"Type": "Moon"}]}}, "Type"),
    ({"Data": {"Infos": [{"Type": "Vehicle", "Speed": 65536}]}}, "Speed"), ({"Data": {"Infos": [{"Type": "Vehicle", "SOC": True}]}}, "SOC"),
    ({"Data": {"Infos": [{"Type": "DriveMotor", "Motors": [None]}]}}, "Motors"),
    ({"Data": {"Infos": [{"Type": "Alarm", "FaultOthersList": ["xyz"]}]}}, "FaultOthersList"),
    ({"Data": {"Infos": [{"Type": "Alarm", "FaultOthersList": ["00"] * 300}]}}, "FaultOthersList"),
])  # fmt: skip
def test_what_is_no_such_message_is_refused_with_the_place(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        packet_of_emqx({**message(VEHICLE), **change})


def told_by_emqx(unit: Unit, data: bytes) -> dict[str, Any]:
    """What the gateway makes of a unit: the reverse, written down from its documentation's keys."""
    kind = next(kind for kind, number in UNITS.items() if number == unit.id)
    if not unit.count_bytes:
        return {"Type": kind, **_fields(unit, data, 1)[0]}
    items, at = [], 2
    for _ in range(data[1]):
        item, at = _fields(unit, data, at)
        items.append(item)
    return {"Type": kind, "Number": data[1], unit.emqx.partition("|")[0]: items}


def _fields(unit: Unit, data: bytes, at: int) -> tuple[dict[str, Any], int]:
    told: dict[str, Any] = {}
    for segment in unit.segments:
        if isinstance(segment, Part):
            told |= {
                f.emqx: int.from_bytes(data[at + f.offset_bytes : at + f.offset_bytes + f.width], "big") for f in segment.sent
            }
            at += segment.size
            continue
        count = int.from_bytes(data[at : at + segment.count_bytes], "big")
        at += segment.count_bytes
        pieces = [data[at + n * segment.width : at + (n + 1) * segment.width] for n in range(count)]
        at += count * segment.width
        key, _, count_key = segment.emqx.partition("|")
        is_number = isinstance(segment, NumberList)
        assert is_number or isinstance(segment, CodeSection)
        told |= {
            key: [int.from_bytes(p, "big") if is_number else f"{int.from_bytes(p, 'big'):04X}" for p in pieces],
            count_key: count,
        }
    return told, at


@settings(max_examples=80)
@given(st.data())
def test_every_unit_comes_back_byte_for_byte(draw: st.DataObject) -> None:
    units = drawn_units("2016", draw)
    document = json.loads(json.dumps(message(*(told_by_emqx(unit, data) for unit, data in units))))
    assert packet_of_emqx(document) == packet(*(data for _, data in units))


def test_every_number_of_the_edition_has_its_key() -> None:
    for unit in dialects()["2016"].units.values():
        for segment in unit.segments:
            keys = [field.emqx for field in segment.sent] if isinstance(segment, Part) else [segment.emqx]
            assert all(keys), unit.message


@settings(max_examples=100)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["Cmd", "Vin", "Data", "Infos", "Type", "Time", "Motors"]), inner, max_size=4)))  # fmt: skip
def test_any_json_is_a_packet_or_refused(document: Any) -> None:
    try:
        raw = packet_of_emqx(document)
    except ValueError:
        return
    assert len(split_packets(raw).packets) == 1
