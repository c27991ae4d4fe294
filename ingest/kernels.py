"""Decode kernels: self-contained loops over arrays, compiled through an injected jit. `ingest.columns` gives the same values.

A slice such as `out = values[a:b]` before a loop is not for the looks: compilers turn `out[k]` into vector instructions, but not
`values[a + k]`, where the index might be negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def group_frames(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    can_id: NDArray[np.uint32],
    length: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    vehicle: NDArray[np.int32],
    bus: NDArray[np.uint8],
    vehicle_ok: NDArray[np.bool_],
    bus_ok: NDArray[np.bool_],
    everybody: bool,
    standard: NDArray[np.int32],
    extended_slots: NDArray[np.uint32],
    extended_messages: NDArray[np.int32],
    group_slots: NDArray[np.uint32],
    group_messages: NDArray[np.int32],
    masked: NDArray[np.uint32],
    messages: NDArray[Any],
    message: NDArray[np.int32],
    count: NDArray[np.int64],
    short: NDArray[np.int64],
    order: NDArray[np.int64],
    payload: NDArray[np.uint64],
    words: NDArray[np.uint64],
) -> None:
    """Message number of every frame into `message` (m: none), the frames of each message, in their order, into `order`.

    `words` gets the payloads in that order.

    Per message, frames into `count` (m + 1 long), too short ones into `short` (m long). `everybody`: every vehicle and bus is ok.
    """
    n = len(can_id)
    none = len(messages)
    # most batches hold data frames with 11-bit identifiers alone; only a loop without branches does several at a time
    seen = np.uint32(0)
    odd = np.uint8(0)
    for i in range(n):
        identifier = can_id[i]
        message[i] = standard[identifier & np.uint32(0x7FF)]
        seen |= identifier
    for i in range(n):
        odd |= flags[i]
    # remote and error frames, and what is no CAN frame (`columns.NO_SIGNALS`), carry no signals
    if not everybody or odd & np.uint8(0xF3) != 0 or seen & np.uint32(0x8000_0000) != 0:
        # few identifiers come again and again: what was looked up is remembered, by a hash of the identifier
        memo_id = np.zeros(4096, np.uint32)
        memo_message = np.full(4096, none, np.int32)
        for i in range(n):
            found = np.int32(none)
            if flags[i] & 0xF3 == 0 and vehicle_ok[vehicle[i]] and bus_ok[bus[i]]:
                identifier = can_id[i]
                if identifier & 0x8000_0000 == 0:
                    found = standard[identifier & 0x7FF]
                else:
                    at = (np.uint64(identifier) * np.uint64(0x9E3779B1) >> np.uint64(20)) & np.uint64(4095)
                    if memo_id[at] == identifier:
                        found = memo_message[at]
                    else:
                        last = len(extended_slots) - 1
                        slot = np.int64((np.uint64(identifier) * np.uint64(0x9E3779B1)) >> np.uint64(15)) & last
                        while extended_slots[slot] != 0xFFFF_FFFF and extended_slots[slot] != identifier:
                            slot = (slot + 1) & last
                        found = extended_messages[slot]
                        if found == none:
                            for k in range(len(masked)):
                                if identifier & masked[k, 0] == masked[k, 1]:
                                    found = np.int32(masked[k, 2])
                        if found == none:
                            group = (identifier >> 8) & 0x3FFFF
                            if (identifier >> 16) & 0xFF < 240:
                                group = group & 0x3FF00
                            last = len(group_slots) - 1
                            slot = np.int64((np.uint64(group) * np.uint64(0x9E3779B1)) >> np.uint64(15)) & last
                            while group_slots[slot] != 0xFFFF_FFFF and group_slots[slot] != group:
                                slot = (slot + 1) & last
                            found = group_messages[slot]
                        memo_id[at], memo_message[at] = identifier, found
            message[i] = found
    needed = np.zeros(none + 1, np.int32)
    most = np.int32(0)
    for m in range(none):
        needed[m] = messages["min_bytes"][m]
        most = max(most, needed[m])
    least = np.uint8(255)
    for i in range(n):
        least = min(least, length[i])
    if np.int32(least) < most:
        too_short = False
        for i in range(n):
            too_short |= np.int32(length[i]) < needed[message[i]]
        if too_short:
            for i in range(n):
                if length[i] < needed[message[i]]:
                    short[message[i]] += 1
    # unsigned indices: one that might be negative costs a test each time
    for i in range(n):
        count[np.uint64(np.uint32(message[i]))] += 1
    place = np.zeros(none + 1, np.uint64)
    for m in range(none):
        place[m + 1] = place[m] + np.uint64(count[m])
    for i in range(n):
        number = np.uint64(np.uint32(message[i]))
        k = place[number]
        place[number] = k + np.uint64(1)
        order[k] = i
        words[k] = payload[i]


def place_messages(
    count: NDArray[np.int64],
    short: NDArray[np.int64],
    messages: NDArray[np.void],
    starts: NDArray[np.int64],
    numbers: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> None:
    """Room for the columns of what occurs, side by side, each message's raw columns on a cache line of their own.

    Args:
        count, short: as `group_frames` gives them. messages: MESSAGE_ROW[m].
        starts: int64[3, m], filled: where raw columns (bytes), validity (cells, -1 where all are valid) and values (cells) begin.
        numbers: int64[3, m], filled from the left: messages that occur, those of them where a value may be missing, the others.
        sizes: int64[6], filled: how many numbers of each kind; raw bytes, validity cells and value cells in all.
    """
    for k in range(6):
        sizes[k] = 0
    for m in range(len(messages)):
        starts[0, m], starts[1, m], starts[2, m] = sizes[3], -1, sizes[5]
        if not messages[m]["shown"] or count[m] == 0:
            continue
        numbers[0, sizes[0]] = m
        sizes[0] += 1
        cells = (messages[m]["last_signal"] - messages[m]["first_signal"]) * count[m]
        if messages[m]["certain"] and short[m] == 0:
            numbers[2, sizes[2]] = m
            sizes[2] += 1
        else:
            numbers[1, sizes[1]] = m
            sizes[1] += 1
            starts[1, m] = sizes[4]
            sizes[4] += cells
        sizes[3] += (messages[m]["frame_bytes"] * count[m] + 63) // 64 * 64
        sizes[5] += cells


def read_signals(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    chosen: NDArray[np.int64],
    first_frame: NDArray[np.int64],
    count: NDArray[np.int64],
    raw_start: NDArray[np.int64],
    valid_start: NDArray[np.int64],
    value_start: NDArray[np.int64],
    order: NDArray[np.int64],
    words: NDArray[np.uint64],
    length: NDArray[np.uint8],
    arena_offset: NDArray[np.int64],
    arena: NDArray[np.uint8],
    messages: NDArray[Any],
    signals: NDArray[Any],
    valid: NDArray[np.bool_],
    with_raw: bool,
    raw: NDArray[np.uint8],
    with_values: bool,
    values: NDArray[np.float64],
) -> None:
    """The signals of the `chosen` messages, as raw columns in `raw` or as physical values in `values`; not both are needed at once.

    Raw columns are not judged: bits past the payload are zero. Values form a matrix of (signal row, frame) per message; what is
    not valid is NaN; signals that are `by_hand` are left to the caller.
    """
    word = np.empty(512, np.uint64)
    swapped = np.empty(512, np.uint64)
    place = np.empty(512, np.int64)
    held = np.empty(512, np.uint8)
    for j in range(len(chosen)):
        m = chosen[j]
        first, last = messages["first_signal"][m], messages["last_signal"][m]
        for start in range(0, count[m], 512):
            size = min(512, count[m] - start)
            rows = order[first_frame[m] + start : first_frame[m] + start + size]
            loaded = np.int64(-1)
            shortest = np.int64(-1)
            is_swapped = False
            for s in range(first, last):
                window = signals["byte_offset"][s]
                if window != loaded:
                    loaded = window
                    is_swapped = False
                    if window == 0:
                        grouped = words[first_frame[m] + start : first_frame[m] + start + size]
                        for k in range(size):
                            word[k] = grouped[k]
                    else:
                        if shortest < 0:
                            # where the payloads lie, once for all windows of these frames
                            shortest = np.int64(255)
                            for k in range(size):
                                i = np.uint64(rows[k])
                                place[k] = arena_offset[i]
                                held[k] = length[i]
                                shortest = min(shortest, np.int64(length[i]) if place[k] >= 0 else np.int64(0))
                        if shortest >= window + 8:
                            for k in range(size):
                                # spelt out, it becomes one load
                                b = np.uint64(place[k] + window)
                                word[k] = (
                                    np.uint64(arena[b])
                                    | np.uint64(arena[b + np.uint64(1)]) << np.uint64(8)
                                    | np.uint64(arena[b + np.uint64(2)]) << np.uint64(16)
                                    | np.uint64(arena[b + np.uint64(3)]) << np.uint64(24)
                                    | np.uint64(arena[b + np.uint64(4)]) << np.uint64(32)
                                    | np.uint64(arena[b + np.uint64(5)]) << np.uint64(40)
                                    | np.uint64(arena[b + np.uint64(6)]) << np.uint64(48)
                                    | np.uint64(arena[b + np.uint64(7)]) << np.uint64(56)
                                )
                        else:
                            for k in range(size):
                                w = np.uint64(0)
                                if place[k] < 0:
                                    if window < 8:
                                        w = words[first_frame[m] + start + k] >> np.uint64(8 * window)
                                else:
                                    for c in range(min(8, np.int64(held[k]) - window)):
                                        w |= np.uint64(arena[place[k] + window + c]) << np.uint64(8 * c)
                                word[k] = w
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
                    begin = value_start[m] + signals["row"][s] * count[m] + start
                    out = values[begin : begin + size]
                    scale, offset = signals["scale"][s], signals["offset"][s]
                    # 32-bit integers convert to float64 several at a time on every processor, 64-bit ones on the newest
                    if down > 32:
                        if signed:
                            for k in range(size):
                                out[k] = np.float64(np.int32(np.int64(source[k] << up) >> right)) * scale + offset
                        else:
                            for k in range(size):
                                out[k] = np.float64(np.int32((source[k] << up) >> down)) * scale + offset
                    elif signed:
                        for k in range(size):
                            out[k] = np.float64(np.int64(source[k] << up) >> right) * scale + offset
                    else:
                        for k in range(size):
                            out[k] = np.float64((source[k] << up) >> down) * scale + offset
                    if signals["converted"][s]:
                        factor, addend = signals["path_scale"][s], signals["path_offset"][s]
                        for k in range(size):
                            out[k] = out[k] * factor + addend
                    if valid_start[m] >= 0:
                        begin = valid_start[m] + signals["row"][s] * count[m] + start
                        present = valid[begin : begin + size]
                        for k in range(size):
                            out[k] = out[k] if present[k] else np.nan
                if with_raw:
                    width = signals["width"][s]
                    begin = raw_start[m] + signals["column"][s] * count[m] + start * width
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
