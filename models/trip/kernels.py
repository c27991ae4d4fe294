"""Kernels of the trip detectors: plain functions over arrays, compiled where a compiler is given, with the same values either way.

A vehicle's row of state for `cut_panes` begins with what the constants below name, then come c sums, c counts, c last means and c
panes of the last means (c channels), p previous values and f first ones. `clock`: time of the last record, of the trip's first.
"""

from __future__ import annotations

import math
from typing import Any

from domain.frames import TickKind

OPEN, PANE, BEFORE, RUNNING_S = 0, 1, 2, 3
"""1 within a trip; number of the pane being filled; of the one before, -1 none; seconds of running engine."""
PHASE, REST_V, LOW_V, DIPPED_S, LOWEST_S, RAN_S, RECOVERY, START_V, PARKED_H = 4, 5, 6, 7, 8, 9, 10, 11, 12
"""The start of the engine: one of the phases below, voltage at rest and lowest voltage, when it dipped, was lowest, and when the
engine ran (seconds of the trip), recovery in V/s; the trip's first
voltage; and the hours without records before the trip."""
AWAITED, TURNING, TOLD_NEXT, OVER = 0.0, 1.0, 2.0, 3.0
HEADER = 13

RPM, VOLTS = 0, 1
"""Channels that tell of the start of the engine."""
OTHER, TICK = -1, -2
"""What a record is that is no channel of ours, and a tick."""
END_OF_DRIVE = float(TickKind.END_OF_DRIVE)

RUNNING_RPM = 400.0
"""An engine turns by itself above this: starters reach 150 to 300 rpm, idling begins at about 550."""
DIP_V = 0.5
"""A starter takes the voltage down by more than a light or a pump does."""
START_WITHIN_S = 180.0
LONGEST_STEP_S = 120.0
NEVER = -(2**62)
LONG_AGO = -1e18


