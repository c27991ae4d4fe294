"""The kernel of the text formats: runs the patterns of `line_steps` over many lines in one pass.

One kernel serves every format, since a pattern is data: a table of numbers (`line_program`). It is one function,
because calls would not compile through an injected jit.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ingest.logs.candump_kernel import HEX_VALUE, MAX_BUSES
from ingest.logs.line_cutter import MAX_LINE_BYTES
from ingest.logs.line_steps import FD_LENGTHS, LEAST_PACKET_BYTES, MAX_ID

_FD_LENGTHS = np.array(FD_LENGTHS, np.int64)
_MAX_BUSES, _MAX_LINE_BYTES, _MAX_ID = MAX_BUSES, MAX_LINE_BYTES, MAX_ID
_LEAST_PACKET = LEAST_PACKET_BYTES

CHARACTER = np.zeros(256, np.uint8)
"""Bits of a byte: 1 word or point (there is no edge before it), 2 blank, 4 letter (with 1)."""
for _byte in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.":
    CHARACTER[_byte] |= 1
for _byte in b" \t":
    CHARACTER[_byte] |= 2
for _byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":
    CHARACTER[_byte] |= 4
SIXTY_FOUR = np.full(256, -1, np.int8)
"""Base 64 digit -> its value, -1 where it is none."""
for _place, _byte in enumerate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):
    SIXTY_FOUR[_byte] = _place


class Carried(IntEnum):
    """Places in the numbers that the kernel carries from call to call; those from PLACE on begin anew with each piece."""

    LAST_NS = 0
    BUSES = 1
    LINE = 2
    PLACE = 3
    FRAMES = 4
    BAD = 5
    ARENA = 6
    TIMELESS = 7
    MENDED = 8
    CONTROL_START = 9
    CONTROL_END = 10
    ENDING = 11


def scan_lines(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    text: NDArray[np.uint8],
    ends: NDArray[np.int64],
    steps: NDArray[np.int64],
    starts: NDArray[np.int64],
    literals: NDArray[np.uint8],
    control: NDArray[np.bool_],
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
) -> bool:
    """Parse the lines of `text`, which end at `ends`, from line `carried[ENDING]` at `carried[PLACE]` on; the first pattern that fits a line reads it.

    `control` tells by a line's first byte that it may change how the next ones are read: after such a line the kernel stops,
    with its place in `carried`. The columns `time_ns` … `arena` are filled from the front, and `bad` with rows of (line, start,
    end, frames before it).

    Returns:
        whether the text is done; False after a control line.
    """
    patterns = len(starts) - 1
    last_ns, buses, line = carried[0], carried[1], carried[2]
    start, frames, bad_lines, arena_used = carried[3], carried[4], carried[5], carried[6]
    done = True
    for ending in range(carried[11], len(ends)):
        end = ends[ending]
        line += 1
        first = start
        start = end + 1
        stop = end
        while stop > first and (CHARACTER[text[stop - 1]] == 2 or text[stop - 1] == 13):
            stop -= 1
        begin = first
        while begin < stop and CHARACTER[text[begin]] == 2:
            begin += 1
        if begin == stop:
            continue
        if control[text[begin]] and end - first <= _MAX_LINE_BYTES:
            carried[9], carried[10], carried[11] = begin, stop, ending + 1
            done = False
            break
        good = False
        flag = np.int64(0)
        n = np.int64(0)
        count = np.int64(0)
        identifier = np.int64(0)
        extended = False
        value = np.uint64(0)
        stamp = np.int64(0)
        has_stamp = False
        mended = np.int64(0)
        bus_start = bus_size = np.int64(0)
        fixed_bus = False
        pattern = 0
        if end - first > _MAX_LINE_BYTES:
            pattern = patterns
        while pattern < patterns and not good:
            p = begin
            flag = n = count = identifier = mended = np.int64(0)
            kept = np.int64(0)
            extended = has_stamp = fixed_bus = False
            value = np.uint64(0)
            bus_size = np.int64(0)
            pc = starts[pattern]
            pattern_end = starts[pattern + 1]
            spare = np.int64(-1)
            spare_p = p
            good = True
            while pc < pattern_end:
                op, a, b, c = steps[pc, 0], steps[pc, 1], steps[pc, 2], steps[pc, 3]
                if pc == spare:
                    spare = np.int64(-1)
                fits = True
                edge = False
                if steps[pc, 4] != 0:
                    q = p
                    while p < stop and (text[p] == 32 or text[p] == 9):
                        p += 1
                    fits = p > q
                pc += 1
                if not fits:
                    pass
                elif op == 0:  # GAP
                    q = p
                    while p < stop and CHARACTER[text[p]] == 2:
                        p += 1
                    fits = p - q >= a
                elif op == 1:  # LITERAL
                    fits = p + b <= stop
                    if fits:
                        for k in range(b):
                            byte = np.int64(text[p + k])
                            if 65 <= byte <= 90:
                                byte += 32
                            if byte != literals[a + k]:
                                fits = False
                                break
                    if fits:
                        p += b
                elif op == 2:  # STAMP
                    negative = p < stop and text[p] == 45
                    if negative:
                        p += 1
                    whole = np.int64(0)
                    q = p
                    while p < stop and 48 <= text[p] <= 57 and p - q < 18:
                        whole = whole * 10 + (np.int64(text[p]) - 48)
                        p += 1
                    fits = p > q and whole < c
                    if fits:
                        whole *= a
                        if p < stop and (text[p] == 46 or (b == 1 and text[p] == 44)):
                            p += 1
                            scale = np.uint64(a) // np.uint64(10)
                            while p < stop and 48 <= text[p] <= 57:
                                whole += (np.int64(text[p]) - 48) * np.int64(scale)
                                scale //= np.uint64(10)
                                p += 1
                        if b == 1 and p < stop and text[p] == 44:
                            fits = False
                        stamp = -whole if negative else whole
                        has_stamp = True
                        edge = True
                elif op == 3:  # CLOCK
                    whole = np.int64(0)
                    for k in range(3):
                        q = p
                        part = np.int64(0)
                        while p < stop and 48 <= text[p] <= 57 and p - q < (3 if k == 0 else 2):
                            part = part * 10 + (np.int64(text[p]) - 48)
                            p += 1
                        if p == q or (k > 0 and part > 59):
                            fits = False
                            break
                        whole = whole * 60 + part
                        if k < 2:
                            if p >= stop or text[p] != 58:
                                fits = False
                                break
                            p += 1
                    if fits:
                        whole *= 1_000_000_000
                        if p + 1 < stop and (text[p] == 46 or text[p] == 44 or text[p] == 58) and 48 <= text[p + 1] <= 57:
                            colon = text[p] == 58
                            p += 1
                            q = p
                            fraction = np.int64(0)
                            while p < stop and 48 <= text[p] <= 57 and p - q < 9:
                                fraction = fraction * 10 + (np.int64(text[p]) - 48)
                                p += 1
                            # after a colon stand milliseconds, not always with their zeros
                            for _ in range(9 - max(p - q, 3 if colon else 1)):
                                fraction *= 10
                            whole += fraction
                        stamp = whole
                        has_stamp = True
                        edge = True
                elif op == 4:  # BUS
                    q = p
                    numeric = True
                    while p < stop and ((a == 0 and CHARACTER[text[p]] != 2) or (a != 0 and text[p] != a and text[p] != 34)):
                        p += 1
                    while p > q and text[p - 1] == 32:
                        p -= 1
                    for k in range(q, p):
                        numeric = numeric and 48 <= text[k] <= 57
                    fits = 0 < p - q <= 16 and (b == 0 or numeric)
                    if fits:
                        bus_start, bus_size = q, p - q
                        fixed_bus = False
                elif op == 5:  # FIXED_BUS
                    bus_start, bus_size = a, b
                    fixed_bus = True
                elif op == 6:  # ID
                    mangled = False
                    if b == 3 and p + 3 < stop and 49 <= text[p] <= 55 and text[p + 1] == 46 and text[p + 2] == 48:
                        q = p + 3
                        while q < stop and text[q] == 48:
                            q += 1
                        if q + 2 < stop and text[q] == 69 and text[q + 1] == 43:
                            q += 2
                            zeros = q
                            while q < stop and text[q] == 48:
                                q += 1
                            digit = np.int64(-1)
                            if q < stop and 48 <= text[q] <= 57:
                                digit = np.int64(text[q]) - 48
                                q += 1
                            elif q > zeros:
                                digit = np.int64(0)
                            if digit >= 0 and (q >= stop or CHARACTER[text[q]] & 1 == 0):
                                identifier = (np.int64(text[p]) - 48) * 256 + 0xE0 + digit
                                mangled = True
                                mended = np.int64(1)
                                p = q
                    if not mangled:
                        if (
                            b != 0
                            and c == 0
                            and p + 2 < stop
                            and text[p] == 48
                            and (text[p + 1] == 120 or text[p + 1] == 88)
                            and 0 <= HEX_VALUE[text[p + 2]] < a
                        ):
                            p += 2
                        q = p
                        identifier = np.int64(0)
                        while p < stop and 0 <= HEX_VALUE[text[p]] < a and p - q < (abs(c) if c != 0 else 8 if a == 16 else 10):
                            identifier = identifier * a + np.int64(HEX_VALUE[text[p]])
                            p += 1
                        fits = bool(p > q and identifier <= _MAX_ID and (c == 0 or p - q == abs(c)))
                        if (b == 1 and p - q > 4) or abs(c) == 8:
                            extended = True
                        if fits and b == 0 and p < stop and (text[p] == 120 or text[p] == 88):
                            extended = True
                            p += 1
                        edge = c >= 0
                elif op == 7:  # WAY
                    byte = np.int64(text[p]) | 32 if p < stop else np.int64(0)
                    fits = byte == 114 or byte == 116 or byte == 105 or byte == 111
                    if fits:
                        if byte == 116 or byte == 111:
                            flag |= 8
                        while p < stop and CHARACTER[text[p]] & 4 != 0:
                            p += 1
                        edge = True
                elif op == 8:  # LENGTH
                    q = p
                    n = np.int64(0)
                    while p < stop and 0 <= HEX_VALUE[text[p]] < a and p - q < 2:
                        n = n * a + np.int64(HEX_VALUE[text[p]])
                        p += 1
                    fits = bool(p > q and n <= (15 if b == 0 or b == 2 else 64))
                    if fits:
                        if b == 2:
                            n = _FD_LENGTHS[n]
                        elif b != 1 and 8 < n <= 15:
                            n = np.int64(8)
                    else:
                        n = np.int64(0)
                    edge = True
                elif op == 9 or op == 10:  # DATA, ALL_DATA
                    wanted = n if op == 9 else np.int64(65)
                    if flag & 1 != 0:
                        wanted = np.int64(0)
                    if a == 32 and c == 16 and b == 1 and flag & 128 == 0 and p + 1 < stop and text[p] == 32:
                        # what nearly all data look like: up to eight times a space and two digits, tested together
                        while p + 1 < stop and text[p] == 32 and text[p + 1] == 32 and wanted > 0:
                            p += 1
                        if 0 < wanted <= 8 and p + 3 * wanted <= stop:
                            wrong = np.int64(0)
                            together = np.uint64(0)
                            place = np.uint64(p)  # unsigned: an index that might be negative costs a test each time
                            for k in range(wanted):
                                high, low = HEX_VALUE[text[place + np.uint64(1)]], HEX_VALUE[text[place + np.uint64(2)]]
                                digits = np.int64(high) * 16 | np.int64(low)
                                wrong |= digits | (np.int64(text[place]) ^ 32) << 8
                                together |= np.uint64(digits & 255) << np.uint64(8 * k)
                                place += np.uint64(3)
                            after = p + 3 * wanted
                            if 0 <= wrong <= 255 and (after == stop or CHARACTER[text[after]] == 2):
                                value, count, p = together, wanted, after
                    if a == 32 and c == 16 and (b == 1 or count > 0):
                        # longer data one by one
                        while count < wanted and p + 1 < stop and text[p] == 32 and text[p + 1] == 32:
                            p += 1
                        while count < wanted and p + 2 < stop and text[p] == 32:
                            high, low = HEX_VALUE[text[p + 1]], HEX_VALUE[text[p + 2]]
                            if high < 0 or low < 0 or (p + 3 < stop and CHARACTER[text[p + 3]] != 2):
                                break
                            byte = np.int64(high) * 16 + np.int64(low)
                            if count < 8:
                                value |= np.uint64(byte) << np.uint64(8 * count)
                            arena[arena_used + count] = byte
                            count += 1
                            p += 3
                    while count < wanted:
                        q = p
                        byte_fits = True
                        if b == 1 or count > 0:
                            if a == 32:
                                while q < stop and CHARACTER[text[q]] == 2:
                                    q += 1
                                byte_fits = q > p
                            elif a != 0:
                                if q < stop and text[q] == 34:
                                    q += 1
                                while q < stop and text[q] == 32:
                                    q += 1
                                byte_fits = q < stop and text[q] == a
                                q += 1
                                while q < stop and text[q] == 32:
                                    q += 1
                                if q < stop and text[q] == 34:
                                    q += 1
                        if (
                            byte_fits
                            and a != 0
                            and q + 2 < stop
                            and text[q] == 48
                            and (text[q + 1] == 120 or text[q + 1] == 88)
                            and 0 <= HEX_VALUE[text[q + 2]] < c
                        ):
                            q += 2
                        digits = q
                        byte = np.int64(0)
                        most = 2 if c == 16 else 3
                        while byte_fits and q < stop and 0 <= HEX_VALUE[text[q]] < c and q - digits < most:
                            byte = byte * c + np.int64(HEX_VALUE[text[q]])
                            q += 1
                        if a == 0:
                            byte_fits = byte_fits and q - digits == 2
                        else:
                            byte_fits = bool(byte_fits and q > digits and byte <= 255)
                            byte_fits = byte_fits and (q >= stop or CHARACTER[text[q]] & 1 == 0)
                        if not byte_fits:
                            break
                        if count < 8:
                            value |= np.uint64(byte) << np.uint64(8 * count)
                        arena[arena_used + count] = byte
                        count += 1
                        p = q
                    if op == 9:
                        fits = count == wanted
                    elif flag & 1 == 0:
                        fits = bool(count <= 64 and (flag & 128 == 0 or count >= _LEAST_PACKET))
                        n = count
                elif op == 11:  # BASE64
                    bits = np.int64(0)
                    kept_bits = np.int64(0)
                    q = p
                    while p < stop and SIXTY_FOUR[text[p]] >= 0:
                        bits = ((bits << 6) | np.int64(SIXTY_FOUR[text[p]])) & 0xFFFF
                        kept_bits += 6
                        p += 1
                        if kept_bits >= 8 and count < 65:
                            kept_bits -= 8
                            byte = (bits >> kept_bits) & 0xFF
                            if count < 8:
                                value |= np.uint64(byte) << np.uint64(8 * count)
                            arena[arena_used + count] = byte
                            count += 1
                    pads = 0
                    while p < stop and text[p] == 61 and pads < 2:
                        pads += 1
                        p += 1
                    fits = bool((p - q) % 4 == 0 and count <= 64 and (flag & 1 == 0 or p == q))
                    if flag & 1 == 0:
                        n = count
                elif op == 12:  # REST
                    fits = p >= stop or CHARACTER[text[p]] == 2 or text[p] == 34 or text[p] == a
                    p = stop
                elif op == 13:  # END
                    while p < stop and CHARACTER[text[p]] == 2:
                        p += 1
                    fits = p >= stop
                elif op == 14:  # FLAG
                    flag |= a
                elif op == 15:  # WORD
                    q = p
                    while p < stop and ((a == 0 and CHARACTER[text[p]] != 2) or (a != 0 and text[p] != a)):
                        p += 1
                    fits = a != 0 or p > q
                elif op == 16:  # NUMBER
                    q = p
                    number = np.int64(0)
                    while p < stop and 0 <= HEX_VALUE[text[p]] < a and p - q < 9:
                        number = number * a + np.int64(HEX_VALUE[text[p]])
                        p += 1
                    fits = p > q and number <= b
                    kept = number
                    edge = True
                elif op == 17:  # TRUTH
                    byte = np.int64(text[p]) if p < stop else np.int64(0)
                    low = byte | 32
                    if (
                        byte == 49
                        or byte == 48
                        or low == 116
                        or low == 121
                        or low == 120
                        or low == 102
                        or low == 110
                        or low == 115
                    ):
                        p += 1
                        while p < stop and CHARACTER[text[p]] & 4 != 0:
                            p += 1
                        if byte == 49 or low == 116 or low == 121 or low == 120:
                            flag |= a
                            extended = extended or a == 0
                    edge = True
                elif op == 18:  # SEPARATOR
                    if p < stop and text[p] == 34:
                        p += 1
                    while p < stop and text[p] == 32:
                        p += 1
                    fits = p < stop and text[p] == a
                    p += 1
                    while p < stop and text[p] == 32:
                        p += 1
                    if p < stop and text[p] == 34:
                        p += 1
                elif op == 19:  # OPTIONAL
                    spare = pc + a
                    spare_p = p
                elif op == 20:  # REMOTE_IF_EMPTY
                    if n == 0 and kept > 0:
                        flag |= 1
                        n = min(kept, np.int64(8))
                elif op == 22:  # BUS_DIGIT
                    fits = p < stop and 48 <= text[p] <= 57
                    if fits:
                        bus_start, bus_size = p, np.int64(1)
                        fixed_bus = False
                        p += 1
                elif op == 23:  # EXTENDED
                    extended = True
                else:  # ID_BYTES
                    identifier = np.int64(0)
                    for k in range(4):
                        q = p
                        while k > 0 and p < stop and CHARACTER[text[p]] == 2:
                            p += 1
                        if (k > 0 and p == q) or p + 1 >= stop or HEX_VALUE[text[p]] < 0 or HEX_VALUE[text[p + 1]] < 0:
                            fits = False
                            break
                        byte = np.int64(HEX_VALUE[text[p]]) * 16 + np.int64(HEX_VALUE[text[p + 1]])
                        identifier = identifier * 256 + byte
                        p += 2
                    fits = bool(fits and identifier <= _MAX_ID)
                    extended = True
                    edge = True
                if edge and p < stop and CHARACTER[text[p]] & 1 != 0:
                    fits = False
                    if op == 8:
                        n = np.int64(0)
                if not fits:
                    if spare < 0:
                        good = False
                        break
                    pc, p = spare, spare_p
                    spare = np.int64(-1)
            pattern += 1
        row = -1
        if good:
            for k in range(buses):
                if bus_sizes[k] == bus_size:
                    same = True
                    for j in range(bus_size):
                        byte = np.int64(literals[bus_start + j]) if fixed_bus else np.int64(text[bus_start + j])
                        if bus_names[k, j] != byte:
                            same = False
                            break
                    if same:
                        row = k
                        break
            if row < 0 and buses < _MAX_BUSES:
                row = int(buses)
                for j in range(bus_size):
                    bus_names[row, j] = literals[bus_start + j] if fixed_bus else text[bus_start + j]
                bus_sizes[row] = bus_size
                buses += 1
        if row < 0:
            bad[bad_lines, 0], bad[bad_lines, 1], bad[bad_lines, 2], bad[bad_lines, 3] = line, first, end, frames
            bad_lines += 1
            continue
        if has_stamp:
            last_ns = stamp
        else:
            carried[7] += 1
        if extended or identifier > 0x7FF:
            identifier |= 0x8000_0000
        carried[8] += mended
        time_ns[frames] = last_ns
        bus[frames] = row
        can_id[frames] = identifier
        length[frames] = n
        flags[frames] = flag
        payload[frames] = value
        if count > 8 or flag & 128 != 0:
            arena_offset[frames] = arena_used
            arena_used += count
            if flag & 128 != 0:
                payload[frames] = np.uint64(count)
        frames += 1
    carried[0], carried[1], carried[2] = last_ns, buses, line
    carried[3], carried[4], carried[5], carried[6] = start, frames, bad_lines, arena_used
    return done
