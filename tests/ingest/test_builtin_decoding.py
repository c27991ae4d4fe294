"""The generic profile decodes scan-tool and truck frames without any DBC, as a decoder written apart from it does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import EXTENDED_ID
from domain.signals import SignalBatch
from ingest.builtin import j1939_messages, obd2_messages, obd2_pids
from ingest.decoder import Decoder
from ingest.profiles import load_profile
from tests.ingest.diagnostic_frames import Record, frame_batch, record
from tests.ingest.test_builtin_messages import decode

PROFILE = load_profile("generic")
DECODER = Decoder({PROFILE.id: PROFILE}, lambda vehicle: PROFILE.id)

obd_answers = st.builds(
    lambda can_id, length, service, pid, data: record(0, can_id, bytes([length, service, pid]) + data),
    st.sampled_from([0x7E8, 0x7E9, 0x7EF, 0x18DAF110 | EXTENDED_ID, 0x18DAF1FE | EXTENDED_ID]),
    st.integers(0, 0x24),
    st.sampled_from([0x41, 0x41, 0x41, 0x42, 0x62]),
    st.sampled_from(sorted({p.pid for p in obd2_pids()})),
    st.binary(max_size=5),
)
broadcasts = st.builds(
    lambda group, source, data: record(0, 0x18000000 | group << 8 | source | EXTENDED_ID, data),
    st.sampled_from([m.can_id for m in j1939_messages()]),
    st.integers(0, 255),
    st.one_of(st.binary(min_size=8, max_size=8), st.binary(max_size=8), st.just(b"\xff" * 8)),
)


def decoded(batch: SignalBatch) -> dict[int, dict[str, float]]:
    """Row -> VSS path -> value."""
    rows: dict[int, dict[str, float]] = {}
    for group in batch.groups:
        for path, values, valid in zip(group.paths, group.values, group.valid, strict=True):
            for row, value, ok in zip(group.frame.tolist(), values.tolist(), valid.tolist(), strict=True):
                if path and ok:
                    rows.setdefault(row, {})[path] = value
    return rows


def expected(frame: Record) -> dict[str, float]:
    _, can_id, data, _ = frame
    for message in (*obd2_messages(), *j1939_messages()):
        by_group = can_id & EXTENDED_ID and (can_id >> 8 & 0x3FFFF) == message.can_id
        if by_group or can_id & message.can_id_mask == message.can_id:
            return decode(message, data.hex())
    return {}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(obd_answers, broadcasts), min_size=1, max_size=12))
def test_every_frame_gives_what_its_definition_says(records: list[Record]) -> None:
    rows = decoded(DECODER.decode(frame_batch(records)))
    for row, frame in enumerate(records):
        assert rows.get(row, {}) == pytest.approx(expected(frame))


def test_each_built_in_set_is_one_book_so_that_frames_are_matched_once_per_set() -> None:
    assert len({(m.bus, m.origin) for m in obd2_messages()}) == 1
    assert len({(m.bus, m.origin) for m in j1939_messages()}) == 1


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
