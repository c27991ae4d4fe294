"""The decode benchmark: its shapes, its document, and that nothing differs from cantools."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import cantools
import pytest

import benchmarks.decode
import benchmarks.decode_peers
from app.kernels import lazy_jit
from benchmarks.decode import Ours
from benchmarks.decode_peers import Cantools, load_database, random_frames
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
def test_no_value_differs_from_cantools_and_ratios_come_first(jit: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks.decode_peers, "LEAST_S", 0.0)
    told: list[str] = []
    document = benchmarks.decode.run(frames=2000, rounds=1, jit=jit, progress=told.append)  # type: ignore[arg-type]  # a Jit
    json.dumps(document, allow_nan=False)
    assert list(document) == ["toyota_be", "hyundai_le", "can_fd", "j1939"]
    assert len(told) == 4
    for result in document.values():
        assert list(result)[:5] == ["vs_cantools", "vs_asammdf_core", "of_memcpy_bound", "frames_per_s", "differing_values"]
        assert result["differing_values"] == 0
        assert result["compared_values"] > 100 * 5
        assert result["vs_cantools"] > 0
    drawn = ET.fromstring(benchmarks.decode.chart(document))
    assert len(drawn.findall("{*}rect")) > 4 * 3


@pytest.mark.parametrize("file", ["can_fd.dbc", "j1939.dbc"])
def test_the_frames_of_a_benchmark_are_those_of_its_messages(file: str) -> None:
    batch = random_frames(DBC / file, 300)
    lengths = {message.frame_id: message.length for message in load_database(DBC / file).messages}
    for row in range(len(batch)):
        assert len(batch.payload_bytes(row)) == lengths[int(batch.can_id[row]) & 0x1FFF_FFFF]
        assert batch.payload_bytes(row)[:8] == int(batch.payload[row]).to_bytes(8, "little")


def test_the_comparison_finds_a_difference() -> None:
    dbc = DBC / "big_endian.dbc"
    batch = random_frames(dbc, 400)
    peer, ours = Cantools(dbc, batch), Ours(dbc, batch, no_jit)
    assert peer.differing_values(ours.decoder.decode_strict(peer.batch)) == 0
    peer.batch.payload[0] ^= 0xFF
    assert peer.differing_values(ours.decoder.decode_strict(peer.batch)) > 0
