"""Signals of long payloads, J1939 limits, and how frames find parameter groups: kernels and numpy agree, and both with plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.frames import EXTENDED_ID, NO_ARENA, FrameBatch, MessageTable
from domain.ports import Jit, no_jit
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.windows import WINDOW_BYTES, window_offsets
from tests.ingest.frames import F, frame_batch
from tests.ingest.test_decoder import JITS, assert_equal_batches, decoder

PGN = 0xF004
SPN_BITS = [1, 2, 4, 7, 8, 16, 24, 32, 63, 64]


@st.composite
def limited_message(draw: st.DrawFn) -> MessageSpec:
    """Signals side by side, with gaps and now and then an overlap, most of them with a greatest raw value."""
    size = draw(st.sampled_from([8, 8, 8, 24, 64]))
    signals, bit = [], 0
    while True:
        length = draw(st.sampled_from(SPN_BITS))
        start = max(0, bit + draw(st.sampled_from([0, 0, 0, 1, 5, -1])))
        bit = start + length
        if bit > 8 * size or len(signals) == 12:
            break
        limit = draw(st.none() | st.integers(0, 2**length) | st.just((0xFB << max(0, length - 8)) - 1 & 2**length - 1))
        kind = draw(st.sampled_from([NumberKind.UNSIGNED] * 3 + [NumberKind.SIGNED]))
        scale, offset = draw(st.sampled_from([(1.0, 0.0), (0.125, -40.0), (1e300, 0.0)]))
        signals.append(
            SignalSpec(
                name=f"S{len(signals)}", start=start, length=length, kind=kind, scale=scale, offset=offset, raw_valid_max=limit
            )
        )
    return MessageSpec(name="G", can_id=PGN, signals=tuple(signals), length=size, match=Match.PGN)


def raw_of(signal: SignalSpec, data: bytes) -> int:
    return int.from_bytes(data, "little") >> signal.start & 2**signal.length - 1


@settings(max_examples=100, deadline=None)
@given(limited_message(), st.lists(st.integers(0, 2**32), min_size=1, max_size=6), st.booleans())
def test_what_is_above_its_limit_is_counted_and_left_out(message: MessageSpec, seeds: list[int], cut: bool) -> None:
    payloads = [np.random.default_rng(seed).integers(0, 256, message.length, np.uint8).tobytes() for seed in seeds]
    payloads = [bytes(b | 0xF0 for b in data) if n % 2 else data for n, data in enumerate(payloads)]
    if cut:
        payloads[0] = payloads[0][:-1]
    frames = frame_batch([F(EXTENDED_ID | 0x18F0_0400 | n, data) for n, data in enumerate(payloads)])
    compiled, plain = decoder((message,), lazy_jit).decode(frames), decoder((message,)).decode(frames)
    assert_equal_batches(compiled, plain)
    assert_equal_batches(decoder((message,), lazy_jit).decode_strict(frames), decoder((message,)).decode_strict(frames))
    expected: Counter[str] = Counter()
    for row, signal in enumerate(message.signals):
        for column, data in enumerate(payloads):
            there = signal.start + signal.length <= 8 * len(data)
            above = there and signal.raw_valid_max is not None and raw_of(signal, data) > signal.raw_valid_max
            expected["not_available"] += above
            assert compiled.groups[0].valid[row, column] == (there and not above)
            assert np.isnan(compiled.groups[0].values[row, column]) == (not there or above)
    assert compiled.anomalies.get(("G", "not_available"), 0) == expected["not_available"]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 64), st.lists(st.tuples(st.integers(0, 511), st.integers(1, 64), st.booleans()), max_size=30))
def test_windows_are_few_and_hold_their_signals(size: int, places: list[tuple[int, int, bool]]) -> None:
    inside = [(first, bits, big) for first, bits, big in places if first + bits <= 8 * size]
    signals = [
        SignalSpec(name="S", start=8 * (first // 8) + 7 - first % 8 if big else first, length=bits, big_endian=big)
        for first, bits, big in inside
    ]
    offsets = window_offsets(signals, size)
    single = set()
    for (first, bits, _), offset in zip(inside, offsets, strict=True):
        end = -(-(first + bits) // 8)
        if end - first // 8 > WINDOW_BYTES:
            assert offset == first // 8
        else:
            assert offset <= first // 8
            assert end <= offset + WINDOW_BYTES
            assert offset + WINDOW_BYTES <= max(size, WINDOW_BYTES)
            single.add(offset)
    assert len(single) <= -(-size // 4)


def long_frames(count: int, *, shuffled: bool) -> FrameBatch:
    """Frames of three messages with 0 to 64 bytes, of which those above 8 lie in the arena."""
    random = np.random.default_rng(3)
    can_id = random.integers(1, 5, count).astype(np.uint32)
    length = random.choice(np.array([0, 3, 8, 12, 24, 64, 64], np.uint8), count)
    length[can_id == 3] = 64
    size = np.where(length > 8, length, 0).astype(np.int64)
    arena = random.integers(0, 256, int(size.sum()), np.uint8)
    begin = np.cumsum(size) - size
    payload = random.integers(0, 2**63, count).astype(np.uint64)
    payload = np.where(length < 8, payload & (np.uint64(1) << np.uint64(8) * np.minimum(length, 7)) - np.uint64(1), payload)
    stored = np.flatnonzero(size)
    payload[stored] = arena[begin[stored, None] + np.arange(8)].copy().view("<u8")[:, 0]
    frames = FrameBatch(
        vehicles=("car",), buses=("can0",), messages=MessageTable.single(), time_ns=np.arange(count, dtype=np.int64),
        vehicle=np.zeros(count, np.int32), bus=np.zeros(count, np.uint8), can_id=can_id, message=np.zeros(count, np.int32),
        index=np.arange(count, dtype=np.int64), length=length, flags=np.zeros(count, np.uint8), payload=payload,
        arena_offset=np.where(size > 0, begin, NO_ARENA), arena=arena,
    )  # fmt: skip
    return frames.take(random.permutation(count)) if shuffled else frames


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
def test_payloads_of_any_length_are_read_the_same_wherever_they_lie(shuffled: bool) -> None:
    spots = [(0, 8), (60, 9), (100, 64), (170, 3), (300, 32), (448, 64)]
    signals = tuple(
        SignalSpec(
            name=f"{'BE' if big else 'LE'}{first}", start=first + (7 - 2 * (first % 8) if big else 0), length=bits, big_endian=big
        )
        for first, bits in spots
        for big in (False, True)
        if (first, bits) != (60, 9) or not big
    )
    messages = tuple(MessageSpec(name=f"M{n}", can_id=n, signals=signals, length=64) for n in (1, 2, 3))
    frames = long_frames(20_000, shuffled=shuffled)
    compiled = decoder(messages, lazy_jit).decode(frames)
    assert_equal_batches(compiled, decoder(messages).decode(frames))
    for group in compiled.groups:
        for row, signal in ((n, s) for n, s in enumerate(signals) if not s.big_endian):
            for column in range(0, len(group), 501):
                data = frames.payload_bytes(int(group.frame[column]))
                assert group.valid[row, column] == (signal.start + signal.length <= 8 * len(data))
                assert not group.valid[row, column] or group.raw(row)[column] == raw_of(signal, data)


@JITS
def test_a_parameter_group_is_found_beside_standard_identifiers(jit: Jit) -> None:
    byte = (SignalSpec(name="B", start=0, length=8),)
    messages = (
        MessageSpec(name="STD", can_id=0x7E, signals=byte, length=1),
        MessageSpec(name="PDU1", can_id=0xEA00, signals=byte, length=1, match=Match.PGN),
        MessageSpec(name="NO_PDU1", can_id=0xEB12, signals=byte, length=1, match=Match.PGN),
        MessageSpec(name="PDU2", can_id=0x3_FEF1, signals=byte, length=1, match=Match.PGN),
    )
    ids = [0x7E, 0x7F, 0x18EA_FF00, 0x1CEA_0031, 0x18EB_1200, 0x1BFE_F100, 0x18FE_F100, 0x7E | EXTENDED_ID]
    frames = frame_batch([F(i if i < 0x800 else i | EXTENDED_ID, b"\x01") for i in ids])
    found = {group.message: group.frame.tolist() for group in decoder(messages, jit).decode(frames).groups}
    assert found == {"STD": [0], "PDU1": [2, 3], "PDU2": [5]}


def test_counting_runs_without_a_compiler_too() -> None:
    message = MessageSpec(
        name="G",
        can_id=PGN,
        signals=(
            SignalSpec(name="A", start=0, length=8, raw_valid_max=0xFA),
            SignalSpec(name="B", start=150, length=16, raw_valid_max=0),
        ),
        length=24,
        match=Match.PGN,
    )
    frames = frame_batch([F(EXTENDED_ID | 0x18F0_0400, bytes([k]) + bytes(23 - k) + b"\xff" * k) for k in (0, 3, 0x10)])

    def interpreted(function):  # type: ignore[no-untyped-def]  # a jit other than no_jit that compiles nothing
        return function

    assert_equal_batches(decoder((message,), interpreted).decode(frames), decoder((message,), no_jit).decode(frames))
