"""The kernel of functions that remember one thing or two: sequences, counts of drives, distance, engine time, steadiness.

Self-contained over arrays and scalars, so that it can be compiled or run as it is.
"""

from __future__ import annotations

from rules.kernel import NEVER, FloatArray, IntArray

KINDS = ("seq", "cycles", "odometer", "engine_clock", "steady")
"""Their places are the numbers that the kernel knows them by."""
TIMES = 2
"""seq: when the first condition last held. cycles: bits of past drives (newest lowest), the present drive (0 nothing known, 1 not
so far, 2 it held). odometer, engine_clock, steady: time of the last sample."""


def run_memories(  # noqa: C901 - one function by design: a kernel calls nothing
    where: IntArray,
    time_ns: IntArray,
    value: FloatArray,
    kind_of: IntArray,
    stale_ns: IntArray,
    number: IntArray,
    spec: IntArray,
    times: IntArray,
    last: FloatArray,
    total: FloatArray,
    out: FloatArray,
) -> None:
    """Take n samples in order; `out` gets the value of the function after each, NaN = unknown.

    Args:
        where: n × (feature, slot, bit 0 a sample came | bit 1 the drive ends). value: n × arguments, NaN = unknown.
        stale_ns: kinds × all features, how long a sample counts on. number: of each feature among those here, negative for others.
        spec: features × (kind, within in ns | wanted drives, among drives).
        times: slots × features × TIMES. last, total: slots × features.
    """
    for i in range(len(where)):
        f = number[where[i, 0]]
        if f < 0:
            continue
        car = where[i, 1]
        sampled = where[i, 2]
        gap = stale_ns[kind_of[car], where[i, 0]]
        now = time_ns[i]
        v = value[i, 0]
        kind = spec[f, 0]
        out[i] = float("nan")
        if sampled & 1:
            if kind == 0:
                then = value[i, 1]
                first = times[car, f, 0]
                if then == then:
                    out[i] = 1.0 if then != 0.0 and first != NEVER and now - first <= spec[f, 1] else 0.0
                if v == v and v != 0.0:
                    times[car, f, 0] = now
            elif kind == 1:
                if v == v:
                    times[car, f, 1] = max(times[car, f, 1], 2 if v != 0.0 else 1)
                held = 1 if times[car, f, 1] == 2 else 0
                for b in range(spec[f, 2] - 1):
                    held += (times[car, f, 0] >> b) & 1
                out[i] = 1.0 if held >= spec[f, 1] else 0.0
            elif kind == 4:
                if times[car, f, 0] != NEVER and now - times[car, f, 0] <= spec[f, 1]:
                    out[i] = 1.0
                times[car, f, 0] = now
            elif v == v:
                before = times[car, f, 0]
                if before != NEVER and now - before <= gap:
                    if kind == 2:
                        total[car, f] += max(last[car, f], 0.0) * (now - before) / 3600000.0
                    elif last[car, f] > 0.0:
                        total[car, f] += (now - before) / 1000.0
                times[car, f, 0] = now
                last[car, f] = v
                out[i] = total[car, f]
        if sampled & 2 and kind == 1 and times[car, f, 1] > 0:
            times[car, f, 0] = ((times[car, f, 0] << 1) | (1 if times[car, f, 1] == 2 else 0)) & 4294967295
            times[car, f, 1] = 0
