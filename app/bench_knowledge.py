"""`pitcall bench knowledge`: what the fault knowledge costs in time and memory."""

from __future__ import annotations

import random
import time
import tracemalloc
from statistics import median

CODES_PER_GROUP = 20


def run(*, groups: int, seed: int = 7) -> dict[str, float]:
    """Median load in ms, the 50th and 99th percentile of explaining 20 random codes in ms, memory of the loaded knowledge in MB.

    `_cpu_ms` is the thread's own processor time: on a machine that others use too, the wall time tells of their load.
    """
    from dtc_knowledge.evidence import Standing
    from dtc_knowledge.loading import load_knowledge

    load_ms = []
    for _ in range(5):
        started = time.perf_counter()
        knowledge = load_knowledge()
        load_ms.append((time.perf_counter() - started) * 1e3)
    known = sorted({sign.code for p in knowledge.files.patterns.values() for sign in p.signs if "*" not in sign.code})
    chance = random.Random(seed)  # noqa: S311  # a choice of test codes, nothing secret
    explain_ms, cpu_ms = [], []
    for _ in range(groups):
        codes = chance.sample(known, CODES_PER_GROUP)
        alerts = knowledge.named(dict.fromkeys(codes, Standing.ACTIVE))
        started, started_cpu = time.perf_counter(), time.thread_time()
        knowledge.explain(alerts)
        cpu_ms.append((time.thread_time() - started_cpu) * 1e3)
        explain_ms.append((time.perf_counter() - started) * 1e3)
    explain_ms.sort()
    cpu_ms.sort()
    return {
        "explain_p50_ms": round(median(explain_ms), 3),
        "explain_p99_ms": round(explain_ms[int(0.99 * (groups - 1))], 3),
        "explain_p99_cpu_ms": round(cpu_ms[int(0.99 * (groups - 1))], 3),
        "load_ms": round(median(load_ms), 1),
        "memory_mb": round(_memory_mb(), 1),
        "codes_per_group": CODES_PER_GROUP,
        "groups": groups,
    }


def _memory_mb() -> float:
    from dtc_knowledge.loading import load_knowledge

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = load_knowledge()
        after, _ = tracemalloc.get_traced_memory()
        return (after - before) / 1e6 if kept.files.patterns else 0.0
    finally:
        tracemalloc.stop()
