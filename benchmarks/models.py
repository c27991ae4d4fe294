"""`pitcall bench models`: vehicle-days a second through the trip detectors, features and scores, on one core.

A vehicle-day is an hour of driving with twenty signals once a second: 72,000 samples. Batches hold a few vehicles' days each; the
vehicles come back day after day, so that their baselines and running sums are in use.
"""

from __future__ import annotations

import resource
import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np

from domain.frames import TickKind
from domain.ports import Jit
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import dtc_batch
from models.trip.channels import PATH_OF
from models.trip.stage import TripDetectors

SECONDS = 3600
DAY_NS = 86_400 * 1_000_000_000
START_NS = 20_000 * DAY_NS
VEHICLES = 8
"""In a batch."""

SIGNALS = {
    "engine_speed_rpm": (1800.0, 200.0),
    "battery_v": (14.1, 0.05),
    "speed_kmh": (60.0, 15.0),
    "coolant_c": (90.0, 1.0),
    "load_percent": (35.0, 8.0),
    "ambient_c": (15.0, 1.0),
    "oil_c": (95.0, 3.0),
    "oil_kpa": (300.0, 10.0),
    "boost_kpa": (85.0, 4.0),
    "boost_desired_kpa": (86.0, 4.0),
    "egr_commanded_percent": (25.0, 4.0),
    "egr_error_percent": (0.0, 1.0),
    "dpf_pa": (4000.0, 200.0),
    "dpf_soot_percent": (40.0, 2.0),
    "exhaust_kgph": (200.0, 15.0),
    "scr_inlet_c": (300.0, 10.0),
    "nox_in_ppm": (500.0, 30.0),
    "nox_out_ppm": (40.0, 4.0),
    "fuel_kpa": (450.0, 8.0),
    "intake_c": (25.0, 2.0),
}
"""Twenty signals of a diesel car: mean and scatter."""


def run(*, days: int, rounds: int, jit: Jit) -> dict[str, Any]:
    """The figures of `bench models --json`; `_cpu` counts the thread's own time, whoever else uses the machine."""
    batch = _day(np.random.default_rng(1))
    no_codes = dtc_batch((), ())
    TripDetectors(jit=jit).evaluate(batch, no_codes)
    rates, cpu_rates, memory = [], [], []
    for _ in range(rounds):
        stage = TripDetectors(jit=jit)
        wall = cpu = 0.0
        for day in range(days):
            today = replace(batch, time_ns=batch.time_ns + day * DAY_NS)
            started, started_cpu = time.perf_counter(), time.thread_time()
            stage.evaluate(today, no_codes)
            wall += time.perf_counter() - started
            cpu += time.thread_time() - started_cpu
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
        rates.append(days * VEHICLES / wall)
        cpu_rates.append(days * VEHICLES / cpu)
    state = stage.snapshot("vehicle 0") or b""
    return {
        "vehicle_days_per_s": round(statistics.median(rates), 1),
        "vehicle_days_per_s_cpu": round(statistics.median(cpu_rates), 1),
        "samples_per_vehicle_day": len(batch) // VEHICLES,
        "detectors": len(stage.detectors),
        "snapshot_bytes_per_vehicle": len(state),
        "state_bytes_per_vehicle": stage.state_bytes_per_vehicle,
        "memory_mb_first_day": round(memory[0], 1),
        "memory_mb_last_day": round(memory[-1], 1),
    }


def _day(rng: np.random.Generator) -> SampleBatch:
    """One day of a batch of vehicles, in order of time, with a tick at the end."""
    width = len(SIGNALS)
    level = np.array(list(SIGNALS.values()))
    values = level[:, 0] + level[:, 1] * rng.standard_normal((VEHICLES, SECONDS, width))
    tick_ns = START_NS + np.array([SECONDS * 1_000_000_000])
    seconds = START_NS + np.repeat(np.arange(SECONDS, dtype=np.int64), width) * 1_000_000_000
    time_ns = np.tile(np.concatenate((seconds, tick_ns)), VEHICLES)
    signal = np.tile(np.append(np.tile(np.arange(width, dtype=np.int32), SECONDS), np.int32(TICK_SIGNAL)), VEHICLES)
    ticks = np.full((VEHICLES, 1), float(TickKind.END_OF_DRIVE))
    return SampleBatch(
        vehicles=tuple(f"vehicle {number}" for number in range(VEHICLES)),
        paths=tuple(PATH_OF[name] for name in SIGNALS),
        time_ns=time_ns,
        vehicle=np.repeat(np.arange(VEHICLES, dtype=np.int32), SECONDS * width + 1),
        signal=signal,
        value=np.concatenate((values.reshape(VEHICLES, -1), ticks), axis=1).ravel(),
    )
