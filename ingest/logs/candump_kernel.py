"""The candump kernel: one pass over the bytes of many lines. `candump_lines.parse_line` says the same in plain words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_BUSES = 256
BUS_NAME_BYTES = 16
"""Linux interface names have at most 15 bytes (IFNAMSIZ)."""
MAX_STAMP_NS = 9_000_000_000_000_000_000
FIRST_YEAR, LAST_YEAR = 1970, 2250
HEX_VALUE = np.full(256, -1, np.int8)
"""Byte -> value of the hexadecimal digit, -1 where it is none."""
for _digit in b"0123456789abcdefABCDEF":
    HEX_VALUE[_digit] = int(chr(_digit), 16)


def scan_candump(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    text: NDArray[np.uint8],
    hex_value: NDArray[np.int8],
    bus_names: NDArray[np.uint8],
    bus_sizes: NDArray[np.int64],
    carried: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    bus: NDArray[np.uint8],
    can_id: NDArray[np.uint32],
    length: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    payload: NDArray[np.uint64],
    arena_offset: NDArray[np.int64],
    arena: NDArray[np.uint8],
    bad: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Parse whole lines of `text` into columns.

    `hex_value` is `HEX_VALUE`. `bus_names` and `bus_sizes`, the table of bus names, grow in place. `carried` (last stamp,
    number of buses, number of lines) is brought up to date. The columns `time_ns` … `arena` are filled from the front
    (`arena_offset` comes filled with -1), and `bad` with rows of (line, start, end).

    Returns:
        frames, malformed lines, arena bytes, frames without a stamp.
    """
    frames = bad_lines = arena_used = timeless = 0
    last_ns, buses, line = carried[0], carried[1], carried[2]
    size = len(text)
    start = 0
    row = 0
    while start < size:
        # --- the commonest line, (seconds.micros) bus ID#DATA, perhaps with R or T behind it, without looking for its end first; all else goes the long way
        if start + 96 < size and text[start] == 40:
            p = start + 1
            whole = np.int64(0)
            while 48 <= text[p] <= 57 and p < start + 12:
                whole = whole * 10 + (np.int64(text[p]) - 48)
                p += 1
            if start + 1 < p < start + 12 and text[p] == 46 and whole < 9_000_000_000:
                point = p
                p += 1
                fraction = np.int64(0)
                while 48 <= text[p] <= 57 and p < point + 8:
                    fraction = fraction * 10 + (np.int64(text[p]) - 48)
                    p += 1
                if p == point + 7 and text[p] == 41 and text[p + 1] == 32 and row < buses:
                    p += 2
                    k = 0
                    # the bus of the line before, most of the time
                    while k < bus_sizes[row] and text[p + k] == bus_names[row, k]:
                        k += 1
                    if k == bus_sizes[row] and text[p + k] == 32:
                        p += k + 1
                        begin = p
                        identifier = np.int64(0)
                        while hex_value[text[p]] >= 0 and p < begin + 9:
                            identifier = identifier * 16 + np.int64(hex_value[text[p]])
                            p += 1
                        standard = p == begin + 3 and identifier <= 0x7FF
                        if text[p] == 35 and (standard or (p == begin + 8 and identifier < 0x2000_0000)):
                            p += 1
                            n = 0
                            value = np.uint64(0)
                            while n < 9:
                                high = hex_value[text[p]]
                                low = hex_value[text[p + 1]]
                                if high < 0 or low < 0:
                                    break
                                value |= np.uint64(np.int64(high) * 16 + np.int64(low)) << np.uint64(8 * (n & 7))
                                n += 1
                                p += 2
                            way = 0
                            if text[p] == 32 and (text[p + 1] == 82 or text[p + 1] == 84):
                                way = 8 if text[p + 1] == 84 else 0
                                p += 2
                            if n < 9 and (text[p] == 10 or (text[p] == 13 and text[p + 1] == 10)):
                                last_ns = whole * 1_000_000_000 + fraction * 1_000
                                time_ns[frames] = last_ns
                                bus[frames] = row
                                can_id[frames] = identifier if standard else identifier | 0x8000_0000
                                length[frames] = n
                                flags[frames] = way
                                payload[frames] = value
                                frames += 1
                                line += 1
                                start = p + 1 if text[p] == 10 else p + 2
                                continue
        end = start
        while end < size and text[end] != 10:
            end += 1
        line += 1
        next_start = end + 1
        stop = end
        while stop > start and (text[stop - 1] == 32 or text[stop - 1] == 9 or text[stop - 1] == 13):
            stop -= 1
        p = start
        while p < stop and (text[p] == 32 or text[p] == 9):
            p += 1
        if p == stop:
            start = next_start
            continue
        good = False
        flag = 0
        n = 0
        identifier = np.int64(0)
        value = np.uint64(0)
        spill = arena_used
        bus_start = bus_size = 0
        stamp = np.int64(-1)
        has_stamp = False
        while True:  # left by `break` at the first thing that is not right
            if end - start > 65_536:  # MAX_LINE_BYTES
                break
            # --- stamp: (seconds.fraction) or (YYYY-MM-DD hh:mm:ss.fraction)
            if text[p] == 40:
                p += 1
                while p < stop and (text[p] == 32 or text[p] == 9):
                    p += 1
                negative = p < stop and text[p] == 45
                if negative:
                    p += 1
                whole = np.int64(0)
                digits = 0
                while p < stop and 48 <= text[p] <= 57 and digits < 11:
                    whole = whole * 10 + (np.int64(text[p]) - 48)
                    p += 1
                    digits += 1
                if digits == 4 and not negative and p + 15 <= stop and text[p] == 45:
                    year = whole
                    dated = text[p + 3] == 45 and text[p + 6] == 32 and text[p + 9] == 58 and text[p + 12] == 58
                    for k in range(5):
                        for j in range(2):
                            dated = dated and 48 <= text[p + 1 + 3 * k + j] <= 57
                    if not dated:
                        break
                    month = (np.int64(text[p + 1]) - 48) * 10 + np.int64(text[p + 2]) - 48
                    day = (np.int64(text[p + 4]) - 48) * 10 + np.int64(text[p + 5]) - 48
                    hour = (np.int64(text[p + 7]) - 48) * 10 + np.int64(text[p + 8]) - 48
                    minute = (np.int64(text[p + 10]) - 48) * 10 + np.int64(text[p + 11]) - 48
                    second = (np.int64(text[p + 13]) - 48) * 10 + np.int64(text[p + 14]) - 48
                    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
                    month_days = 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31
                    if month == 2:
                        month_days = 29 if leap else 28
                    if not (1970 <= year <= 2250 and 1 <= month <= 12 and 1 <= day <= month_days):
                        break
                    if hour > 23 or minute > 59 or second > 59:
                        break
                    # days since 1970 of the civil calendar, the year taken to begin in March
                    y = year - 1 if month <= 2 else year
                    m = month + 9 if month <= 2 else month - 3
                    days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 1 - 719468
                    whole = ((days * 24 + hour) * 60 + minute) * 60 + second
                    p += 15
                elif digits < 1 or digits > 10 or whole > 9_000_000_000:
                    break
                fraction = np.int64(0)
                if p < stop and text[p] == 46:
                    p += 1
                    scale = np.int64(100_000_000)
                    while p < stop and 48 <= text[p] <= 57:
                        fraction += (np.int64(text[p]) - 48) * scale
                        scale //= 10
                        p += 1
                if p >= stop or text[p] != 41:
                    break
                p += 1
                stamp = whole * 1_000_000_000 + fraction
                if stamp > 9_000_000_000_000_000_000:
                    break
                if negative:
                    stamp = -stamp
                has_stamp = True
                while p < stop and (text[p] == 32 or text[p] == 9):
                    p += 1
            # --- bus name
            if p >= stop or text[p] == 40:
                break
            bus_start = p
            while p < stop and text[p] != 32 and text[p] != 9:
                p += 1
            bus_size = p - bus_start
            if bus_size > 16 or p >= stop:
                break
            while p < stop and (text[p] == 32 or text[p] == 9):
                p += 1
            # --- direction and two flags (candump -x)
            if (
                p + 2 < stop
                and (text[p] == 82 or text[p] == 84)
                and text[p + 1] == 88
                and (text[p + 2] == 32 or text[p + 2] == 9)
            ):
                if text[p] == 84:
                    flag |= 8
                p += 2
                tokens = 0
                while tokens < 2:
                    while p < stop and (text[p] == 32 or text[p] == 9):
                        p += 1
                    if p + 1 >= stop or (text[p + 1] != 32 and text[p + 1] != 9):
                        break
                    p += 1
                    tokens += 1
                if tokens < 2:
                    break
                while p < stop and (text[p] == 32 or text[p] == 9):
                    p += 1
            # --- identifier
            digits = 0
            number = np.int64(0)
            while p < stop and hex_value[text[p]] >= 0 and digits < 9:
                number = number * 16 + np.int64(hex_value[text[p]])
                p += 1
                digits += 1
            if digits < 1 or digits > 8 or p >= stop:
                break
            if digits == 8:
                if number >= 0x4000_0000:
                    break
                if number & 0x2000_0000:
                    flag |= 2
                    identifier = number & 0x1FFF_FFFF
                else:
                    identifier = number | 0x8000_0000
            elif number <= 0x7FF:
                identifier = number
            elif digits <= 3:
                break
            else:
                identifier = number | 0x8000_0000
            # --- data, compact form
            if text[p] == 35:
                p += 1
                most = 8
                if p < stop and text[p] == 82:
                    flag |= 1
                    p += 1
                    if p < stop and 48 <= text[p] <= 56:
                        n = int(text[p]) - 48
                        p += 1
                else:
                    if p < stop and text[p] == 35:
                        if p + 1 >= stop or hex_value[text[p + 1]] < 0:
                            break
                        flag |= 4
                        most = 64
                        p += 2
                    while p + 1 < stop and hex_value[text[p]] >= 0 and hex_value[text[p + 1]] >= 0 and n <= most:
                        byte = np.int64(hex_value[text[p]]) * 16 + np.int64(hex_value[text[p + 1]])
                        if n < 8:
                            value |= np.uint64(byte) << np.uint64(8 * n)
                        arena[spill + n] = byte
                        n += 1
                        p += 2
                    if n > most:
                        break
                if p < stop:
                    if text[p] != 32 and text[p] != 9:
                        break
                    while p < stop and (text[p] == 32 or text[p] == 9):
                        p += 1
                    if p != stop - 1 or (text[p] != 82 and text[p] != 84):
                        break
                    if text[p] == 84:
                        flag |= 8
                good = True
                break
            # --- data, terminal form: [n] and n spaced bytes; whatever follows is a column for people
            if text[p] != 32 and text[p] != 9:
                break
            while p < stop and (text[p] == 32 or text[p] == 9):
                p += 1
            if p >= stop or text[p] != 91:
                break
            p += 1
            digits = 0
            while p < stop and 48 <= text[p] <= 57 and digits < 3:
                n = n * 10 + int(text[p]) - 48
                p += 1
                digits += 1
            if digits < 1 or digits > 2 or p >= stop or text[p] != 93:
                break
            p += 1
            if digits == 2:
                flag |= 4
            if n > (64 if digits == 2 else 8) or (p < stop and text[p] != 32 and text[p] != 9):
                break
            q = p
            while q < stop and (text[q] == 32 or text[q] == 9):
                q += 1
            # "remote request"
            if (
                q + 14 <= stop and text[q] == 114 and text[q + 1] == 101 and text[q + 2] == 109 and text[q + 3] == 111
                and text[q + 4] == 116 and text[q + 5] == 101 and text[q + 6] == 32 and text[q + 7] == 114
                and text[q + 8] == 101 and text[q + 9] == 113 and text[q + 10] == 117 and text[q + 11] == 101
                and text[q + 12] == 115 and text[q + 13] == 116
                and (q + 14 == stop or text[q + 14] == 32 or text[q + 14] == 9)
            ):  # fmt: skip
                flag |= 1
                good = True
                break
            k = 0
            while k < n:
                if p >= stop or (text[p] != 32 and text[p] != 9):
                    break
                while p < stop and (text[p] == 32 or text[p] == 9):
                    p += 1
                if p + 1 >= stop or hex_value[text[p]] < 0 or hex_value[text[p + 1]] < 0:
                    break
                byte = np.int64(hex_value[text[p]]) * 16 + np.int64(hex_value[text[p + 1]])
                if k < 8:
                    value |= np.uint64(byte) << np.uint64(8 * k)
                arena[spill + k] = byte
                p += 2
                k += 1
            good = k == n and (p >= stop or text[p] == 32 or text[p] == 9)
            break
        row = -1
        if good:
            # --- bus table
            for k in range(buses):
                if bus_sizes[k] == bus_size:
                    same = True
                    for j in range(bus_size):
                        if bus_names[k, j] != text[bus_start + j]:
                            same = False
                            break
                    if same:
                        row = k
                        break
            if row < 0 and buses < 256:
                row = buses
                for j in range(bus_size):
                    bus_names[row, j] = text[bus_start + j]
                bus_sizes[row] = bus_size
                buses += 1
        if row < 0:
            bad[bad_lines, 0] = line
            bad[bad_lines, 1] = start
            bad[bad_lines, 2] = end
            bad_lines += 1
            start = next_start
            row = 0
            continue
        if has_stamp:
            last_ns = stamp
        else:
            timeless += 1
        time_ns[frames] = last_ns
        bus[frames] = row
        can_id[frames] = identifier
        length[frames] = n
        flags[frames] = flag
        payload[frames] = value
        if n > 8 and not flag & 1:
            arena_offset[frames] = spill
            arena_used += n
        frames += 1
        start = next_start
    carried[0], carried[1], carried[2] = last_ns, buses, line
    return frames, bad_lines, arena_used, timeless
