"""Messages longer than a frame: decoded from the whole payload, however the frames are cut into batches."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import cantools
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding import decode_logs
from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, TickKind
from domain.signals import SignalBatch
from ingest.decoder import Decoder
from ingest.descriptions import load_description
from ingest.message_spec import Transport
from tests.ingest.cantools_oracle import profile
from tests.ingest.frames import F, frame_batch
from tests.ingest.random_dbc import dbc_file

HEAD = 'VERSION ""\nNS_ :\nBS_:\nBU_:\n'
UDS = (
    HEAD
    + """BO_ {id} Battery: 30 X
 SG_ S M : {s}|8@0+ (1,0) [0|0] "" X
 SG_ R m98M : {r}|16@0+ (1,0) [0|0] "" X
 SG_ SoC m257 : 63|8@0+ (0.5,3) [0|0] "%" X
 SG_ Energy m257 : 71|64@0+ (1,0) [0|0] "Wh" X
 SG_ Late m257 : 231|8@0+ (1,0) [0|0] "" X
 SG_ Other m261 : 39|16@0- (0.1,0) [0|0] "V" X

SG_MUL_VAL_ {id} R S 98-98;
SG_MUL_VAL_ {id} SoC R 257-257;
SG_MUL_VAL_ {id} Energy R 257-257;
SG_MUL_VAL_ {id} Late R 257-257;
SG_MUL_VAL_ {id} Other R 261-261;
"""
)
PLAIN = {"s": 7, "r": 15}
PREFIXED = {"s": 15, "r": 23}
ANSWER = 2028
EC1 = (
    HEAD
    + 'BO_ 2566841342 EC1: 40 X\n SG_ Speed5 : 96|16@1+ (0.125,0) [0|8031.875] "rpm" X\n SG_ Beyond : 300|16@1+ (1,0) [0|0] "" X\n'
)


def uds_frames(payload: bytes, *, start_s: float = 0.0, bus: str = "can0") -> list[F]:
    """A multi-frame ISO-TP message, padded with 0xAA."""
    chunks = [bytes([0x10 | len(payload) >> 8, len(payload) & 0xFF]) + payload[:6]]
    rest = payload[6:]
    parts = [rest[at : at + 7] for at in range(0, len(rest), 7)]
    chunks += [(bytes([0x20 | number & 0xF]) + part).ljust(8, b"\xaa") for number, part in enumerate(parts, 1)]
    return [F(ANSWER, chunk, time_s=start_s + 0.01 * k, bus=bus) for k, chunk in enumerate(chunks)]


def bam_frames(pgn: int, payload: bytes, source: int) -> list[F]:
    count = -(-len(payload) // 7)
    announced = bytes([32, len(payload) & 0xFF, len(payload) >> 8, count, 0xFF]) + pgn.to_bytes(3, "little")
    frames = [F(EXTENDED_ID | 0x1CECFF00 | source, announced)]
    for number in range(count):
        data = (bytes([number + 1]) + payload[7 * number : 7 * number + 7]).ljust(8, b"\xff")
        frames.append(F(EXTENDED_ID | 0x1CEBFF00 | source, data, time_s=0.05 * (number + 1)))
    return frames


def decoder(text: str, bus: str = "*") -> Decoder:
    return Decoder({"p": profile(load_description(dbc_file(text), bus=bus).messages)}, lambda _vehicle: "p")


def values(signals: SignalBatch) -> list[tuple[str, int, dict[str, float]]]:
    """(message, row of its frame, valid values)."""
    return [
        (
            group.message,
            int(group.frame[k]),
            {n: float(group.values[i, k]) for i, n in enumerate(group.names) if group.valid[i, k]},
        )
        for group in signals.groups
        for k in range(len(group))
    ]


def answer(did: int, content: bytes) -> bytes:
    return b"\x62" + did.to_bytes(2, "big") + content


@pytest.mark.parametrize(("places", "prefix"), [(PLAIN, 0), (PREFIXED, 1)])
def test_an_answer_is_decoded_whole_at_the_frame_that_completed_it(places: dict[str, int], prefix: int) -> None:
    text = UDS.format(id=ANSWER, **places)
    (message,) = load_description(dbc_file(text)).messages
    assert (message.transport, message.prefix_bytes) == (Transport.ISO_TP, prefix)
    payload = answer(0x0101, bytes(range(0xF0, 0xF0 + 16)))
    for name in ("decode", "decode_strict"):
        signals = getattr(decoder(text), name)(frame_batch(uds_frames(payload)))
        database = cantools.database.load_file(dbc_file(text))
        expected = database.decode_message(ANSWER, bytes([len(payload)])[:prefix] + payload, allow_truncated=True)  # type: ignore[union-attr]
        assert values(signals) == [("Battery", 2, {signal: float(value) for signal, value in expected.items()})]
        assert (signals.known_frames, signals.unknown_frames) == (3, 0)


def test_64_bit_integers_stay_whole() -> None:
    payload = answer(0x0101, bytes(4) + b"\xff" + (2**64 - 1).to_bytes(8, "big"))
    (group,) = decoder(UDS.format(id=ANSWER, **PLAIN)).decode(frame_batch(uds_frames(payload))).groups
    assert group.raw(group.names.index("Energy")).tolist() == [2**64 - 1]


def test_a_single_frame_answer_is_a_payload_too() -> None:
    signals = decoder(UDS.format(id=ANSWER, **PLAIN)).decode_strict(frame_batch([F(ANSWER, b"\x06\x62\x01\x05\x00\x01\x00\xaa")]))
    assert values(signals) == [("Battery", 0, {"S": 98.0, "R": 261.0, "Other": 25.6})]


def test_frames_of_an_answer_are_never_taken_for_the_message() -> None:
    first, *_ = uds_frames(answer(0x0101, bytes(16)))
    signals = decoder(UDS.format(id=ANSWER, **PLAIN)).decode(frame_batch([first]))
    assert values(signals) == []
    assert signals.known_frames == 1


def test_what_is_aborted_is_counted() -> None:
    frames = uds_frames(answer(0x0101, bytes(16)))
    ours = decoder(UDS.format(id=ANSWER, **PLAIN))
    assert ours.decode(frame_batch([frames[0], frames[2]])).anomalies == {("", "isotp_sequence_gap"): 1}
    ours.decode(frame_batch(frames[:1]))
    tick = F(TickKind.END_OF_DRIVE, time_s=300.0, flags=FrameFlag.TICK)
    assert ours.decode(frame_batch([tick])).anomalies == {("", "isotp_timeout"): 1}
    assert ours.snapshot("car") is None


def test_a_group_by_transport_protocol_keeps_its_source_address() -> None:
    payload = bytes(12) + (4000).to_bytes(2, "little") + bytes(14)
    signals = decoder(EC1).decode(frame_batch(bam_frames(0xFEE3, payload, 0x11)))
    assert values(signals) == [("EC1", 4, {"Speed5": 500.0})]
    assert signals.groups[0].source.tolist() == [0x11]


def test_only_the_bus_of_the_description_counts() -> None:
    payload = answer(0x0105, bytes(16))
    ours = decoder(UDS.format(id=ANSWER, **PLAIN), bus="can1")
    assert values(ours.decode(frame_batch(uds_frames(payload, bus="can0")))) == []
    assert len(values(ours.decode(frame_batch(uds_frames(payload, bus="can1"))))) == 1


@pytest.mark.parametrize(
    ("change", "transport"),
    [
        ({"id": 291}, Transport.FRAME),  # no control unit answers there
        ({"id": 0x98DAF110}, Transport.ISO_TP),
        ({"s": 39, "r": 47}, Transport.FRAME),  # the selector is not where a service identifier is
    ],
)
def test_what_describes_answers_is_told_by_identifier_and_selector(change: dict[str, int], transport: Transport) -> None:
    text = UDS.format(**({"id": ANSWER} | PLAIN | change))
    assert load_description(dbc_file(text)).messages[0].transport is transport


def test_a_file_may_say_that_a_message_comes_by_iso_tp() -> None:
    text = (
        HEAD + 'BO_ 291 LONG: 20 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\nBA_DEF_ BO_ "TransportProtocolType" STRING ;\n'
        'BA_DEF_DEF_ "TransportProtocolType" "";\nBA_ "TransportProtocolType" BO_ 291 "ISOTP";\n'
    )
    assert load_description(dbc_file(text)).messages[0].transport is Transport.ISO_TP


def traffic(seed: int) -> list[F]:
    """Answers and groups one after another, some cut off, with other frames between."""
    chance = random.Random(seed)
    rows: list[F] = []
    for _ in range(6):
        payload = answer(chance.choice((0x0101, 0x0105, 0x0200)), chance.randbytes(chance.randint(5, 27)))
        frames = uds_frames(payload) if chance.random() < 0.7 else bam_frames(0xFEE3, chance.randbytes(28), 3)
        if chance.random() < 0.2:
            del frames[chance.randrange(len(frames))]
        rows += frames
        rows.append(F(0x123, chance.randbytes(8)))
    return [F(row.can_id, row.data, time_s=0.01 * k) for k, row in enumerate(rows)]


def part(frames: FrameBatch, start: int, stop: int) -> FrameBatch:
    return frames.take(slice(start, stop))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_how_the_frames_are_cut_changes_nothing(seed: int, cuts: list[int], restart: bool) -> None:
    text = UDS.format(id=ANSWER, **PLAIN) + EC1[len(HEAD) :]
    frames = frame_batch(traffic(seed))
    whole = decoder(text).decode(frames)
    ours, got, odd = decoder(text), [], dict[tuple[str, str], int]()
    edges = [0, *sorted(cut for cut in cuts if cut < len(frames)), len(frames)]
    for start, stop in pairwise(edges):
        signals = ours.decode(part(frames, start, stop))
        got += [(message, row + start, found) for message, row, found in values(signals)]
        for key, count in signals.anomalies.items():
            odd[key] = odd.get(key, 0) + count
        if restart and (state := ours.snapshot("car")) is not None:
            ours = decoder(text)
            ours.restore("car", state)
    assert sorted(got, key=str) == sorted(values(whole), key=str)
    assert odd == whole.anomalies


RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"


def recorded(name: str, dbc: str, *, strict: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is expected of a recording with a DBC, what decoding gives)."""
    file = RECORDINGS / name / "EXPECT.json"
    if not file.is_file():
        pytest.skip(f"the recording {name} is not beside this checkout")
    expected = json.loads(file.read_text())
    (figures,) = (each for each in expected["decoded"] if each["dbc"] == dbc)
    source = (figures["channel"] or "*", RECORDINGS / name / dbc)
    log = RECORDINGS / name / expected["file"]
    return figures, decode_logs([log], dbc=[source], profile=None, start_ns=None, strict=strict)


