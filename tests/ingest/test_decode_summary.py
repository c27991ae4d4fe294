"""The decode document: counts of every kind of frame, exact figures, JSON without NaN."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import Text
from domain.frames import FrameFlag, TickKind
from ingest.decoder import Decoder
from ingest.message_spec import MessageSpec, NumberKind, SignalSpec
from ingest.profiles import Profile
from ingest.summary import DecodeSummary
from tests.ingest.frames import F, frame_batch

DOUBLE = MessageSpec(
    name="DOUBLE", can_id=1, signals=(SignalSpec(name="V", start=0, length=64, kind=NumberKind.FLOAT64, unit="V"),)
)
DECODER = Decoder(
    {"p": Profile(id="p", version="1", title=Text(en="", zh=""), powertrain="", messages=(DOUBLE,))}, lambda _vehicle: "p"
)


def summed(*batches: list[F]) -> dict[str, object]:
    summary = DecodeSummary()
    for rows in batches:
        frames = frame_batch(rows)
        summary.add(frames, DECODER.decode(frames))
    document = summary.document()
    json.dumps(document, allow_nan=False)
    return document


def double(value: float, time_s: float = 0.0) -> F:
    return F(1, np.float64(value).tobytes(), time_s)


def test_every_kind_of_frame_is_counted() -> None:
    document = summed(
        [double(2.0, 5.0), double(4.0, 3.0), F(2, b"\x01", 4.0), F(1, time_s=9.0, flags=FrameFlag.REMOTE)],
        [F(0x80, bytes(8), 1.0, flags=FrameFlag.ERROR), F(TickKind.TIMER, time_s=99.0, flags=FrameFlag.TICK)],
    )
    assert document == {
        "frames": 5, "decoded_frames": 2, "unknown_frames": 1, "error_frames": 1, "remote_frames": 1,
        "anomalies": {}, "anomalies_by_message": {}, "first_time_s": 5.0, "last_time_s": 1.0,
        "messages": {"DOUBLE": {"frames": 2}},
        "signals": {"DOUBLE.V": {"count": 2, "min": 2.0, "max": 4.0, "mean": 3.0, "unit": "V"}},
    }  # fmt: skip


def test_nothing_read_gives_nulls() -> None:
    document = DecodeSummary().document()
    assert (document["frames"], document["first_time_s"], document["signals"]) == (0, None, {})


def test_what_is_no_number_is_counted_and_left_out_of_the_figures() -> None:
    document = summed([double(math.nan), double(math.inf), double(1.0)])
    assert document["signals"] == {"DOUBLE.V": {"count": 3, "min": 1.0, "max": 1.0, "mean": 1.0, "unit": "V"}}
    assert summed([double(math.nan)])["signals"] == {
        "DOUBLE.V": {"count": 1, "min": None, "max": None, "mean": None, "unit": "V"}
    }


def test_a_reader_adds_what_it_found_odd() -> None:
    summary = DecodeSummary()
    summary.add_anomalies({"equal_time": 3, "malformed_line": 0})
    summary.add_anomalies({"equal_time": 2})
    assert summary.document()["anomalies"] == {"equal_time": 5}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), min_size=1, max_size=5))
def test_the_mean_is_exact_whatever_the_batches(batches: list[list[float]]) -> None:
    values = [value for batch in batches for value in batch]
    document = summed(*[[double(value) for value in batch] for batch in batches])
    mean = document["signals"]["DOUBLE.V"]["mean"]  # type: ignore[index]  # a document is plain JSON
    exact = float(sum(map(Fraction, values)) / len(values))
    assert mean == pytest.approx(exact, rel=1e-9, abs=1e-12)
