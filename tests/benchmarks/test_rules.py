"""The benchmark of the rules measures what it says."""

from __future__ import annotations

import pytest

from benchmarks import rules as bench
from domain.ports import no_jit
from rules.pack import load_rules


def test_it_gives_a_rate_for_every_size_of_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SAMPLES", 500)
    monkeypatch.setattr(bench, "BATCHES", (50, 500))
    figures = bench.run(load_rules(), rounds=1, vehicles=50, jit=no_jit)
    assert set(figures["samples_per_s_per_rule"]) == set(figures["windowed_samples_per_s_per_rule"]) == {"50", "500"}
    assert all(rate > 0 for rate in figures["windowed_samples_per_s_per_rule"].values())
    assert 0 < figures["state_bytes_per_vehicle"] <= 4096
    assert figures["fleet"]["vehicles"] == 50
    assert figures["fleet"]["samples_per_s"] > 0
