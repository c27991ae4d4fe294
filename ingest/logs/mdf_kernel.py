"""Where the records of an unsorted MDF 4 data group begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VARIABLE = -1
UNKNOWN = -2
MOST_VARIABLE_BYTES = 1 << 20


def scan_records(
    data: NDArray[np.uint8],
    at: int,
    size: int,
    id_bytes: int,
    group_of: NDArray[np.int16],
    record_bytes: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    group: NDArray[np.int16],
) -> tuple[int, int, bool]:
    """Walk records from byte `at` to `size`: a record id of `id_bytes`, then `record_bytes` of the group it belongs to.

    `group_of` is by record id, UNKNOWN where there is none. Groups of VARIABLE size have four bytes of length before their
    content. `start` and `length` (of the content) and `group` are filled from the front.

    Returns:
        records, bytes used, whether it ended at something that is no record.
    """
    found = 0
    p = np.int64(at)
    while p + id_bytes <= size:
        number = np.int64(0)
        for k in range(id_bytes):
            number |= np.int64(data[p + k]) << (8 * k)
        if number < 0 or number >= len(group_of) or group_of[number] == -2:
            return found, int(p), True
        which = group_of[number]
        begin = p + id_bytes
        whole = record_bytes[which]
        if whole < 0:
            if begin + 4 > size:
                break
            whole = (
                np.int64(data[begin])
                | np.int64(data[begin + 1]) << 8
                | np.int64(data[begin + 2]) << 16
                | np.int64(data[begin + 3]) << 24
            )
            if whole > 1048576:
                return found, int(p), True
            begin += 4
        if begin + whole > size:
            break
        start[found] = begin
        length[found] = whole
        group[found] = which
        found += 1
        p = begin + whole
    return found, int(p), False
