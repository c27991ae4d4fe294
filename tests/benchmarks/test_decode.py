"""The decode benchmark: its shapes, its document, and that nothing differs from cantools."""

from __future__ import annotations

import json
from pathlib import Path

import cantools
import pytest

import benchmarks.decode
from app.kernels import lazy_jit
from domain.ports import no_jit
from ingest.descriptions import load_description

DBC = Path(benchmarks.decode.__file__).parent / "dbc"


@pytest.mark.parametrize(("file", "mean", "big_endian"), [("big_endian.dbc", 5.5, True), ("little_endian.dbc", 10.3, False)])
def test_a_benchmark_file_is_valid_and_has_its_shape(file: str, mean: float, big_endian: bool) -> None:
    cantools.database.load_file(DBC / file, strict=True)
    messages = load_description(DBC / file).messages
    signals = [signal for message in messages for signal in message.signals]
    assert len(signals) / len(messages) == pytest.approx(mean, abs=0.1)
    assert {signal.big_endian for signal in signals} == {big_endian}
    assert not any(message.undecodable for message in messages)


@pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["kernels", "numpy"])
def test_no_value_differs_from_cantools_and_ratios_come_first(jit: object) -> None:
    told: list[str] = []
    document = benchmarks.decode.run(frames=4000, rounds=1, jit=jit, progress=told.append)  # type: ignore[arg-type]  # a Jit
    json.dumps(document, allow_nan=False)
    assert list(document) == ["toyota_be", "hyundai_le"]
    assert len(told) == 2
    for result in document.values():
        assert list(result)[:5] == ["vs_cantools", "vs_asammdf_core", "of_memcpy_bound", "frames_per_s", "differing_values"]
        assert result["differing_values"] == 0
        assert result["compared_values"] > 200 * 5
        assert result["vs_cantools"] > 0


def test_the_comparison_finds_a_difference() -> None:
    dbc = DBC / "big_endian.dbc"
    batch = benchmarks.decode.random_frames(dbc, 400)
    other = benchmarks.decode.random_frames(dbc, 400)
    other.payload[0] ^= 0xFF
    ours, cantools_ = benchmarks.decode._Ours(dbc, other, no_jit), benchmarks.decode._Cantools(dbc, batch)
    assert cantools_.differing_values(ours) == 0
    spoiled = benchmarks.decode._Cantools(dbc, other)
    spoiled._work = cantools_._work
    assert spoiled.differing_values(ours) > 0
