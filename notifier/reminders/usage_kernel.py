"""The arithmetic of daily use: one pass over samples, whole numbers only, so that no cut of the samples changes a sum.

Runs in plain Python or compiled (`domain.ports.Jit`), with identical values.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DAY_NS = 86_400 * 1_000_000_000
NEVER = -(2**62)
"""A time before all times."""
NO_DAY = -(2**62)
LONGEST_GAP_NS = 35 * 1_000_000_000
"""Between two samples of a signal further apart nothing is known; packets of GB/T 32960 come every 30 s at the latest."""
BRAKING_GAP_NS = 2 * 1_000_000_000
"""Of a stretch that is longer nobody knows how much of it was braked."""
OIL_STALE_NS, OUTSIDE_STALE_NS = 600 * 1_000_000_000, 3600 * 1_000_000_000
PEDAL_STALE_NS, TRACTION_STALE_NS = 5 * 1_000_000_000, 60 * 1_000_000_000
REST_NS = 4 * 3600 * 1_000_000_000
"""A value that comes after such a silence is one of a vehicle at rest."""
STANDING_KMH, RUNNING_RPM, PEDAL_PERCENT = 1.0, 300.0, 2.0
SHORT_TRIP_UM = 8_000_000_000
COLD, HOT = -10.0, 35.0

NOT_READ, TICK = -2, -1
SPEED, RPM, OIL_C, OUTSIDE_C, PEDAL_ON, PEDAL_POSITION, TRACTION_V, TRACTION_A, CARRIED = range(9)
"""Columns of samples; those from CARRIED on are readings, of which a day keeps one value."""
END_OF_DRIVE = 1.0
"""`domain.frames.TickKind.END_OF_DRIVE`."""
DISTANCE_UM, ENGINE_NS, OIL_UREV, DRIVING_NS, IDLE_NS, EXTREME_NS, BRAKE_UJ, ENERGY_MILLIJOULE, TRIPS, SHORT_TRIPS, SUMS = range(
    11
)
LAST, MAX, REST = 0, 1, 2
"""Which value of a day a reading keeps."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def count_use(  # noqa: C901 - one function by design: a kernel calls nothing
    begin: int,
    time_ns: Ints,
    vehicle: NDArray[np.int32],
    signal: NDArray[np.int32],
    value: Floats,
    slots: Ints,
    columns: Ints,
    statistic: Ints,
    day: Ints,
    trip_um: Ints,
    sums: Ints,
    last_ns: Ints,
    last: Floats,
    told_ns: Ints,
    told: Floats,
    ended: NDArray[np.bool_],
) -> int:
    """Count samples from `begin` on; gives the place of one on another day than its slot's `day`, which is to be turned, else the end.

    A stretch between two samples has the earlier one's value and counts on the day on which it ends.

    Args:
        slots: of each vehicle of the batch. columns: of each signal SPEED …, CARRIED + reading or NOT_READ; the last one is that of
            ticks, TICK. statistic: of each reading.
        day, trip_um, ended: of each slot. sums: (slot, SUMS). last_ns, last: (slot, CARRIED). told_ns, told: (slot, reading).
    """
    for place in range(begin, len(time_ns)):
        which = columns[signal[place]]
        if which == NOT_READ or (which == TICK and value[place] != END_OF_DRIVE):
            continue
        at, now = slots[vehicle[place]], time_ns[place]
        today = now // DAY_NS
        if day[at] != today:
            if day[at] != NO_DAY:
                return place
            day[at] = today
        if which == TICK:
            if trip_um[at] > 0:
                sums[at, TRIPS] += 1
                if trip_um[at] < SHORT_TRIP_UM:
                    sums[at, SHORT_TRIPS] += 1
            trip_um[at] = 0
            # nothing was driven from before the end of a drive until after it
            last_ns[at, SPEED] = last_ns[at, RPM] = last_ns[at, PEDAL_ON] = last_ns[at, PEDAL_POSITION] = NEVER
            ended[at] = True
            continue
        new = value[place]
        if not math.isfinite(new):
            continue
        if which >= CARRIED:
            reading = which - CARRIED
            how = statistic[reading]
            rested = now - told_ns[at, reading] >= REST_NS
            told_ns[at, reading] = now
            if how == LAST or (how == REST and rested) or (how == MAX and not told[at, reading] >= new):
                told[at, reading] = new
            continue
        length, before = now - last_ns[at, which], last[at, which]
        last_ns[at, which], last[at, which] = now, new
        if length <= 0 or length > LONGEST_GAP_NS:
            continue
        if which == SPEED:
            if before < STANDING_KMH:
                stopped = now - last_ns[at, RPM] <= LONGEST_GAP_NS and last[at, RPM] < RUNNING_RPM
                charging = now - last_ns[at, TRACTION_A] <= TRACTION_STALE_NS and last[at, TRACTION_A] > 0.0
                if not stopped and not charging:
                    sums[at, IDLE_NS] += length
                continue
            way = math.floor(before * length / 3600.0 + 0.5)
            sums[at, DISTANCE_UM] += way
            trip_um[at] += way
            sums[at, DRIVING_NS] += length
            outside = last[at, OUTSIDE_C]
            if now - last_ns[at, OUTSIDE_C] <= OUTSIDE_STALE_NS and (outside < COLD or outside > HOT):
                sums[at, EXTREME_NS] += length
            if new < before and length <= BRAKING_GAP_NS:
                pressed = now - last_ns[at, PEDAL_ON] <= PEDAL_STALE_NS and last[at, PEDAL_ON] > 0.5
                pushed = now - last_ns[at, PEDAL_POSITION] <= PEDAL_STALE_NS and last[at, PEDAL_POSITION] > PEDAL_PERCENT
                recuperates = now - last_ns[at, TRACTION_A] <= PEDAL_STALE_NS  # takes a part that nobody tells
                if (pressed or pushed) and not recuperates:
                    sums[at, BRAKE_UJ] += math.floor((before * before - new * new) / 25.92 * 1e6 + 0.5)
        elif which == TRACTION_A and before < 0.0:
            if now - last_ns[at, TRACTION_V] <= TRACTION_STALE_NS:  # positive when charging
                sums[at, ENERGY_MILLIJOULE] += math.floor(-before * last[at, TRACTION_V] * length / 1e6 + 0.5)
        elif which == RPM and before >= RUNNING_RPM:
            sums[at, ENGINE_NS] += length
            if now - last_ns[at, OIL_C] <= OIL_STALE_NS:
                oil = last[at, OIL_C]
                penalty = 4.0 if oil < 20.0 else 2.0 if oil < 60.0 else 1.0 if oil < 120.0 else 3.0
                sums[at, OIL_UREV] += math.floor(before * length / 6e4 * penalty + 0.5)
    return len(time_ns)
