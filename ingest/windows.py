"""The eight bytes that a signal is read from: chosen so that neighbours share them, and what tells of all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ingest.message_spec import SignalSpec
from ingest.mux import first_bit

WINDOW_BYTES = 8
WINDOW_ROW = np.dtype([("byte_offset", "i8"), ("low", "u8"), ("high", "u8"), ("addend", "u8")], align=True)
"""A window for the kernels; the first one of a message is at 0.

Of the limited signals in it (of a message that is `countable`), as fields of a little-endian word: all their bits but the highest
(low), the highest bits (high), and in each field what a raw value above its limit overflows with (addend).
"""


def window_offsets(signals: Sequence[SignalSpec], payload_bytes: int) -> list[int]:
    """Of each signal the first of its eight bytes, in as few windows as will do; these lie within the payload where they can.

    A signal that no eight bytes hold gets its own first byte.
    """
    offsets = [first_bit(signal) // 8 for signal in signals]
    last = max(0, payload_bytes - WINDOW_BYTES)
    open_at: int | None = None
    for number in sorted(range(len(signals)), key=offsets.__getitem__):
        begin = offsets[number]
        end = -(-(first_bit(signals[number]) + signals[number].length) // 8)
        if end - begin > WINDOW_BYTES:
            continue
        if open_at is None or end > open_at + WINDOW_BYTES:
            open_at = 0 if end <= WINDOW_BYTES else min(begin, last) if end <= payload_bytes else begin
        offsets[number] = open_at
    return offsets


def window_row(byte_offset: int, limited: Iterable[tuple[int, int, int]]) -> tuple[int, int, int, int]:
    """WINDOW_ROW of a window whose limited signals are fields of (first bit, bits, greatest value)."""
    low = high = addend = 0
    for shift, length, limit in limited:
        top = 1 << (length - 1)
        low |= (top - 1) << shift
        high |= top << shift
        addend |= (2 * top - 1 - limit) << shift
    return byte_offset, low, high, addend
