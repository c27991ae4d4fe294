"""Trucks report under GB 17691 and HJ 1239 with a header of their own, or with that of GB/T 32960 where they are registered so."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.gbt32960.decode import packet_groups
from ingest.gbt32960.packet import split_packets
from ingest.gbt32960.rows import read_packets
from tests.ingest.gbt32960.packets import TIME, TIME_S, batch, decoded, drawn_units, packet, truck_packet, values

# 80 km/h, 101 kPa, 60 % and 10 % torque, 1500 rpm, 22.5 l/h, 850 and 35 ppm, 61 %, 900 kg/h, 310 and 300 degrees, 3.2 kPa,
# 88 degrees, 47.2 %, a place in the north-east, 123,456.7 km
ENGINE = bytes.fromhex("5000 CA B9 87 2EE0 01C2 5208 125C 98 4650 48E0 47A0 0020 80 76 00 06AF0FF8 01E993CA 0012D687")
HYBRID = bytes.fromhex("0BB8 32 15E0 2774 50")
GAS = bytes.fromhex("5000 CA B9 87 2EE0 01C2 8000 50 4650 80 48E0 00 06AF0FF8 01E993CA 0012D687")


def timed(unit: int, content: bytes, second: int = 0) -> bytes:
    return bytes([unit]) + TIME[:5] + bytes([second]) + content


@pytest.mark.parametrize("unit", [b"\x02" + ENGINE, timed(2, ENGINE)], ids=["GB 17691", "HJ 1239"])
def test_the_data_stream_of_a_diesel_truck(unit: bytes) -> None:
    engine = values(decoded(truck_packet(unit))["HJ1239.Engine"])
    assert engine["Speed"] == 80
    assert engine["BarometricPressure"] == 101
    assert (engine["NetTorque"], engine["FrictionTorque"]) == (60, 10)
    assert (engine["EngineSpeed"], engine["FuelRate"]) == (1500, 22.5)
    assert (engine["NoxUpstream"], engine["NoxDownstream"]) == (850, 35)
    assert engine["ReagentLevel"] == pytest.approx(60.8)
    assert (engine["AirFlow"], engine["MassAirFlow"]) == (900, 250)
    assert (engine["ScrInletTemperature"], engine["ScrOutletTemperature"]) == (310, 300)
    assert (engine["FilterPressure"], engine["FilterDeltaPressure"]) == (3.2, 3200)
    assert (engine["CoolantTemperature"], engine["FuelLevel"]) == (88, pytest.approx(47.2))
    assert (engine["Longitude"], engine["Latitude"]) == (112.136184, 32.084938)
    assert engine["Odometer"] == 123456.7


def test_a_gas_truck_and_a_hybrid_one_have_units_of_their_own() -> None:
    groups = decoded(truck_packet(timed(3, GAS), timed(4, HYBRID)))
    assert values(groups["HJ1239.GasEngine"])["CatalystTemperature"] == 310
    assert values(groups["HJ1239.GasEngine"])["LambdaUpstream"] == pytest.approx(0.999424)
    hybrid = values(groups["HJ1239.Hybrid"])
    assert (hybrid["Voltage"], hybrid["Current"], hybrid["StateOfCharge"]) == (560, 10, 80)


def test_seconds_of_one_packet_come_as_rows_of_their_own_time() -> None:
    raw = truck_packet(
        *(timed(2, ENGINE, second) for second in (0, 1, 2)), timed(4, HYBRID, 2), b"\x20" + bytes(32) + b"\x20" + bytes(32)
    )
    group = decoded(raw)["HJ1239.Engine"]
    assert (group.time_ns // 10**9).tolist() == [TIME_S, TIME_S + 1, TIME_S + 2]
    assert (decoded(raw)["HJ1239.Hybrid"].time_ns // 10**9).tolist() == [TIME_S + 2]


def test_a_signature_at_the_end_is_no_unknown_unit() -> None:
    anomalies: Counter[tuple[str, str]] = Counter()
    list(packet_groups(batch([truck_packet(timed(2, ENGINE), b"\x20" + bytes(32) + b"\x20" + bytes(32))]), anomalies))
    assert not anomalies


def test_units_of_a_citys_own_end_the_reading_and_are_counted() -> None:
    anomalies: Counter[tuple[str, str]] = Counter()
    groups = list(packet_groups(batch([truck_packet(b"\x02" + ENGINE, b"\x80" + bytes(17))]), anomalies))
    assert [group.message for group in groups] == ["HJ1239.Engine"]
    assert anomalies == {("hj1239", "unknown_unit"): 1}


def test_a_registered_truck_with_the_header_of_gbt32960_is_read_as_a_truck() -> None:
    raw = packet(b"\x00\x07", timed(2, ENGINE))
    (as_car,), _ = read_packets(raw)
    (as_truck,), _ = read_packets(raw, is_truck_profile=True)
    assert (as_car.bus, as_truck.bus) == ("gbt32960", "hj1239")
    assert "HJ1239.Engine" in decoded(as_truck)
    assert "HJ1239.Engine" not in decoded(as_car)


@settings(max_examples=80)
@given(st.data(), st.booleans())
def test_every_unit_of_any_truck_packet_lands_in_exactly_one_row(draw: st.DataObject, is_timed: bool) -> None:
    units = []
    for number, (unit, data) in enumerate(drawn_units("hj1239", draw)):
        # what stands where a time would: an OBD protocol, or an air pressure that no day of a month has
        body = b"\x02" + data[2:] if unit.id == 1 else b"\x50\x00\xca" + data[4:]
        units.append(timed(unit.id, data[1:], number % 3) if is_timed else data[:1] + body)
    if not is_timed:
        units = [unit for unit in units if unit[0] != 4]
    raw = truck_packet(*units)
    rows, damaged = read_packets(raw)
    assert not damaged
    assert all(split_packets(row.packet).packets == ((0, len(row.packet)),) for row in rows)
    assert sum(len(row.packet) - 33 for row in rows) == sum(map(len, units))
    anomalies: Counter[tuple[str, str]] = Counter()
    told = sum(len(group) for group in packet_groups(batch([raw]), anomalies))
    assert told == len(units)
    assert {kind for _, kind in anomalies} <= {"no_data"}
