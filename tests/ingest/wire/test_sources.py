"""Sources: time, repetition, registration and what is kept of what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DataFileError
from domain.vss import catalogue
from ingest.mqtt.payloads import encode_frames
from ingest.wire.fleetwise_manifest import obd_names, read_manifest
from ingest.wire.fleetwise_messages import message_class
from ingest.wire.names import NO_NAMES, shipped_names
from ingest.wire.sources import own_sources, source_of
from ingest.wire.table import FORMATS
from ingest.wire.topic_pattern import TopicPattern, subscriptions
from ingest.wire.wire_format import DeviceClock
from tests.ingest.mqtt.random_frames import batch_of
from tests.ingest.wire.examples import COOLANT, NOW, SECOND, SPEED, snappy, vehicle_data
from tests.ingest.wire.reading import parse, raw, rows_of, sources_of

MINUTE = 60 * SECOND
TOPIC = "wican/dev/can/rx"


def wican(ts_ms: int) -> bytes:
    return json.dumps({"bus": 0, "ts": ts_ms, "frame": [{"id": 1, "dlc": 1, "data": [1, 0, 0, 0, 0, 0, 0, 0]}]}).encode()


@given(
    start=st.integers(0, 59_999),
    steps=st.lists(st.integers(0, 150_000), min_size=1, max_size=30),
    delays=st.lists(st.integers(0, 1500), min_size=31, max_size=31),
)
def test_a_clock_that_wraps_each_minute_keeps_the_devices_own_distances(start: int, steps: list[int], delays: list[int]) -> None:
    clock, made_ms = DeviceClock(), [start]
    for step in steps:
        made_ms.append(made_ms[-1] + step)
    times = [
        clock.unwrap(made % 60_000 * 1_000_000, MINUTE, NOW + (made + delay) * 1_000_000)
        for made, delay in zip(made_ms, delays, strict=False)
    ]
    assert [time - times[0] for time in times] == [(made - start) * 1_000_000 for made in made_ms]


def test_a_device_that_restarts_is_laid_at_its_arrival_and_time_never_goes_back() -> None:
    clock = DeviceClock()
    assert clock.unwrap(59 * SECOND, MINUTE, NOW) == NOW
    assert clock.unwrap(30 * SECOND, MINUTE, NOW + SECOND) == NOW + SECOND
    assert clock.unwrap(31 * SECOND, MINUTE, NOW + 2 * SECOND + 7) == NOW + 2 * SECOND
    assert clock.unwrap(0, MINUTE, NOW - 9 * SECOND) >= NOW + 2 * SECOND


def test_the_clock_is_carried_from_batch_to_batch_and_belongs_to_a_device() -> None:
    source = source_of("wican", devices={"other": "VIN2"})
    sources = sources_of(source)
    first = parse(sources, raw(TOPIC, wican(59_900)), raw("wican/other/can/rx", wican(5), token=2)).frames
    second = parse(sources, raw(TOPIC, wican(100), token=3, received_ns=NOW + SECOND)).frames
    assert first.time_ns.tolist() == [NOW, NOW]
    assert first.vehicles == ("p-CAR", "p-VIN2")
    assert second.time_ns.tolist() == [NOW + SECOND // 5]


def test_foreign_and_own_messages_come_out_in_order_of_arrival() -> None:
    own = encode_frames(batch_of([(NOW, "can0", 1, 0, b"\1", 1)]))
    sources = sources_of(*own_sources("pitcall/v1"), source_of("wican", devices={"dev": "V"}))
    numbered = b'{"boot_session": 3, "sequence": 4, "values": {}}'
    messages = [
        raw(TOPIC, wican(1), token=1),
        raw("pitcall/v1/V/can", own, token=2),
        raw("pitcall/v1/V/signals", numbered, token=3),
        raw(TOPIC, wican(2), token=4),
        raw("pitcall/v1/V/can", own, token=5),
    ]
    frames = parse(sources, *messages).frames
    assert frames.vehicles == ("p-V",)
    assert frames.messages.position.tolist() == [1, 2, 3, 4, 5]
    assert frames.messages.sequence.tolist() == [-1, -1, 4, -1, -1]
    assert frames.message.tolist() == [0, 1, 3, 4]
    assert [row[2] for row in rows_of(frames)] == ["0", "can0", "0", "can0"]


def test_a_repetition_by_the_broker_counts_once_but_a_device_may_say_the_same_twice() -> None:
    sources = sources_of(source_of("wican"))
    payload = b'{"SPEED": 1}'
    parsed = parse(sources, raw(TOPIC, payload), raw(TOPIC, payload, token=2), raw(TOPIC, payload, token=3, redelivered=True))
    assert (parsed.frames.messages.position.tolist(), parsed.nothing_tokens) == ([1, 2], (3,))
    assert sources.take_oddities() == {("wican", "repeated_message", ""): 1}
    again = raw(TOPIC, b'{"SPEED": 2}', token=9, redelivered=True)
    assert len(parse(sources, again).frames) == len(parse(sources, again).frames) == 1, "read anew after the store failed"


def test_a_retained_message_without_time_is_of_unknown_age() -> None:
    sources = sources_of(source_of("wican"), source_of("senquip"))
    old = parse(sources, raw(TOPIC, b'{"SPEED": 1}', retained=True))
    timed = parse(sources, raw("senquip/dev/json", b'{"ts": 1767225600, "can1": [{"id": 1, "data": ""}]}', retained=True))
    assert (len(old.frames), old.nothing_tokens, len(timed.frames)) == (0, (1,), 1)
    assert sources.take_oddities() == {("wican", "retained_message", ""): 1}


def test_bad_items_are_told_and_a_replay_reads_them_alone() -> None:
    good, bad = {"id": 1, "dlc": 1, "data": [1]}, {"id": 2, "dlc": 2, "data": [300, 0]}
    sources = sources_of(source_of("wican"))
    parsed = parse(sources, raw(TOPIC, json.dumps({"bus": 0, "ts": 5, "frame": [good, bad, good, {"id": 3}]}).encode()))
    (letter,) = parsed.dead_letters
    assert (len(parsed.frames), letter.reason, letter.position, letter.vehicle) == (2, "bad_item", 1, "p-CAR")
    assert parsed.dead_letter_tokens == (), "its token goes with its frames"
    again = sources.read_again(letter)
    assert again is not None
    assert again.rows is None
    assert again.letter == letter


def test_a_payload_may_name_the_device_and_its_vin_only_where_that_is_believed() -> None:
    told = json.dumps({"state": {"reported": {"ts": 1767225600000, "256": "VINX", "32": 90}}}).encode()
    wary, trusting = (sources_of(source_of("teltonika", "t/{device}", trust_vin=trust)) for trust in (False, True))
    assert [letter.reason for letter in parse(wary, raw("t/new", told)).dead_letters] == ["unknown_device"]
    assert parse(trusting, raw("t/new", told)).frames.vehicles == ("p-VINX",)
    assert parse(trusting, raw("t/dev", told)).frames.vehicles == ("p-CAR",), "the registration wins"
    senquip = sources_of(source_of("senquip", "all/json"))
    document = b'{"deviceid": "dev", "ts": 1767225600, "can1": [{"id": 1, "data": ""}]}'
    assert parse(senquip, raw("all/json", document)).frames.vehicles == ("p-CAR",)


def test_neither_device_nor_vin_leaves_in_a_letter_of_its_topic() -> None:
    sources = sources_of(source_of("ovms"), *own_sources("pitcall/v1"), registered=lambda _: None)
    parsed = parse(
        sources, raw("ovms/me/SECRET/metric/v/b/soc", b"1"), raw("pitcall/v1/SECRET/signals", b"?", token=2), raw("x/SECRET", b"")
    )
    assert [letter.origin for letter in parsed.dead_letters] == ["ovms ovms/+/+/metric/#", "signals pitcall/v1/+/signals", "+/+"]
    shown = str(parsed).replace("p-SECRET", "")
    assert "SECRET" not in shown


def test_a_snappy_block_is_bounded_before_it_is_unpacked() -> None:
    bomb = b"\xff\xff\xff\xff\x07" + snappy(vehicle_data())[2:]
    (letter,) = parse(sources_of(source_of("fleetwise")), raw("$aws/iotfleetwise/vehicles/dev/signals", bomb)).dead_letters
    assert letter.reason == "oversized_message"


def test_a_decoder_manifest_gives_names_and_obd_signals_their_paths(tmp_path: Path) -> None:
    manifest = message_class("DecoderManifest")(sync_id="d")
    manifest.can_signals.add(signal_id=1, interface_id="1", message_id=0x1A0, start_bit=16)
    manifest.obd_pid_signals.add(signal_id=2, interface_id="0", service_mode=1, pid=0x05)
    (tmp_path / "manifest.bin").write_bytes(manifest.SerializeToString())
    (tmp_path / "manifest.csv").write_text(f"signal_id,name\n1,{SPEED}\n")
    names = read_manifest(tmp_path / "manifest.bin")
    assert names == {1: "can:1:1A0:16", 2: "obd:01:05:0:0"}
    assert [meaning.path for meaning in obd_names().find(names[2])] == [COOLANT]
    assert read_manifest(tmp_path / "manifest.csv") == {1: SPEED}
    (tmp_path / "bad.bin").write_bytes(b"\xff\xff")
    with pytest.raises(DataFileError, match="decoder manifest"):
        read_manifest(tmp_path / "bad.bin")


def test_a_users_names_stand_over_the_shipped_ones_and_errors_name_the_line(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text(
        f"name,path,scale,offset,unit,source\nODOMETER,Vehicle.TraveledDistance,0.1,0,0.1 km,mine\nX,{SPEED},,,,mine\n"
    )
    table = shipped_names("wican").extended(file)
    assert [meaning.scale for meaning in table.find("ODOMETER")] == [0.1]
    assert table.find("SPEED") == table.find("X") == table.find("Vehicle/Speed")
    file.write_text("name,path,source\nX,Vehicle.Nowhere,mine\n")
    with pytest.raises(DataFileError, match=r"names\.csv:2: .*VSS catalogue"):
        NO_NAMES.extended(file)


@pytest.mark.parametrize("name", FORMATS)
def test_shipped_tables_are_valid_and_convert_into_the_catalogues_units(name: str) -> None:
    for meanings in shipped_names(name).meanings.values():
        assert {meaning.path for meaning in meanings} <= catalogue().keys()


def test_topic_patterns() -> None:
    pattern = TopicPattern.parse("ovms/{user}/{device}/metric/{metric#}")
    assert pattern.filter == "ovms/+/+/metric/#"
    assert pattern.match("ovms/u/d/metric/v/b/soc") == {"user": "u", "device": "d", "metric": "v/b/soc"}
    assert [pattern.match(topic) for topic in ("ovms/u/d/metric", "ovms/u//metric/v", "x", "")] == [None] * 4
    assert TopicPattern.parse("a/+/#").match("a/b/c/d") == {}
    for bad in ("", "a//b", "a/#/b", "{vin}/{device}", "{a}/{a}", "a{b}", "a/{B}"):
        with pytest.raises(ValueError, match=r"level|may|twice|both"):
            TopicPattern.parse(bad)


def test_a_filter_that_another_covers_is_not_subscribed_to() -> None:
    patterns = ["a/{device}/b", "a/#", "a/+/b", "$aws/x/{vin}", "pitcall/v1/{vin}/signals"]
    assert subscriptions("pitcall/v1", patterns) == ("pitcall/v1/+/+", "a/#", "$aws/x/+")
    assert subscriptions("p", ["#", "$aws/x"]) == ("#", "$aws/x")