@pytest.mark.parametrize(
    ("name", "dbc"), [("kia_ev6_uds_gps_11min", "can1-hyundai-kia-uds-v2.4.dbc"), ("nissan_uds_0x21", "tp_uds_nissan.dbc")]
)
def test_recorded_answers_give_the_known_figures(name: str, dbc: str) -> None:
    figures, document = recorded(name, dbc)
    assert {message: each["frames"] for message, each in document["messages"].items()} == figures["per_message"]
    assert document["anomalies"]["short_frame"] == figures["shorter_than_dbc"]
    for signal, known in figures["signals"].items():
        got = document["signals"][signal]
        assert got["count"] == known["n"]
        # the known means are rounded
        assert [got[k] for k in ("min", "max", "mean")] == pytest.approx(
            [known[k] for k in ("min", "max", "mean")], rel=1e-6, abs=5e-6
        )


def test_a_group_that_only_comes_by_transport_is_decoded_where_frames_alone_give_nothing() -> None:
    figures, strictly = recorded("truck_j1939_two_buses", "tp_j1939.dbc")
    _, document = recorded("truck_j1939_two_buses", "tp_j1939.dbc", strict=False)
    # the known figures are those of single frames; the recording announces 13 EC1 messages by BAM
    assert figures["per_message"] == strictly["messages"] == {}
    assert document["messages"] == {"EC1": {"frames": 13}}
    assert document["anomalies_by_message"]["EC1"]["transported"] == 13
    assert document["signals"]["EC1.EngineSpeedAtPoint5"]["count"] == 13
    assert np.isfinite(document["signals"]["EC1.EngineSpeedAtPoint5"]["mean"])
