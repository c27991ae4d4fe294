"""The numpy fallback of `ingest.kernels`, with identical values; it also decodes what the kernel leaves out (floats, long payloads)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, NOT_CAN, FrameBatch, FrameFlag
from ingest.message_spec import NumberKind
from ingest.signal_table import NO_LIMIT, IdTable, MessageLayout, SignalLayout, SignalTable, raw_limit

NO_SIGNALS = FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN
"""Records that carry no signals of a message definition."""


def match_frames(
    frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable
) -> NDArray[np.int32]:
    """int32[n]: message number of every frame in the table, -1 where it has none."""
    usable = (frames.flags & np.uint8(NO_SIGNALS)) == 0
    usable &= vehicle_ok[frames.vehicle]
    usable &= bus_ok[frames.bus]
    is_extended = (frames.can_id & np.uint32(EXTENDED_ID)) != 0
    found = table.standard[frames.can_id & np.uint32(0x7FF)]
    if is_extended.any():
        identifier = frames.can_id[is_extended]
        group = identifier >> 8 & np.uint32(0x3FFFF)
        group = np.where((identifier >> 16 & np.uint32(0xFF)) < 240, group & np.uint32(0x3FF00), group)
        by_group = _look_up(table.groups, group)
        masked = np.full(len(identifier), -1, np.int32)
        for mask, value, number in table.masked:
            masked[(identifier & mask) == value] = number
        exact = _look_up(table.extended, identifier)
        found[is_extended] = np.where(exact >= 0, exact, np.where(masked >= 0, masked, by_group))
    return np.where(usable, found, np.int32(-1))


def _look_up(table: IdTable, keys: NDArray[np.uint32]) -> NDArray[np.int32]:
    if not len(table.keys):
        return np.full(len(keys), -1, np.int32)
    at = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
    return np.where(table.keys[at] == keys, table.messages[at], np.int32(-1))


def decode_message(
    layout: MessageLayout, frames: FrameBatch, rows: NDArray[np.int64], *, limited: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """(values, valid, values not available) of the frames at `rows`: matrices of (signal row, frame); what is not valid is NaN."""
    chosen = frames.take(rows)
    values = np.full((len(layout.signals), len(rows)), np.nan)
    present = np.zeros((len(layout.signals), len(rows)), np.bool_)
    bits = chosen.length.astype(np.int64) * 8
    above: list[tuple[SignalLayout, NDArray[np.bool_]]] = []
    for signal in layout.signals:
        raw = raw_bits(signal, chosen)
        values[signal.row] = physical(signal, raw)
        present[signal.row] = signal.end_bit <= bits
        if signal.parent >= 0:
            selector = layout.signals[signal.parent].row
            present[signal.row] &= present[selector] & in_ranges(values[selector], signal.ranges)
        limit = raw_limit(signal.spec)
        if limited and limit != NO_LIMIT:
            above.append((signal, raw > limit))
    unavailable = 0
    for signal, too_great in above:
        unavailable += int(np.count_nonzero(too_great & present[signal.row]))
        present[signal.row] &= ~too_great
    values[~present] = np.nan
    return values, present, unavailable


def in_ranges(selector: NDArray[np.float64], ranges: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Whether the whole part of each selector value lies in one of the ranges (a NaN in none)."""
    chosen = np.trunc(selector)
    inside = np.zeros(len(chosen), np.bool_)
    for low, high in ranges:
        inside |= (chosen >= low) & (chosen <= high)
    return inside