def cut_panes(  # noqa: C901 (a kernel calls no functions, so that any compiler can take it)
    start: int,
    time_ns: Any,
    vehicle: Any,
    signal: Any,
    value: Any,
    slot_of: Any,
    channel_of: Any,
    low: Any,
    high: Any,
    stale: Any,
    previous: Any,
    first: Any,
    pane_ns: int,
    gap_ns: int,
    clock: Any,
    state: Any,
    out_slot: Any,
    out_end_ns: Any,
    out_closed_ns: Any,
    out: Any,
) -> tuple[int, int]:
    """Means of the panes that records from `start` on complete, until `out` [columns, room] is full.

    Args:
        slot_of: row of state of each vehicle. channel_of: of each signal, OTHER where it is none of ours; the last is that of
            ticks. previous, first: numbers of the channels of which those are kept.

    Returns:
        (record to go on with, panes written). out_end_ns: end of each pane. out_closed_ns: when its trip ended with it, 0 else.
    """
    count, panes, row = len(low), 0, start
    sums, counts, lasts, seen = HEADER, HEADER + count, HEADER + 2 * count, HEADER + 3 * count
    befores, firsts = HEADER + 4 * count, HEADER + 4 * count + len(previous)
    derived, current = count, -1
    s, end_ns, last_ns = state[0], 0, 0
    while row < len(time_ns):
        kind, x = channel_of[signal[row]], value[row]
        if kind == OTHER or (kind >= 0 and not (low[kind] <= x <= high[kind])) or (kind == TICK and x != END_OF_DRIVE):
            row += 1
            continue
        now, own = time_ns[row], slot_of[vehicle[row]]
        if own != current:
            if current >= 0:
                clock[current, 0] = last_ns
            current, s, last_ns = own, state[own], clock[own, 0]
            end_ns = (int(s[PANE]) + 1) * pane_ns
        if s[OPEN] == 1.0:
            ends = kind == TICK or now - last_ns > gap_ns
            if ends or now >= end_ns:
                if panes == len(out_slot):
                    clock[own, 0] = last_ns
                    return row, panes
                pane = s[PANE]
                step_s = pane_ns * 1e-9
                if s[BEFORE] >= 0.0:
                    step_s = min((pane - s[BEFORE]) * step_s, LONGEST_STEP_S)
                for c in range(count):
                    mean = math.nan
                    if s[counts + c] > 0.0:
                        mean = s[sums + c] / s[counts + c]
                        s[lasts + c] = mean
                        s[seen + c] = pane
                    elif pane - s[seen + c] <= stale[c]:
                        mean = s[lasts + c]
                    out[c, panes] = mean
                    s[sums + c] = 0.0
                    s[counts + c] = 0.0
                if out[RPM, panes] > RUNNING_RPM:
                    s[RUNNING_S] += step_s
                told = s[PHASE] == TOLD_NEXT
                out[derived, panes] = step_s
                out[derived + 1, panes] = (end_ns - clock[own, 1]) * 1e-9
                out[derived + 2, panes] = s[RUNNING_S]
                out[derived + 3, panes] = s[PARKED_H]
                out[derived + 4, panes] = s[LOW_V] if told else math.nan
                out[derived + 5, panes] = s[RAN_S] - s[DIPPED_S] if told else math.nan
                out[derived + 6, panes] = s[REST_V] if told else math.nan
                out[derived + 7, panes] = s[RECOVERY] if told else math.nan
                out[derived + 8, panes] = s[START_V] if s[BEFORE] < 0.0 else math.nan
                if told:
                    s[PHASE] = OVER
                for p in range(len(previous)):
                    out[derived + 9 + p, panes] = s[befores + p] if s[BEFORE] >= 0.0 else math.nan
                    s[befores + p] = out[previous[p], panes]
                for f in range(len(first)):
                    if math.isnan(s[firsts + f]):
                        s[firsts + f] = out[first[f], panes]
                    out[derived + 9 + len(previous) + f, panes] = s[firsts + f]
                out_slot[panes] = own
                out_end_ns[panes] = end_ns
                out_closed_ns[panes] = now if ends else 0
                panes += 1
                s[BEFORE] = pane
                s[PANE] = float(now // pane_ns)
                end_ns = (now // pane_ns + 1) * pane_ns
                if ends:
                    s[OPEN] = 0.0
        row += 1
        if kind == TICK:
            continue
        if s[OPEN] != 1.0:
            s[:] = 0.0
            s[OPEN] = 1.0
            s[PANE] = float(now // pane_ns)
            end_ns = (now // pane_ns + 1) * pane_ns
            s[BEFORE] = -1.0
            s[REST_V:HEADER] = math.nan
            if last_ns != NEVER:
                s[PARKED_H] = (now - last_ns) / 3.6e12
            s[seen:befores] = LONG_AGO
            s[firsts:] = math.nan
            clock[own, 1] = now
        last_ns = now
        s[sums + kind] += x
        s[counts + kind] += 1.0
        if kind == VOLTS and math.isnan(s[START_V]):
            s[START_V] = x
        if kind <= VOLTS and s[PHASE] < TOLD_NEXT:
            at = (now - clock[own, 1]) * 1e-9
            if at > START_WITHIN_S:
                s[PHASE] = OVER
            elif kind == VOLTS:
                if math.isnan(s[DIPPED_S]) and not x <= s[REST_V]:
                    s[REST_V] = x
                if not x >= s[LOW_V]:
                    s[LOW_V] = x
                    s[LOWEST_S] = at
                if math.isnan(s[DIPPED_S]) and x < s[REST_V] - DIP_V:
                    s[DIPPED_S] = at
                if s[PHASE] == TURNING and at - s[LOWEST_S] >= 1.0:
                    s[RECOVERY] = (x - s[LOW_V]) / (at - s[LOWEST_S])
                    s[PHASE] = TOLD_NEXT
            elif s[PHASE] == AWAITED and x > RUNNING_RPM:
                s[RAN_S] = at
                s[PHASE] = OVER if math.isnan(s[DIPPED_S]) else TURNING
    if current >= 0:
        clock[current, 0] = last_ns
    return row, panes


def add_rows(table: Any, run: Any, rows: Any) -> None:
    """Add each column of `rows` [k, n] to the row `run` of `table` [r, k], in order, so that sums do not depend on the cut."""
    for n in range(len(run)):
        for k in range(len(rows)):
            table[run[n], k] += rows[k, n]
