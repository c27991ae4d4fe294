"""Decoding: cantools is the oracle in strict mode; kernels and numpy agree; the default only adds, and says what."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from pathlib import Path

import cantools
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.findings import Text
from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, TickKind
from domain.ports import Jit, no_jit
from domain.signals import SignalBatch
from ingest.decoder import Decoder
from ingest.descriptions import load_description
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.profiles import Profile, dbc_profile
from tests.ingest.frames import F, frame_batch
from tests.ingest.random_dbc import dbc_file, dbc_text

JITS = pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["kernels", "numpy"])
ID = 0x123


def decoder(messages: tuple[MessageSpec, ...], jit: Jit = no_jit, wanted: frozenset[str] | None = None) -> Decoder:
    profile = Profile(id="p", version="1", title=Text(en="", zh=""), powertrain="", messages=messages)
    return Decoder({"p": profile}, lambda _vehicle: "p", jit=jit, wanted=wanted)


def values_by_frame(signals: SignalBatch, frames: FrameBatch) -> list[dict[str, float] | None]:
    """Per frame its valid values by name, None for a frame that gave nothing."""
    rows: list[dict[str, float] | None] = [None] * len(frames)
    for group in signals.groups:
        assert np.isnan(group.values[~group.valid]).all()
        for k, frame in enumerate(group.frame.tolist()):
            found = {name: float(group.values[i, k]) for i, name in enumerate(group.names) if group.valid[i, k]}
            rows[frame] = {**(rows[frame] or {}), **found}
    return rows


def by_cantools(path: Path, payloads: list[bytes]) -> list[dict[str, float] | None]:
    database = cantools.database.load_file(path, strict=False)
    rows: list[dict[str, float] | None] = []
    for data in payloads:
        try:
            found = database.decode_message(ID, data, decode_choices=False, allow_truncated=True)  # type: ignore[union-attr]
            rows.append({name: float(value) for name, value in found.items()})  # type: ignore[union-attr,arg-type]
        except (cantools.database.DecodeError, ValueError, OverflowError):
            rows.append(None)
    return rows


def same(one: dict[str, float] | None, other: dict[str, float] | None) -> bool:
    if one is None or other is None:
        return one is other
    equal = (one[k] == other[k] or (math.isnan(one[k]) and math.isnan(other[k])) for k in one if k in other)
    return one.keys() == other.keys() and all(equal)


GROUP_COLUMNS = (
    "message", "bus", "profile", "names", "paths", "units", "frame", "time_ns", "vehicle", "source", "values", "valid",
    "priority", "stale_after_ns",
)  # fmt: skip


def assert_equal_batches(one: SignalBatch, other: SignalBatch) -> None:
    assert (one.anomalies, one.known_frames, one.unknown_frames) == (other.anomalies, other.known_frames, other.unknown_frames)
    assert [g.message for g in one.groups] == [g.message for g in other.groups]
    for a, b in zip(one.groups, other.groups, strict=True):
        for row in range(len(a.names)):
            assert a.raw(row).dtype == b.raw(row).dtype
            assert a.raw(row).tobytes() == b.raw(row).tobytes() or a.raw(row).tolist() == b.raw(row).tolist()
        for name in GROUP_COLUMNS:
            left, right = getattr(a, name), getattr(b, name)
            if isinstance(left, np.ndarray):
                assert left.dtype == right.dtype
                np.testing.assert_array_equal(left, right, err_msg=name)
            else:
                assert left == right


PAYLOADS = st.lists(st.binary(max_size=8) | st.binary(max_size=64) | st.binary(min_size=8, max_size=8), max_size=8)
PATIENT = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@PATIENT
@given(dbc_text(), PAYLOADS)
def test_strict_decoding_is_that_of_cantools_to_the_last_bit(text: str, payloads: list[bytes]) -> None:
    path = dbc_file(text)
    frames = frame_batch([F(ID, data) for data in payloads])
    expected = by_cantools(path, payloads)
    for jit in (lazy_jit, no_jit):
        got = values_by_frame(decoder(load_description(path).messages, jit).decode_strict(frames), frames)
        assert all(same(a, b if b or not a else {}) for a, b in zip(expected, got, strict=True) if a), (expected, got)
        assert all(not b for a, b in zip(expected, got, strict=True) if not a), (expected, got)


@PATIENT
@given(dbc_text(), PAYLOADS)
def test_the_default_adds_to_strict_what_the_anomalies_say(text: str, payloads: list[bytes]) -> None:
    messages = load_description(dbc_file(text)).messages
    frames = frame_batch([F(ID, data) for data in payloads])
    default, strict = decoder(messages).decode(frames), decoder(messages).decode_strict(frames)
    assert default.anomalies == strict.anomalies
    if not messages[0].signals:
        return
    more = sum(len(g.frame) for g in default.groups) - sum(len(g.frame) for g in strict.groups)
    assert more == sum(count for (_, kind), count in default.anomalies.items() if kind != "short_frame")
    for all_values, strict_values in zip(values_by_frame(default, frames), values_by_frame(strict, frames), strict=True):
        assert strict_values is None or same(all_values, strict_values)


@PATIENT
@given(dbc_text(), PAYLOADS)
def test_kernels_and_numpy_give_the_same_arrays(text: str, payloads: list[bytes]) -> None:
    messages = load_description(dbc_file(text)).messages
    frames = frame_batch([F(ID, data) for data in payloads])
    assert_equal_batches(decoder(messages, lazy_jit).decode(frames), decoder(messages, no_jit).decode(frames))


SIGNALLING_NAN = bytes.fromhex("010080ff00000000")
"""An IEEE single precision number that a careless conversion would warn of."""


def test_a_signalling_not_a_number_is_just_not_a_number() -> None:
    messages = load_description(
        dbc_file('VERSION ""\nNS_ :\nBS_:\nBU_:\nBO_ 291 M: 8 X\n SG_ F : 0|32@1- (1,0) [0|0] "" X\n\nSIG_VALTYPE_ 291 F : 1;\n')
    ).messages
    for jit in (no_jit, lazy_jit):
        (group,) = decoder(messages, jit).decode(frame_batch([F(ID, SIGNALLING_NAN)])).groups
        assert np.isnan(group.values).all()
        assert group.valid.all()


def spec(name: str, can_id: int, *signals: SignalSpec, **more: object) -> MessageSpec:
    return MessageSpec(name=name, can_id=can_id, signals=signals, **more)  # type: ignore[arg-type]  # options by name


def byte(name: str, number: int, **more: object) -> SignalSpec:
    return SignalSpec(name=name, start=8 * number, length=8, **more)  # type: ignore[arg-type]  # options by name


MESSAGES = (
    spec("MASKED", 0x120, byte("M", 0), can_id_mask=0xFFFF_FFF0),
    spec("STD", 0x123, byte("A", 0, path="Vehicle.Speed", path_unit_scale=2.0, path_unit_offset=1.0), byte("B", 1)),
    spec("EXT", 0x123 | EXTENDED_ID, byte("C", 0)),
    spec("EXT_MASKED", 0x18DA_F110 | EXTENDED_ID, byte("D", 0), can_id_mask=0xFFFF_FFF8),
    spec("PDU2", 0xF004, byte("E", 0, raw_valid_max=0xFA, path="Vehicle.Powertrain.CombustionEngine.Speed"), match=Match.PGN),
    spec("PDU1", 0xEA00, byte("G", 0), match=Match.PGN),
    spec("PAGE", 0x1_F004, byte("H", 0), match=Match.PGN),
    spec(
        "MUX",
        0x200,
        byte("Sel", 0, is_selector=True, scale=0.5),
        byte("One", 1, mux_parent="Sel", mux_ranges=((1, 1), (3, 4)), path="Vehicle.TraveledDistance"),
        byte("Two", 1, mux_parent="Sel", mux_ranges=((2, 2),)),
    ),
)
ROWS = [
    F(0x123, b"\x0a\x0b"),
    F(0x123 | EXTENDED_ID, b"\x01"),
    F(0x12F, b"\x02"),
    F(0x18DA_F117 | EXTENDED_ID, b"\x03"),
    F(0x0CF0_0400 | EXTENDED_ID, b"\x04"),
    F(0x18F0_0431 | EXTENDED_ID, b"\xff"),
    F(0x18EA_FF31 | EXTENDED_ID, b"\x05"),
    F(0x19F0_0402 | EXTENDED_ID, b"\x06"),
    F(0x7FF, b"\x00"),
    F(0x200, b"\x02\x11"),
    F(0x200, b"\x04\x12"),
    F(0x200, b"\x14\x12"),
    F(0x123, b"\x0c"),
    F(0x123, b"", flags=FrameFlag.REMOTE),
    F(0x123, b"\x01\x01", flags=FrameFlag.ERROR),
    F(TickKind.TIMER, b"", flags=FrameFlag.TICK),
]


@JITS
def test_a_frame_finds_its_message_by_identifier_mask_or_parameter_group(jit: Jit) -> None:
    frames = frame_batch(ROWS)
    signals = decoder(MESSAGES, jit).decode(frames)
    found = {group.message: group.frame.tolist() for group in signals.groups}
    assert found == {"STD": [0, 12], "EXT": [1], "MASKED": [2], "EXT_MASKED": [3], "PDU2": [4, 5], "PDU1": [6], "PAGE": [7],
                     "MUX": [9, 10, 11]}  # fmt: skip
    assert (signals.known_frames, signals.unknown_frames) == (12, 1)


@JITS
def test_j1939_keeps_the_source_address_and_refuses_what_is_not_available(jit: Jit) -> None:
    (group,) = (g for g in decoder(MESSAGES, jit).decode(frame_batch(ROWS)).groups if g.message == "PDU2")
    assert group.source.tolist() == [0x00, 0x31]
    assert group.valid.tolist() == [[True, False]]
    (group,) = (g for g in decoder(MESSAGES, jit).decode_strict(frame_batch(ROWS)).groups if g.message == "PDU2")
    assert group.values.tolist() == [[4.0, 255.0]]


@JITS
def test_oddities_are_counted_by_message_and_kind(jit: Jit) -> None:
    anomalies = decoder(MESSAGES, jit).decode(frame_batch(ROWS)).anomalies
    counted = Counter({key: n for key, n in anomalies.items() if key[1] != "short_frame"})
    assert counted == {("PDU2", "not_available"): 1, ("MUX", "unknown_mux"): 1}
    assert anomalies["STD", "short_frame"] == 2


@JITS
def test_values_carry_the_unit_of_their_vss_path(jit: Jit) -> None:
    (group,) = (g for g in decoder(MESSAGES, jit).decode(frame_batch(ROWS)).groups if g.message == "STD")
    assert group.names == ("A", "B")
    assert group.paths == ("Vehicle.Speed", None)
    assert group.units == ("km/h", "")
    assert group.values[0].tolist() == [21.0, 25.0]
    assert group.valid.tolist() == [[True, True], [True, False]]


@JITS
def test_selectors_choose_by_their_scaled_value(jit: Jit) -> None:
    (group,) = (g for g in decoder(MESSAGES, jit).decode(frame_batch(ROWS)).groups if g.message == "MUX")
    assert group.valid.tolist() == [[True, True, True], [True, False, False], [False, True, False]]


@JITS
def test_a_broken_selector_value_counts_by_its_whole_part_as_in_cantools(jit: Jit) -> None:
    (group,) = decoder(MESSAGES, jit).decode(frame_batch([F(0x200, b"\x03\x11")])).groups
    assert group.values[0, 0] == 1.5
    assert group.valid.tolist() == [[True], [True], [False]]


@JITS
def test_only_wanted_paths_are_decoded(jit: Jit) -> None:
    signals = decoder(MESSAGES, jit, frozenset({"Vehicle.TraveledDistance"})).decode(frame_batch(ROWS))
    (group,) = signals.groups
    assert group.names == ("One",)
    assert group.valid.tolist() == [[True, False, False]]
    assert group.values[0, 0] == 0x11
    assert signals.known_frames == 12


@JITS
def test_each_vehicle_is_decoded_by_its_own_profile_and_bus(jit: Jit) -> None:
    def profile(name: str, *messages: MessageSpec) -> Profile:
        return Profile(id=name, version="1", title=Text(en="", zh=""), powertrain="", messages=messages)

    profiles = {"a": profile("a", spec("ONE", 1, byte("X", 0), bus="can1")), "b": profile("b", spec("TWO", 1, byte("Y", 0)))}
    rows = [F(1, b"\x01", vehicle=v, bus=bus) for v in "abc" for bus in ("can0", "can1")]
    signals = Decoder(profiles, lambda vehicle: vehicle, jit=jit).decode(frame_batch(rows))
    assert [(g.profile, g.message, g.bus, g.frame.tolist(), g.vehicle.tolist()) for g in signals.groups] == [
        ("a", "ONE", "can1", [1], [0]),
        ("b", "TWO", "*", [2, 3], [1, 1]),
    ]
    assert (signals.known_frames, signals.unknown_frames) == (3, 3)


@JITS
def test_books_decode_the_same_frame_independently(jit: Jit) -> None:
    messages = (spec("DBC", 1, byte("X", 0), origin="a.dbc"), spec("OBD", 1, byte("Y", 0), origin="obd2"))
    signals = decoder(messages, jit).decode(frame_batch([F(1, b"\x07")]))
    assert [(g.message, g.values.tolist()) for g in signals.groups] == [("DBC", [[7.0]]), ("OBD", [[7.0]])]
    assert signals.known_frames == 1


def test_results_stay_when_the_next_batch_is_decoded() -> None:
    ours = decoder(MESSAGES, lazy_jit)
    kept = [ours.decode(frame_batch([F(0x123, bytes([k, k + 1]))])) for k in range(10)]
    assert [batch.groups[0].values[:, 0].tolist() for batch in kept] == [[2.0 * k + 1, k + 1.0] for k in range(10)]


@pytest.mark.parametrize("kind", [NumberKind.UNSIGNED, NumberKind.SIGNED])
@JITS
def test_signals_wider_than_a_word_are_rounded_once(jit: Jit, kind: NumberKind) -> None:
    wide = SignalSpec(name="W", start=4, length=80, kind=kind, scale=3.0, offset=1.0)
    data = bytes(range(0xF0, 0xFC))
    raw = int.from_bytes(data, "little") >> 4 & (2**80 - 1)
    number = raw - 2**80 if kind is NumberKind.SIGNED and raw >> 79 else raw
    (group,) = decoder((spec("LONG", 1, wide, length=12),), jit).decode(frame_batch([F(1, data)])).groups
    assert group.values[0, 0] == float(number * 3 + 1)


def test_kernels_run_without_a_compiler_too() -> None:
    def interpreted(function):  # type: ignore[no-untyped-def]  # a jit other than no_jit that compiles nothing
        return function

    frames = frame_batch(ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_equal_batches(decoder(MESSAGES, interpreted).decode(frames), decoder(MESSAGES, no_jit).decode(frames))


def test_an_empty_batch_gives_nothing() -> None:
    for jit in (lazy_jit, no_jit):
        signals = decoder(MESSAGES, jit).decode(frame_batch([]))
        assert signals.groups == ()
        assert signals.known_frames == 0


def test_a_dbc_profile_names_messages_as_the_file_does(tmp_path: Path) -> None:
    path = tmp_path / "x.dbc"
    path.write_text('VERSION ""\nBO_ 291 SPEED: 8 X\n SG_ V : 0|8@1+ (1,0) [0|0] "km/h" X\n')
    signals = Decoder({"d": dbc_profile([("*", path)])}, lambda _: "d").decode(frame_batch([F(291, bytes(8))]))
    assert (signals.groups[0].message, signals.groups[0].units) == ("SPEED", ("km/h",))
