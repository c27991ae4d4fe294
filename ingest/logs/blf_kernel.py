"""Where the objects of a BLF recording begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def scan_objects(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    data: NDArray[np.uint8],
    size: int,
    last: bool,
    body_bytes: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    head: NDArray[np.int64],
    kind: NDArray[np.int64],
    bad: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Walk the first `size` bytes of `data` from object to object; go on at the next "LOBJ" where they are damaged.

    `body_bytes` is, by kind below 256, the least size after the header of the kinds that are frames, -1 for others. The columns
    `start` (of "LOBJ"), `length`, `head` (header size) and `kind` are filled from the front, and `bad` with rows of (start, size)
    of what is no object. Unless this is the `last` of the file, an object that is not complete is left for the next call.

    Returns:
        objects, bad rows, bytes used.
    """
    found = bad_rows = 0
    p = 0
    unsound = -1  # where bytes that are no object began
    while p + 4 <= size:
        if data[p] != 76 or data[p + 1] != 79 or data[p + 2] != 66 or data[p + 3] != 74:
            if unsound < 0:
                unsound = p
            p += 1
            continue
        if p + 16 > size:
            if not last:
                break
            if unsound < 0:
                unsound = p
            p += 4
            continue
        head_bytes = int(data[p + 4]) | int(data[p + 5]) << 8
        version = int(data[p + 6]) | int(data[p + 7]) << 8
        whole = int(data[p + 8]) | int(data[p + 9]) << 8 | int(data[p + 10]) << 16 | int(data[p + 11]) << 24
        number = int(data[p + 12]) | int(data[p + 13]) << 8 | int(data[p + 14]) << 16 | int(data[p + 15]) << 24
        least = body_bytes[number] if number < 256 else -1
        if least >= 0:
            sound = 32 <= head_bytes <= 256 and 1 <= version <= 2 and head_bytes + least <= whole <= 1024
        else:
            sound = 16 <= head_bytes <= whole <= 4194304  # one that claims more is damaged
        if sound and p + whole > size:
            if not last:
                break
            sound = False
        after = p + whole
        if sound and after + 12 > size and not last:
            break  # whether another follows is seen with what comes next, wherever the data was cut
        if sound and after + 12 <= size:
            # whether another object follows, after at most 8 bytes of padding
            follows = False
            for k in range(9):
                q = after + k
                if data[q] == 76 and data[q + 1] == 79 and data[q + 2] == 66 and data[q + 3] == 74:
                    follows = True
                    break
            if not follows:
                if least < 0:
                    sound = False
                else:
                    # a frame is good all the same; its size may not be
                    after = p + head_bytes + least
        if not sound:
            if unsound < 0:
                unsound = p
            p += 4
            continue
        if unsound >= 0:
            padding = p - unsound < 9
            for q in range(unsound, p):
                padding = padding and data[q] == 0
            if not padding:
                bad[bad_rows, 0] = unsound
                bad[bad_rows, 1] = p - unsound
                bad_rows += 1
            unsound = -1
        start[found] = p
        length[found] = whole
        head[found] = head_bytes
        kind[found] = number
        found += 1
        p = after
    if last:
        if unsound < 0 and p < size:
            unsound = p
        p = size
    if unsound >= 0:
        padding = p - unsound < 9
        for q in range(unsound, p):
            padding = padding and data[q] == 0
        if not padding:
            bad[bad_rows, 0] = unsound
            bad[bad_rows, 1] = p - unsound
            bad_rows += 1
    return found, bad_rows, p
