"""`pitcall bench rules`: how many samples a second one rule takes, by size of batch, and a whole fleet in memory.

Every sample has another value and wakes every rule whose condition it could make true.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.ports import Jit
from domain.signals import SampleBatch
from domain.trouble_codes import dtc_batch
from rules.binding import bind_condition
from rules.engine import RuleEngine
from rules.expression import parse
from rules.rule import Rule

PATHS = ("Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature", "Vehicle.Speed")
CONDITIONS = {
    "plain": "EngineCoolant.Temperature > 100 and Vehicle.Speed > 20",
    "windowed": "mean(EngineCoolant.Temperature, 60 s) > 100 and Vehicle.Speed > 20",
}
BATCHES = (50, 500, 5_000, 50_000)
RULES, VEHICLES = 10, 20
STEP_NS = 100_000_000
SAMPLES = 200_000
"""In each measurement, over all its batches."""


def run(rules: Sequence[Rule], *, rounds: int, vehicles: int, jit: Jit) -> dict[str, Any]:
    """The figures of `bench rules --json`: medians of the rounds.

    Args:
        vehicles: how many the fleet has.
        rules: shipped rules; the first lends its texts to the rules measured, all of them are asked for their state.
    """
    figures: dict[str, dict[str, float]] = {name: {} for name in CONDITIONS}
    for name, condition in CONDITIONS.items():
        node = bind_condition(parse(condition), {})
        measured = [replace(rules[0], id=f"r{n}", gate=None, when=node, clear_when=None, applies_to=()) for n in range(RULES)]
        for size in BATCHES:
            rates = [_rate(RuleEngine(measured, jit=jit), size) for _ in range(rounds + 1)][1:]
            figures[name][str(size)] = round(statistics.median(rates) * RULES)
    shipped = RuleEngine(rules, jit=jit)
    return {
        "samples_per_s_per_rule": figures["plain"],
        "windowed_samples_per_s_per_rule": figures["windowed"],
        "rules": len(rules),
        "state_bytes_per_vehicle": shipped.state_bytes_per_vehicle,
        "feature_bytes_per_vehicle": shipped.feature_bytes_per_vehicle,
        "fleet": _fleet(shipped, vehicles),
    }


def _fleet(engine: RuleEngine, vehicles: int) -> dict[str, float]:
    """All rules over a fleet of which every vehicle sends one message after the other: memory, and samples a second once all are known."""
    nothing = dtc_batch((), [])
    names = tuple(f"v{number}" for number in range(vehicles))
    before = _resident_bytes()
    for number in range(2):
        engine.evaluate(_message(number, names), nothing)
    batches = [_message(number, names) for number in range(2, 5)]
    began = time.process_time()
    for batch in batches:
        engine.evaluate(batch, nothing)
    seconds = time.process_time() - began
    return {
        "vehicles": vehicles,
        "memory_mb": (_resident_bytes() - before) / 1e6,
        "samples_per_s": sum(len(batch.time_ns) for batch in batches) / seconds,
    }


def _message(number: int, vehicles: tuple[str, ...]) -> SampleBatch:
    """One second's samples of every vehicle."""
    count = len(vehicles) * len(PATHS)
    rows = np.arange(count)
    return SampleBatch(
        vehicles=vehicles,
        paths=PATHS,
        time_ns=np.full(count, number * 10 * STEP_NS, np.int64),
        vehicle=(rows // len(PATHS)).astype(np.int32),
        signal=(rows % len(PATHS)).astype(np.int32),
        value=(70.0 + (rows + number) % 25).astype(np.float64),
    )


def _resident_bytes() -> int:
    """Memory of this process that is in use now; the highest so far where the system does not tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _rate(engine: RuleEngine, size: int) -> float:
    """Samples a second."""
    batches = [_batch(number, size) for number in range(max(1, min(SAMPLES // size, 400)))]
    nothing = dtc_batch((), [])
    began = time.perf_counter()
    for batch in batches:
        engine.evaluate(batch, nothing)
    return sum(len(batch.time_ns) for batch in batches) / (time.perf_counter() - began)


def _batch(number: int, size: int) -> SampleBatch:
    """The samples of all vehicles over a stretch of time that follows that of the batch before."""
    each = size // VEHICLES or 1
    rows = np.arange(each * VEHICLES)
    at = number * each + rows % each
    return SampleBatch(
        vehicles=tuple(f"v{n}" for n in range(VEHICLES)),
        paths=PATHS,
        time_ns=(at * STEP_NS).astype(np.int64),
        vehicle=(rows // each).astype(np.int32),
        signal=(at % 2).astype(np.int32),
        value=(70.0 + at % 25).astype(np.float64),
    )
