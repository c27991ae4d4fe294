"""Which decoded values are there: a kernel over raw columns, as those of `ingest.kernels`. `ingest.columns` gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def judge(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    chosen: NDArray[np.int64],
    first_frame: NDArray[np.int64],
    short: NDArray[np.int64],
    raw_start: NDArray[np.int64],
    valid_start: NDArray[np.int64],
    order: NDArray[np.int64],
    length: NDArray[np.uint8],
    messages: NDArray[Any],
    signals: NDArray[Any],
    ranges: NDArray[np.float64],
    limited: bool,
    raw: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    unavailable: NDArray[np.int64],
) -> None:
    """Which values are there: long enough, on the branch that the selector names, and (where `limited`) a measurement.

    Values above their limit are counted per message in `unavailable`.
    """
    for j in range(len(chosen)):
        m = chosen[j]
        n = first_frame[m + 1] - first_frame[m]
        first, last = messages["first_signal"][m], messages["last_signal"][m]
        bits = np.empty(n, np.int64)
        if short[m] > 0:
            rows = order[first_frame[m] : first_frame[m] + n]
            for k in range(n):
                bits[k] = 8 * np.int64(length[np.uint64(rows[k])])
        selector = np.empty(n, np.float64)
        too_great = np.empty(n, np.bool_)
        selected = np.int64(-1)
        for s in range(first, last):
            begin = valid_start[m] + signals["row"][s] * n
            present = valid[begin : begin + n]
            if short[m] > 0:
                end_bit = signals["end_bit"][s]
                for k in range(n):
                    present[k] = end_bit <= bits[k]
            else:
                for k in range(n):
                    present[k] = True
            if signals["parent"][s] >= 0:
                p = first + signals["parent"][s]
                if p != selected:
                    selected = p
                    begin = raw_start[m] + signals["column"][p] * n
                    column = raw[begin : begin + n * signals["width"][p]]
                    scale, offset = signals["scale"][p], signals["offset"][p]
                    form = signals["form"][p]
                    for k in range(n):
                        if form == 0:
                            number = np.float64(column[k])
                        elif form == 1:
                            number = np.float64(column.view(np.uint16)[k])
                        elif form == 2:
                            number = np.float64(column.view(np.uint32)[k])
                        elif form == 3:
                            number = np.float64(column.view(np.uint64)[k])
                        elif form == 4:
                            number = np.float64(column.view(np.int8)[k])
                        elif form == 5:
                            number = np.float64(column.view(np.int16)[k])
                        elif form == 6:
                            number = np.float64(column.view(np.int32)[k])
                        else:
                            number = np.float64(column.view(np.int64)[k])
                        selector[k] = np.trunc(number * scale + offset)
                begin = valid_start[m] + signals["row"][p] * n
                above = valid[begin : begin + n]
                for k in range(n):
                    branch = False
                    for r in range(signals["first_range"][s], signals["last_range"][s]):
                        branch |= ranges[r, 0] <= selector[k] <= ranges[r, 1]
                    present[k] = present[k] & above[k] & branch
        # the limits last: a selector that is not a measurement still chooses
        for s in range(first, last):
            limit, mask = signals["raw_max"][s], signals["mask"][s]
            if not limited or limit >= mask:
                continue
            begin = valid_start[m] + signals["row"][s] * n
            present = valid[begin : begin + n]
            begin = raw_start[m] + signals["column"][s] * n
            width = signals["width"][s]
            column = raw[begin : begin + n * width]
            # comparisons in the width of the column are done many at a time
            if width == 1:
                mask8, limit8 = np.uint8(mask), np.uint8(limit)
                for k in range(n):
                    too_great[k] = (column[k] & mask8) > limit8
            elif width == 2:
                mask16, limit16 = np.uint16(mask), np.uint16(limit)
                column16 = column.view(np.uint16)
                for k in range(n):
                    too_great[k] = (column16[k] & mask16) > limit16
            elif width == 4:
                mask32, limit32 = np.uint32(mask), np.uint32(limit)
                column32 = column.view(np.uint32)
                for k in range(n):
                    too_great[k] = (column32[k] & mask32) > limit32
            else:
                column64 = column.view(np.uint64)
                for k in range(n):
                    too_great[k] = (column64[k] & mask) > limit
            refused = np.int64(0)
            for k in range(n):
                refused += np.int64(present[k] & too_great[k])
                present[k] = present[k] & (not too_great[k])
            unavailable[m] += refused
