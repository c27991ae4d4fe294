"""Decode kernels: self-contained loops over arrays, compiled through an injected jit. `ingest.columns` gives the same values.

A slice such as `out = values[a:b]` before a loop is not for the looks: compilers turn `out[k]` into vector instructions, but not
`values[a + k]`, where the index might be negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def place_messages(
    first: NDArray[np.int64],
    short: NDArray[np.int64],
    messages: NDArray[np.void],
    limited: bool,
    starts: NDArray[np.int64],
    numbers: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> None:
    """Room for the columns of what occurs, side by side, each message's raw columns on a cache line of their own.

    Args:
        first, short: as `match_frames` gives them. messages: MESSAGE_ROW[m]. limited: limits of raw values are judged.
        starts: int64[3, m], filled: where raw columns (bytes), validity (cells, -1 where there is no matrix) and values (cells) begin.
        numbers: int64[4, m], filled from the left: messages that occur; those of them that need a validity matrix; the others; and
            those of the others where values may be above limits.
        sizes: int64[7], filled: how many numbers of each kind; raw bytes, validity cells and value cells in all.
    """
    for k in range(7):
        sizes[k] = 0
    for m in range(len(messages)):
        starts[0, m], starts[1, m], starts[2, m] = sizes[4], -1, sizes[6]
        count = first[m + 1] - first[m]
        if not messages[m]["shown"] or count == 0:
            continue
        numbers[0, sizes[0]] = m
        sizes[0] += 1
        cells = (messages[m]["last_signal"] - messages[m]["first_signal"]) * count
        if short[m] == 0 and (messages[m]["certain"] or messages[m]["countable"]):
            numbers[2, sizes[2]] = m
            sizes[2] += 1
            if limited and not messages[m]["certain"]:
                numbers[3, sizes[3]] = m
                sizes[3] += 1
        else:
            numbers[1, sizes[1]] = m
            sizes[1] += 1
            starts[1, m] = sizes[5]
            sizes[5] += cells
        sizes[4] += (messages[m]["frame_bytes"] * count + 63) // 64 * 64
        sizes[6] += cells


def read_signals(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    chosen: NDArray[np.int64],
    first_frame: NDArray[np.int64],
    raw_start: NDArray[np.int64],
    valid_start: NDArray[np.int64],
    value_start: NDArray[np.int64],
    words: NDArray[np.uint64],
    further: NDArray[np.int64],
    messages: NDArray[Any],
    signals: NDArray[Any],
    valid: NDArray[np.bool_],
    limited: bool,
    with_raw: bool,
    raw: NDArray[np.uint8],
    with_values: bool,
    values: NDArray[np.float64],
) -> None:
    """The signals of the `chosen` messages, as raw columns in `raw` or as physical values in `values`; not both are needed at once.

    Raw columns are not judged: bits past the payload are zero. Values form a matrix of (signal row, frame) per message; what is
    not valid is NaN; signals that are `by_hand` are left to the caller. `words`, `further`: as `order_long_frames` gives them.
    """
    swapped = np.empty(2048, np.uint64)
    for j in range(len(chosen)):
        m = chosen[j]
        count = first_frame[m + 1] - first_frame[m]
        first, last = messages["first_signal"][m], messages["last_signal"][m]
        # as many frames at a time as the nearest cache holds
        for start in range(0, count, 2048):
            size = min(2048, count - start)
            loaded = np.int64(0)
            word = words[first_frame[m] + start : first_frame[m] + start + size]
            is_swapped = False
            for s in range(first, last):
                if signals["window"][s] != loaded:
                    loaded = signals["window"][s]
                    begin = first_frame[m] + start
                    if loaded > 0:
                        begin = further[m] + (loaded - 1) * count + start
                    word = words[begin : begin + size]
                    is_swapped = False
                source = word
                if signals["big_endian"][s]:
                    source = swapped
                    if not is_swapped:
                        is_swapped = True
                        for k in range(size):
                            w = word[k]
                            w = ((w >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)) | (
                                (w & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)
                            )
                            w = ((w >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)) | (
                                (w & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
                            )
                            swapped[k] = (w >> np.uint64(32)) | (w << np.uint64(32))
                up, down = signals["up"][s], signals["down"][s]
                right = np.int64(down)
                signed = signals["signed"][s]
                if with_values and not signals["by_hand"][s]:
                    begin = value_start[m] + signals["row"][s] * count + start
                    out = values[begin : begin + size]
                    scale, offset = signals["scale"][s], signals["offset"][s]
                    limit = signals["raw_max"][s]
                    judged = limited and valid_start[m] < 0 and limit < signals["mask"][s]
                    # 32-bit integers convert to float64 several at a time on every processor, 64-bit ones on the newest
                    if down > 32:
                        if signed:
                            for k in range(size):
                                out[k] = np.float64(np.int32(np.int64(source[k] << up) >> right)) * scale + offset
                        elif judged:
                            judged = False
                            limit32 = np.int32(limit)
                            for k in range(size):
                                number = np.int32((source[k] << up) >> down)
                                out[k] = np.nan if number > limit32 else np.float64(number) * scale + offset
                        else:
                            for k in range(size):
                                out[k] = np.float64(np.int32((source[k] << up) >> down)) * scale + offset
                    elif signed:
                        for k in range(size):
                            out[k] = np.float64(np.int64(source[k] << up) >> right) * scale + offset
                    else:
                        for k in range(size):
                            out[k] = np.float64((source[k] << up) >> down) * scale + offset
                    if judged:
                        for k in range(size):
                            out[k] = np.nan if (source[k] << up) >> down > limit else out[k]
                    if signals["converted"][s]:
                        factor, addend = signals["path_scale"][s], signals["path_offset"][s]
                        for k in range(size):
                            out[k] = out[k] * factor + addend
                    if valid_start[m] >= 0:
                        begin = valid_start[m] + signals["row"][s] * count + start
                        present = valid[begin : begin + size]
                        for k in range(size):
                            out[k] = out[k] if present[k] else np.nan
                if with_raw:
                    width = signals["width"][s]
                    begin = raw_start[m] + signals["column"][s] * count + start * width
                    column = raw[begin : begin + size * width]
                    if width == 1:
                        if signed:
                            for k in range(size):
                                column[k] = np.uint8(np.int64(source[k] << up) >> right)
                        else:
                            for k in range(size):
                                column[k] = np.uint8((source[k] << up) >> down)
                    elif width == 2:
                        column16 = column.view(np.uint16)
                        if signed:
                            for k in range(size):
                                column16[k] = np.uint16(np.int64(source[k] << up) >> right)
                        else:
                            for k in range(size):
                                column16[k] = np.uint16((source[k] << up) >> down)
                    elif width == 4:
                        column32 = column.view(np.uint32)
                        if signed:
                            for k in range(size):
                                column32[k] = np.uint32(np.int64(source[k] << up) >> right)
                        else:
                            for k in range(size):
                                column32[k] = np.uint32((source[k] << up) >> down)
                    else:
                        column64 = column.view(np.uint64)
                        if signed:
                            for k in range(size):
                                column64[k] = np.uint64(np.int64(source[k] << up) >> right)
                        else:
                            for k in range(size):
                                column64[k] = (source[k] << up) >> down
