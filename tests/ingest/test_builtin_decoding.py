"""The generic profile decodes scan-tool and truck frames without any DBC, as a decoder written apart from it does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding import decode_logs
from domain.frames import EXTENDED_ID
from domain.signals import SignalBatch
from ingest.builtin import j1939_messages, obd2_messages
from ingest.bus_decoder import BusDecoder
from ingest.decoder import Decoder
from ingest.profiles import load_profile
from tests.ingest.diagnostic_frames import RECORDINGS, Record, frame_batch, record
from tests.ingest.frames import frame_batch as row_batch
from tests.ingest.test_builtin_messages import decode_signals
from tests.ingest.test_carried import bam_frames, recorded
from tests.ingest.test_obd_answers import SIX_PIDS, SIX_VALUES, in_frames, values

PROFILE = load_profile("generic")
DECODER = BusDecoder({PROFILE.id: PROFILE}, lambda _vehicle: PROFILE.id)
RESPONDERS = (0x7E8, 0x7E9, 0x7EF, 0x18DAF110 | EXTENDED_ID, 0x18DAF1FE | EXTENDED_ID)

obd_answers = st.builds(
    lambda can_id, message, data: record(0, can_id, bytes([2 + message.length, 0x41, message.can_id]) + data[: message.length]),
    st.sampled_from(RESPONDERS),
    st.sampled_from([m for m in obd2_messages() if m.length <= 5]),
    st.binary(min_size=5, max_size=5),
)
broadcasts = st.builds(
    lambda group, source, data: record(0, 0x18000000 | group << 8 | source | EXTENDED_ID, data),
    st.sampled_from([m.can_id for m in j1939_messages() if m.length == 8]),
    st.integers(0, 255),
    st.one_of(st.binary(min_size=8, max_size=8), st.binary(max_size=8), st.just(b"\xff" * 8)),
)


def decoded(batch: SignalBatch) -> dict[int, dict[str, float]]:
    """Row -> signal name -> value; selectors left out."""
    selectors = {"SPN929 TireLocation"}
    rows: dict[int, dict[str, float]] = {}
    for group in batch.groups:
        for name, numbers, valid in zip(group.names, group.values, group.valid, strict=True):
            for row, value, ok in zip(group.frame.tolist(), numbers.tolist(), valid.tolist(), strict=True):
                if ok and name not in selectors:
                    rows.setdefault(row, {})[name] = value
    return rows


def expected(frame: Record) -> dict[str, float]:
    _, can_id, data, _ = frame
    if can_id in RESPONDERS:
        (message,) = (m for m in obd2_messages() if m.can_id == data[2])
        return decode_signals(message, data[3 : 1 + data[0]])
    (message,) = (m for m in j1939_messages() if m.can_id == can_id >> 8 & 0x3FFFF)
    return decode_signals(message, data)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(obd_answers, broadcasts), min_size=1, max_size=12))
def test_every_frame_gives_what_its_definition_says(records: list[Record]) -> None:
    rows = decoded(DECODER.decode(frame_batch(records)))
    for row, frame in enumerate(records):
        assert rows.get(row, {}) == pytest.approx(expected(frame), abs=1e-9)


@settings(max_examples=2, deadline=None)
@given(st.binary(min_size=8, max_size=8))
def test_every_group_and_every_short_pid_is_decoded_as_defined(data: bytes) -> None:
    frames = [record(0, 0x18000000 | m.can_id << 8 | EXTENDED_ID, data) for m in j1939_messages() if m.length == 8]
    frames += [
        record(0, 0x7E8, bytes([2 + m.length, 0x41, m.can_id]) + data[: m.length]) for m in obd2_messages() if m.length <= 5
    ]
    rows = decoded(DECODER.decode(frame_batch(frames)))
    for row, frame in enumerate(frames):
        assert rows.get(row, {}) == pytest.approx(expected(frame), abs=1e-9)


def test_each_built_in_set_is_one_book_so_that_frames_are_matched_once_per_set() -> None:
    assert len({(m.bus, m.origin) for m in obd2_messages()}) == 1
    assert len({(m.bus, m.origin) for m in j1939_messages()}) == 1


def test_a_decoder_of_single_frames_leaves_answers_alone() -> None:
    batch = Decoder({PROFILE.id: PROFILE}, lambda _vehicle: PROFILE.id).decode(frame_batch([record(0, 0x7E8, "03 41 05 7B")]))
    assert (batch.groups, batch.known_frames, batch.unknown_frames) == ((), 0, 1)


def test_senders_of_one_value_are_told_apart_by_priority_or_source_address() -> None:
    batch = DECODER.decode(
        frame_batch(
            [
                record(0, 0x7E8, "03 41 05 7B"),
                record(0, 0x7E9, "03 41 05 7C"),
                record(0, 0x18FEEE00 | EXTENDED_ID, "7D FF FF FF FF FF FF FF"),
                record(0, 0x18FEEE31 | EXTENDED_ID, "FF FF FF FF FF FF FF FF"),
            ]
        )
    )
    coolant = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
    told = []
    for group in batch.groups:
        row = next(n for n, p in enumerate(group.paths) if p == coolant and group.valid[n].any())
        valid = group.valid[row]
        told += [
            (int(group.priority[row]), source, value)
            for source, value in zip(group.source[valid].tolist(), group.values[row][valid].tolist(), strict=True)
        ]
    assert sorted(told) == [(5, 0, 85.0), (10, -1, 83.0), (11, -1, 84.0)]


def test_a_transported_group_and_an_answer_under_way_outlast_a_restart_at_any_frame() -> None:
    ec1 = bytearray(b"\xff" * 39)
    ec1[19:21] = (2500).to_bytes(2, "little")
    frames = sorted([*bam_frames(65251, bytes(ec1), 0), *in_frames(SIX_PIDS, start_s=0.04)], key=lambda f: f.time_s)
    expected = SIX_VALUES | {"Vehicle.Powertrain.CombustionEngine.ReferenceTorque": [2500.0]}
    for cut in range(len(frames) + 1):
        before, after = (BusDecoder({PROFILE.id: PROFILE}, lambda _vehicle: PROFILE.id) for _ in range(2))
        found = values(before.decode(row_batch(frames[:cut])))
        state = before.snapshot("car")
        assert (state is None) == (cut in {0, len(frames)})
        if state is not None:
            after.restore("car", state)
        assert found | values(after.decode(row_batch(frames[cut:]))) == expected
        assert after.snapshot("car") is None
        before.forget("car")
        assert before.snapshot("car") is None


def test_a_recorded_truck_s_transported_group_is_read_without_a_dbc_as_with_one() -> None:
    figures, with_dbc = recorded("truck_j1939_two_buses", "tp_j1939.dbc", strict=False)
    assert figures["dbc"] == "tp_j1939.dbc"
    folder = RECORDINGS / "truck_j1939_two_buses"
    log = folder / json.loads((folder / "EXPECT.json").read_text())["file"]
    without = decode_logs([log], dbc=[], profile="j1939", start_ns=None, strict=False)
    keys = ("count", "min", "max", "mean")
    expected = with_dbc["signals"]["EC1.EngineSpeedAtPoint5"]
    assert [without["signals"]["EC1.SPN531 EngineSpeedAtPoint5"][k] for k in keys] == pytest.approx([expected[k] for k in keys])