def raw_bits(signal: SignalLayout, frames: FrameBatch) -> NDArray[np.uint64] | NDArray[np.object_]:
    """The signal's bits as unsigned numbers (Python integers where it has more than 64); bits past the payload are zero."""
    spec = signal.spec
    if spec.length > 64:
        return _long_bits(signal, frames)
    if signal.end_bit <= 64:
        window, ninth = frames.payload, None
    else:
        window, ninth = _windows(signal.byte_offset, frames)
    if spec.big_endian:
        window = window.byteswap()
    if signal.shift >= 0 and signal.shift + spec.length <= 64:
        raw = window >> np.uint64(signal.shift)
    elif ninth is None:
        raise AssertionError("a signal within eight bytes needs no ninth")
    elif spec.big_endian:
        raw = (window << np.uint64(-signal.shift)) | (ninth >> np.uint64(8 + signal.shift))
    else:
        raw = (window >> np.uint64(signal.shift)) | (ninth << np.uint64(64 - signal.shift))
    return raw & np.uint64(2**spec.length - 1)


def _windows(byte_offset: int, frames: FrameBatch) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """(eight bytes from `byte_offset` as a little-endian word, the byte after them)."""
    window = np.zeros((len(frames), 16), np.uint8)
    stored = np.flatnonzero(frames.arena_offset != NO_ARENA)
    inside = np.flatnonzero(frames.arena_offset == NO_ARENA)
    reach = np.arange(9) + byte_offset
    if len(stored):
        there = reach < frames.length[stored, None]
        at = np.where(there, frames.arena_offset[stored, None] + reach, 0)
        window[stored, :9] = np.where(there, frames.arena[at], 0)
    if byte_offset < 8:
        window[inside, : 8 - byte_offset] = frames.payload[inside].astype("<u8").view(np.uint8).reshape(-1, 8)[:, byte_offset:]
    words = window.view("<u8").astype(np.uint64)
    return words[:, 0], words[:, 1]


def _long_bits(signal: SignalLayout, frames: FrameBatch) -> NDArray[np.object_]:
    spec = signal.spec
    size = -(-signal.end_bit // 8)
    order: Literal["big", "little"] = "big" if spec.big_endian else "little"
    first = signal.end_bit - spec.length
    shift = 8 * size - signal.end_bit if spec.big_endian else first
    payloads = (frames.payload_bytes(row)[:size].ljust(size, b"\0") for row in range(len(frames)))
    mask = 2**spec.length - 1
    return np.array([int.from_bytes(data, order) >> shift & mask for data in payloads], np.object_)


def physical(signal: SignalLayout, raw: NDArray[np.uint64] | NDArray[np.object_]) -> NDArray[np.float64]:
    """Raw bits -> raw * scale + offset, rounded as cantools' Python numbers are."""
    spec = signal.spec
    if spec.kind in (NumberKind.FLOAT16, NumberKind.FLOAT32):
        bits, narrow = (np.uint16, np.float16) if spec.kind is NumberKind.FLOAT16 else (np.uint32, np.float32)
        with np.errstate(invalid="ignore"):  # a signalling not-a-number becomes a quiet one
            number = raw.astype(bits).view(narrow).astype(np.float64)
    elif spec.kind is NumberKind.FLOAT64:
        number = raw.astype(np.uint64).view(np.float64)
    elif signal.exact or spec.length > 64:
        return _exact(signal, raw)
    elif spec.kind is NumberKind.SIGNED:
        unused = 64 - spec.length
        number = ((raw.astype(np.uint64) << np.uint64(unused)).view(np.int64) >> np.int64(unused)).astype(np.float64)
    else:
        number = raw.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # IEEE results of signals that are infinite or not a number
        return number * spec.scale + spec.offset


def _exact(signal: SignalLayout, raw: NDArray[np.uint64] | NDArray[np.object_]) -> NDArray[np.float64]:
    spec = signal.spec
    scale = int(spec.scale) if spec.scale.is_integer() else spec.scale
    offset = int(spec.offset) if spec.offset.is_integer() else spec.offset
    half, span = 2 ** (spec.length - 1), 2**spec.length
    signed = spec.kind is NumberKind.SIGNED
    numbers = (int(bits) - span if signed and int(bits) >= half else int(bits) for bits in raw)
    return np.array([float(number * scale + offset) for number in numbers], np.float64)
