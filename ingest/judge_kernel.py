"""Which decoded values are there: a kernel over raw columns, as those of `ingest.kernels`. `ingest.columns` gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def judge(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    chosen: NDArray[np.int64],
    first_frame: NDArray[np.int64],
    count: NDArray[np.int64],
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
        n = count[m]
        first, last = messages["first_signal"][m], messages["last_signal"][m]
        bits = np.empty(n, np.int64)
        for k in range(n):
            bits[k] = 8 * np.int64(length[order[first_frame[m] + k]])
        selector = np.empty(n, np.float64)
        whole = np.empty(n, np.uint64)
        selected = np.int64(-1)
        for s in range(first, last):
            begin = valid_start[m] + signals["row"][s] * n
            present = valid[begin : begin + n]
            end_bit = signals["end_bit"][s]
            for k in range(n):
                present[k] = end_bit <= bits[k]
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
            limit = signals["raw_max"][s]
            if limited and limit != np.uint64(0xFFFF_FFFF_FFFF_FFFF):
                begin = valid_start[m] + signals["row"][s] * n
                present = valid[begin : begin + n]
                begin = raw_start[m] + signals["column"][s] * n
                width = signals["width"][s]
                column = raw[begin : begin + n * width]
                mask = signals["mask"][s]
                if width == 1:
                    for k in range(n):
                        whole[k] = np.uint64(column[k]) & mask
                elif width == 2:
                    column16 = column.view(np.uint16)
                    for k in range(n):
                        whole[k] = np.uint64(column16[k]) & mask
                elif width == 4:
                    column32 = column.view(np.uint32)
                    for k in range(n):
                        whole[k] = np.uint64(column32[k]) & mask
                else:
                    column64 = column.view(np.uint64)
                    for k in range(n):
                        whole[k] = column64[k] & mask
                refused = 0
                for k in range(n):
                    too_great = present[k] & (whole[k] > limit)
                    refused += too_great
                    present[k] = present[k] & (not too_great)
                unavailable[m] += refused
