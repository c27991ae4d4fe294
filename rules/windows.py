"""The kernel of the windowed functions: panes of equal length, aligned to zero, of which a window holds the last fifteen.

Self-contained over arrays and scalars, so that it can be compiled or run as it is. A pane keeps sums of its samples, added in
the order of records, so a window's value does not depend on how records were cut into batches, and costs the same for any rate.
"""

from __future__ import annotations

import math

from rules.kernel import NEVER, FloatArray, IntArray

PANES = 15
BINS = 32
STATS = ("mean", "std", "slope", "lowest", "highest", "rate", "share", "count", "percentile")
"""Their places are the numbers that the kernel knows them by."""
CELLS = (3, 4, 6, 3, 3, 4, 3, 3, 2 + BINS)
"""Numbers in a pane, per statistic: samples, length covered, and then mean | mean, sum of squares | mean of t and x and their
products | extreme | time and value of the first sample | length true | times that it became true | samples in each bin."""
MERGED = 6
"""Numbers that merged panes need at most, percentiles apart."""
HEADS = 3
"""Newest pane, time of the last known sample, coordinate of it."""


def run_windows(  # noqa: C901 - one function by design: a kernel calls nothing
    where: IntArray,
    time_ns: IntArray,
    value: FloatArray,
    kind_of: IntArray,
    stale_ns: IntArray,
    number: IntArray,
    spec: IntArray,
    figures: FloatArray,
    heads: IntArray,
    last: FloatArray,
    cells: FloatArray,
    merged_for: IntArray,
    out: FloatArray,
) -> None:
    """Take n samples in order; `out` gets the value of the window after each, NaN = unknown.

    Args:
        where: n × (feature, slot, bit 0 a sample came | bit 1 the drive ends). value: n × (value, coordinate, -), NaN = unknown.
        number: of each feature among the windows, negative for others. stale_ns: kinds × all features, how far apart samples may lie for the stretch between them to count as covered.
        spec: windows × (statistic, basis, length of a pane, length of the window, first cell, cells in a pane).
        figures: windows × (percentage, low, high) of percentiles.
        heads: slots × windows × HEADS. last: slots × windows, last known value. cells: slots × cells, the panes of each window and then
            all its panes but the newest, merged, as long as `merged_for` (slots × windows) is the newest one: no state, only saved work.
    """
    for i in range(len(where)):
        f = number[where[i, 0]]
        if f < 0:
            continue
        car = where[i, 1]
        sampled = where[i, 2]
        now = time_ns[i]
        v = value[i, 0]
        coordinate = value[i, 1]
        stat, basis, pane, length, base, width = spec[f, 0], spec[f, 1], spec[f, 2], spec[f, 3], spec[f, 4], spec[f, 5]
        panes = 1 if basis == 3 else 15
        out[i] = float("nan")
        known = v == v and (basis == 0 or basis == 3 or coordinate == coordinate)
        if sampled & 1 and not known:
            heads[car, f, 1] = NEVER
        if sampled & 1 and known:
            at = now if basis == 0 or basis == 3 else int(coordinate)
            k = 0 if basis == 3 else at // pane
            newest = heads[car, f, 0]
            if newest == NEVER or k > newest:
                fresh = panes if newest == NEVER else min(panes, k - newest)
                for j in range(fresh):
                    lo = base + ((k - j) % panes) * width
                    for c in range(lo, lo + width):
                        cells[car, c] = 0.0
                heads[car, f, 0] = k
                newest = k
            lo = base + (newest % panes) * width
            # The stretch since the last known sample counts where that sample was still fresh.
            before = heads[car, f, 1]
            if before != NEVER and now - before <= stale_ns[kind_of[car], where[i, 0]]:
                stretch = float(at - heads[car, f, 2])
                cells[car, lo + 1] += stretch
                if stat == 6 and last[car, f] != 0.0:
                    cells[car, lo + 2] += stretch
            elif stat == 7:
                before = NEVER
            n = cells[car, lo] + 1.0
            cells[car, lo] = n
            t = (now - newest * pane) / 1e9 if basis == 0 else 0.0
            if stat == 0 or stat == 1:
                d = v - cells[car, lo + 2]
                cells[car, lo + 2] += d / n
                if stat == 1:
                    cells[car, lo + 3] += d * (v - cells[car, lo + 2])
            elif stat == 2:
                d = t - cells[car, lo + 2]
                cells[car, lo + 2] += d / n
                e = v - cells[car, lo + 3]
                cells[car, lo + 3] += e / n
                cells[car, lo + 4] += d * (t - cells[car, lo + 2])
                cells[car, lo + 5] += d * (v - cells[car, lo + 3])
            elif stat == 3:
                if n == 1.0 or v < cells[car, lo + 2]:
                    cells[car, lo + 2] = v
            elif stat == 4:
                if n == 1.0 or v > cells[car, lo + 2]:
                    cells[car, lo + 2] = v
            elif stat == 5:
                if n == 1.0:
                    cells[car, lo + 2] = t
                    cells[car, lo + 3] = v
            elif stat == 7:
                if v != 0.0 and before != NEVER and last[car, f] == 0.0:
                    cells[car, lo + 2] += 1.0
            elif stat == 8:
                low, high = figures[f, 1], figures[f, 2]
                b = int((min(max(v, low), high) - low) / (high - low) * 32.0)
                cells[car, lo + 2 + min(b, 31)] += 1.0
            heads[car, f, 1] = now
            heads[car, f, 2] = at
            last[car, f] = v
            # All panes but the newest, oldest first.
            merged = base + panes * width
            if merged_for[car, f] != newest:
                merged_for[car, f] = newest
                for c in range(merged, merged + max(width, 6)):
                    cells[car, c] = 0.0
                for j in range(panes - 1, 0, -1):
                    lo = base + ((newest - j) % panes) * width
                    n = cells[car, lo]
                    if n == 0.0:
                        continue
                    total = cells[car, merged]
                    both = total + n
                    if stat == 8:
                        for b in range(32):
                            cells[car, merged + 2 + b] += cells[car, lo + 2 + b]
                    elif stat == 0 or stat == 1:
                        d = cells[car, lo + 2] - cells[car, merged + 2]
                        cells[car, merged + 2] += d * n / both
                        if stat == 1:
                            cells[car, merged + 3] += cells[car, lo + 3] + d * d * total * n / both
                    elif stat == 2:
                        d = cells[car, lo + 2] - j * (pane / 1e9) - cells[car, merged + 2]
                        e = cells[car, lo + 3] - cells[car, merged + 3]
                        cells[car, merged + 2] += d * n / both
                        cells[car, merged + 3] += e * n / both
                        cells[car, merged + 4] += cells[car, lo + 4] + d * d * total * n / both
                        cells[car, merged + 5] += cells[car, lo + 5] + d * e * total * n / both
                    elif stat == 3:
                        if total == 0.0 or cells[car, lo + 2] < cells[car, merged + 2]:
                            cells[car, merged + 2] = cells[car, lo + 2]
                    elif stat == 4:
                        if total == 0.0 or cells[car, lo + 2] > cells[car, merged + 2]:
                            cells[car, merged + 2] = cells[car, lo + 2]
                    elif stat == 5:
                        if total == 0.0:
                            cells[car, merged + 2] = cells[car, lo + 2] - j * (pane / 1e9)
                            cells[car, merged + 3] = cells[car, lo + 3]
                    else:
                        cells[car, merged + 2] += cells[car, lo + 2]
                    cells[car, merged] = both
                    cells[car, merged + 1] += cells[car, lo + 1]
            # And the newest.
            lo = base + (newest % panes) * width
            n = cells[car, lo]
            total = cells[car, merged]
            both = total + n
            covered = cells[car, merged + 1] + cells[car, lo + 1]
            a = cells[car, merged + 2]
            b2 = cells[car, merged + 3]
            c2 = cells[car, merged + 4]
            d2 = cells[car, merged + 5]
            if stat == 0 or stat == 1:
                d = cells[car, lo + 2] - a
                a += d * n / both
                if stat == 1:
                    b2 += cells[car, lo + 3] + d * d * total * n / both
            elif stat == 2:
                d = cells[car, lo + 2] - a
                e = cells[car, lo + 3] - b2
                a += d * n / both
                b2 += e * n / both
                c2 += cells[car, lo + 4] + d * d * total * n / both
                d2 += cells[car, lo + 5] + d * e * total * n / both
            elif stat == 3:
                if total == 0.0 or cells[car, lo + 2] < a:
                    a = cells[car, lo + 2]
            elif stat == 4:
                if total == 0.0 or cells[car, lo + 2] > a:
                    a = cells[car, lo + 2]
            elif stat == 5:
                if total == 0.0:
                    a = cells[car, lo + 2]
                    b2 = cells[car, lo + 3]
            elif stat < 8:
                a += cells[car, lo + 2]
            total = both
            if basis == 3 or 4.0 * covered >= 3.0 * length:
                if stat == 0 or stat == 3 or stat == 4 or stat == 7:
                    out[i] = a
                elif stat == 1:
                    out[i] = math.sqrt(b2 / total)
                elif stat == 2:
                    if c2 > 0.0:
                        out[i] = d2 / c2
                elif stat == 5:
                    if t > a:
                        out[i] = (v - b2) / (t - a)
                elif stat == 6:
                    if covered > 0.0:
                        out[i] = a / covered
                else:
                    low, high = figures[f, 1], figures[f, 2]
                    wanted = figures[f, 0] / 100.0 * total
                    seen = 0.0
                    for b in range(32):
                        seen += cells[car, merged + 2 + b] + cells[car, lo + 2 + b]
                        if seen >= wanted:
                            out[i] = low + (b + 1) * (high - low) / 32.0
                            break
        if sampled & 2 and basis == 3:
            heads[car, f, 0] = NEVER
            heads[car, f, 1] = NEVER
