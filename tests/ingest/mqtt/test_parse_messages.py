"""Messages in, one batch out; what cannot be used becomes a dead letter and never an exception."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.frames import FRAME_COLUMNS, FrameFlag
from domain.messages import RawMessage
from ingest.mqtt import batching
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.mqtt.payloads import HEADER, MAGIC, encode_frames, encode_json
from ingest.mqtt.topics import TopicName, anonymous, read_topic
from tests.ingest.mqtt.random_frames import Row, batch_of, messages, rows_of

NUMBERS = st.integers(0, 2**63 - 1)
ONE: Row = (1_700_000_000_000_000_000, "can0", 0x123, 0, b"\x01\x02", 2)


def message(payload: bytes, *, vin: str = "V1", token: int = 1, kind: str = "can", received_ns: int = 5) -> RawMessage:
    return RawMessage(topic=f"pitcall/v1/{vin}/{kind}", payload=payload, received_ns=received_ns, token=token)


def parse(*raw: RawMessage) -> ParsedMessages:
    return parse_messages(raw, pseudonym_of=lambda vin: f"p-{vin}")


def reasons(parsed: ParsedMessages) -> list[str]:
    return [letter.reason for letter in parsed.dead_letters]


@given(messages, NUMBERS, st.none() | NUMBERS, st.sampled_from([encode_frames, encode_json]))
def test_both_forms_bring_back_what_was_sent(sent: list[Row], session: int, sequence: int | None, encode: Any) -> None:
    parsed = parse(message(encode(batch_of(sent), boot_session=session, sequence=sequence), token=77, received_ns=99))
    assert rows_of(parsed.frames) == sent
    assert parsed.dead_letters == ()
    table = parsed.frames.messages
    if not sent and sequence is None:
        assert parsed.nothing_tokens == (77,)
        return
    assert (table.boot_session[0], table.position[0], table.received_ns[0]) == (session, 77, 99)
    assert table.sequence[0] == (-1 if sequence is None else sequence)
    assert parsed.frames.vehicles == ("p-V1",)


@given(st.lists(st.tuples(st.integers(0, 2), messages, st.sampled_from(["binary", "json", "garbage", "cut"])), max_size=8))
def test_many_messages_together_say_what_each_says_alone(sent: list[tuple[int, list[Row], str]]) -> None:
    raw = []
    for token, (vehicle, frames, form) in enumerate(sent):
        encode = encode_json if form == "json" else encode_frames
        payload = encode(batch_of(frames), boot_session=vehicle, sequence=token)
        payload = b"\xff" + payload if form == "garbage" else payload[:-1] if form == "cut" else payload
        raw.append(message(payload, vin=str(vehicle), token=token))
    together, alone = parse(*raw), [parse(one) for one in raw]
    assert rows_of(together.frames) == [row for one in alone for row in rows_of(one.frames)]
    assert together.dead_letters == tuple(letter for one in alone for letter in one.dead_letters)
    assert together.dead_letter_tokens == tuple(token for token, (_, _, form) in enumerate(sent) if form in ("garbage", "cut"))
    frames, table = together.frames, together.frames.messages
    good = [token for token, (_, _, form) in enumerate(sent) if form in ("binary", "json")]
    assert table.position.tolist() == good
    assert [frames.vehicles[v] for v in table.vehicle] == [f"p-{sent[token][0]}" for token in good]
    assert frames.index.tolist() == [n for token in good for n in range(len(sent[token][1]))]
    assert table.position[frames.message].tolist() == [token for token in good for _ in sent[token][1]]
    assert np.array_equal(frames.vehicle, table.vehicle[frames.message])


def test_columns_have_the_types_of_the_record_and_can_be_written() -> None:
    frames = parse(message(encode_frames(batch_of([ONE, (*ONE[:3], FrameFlag.FD, bytes(range(12)), 12)])))).frames
    expected = batch_of([ONE])
    for name in (*FRAME_COLUMNS, "arena"):
        column = getattr(frames, name)
        assert column.dtype == getattr(expected, name).dtype
        assert column.flags.writeable, name
    assert frames.arena.tobytes() == bytes(range(12))


@given(st.binary(max_size=300), st.booleans(), st.sampled_from(["can", "status", "dtc", "x/y"]))
def test_garbage_is_a_dead_letter(payload: bytes, marked: bool, kind: str) -> None:
    parsed = parse(message(MAGIC + b"\x01" + payload if marked else payload, kind=kind, token=3))
    assert len(parsed.dead_letters) + len(parsed.frames.messages.position) + len(parsed.nothing_tokens) == 1


@given(messages.filter(bool), st.data())
def test_a_message_with_any_byte_changed_never_raises(frames: list[Row], data: st.DataObject) -> None:
    payload = bytearray(encode_frames(batch_of(frames), sequence=1))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    neighbour = message(encode_frames(batch_of([ONE]), sequence=1), vin="other", token=2)
    parsed = parse(message(bytes(payload)), neighbour)
    assert rows_of(parsed.frames)[-1] == ONE
    assert 2 in parsed.frames.messages.position


@given(messages.filter(bool), st.data())
def test_every_truncation_is_told(frames: list[Row], data: st.DataObject) -> None:
    payload = encode_frames(batch_of(frames), sequence=1)
    cut = parse(message(payload[: data.draw(st.integers(5, len(payload) - 1))]))
    assert len(cut.dead_letters) == 1
    assert parse(message(payload + b"\0")).dead_letters[0].reason in ("oversized_message", "truncated_message", "bad_header")


def changed(**fields: int) -> bytes:
    """A message of one frame whose header says something else."""
    names = ("magic", "version", "options", "buses", "session", "sequence", "base", "count", "arena")
    payload = encode_frames(batch_of([ONE]), boot_session=1, sequence=2)
    values = dict(zip(names, HEADER.unpack_from(payload), strict=True)) | fields
    return HEADER.pack(*values.values()) + payload[HEADER.size :]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (changed(version=2), "unknown_version"),
        (changed(options=4), "bad_header"),
        (changed(session=2**63), "bad_header"),
        (changed(sequence=2**64 - 1), "bad_header"),
        (changed(base=2**62), "bad_header"),
        (changed(count=2**32 - 1), "oversized_message"),
        (changed(count=2), "truncated_message"),
        (changed(arena=2**32 - 1), "truncated_message"),
        (changed(buses=17), "oversized_message"),
        (changed(buses=0), "oversized_message"),
        (b"", "unknown_payload"),
        (b"\x00garbage", "unknown_payload"),
        (b"{", "malformed_json"),
        (b"{" * 100_000, "malformed_json"),
        (b'{"frames": ' + b"[" * 200_000, "malformed_json"),
        (b'{"frames": 3}', "malformed_json"),
        (b'{"frames": [' + b"0," * 65_536 + b"0]}", "oversized_message"),
        (b'{"frames": [{"t": NaN}]}', "malformed_json"),
        (b'{"frames": [{"t": 1e999999999999999999999}]}', "malformed_json"),
        (b'{"frames": [{"t": 1e400, "id": 1, "data": ""}]}', "bad_frame"),
        (b'{"frames": [3]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 2048, "data": ""}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 1}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 1, "data": "0"}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 1, "data": "000000000000000000"}]}', "bad_frame"),
        (b'{"frames": [{"t": "1", "id": 1, "data": ""}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": true, "data": ""}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 1, "data": "", "fd": 1}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 1, "data": "", "bus": "\\ud800"}]}', "bad_frame"),
        (b'{"frames": [{"t": 1, "id": 1, "data": "", "bus": ""}]}', "bad_frame"),
        (b'{"sequence": -1, "frames": []}', "bad_frame"),
        (b'{"boot_session": 1.5, "frames": []}', "bad_frame"),
    ],
)
def test_the_reason_says_what_is_wrong(payload: bytes, reason: str) -> None:
    parsed = parse(message(payload))
    assert reasons(parsed) == [reason]
    assert parsed.dead_letters[0].content == payload[:65_536]
    assert parsed.dead_letters[0].detail


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("can_id", 0x800, "identifier"),
        ("can_id", 0xA000_0000, "identifier"),
        ("flags", int(FrameFlag.TICK), "flag"),
        ("length", 9, "length"),
        ("bus", 1, "bus"),
    ],
)
def test_one_bad_frame_condemns_its_message_and_no_other(column: str, value: int, words: str) -> None:
    place = {"can_id": 40 + 3 * 12, "length": 40 + 3 * 16, "flags": 40 + 3 * 17, "bus": 40 + 3 * 18}[column]
    payload = bytearray(encode_frames(batch_of([ONE] * 3), sequence=1))
    width = 4 if column == "can_id" else 1
    payload[place + width * 2 : place + width * 3] = value.to_bytes(width, "little")
    good = message(encode_frames(batch_of([ONE]), sequence=2), token=8)
    parsed = parse(message(bytes(payload), token=7), good)
    assert reasons(parsed) == ["bad_frame"]
    assert parsed.dead_letters[0].detail.startswith("frame 2: ")
    assert words in parsed.dead_letters[0].detail
    assert parsed.dead_letter_tokens == (7,)
    assert rows_of(parsed.frames) == [ONE]
    assert parsed.frames.messages.position.tolist() == [8]


def test_bytes_past_the_length_are_cleared() -> None:
    payload = bytearray(encode_frames(batch_of([ONE])))
    payload[40:48] = b"\x01\x02\xff\xff\xff\xff\xff\xff"
    assert int(parse(message(bytes(payload))).frames.payload[0]) == 0x0201


def test_a_number_without_frames_takes_its_place_in_the_sequence() -> None:
    parsed = parse(message(encode_frames(batch_of([]), boot_session=4, sequence=9), token=6))
    assert len(parsed.frames) == 0
    assert parsed.frames.messages.sequence.tolist() == [9]
    assert parsed.nothing_tokens == ()


def test_json_seconds_keep_every_digit() -> None:
    text = b'{"frames": [{"t": 1700000000.123456789, "bus": 1, "id": 291, "data": "00Ff"}]}'
    assert rows_of(parse(message(text)).frames) == [(1_700_000_000_123_456_789, "1", 291, 0, b"\x00\xff", 2)]


def test_status_messages_are_events() -> None:
    parsed = parse(
        message(b'{"status": "online"}', kind="status", token=1),
        message(b'{"status":"offline", "more": 1}', vin="V2", kind="status", token=2),
        message(b'{"status": "away"}', kind="status", token=3),
        message(b"offline", kind="status", token=4),
    )
    assert parsed.statuses == (("p-V1", True, 1), ("p-V2", False, 2))
    assert reasons(parsed) == ["bad_status", "malformed_json"]


def test_a_vin_leaves_neither_in_a_dead_letter_nor_in_a_batch() -> None:
    topics = (
        "pitcall/v1/SECRET/can",
        "pitcall/v1/SECRET/dtc",
        "pitcall/v1/SECRET",
        "SECRET/can",
        "pitcall/v1/SECRET/can/SECRET",
        "",
    )
    raw = [RawMessage(topic=topic, payload=b"x", received_ns=0, token=n) for n, topic in enumerate(topics)]
    parsed = parse_messages(raw, pseudonym_of=lambda _: "p")
    assert reasons(parsed) == ["unknown_payload", "malformed_json", *["foreign_topic"] * 4]
    assert [letter.origin for letter in parsed.dead_letters] == [
        "pitcall/v1/+/can",
        "dtc pitcall/v1/+/dtc",
        "pitcall/v1/+",
        "+/can",
        "pitcall/v1/+/can/+",
        "+",
    ]
    assert "SECRET" not in str(parsed)
    assert [letter.vehicle for letter in parsed.dead_letters] == ["p", "p", "", "", "", ""]


def test_the_same_dead_message_has_the_same_id_and_another_car_another() -> None:
    first, again, other = (
        parse(message(b"x", vin=v, token=t, received_ns=t)).dead_letters[0] for v, t in (("A", 1), ("A", 2), ("B", 3))
    )
    assert first == again
    assert first.id != other.id


def test_an_oversized_message_keeps_its_beginning_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MAX_MESSAGE_BYTES", 100_000)
    letter = parse(message(b"{" + bytes(200_000))).dead_letters[0]
    assert (letter.reason, len(letter.content)) == ("oversized_message", 65536)


def test_more_bus_names_than_a_batch_can_hold_cost_only_the_later_messages() -> None:
    def named(n: int) -> bytes:
        return encode_frames(batch_of([(*ONE[:1], f"bus{n}-{i}", *ONE[2:]) for i in range(16)]), sequence=n)

    parsed = parse(*(message(named(n), token=n) for n in range(18)))
    assert reasons(parsed) == ["too_many_buses"] * 2
    assert len(parsed.frames.buses) == 256
    assert parsed.dead_letter_tokens == (16, 17)


def test_pseudonyms_are_asked_once_per_vehicle() -> None:
    asked: list[str] = []
    raw = [message(encode_frames(batch_of([ONE]), sequence=n), token=n) for n in range(50)]
    parse_messages(raw, pseudonym_of=lambda vin: asked.append(vin) or "p")  # type: ignore[func-returns-value]  # a list is handy
    assert asked == ["V1"]


def test_what_cannot_be_sent_is_refused_by_the_encoder() -> None:
    two = replace(batch_of([ONE, ONE]), vehicles=("a", "b"), vehicle=np.array([0, 1], np.int32))
    tick = batch_of([(*ONE[:3], FrameFlag.TICK, b"", 0)])
    early = batch_of([(-1, *ONE[1:])])
    for frames in (two, tick, early, batch_of([ONE] * 65_537)):
        for encode in (encode_frames, encode_json):
            with pytest.raises(ValueError, match=r"message|sent|time"):
                encode(frames)
    with pytest.raises(ValueError, match="sequence"):
        encode_frames(batch_of([ONE]), sequence=-1)


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("pitcall/v1/WVW/can", TopicName("WVW", "can")),
        ("pitcall/v1/WVW/later", TopicName("WVW", "later")),
        ("pitcall/v10/WVW/can", None),
        ("pitcall/v1//can", None),
        ("pitcall/v1/WVW/", None),
        ("pitcall/v1/" + "V" * 65 + "/can", None),
        ("pitcall/v1/alerts/high/p1", None),
        ("pitcall/v1", None),
    ],
)
def test_topics_are_taken_apart(topic: str, found: TopicName | None) -> None:
    assert read_topic(topic) == found


def test_anonymous_topics_are_bounded() -> None:
    assert anonymous("/".join("abcdefghijkl")).count("/") == 7


def test_a_plain_python_reader_of_the_documented_layout_agrees() -> None:
    """The layout read by struct alone, from the words of its description."""
    sent: list[Row] = [ONE, (ONE[0] + 5, "can1", 0x9ABC_DEF0, FrameFlag.FD, bytes(range(20)), 20)]
    payload = encode_frames(batch_of(sent), boot_session=7, sequence=42)
    magic, version, options, buses, session, sequence, base, n, a = struct.unpack_from("<4sBBHQQQII", payload)
    assert (magic, version, options, buses, session, sequence, n, a) == (b"PCFB", 1, 1, 2, 7, 42, 2, 20)
    at = 40
    columns = []
    for code in "QIIBBB":
        columns.append(struct.unpack_from(f"<{n}{code}", payload, at))
        at += struct.calcsize(f"<{n}{code}")
    names = []
    for _ in range(buses):
        names.append(payload[at + 1 : at + 1 + payload[at]].decode())
        at += 1 + payload[at]
    first, after, ids, lengths, flags, bus = columns
    assert [base + t for t in after] == [row[0] for row in sent]
    assert [names[b] for b in bus] == [row[1] for row in sent]
    assert (list(ids), list(lengths), list(flags)) == ([r[2] for r in sent], [r[5] for r in sent], [r[3] for r in sent])
    assert [f.to_bytes(8, "little") for f in first] == [row[4][:8].ljust(8, b"\0") for row in sent]
    assert payload[at:] == sent[1][4]
    assert json.loads(encode_json(batch_of(sent), sequence=1))["frames"][1]["extended"] is True
