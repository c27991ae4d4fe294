"""Decode kernels: self-contained loops over arrays, compiled through an injected jit. `ingest.columns` gives the same values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def match_frames(
    can_id: NDArray[np.uint32],
    length: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    vehicle: NDArray[np.int32],
    bus: NDArray[np.uint8],
    vehicle_ok: NDArray[np.bool_],
    bus_ok: NDArray[np.bool_],
    standard: NDArray[np.int32],
    extended_slots: NDArray[np.uint32],
    extended_messages: NDArray[np.int32],
    group_slots: NDArray[np.uint32],
    group_messages: NDArray[np.int32],
    masked: NDArray[np.uint32],
    min_bytes: NDArray[np.int64],
    message: NDArray[np.int32],
    count: NDArray[np.int64],
    short: NDArray[np.int64],
) -> None:
    """Message number of every frame into `message` (-1 none); per message, frames into `count`, too short ones into `short`."""
    for i in range(len(can_id)):
        found = np.int32(-1)
        # remote and error frames, and what is no CAN frame (`columns.NO_SIGNALS`), carry no signals
        if flags[i] & 0xF3 == 0 and vehicle_ok[vehicle[i]] and bus_ok[bus[i]]:
            identifier = can_id[i]
            if identifier & 0x8000_0000 == 0:
                found = standard[identifier & 0x7FF]
            else:
                last = len(extended_slots) - 1
                slot = np.int64((np.uint64(identifier) * np.uint64(0x9E3779B1)) >> np.uint64(15)) & last
                while extended_slots[slot] != 0xFFFF_FFFF and extended_slots[slot] != identifier:
                    slot = (slot + 1) & last
                found = extended_messages[slot]
                if found < 0:
                    for k in range(len(masked)):
                        if identifier & masked[k, 0] == masked[k, 1]:
                            found = np.int32(masked[k, 2])
                if found < 0:
                    group = (identifier >> 8) & 0x3FFFF
                    if (identifier >> 16) & 0xFF < 240:
                        group = group & 0x3FF00
                    last = len(group_slots) - 1
                    slot = np.int64((np.uint64(group) * np.uint64(0x9E3779B1)) >> np.uint64(15)) & last
                    while group_slots[slot] != 0xFFFF_FFFF and group_slots[slot] != group:
                        slot = (slot + 1) & last
                    found = group_messages[slot]
        message[i] = found
        if found >= 0:
            count[found] += 1
            if length[i] < min_bytes[found]:
                short[found] += 1


def group_frames(
    message: NDArray[np.int32],
    place: NDArray[np.int64],
    by_pgn: NDArray[np.bool_],
    time_ns: NDArray[np.int64],
    vehicle: NDArray[np.int32],
    can_id: NDArray[np.uint32],
    length: NDArray[np.uint8],
    payload: NDArray[np.uint64],
    with_vehicle: bool,
    with_source: bool,
    out_frame: NDArray[np.int64],
    out_time_ns: NDArray[np.int64],
    out_vehicle: NDArray[np.int32],
    out_source: NDArray[np.int16],
    out_length: NDArray[np.uint8],
    out_payload: NDArray[np.uint64],
) -> None:
    """Put the columns in order of message, keeping the order of frames within it.

    `place` is where each message begins, -1 for messages left out. Without `with_vehicle` or `with_source` that column is
    left alone: what is the same for every frame need not be written.
    """
    for i in range(len(message)):
        m = message[i]
        if m >= 0 and place[m] >= 0:
            k = place[m]
            place[m] = k + 1
            out_frame[k] = i
            out_time_ns[k] = time_ns[i]
            if with_vehicle:
                out_vehicle[k] = vehicle[i]
            if with_source:
                out_source[k] = np.int16(can_id[i] & 0xFF) if by_pgn[m] else np.int16(-1)
            out_length[k] = length[i]
            out_payload[k] = payload[i]


def decode_messages(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    messages: NDArray[np.int64],
    frame_start: NDArray[np.int64],
    frame_count: NDArray[np.int64],
    value_start: NDArray[np.int64],
    valid_start: NDArray[np.int64],
    payload: NDArray[np.uint64],
    length: NDArray[np.uint8],
    signal_start: NDArray[np.int64],
    row: NDArray[np.int64],
    up: NDArray[np.uint64],
    down: NDArray[np.uint64],
    big_endian: NDArray[np.bool_],
    signed: NDArray[np.bool_],
    narrow: NDArray[np.bool_],
    scale: NDArray[np.float64],
    offset: NDArray[np.float64],
    parent: NDArray[np.int64],
    end_bit: NDArray[np.int64],
    raw_max: NDArray[np.uint64],
    limited: bool,
    range_start: NDArray[np.int64],
    ranges: NDArray[np.float64],
    values: NDArray[np.float64],
    valid: NDArray[np.bool_],
    unavailable: NDArray[np.int64],
) -> None:
    """Decode grouped frames: per message a matrix of (signal row, frame) in `values`, and in `valid` where `valid_start` >= 0.

    `limited` applies `raw_max`; values above it are counted per message in `unavailable`. What is not valid is NaN.
    """
    swapped = np.empty(512, np.uint64)
    word = np.empty(512, np.uint64)
    for j in range(len(messages)):
        m = messages[j]
        n = frame_count[j]
        base = value_start[j]
        first_signal, last_signal = signal_start[m], signal_start[m + 1]
        any_big = False
        for s in range(first_signal, last_signal):
            any_big = any_big or big_endian[s]
        for start in range(0, n, 512):
            size = min(512, n - start)
            at = frame_start[j] + start
            for k in range(size):
                word[k] = payload[at + k]
            if any_big:
                for k in range(size):
                    w = word[k]
                    w = ((w >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)) | (
                        (w & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)
                    )
                    w = ((w >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)) | (
                        (w & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
                    )
                    swapped[k] = (w >> np.uint64(32)) | (w << np.uint64(32))
            for s in range(first_signal, last_signal):
                source = swapped if big_endian[s] else word
                column = base + row[s] * n + start
                left, right, factor, addend = up[s], down[s], scale[s], offset[s]
                # 32-bit integers convert to float64 several at a time, 64-bit ones do not
                if narrow[s]:
                    if signed[s]:
                        for k in range(size):
                            raw = np.int32(np.int64(source[k] << left) >> np.int64(right))
                            values[column + k] = np.float64(raw) * factor + addend
                    else:
                        for k in range(size):
                            raw = np.int32((source[k] << left) >> right)
                            values[column + k] = np.float64(raw) * factor + addend
                elif signed[s]:
                    for k in range(size):
                        values[column + k] = np.float64(np.int64(source[k] << left) >> np.int64(right)) * factor + addend
                else:
                    for k in range(size):
                        values[column + k] = np.float64((source[k] << left) >> right) * factor + addend
            if valid_start[j] < 0:
                continue
            # what is there: long enough, and on the branch that the selector names
            for s in range(first_signal, last_signal):
                here = valid_start[j] + row[s] * n + start
                if parent[s] < 0:
                    for k in range(size):
                        valid[here + k] = end_bit[s] <= 8 * np.int64(length[at + k])
                else:
                    p = first_signal + parent[s]
                    above = valid_start[j] + row[p] * n + start
                    selector = base + row[p] * n + start
                    for k in range(size):
                        present = False
                        if valid[above + k] and end_bit[s] <= 8 * np.int64(length[at + k]):
                            chosen = np.trunc(values[selector + k])
                            for r in range(range_start[s], range_start[s + 1]):
                                if ranges[r, 0] <= chosen <= ranges[r, 1]:
                                    present = True
                        valid[here + k] = present
            for s in range(first_signal, last_signal):
                here = valid_start[j] + row[s] * n + start
                column = base + row[s] * n + start
                if limited and raw_max[s] != np.uint64(0xFFFFFFFFFFFFFFFF):
                    source = swapped if big_endian[s] else word
                    for k in range(size):
                        if valid[here + k] and (source[k] << up[s]) >> down[s] > raw_max[s]:
                            valid[here + k] = False
                            unavailable[m] += 1
                for k in range(size):
                    if not valid[here + k]:
                        values[column + k] = np.nan
