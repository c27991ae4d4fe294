"""The numpy fallback of `ingest.kernels`, with identical values; it also does what the kernels leave out (long integers, half floats)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, NOT_CAN, FrameBatch, FrameFlag
from ingest.identifiers import Identifiers, IdTable
from ingest.message_spec import NumberKind
from ingest.signal_table import FORM_TYPES, NO_LIMIT, Form, MessageLayout, SignalLayout, raw_limit

NO_SIGNALS = FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN
"""Records that carry no signals of a message definition."""


def match_frames(
    frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], ids: Identifiers
) -> NDArray[np.int32]:
    """int32[n]: message number of every frame, `ids.none` where it has none."""
    none = np.int32(ids.none)
    usable = (frames.flags & np.uint8(NO_SIGNALS)) == 0
    usable &= vehicle_ok[frames.vehicle]
    usable &= bus_ok[frames.bus]
    is_extended = (frames.can_id & np.uint32(EXTENDED_ID)) != 0
    found = ids.standard[frames.can_id & np.uint32(0x7FF)]
    if is_extended.any():
        identifier = frames.can_id[is_extended]
        by_group = ids.groups[identifier >> 8 & np.uint32(len(ids.groups) - 1)]
        masked = np.full(len(identifier), none, np.int32)
        for mask, value, number in ids.masked:
            masked[(identifier & mask) == value] = number
        exact = _look_up(ids.extended, identifier, none)
        found[is_extended] = np.where(exact != none, exact, np.where(masked != none, masked, by_group))
    return np.where(usable, found, none)


def _look_up(table: IdTable, keys: NDArray[np.uint32], none: np.int32) -> NDArray[np.int32]:
    if not len(table.keys):
        return np.full(len(keys), none, np.int32)
    at = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
    return np.where(table.keys[at] == keys, table.messages[at], none)


def present_values(
    layout: MessageLayout, raw_of: Callable[[int], NDArray[Any]], length: NDArray[np.uint8], *, limited: bool
) -> tuple[NDArray[np.bool_], int]:
    """(valid, values not available) of frames: a matrix of (signal row, frame). `raw_of` gives a row's raw values."""
    valid = np.zeros((len(layout.signals), len(length)), np.bool_)
    bits = length.astype(np.int64) * 8
    for signal in layout.signals:
        valid[signal.row] = signal.end_bit <= bits
        if signal.parent >= 0:
            selector = layout.signals[signal.parent]
            chosen = in_ranges(physical(selector, raw_of(selector.row)), signal.ranges)
            valid[signal.row] &= valid[selector.row] & chosen
    unavailable = 0
    for signal in layout.signals:
        if limited and raw_limit(signal.spec) != NO_LIMIT:
            refused = valid[signal.row] & above_limit(signal, raw_of(signal.row))
            unavailable += int(np.count_nonzero(refused))
            valid[signal.row] &= ~refused
    return valid, unavailable


def above_limit(signal: SignalLayout, raw: NDArray[Any]) -> NDArray[np.bool_]:
    """Which raw values are no measurement."""
    limit = raw_limit(signal.spec)
    return np.zeros(len(raw), np.bool_) if limit == NO_LIMIT else unsigned(signal, raw) > limit


def in_ranges(selector: NDArray[np.float64], ranges: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Whether the whole part of each selector value lies in one of the ranges (a NaN in none)."""
    chosen = np.trunc(selector)
    inside = np.zeros(len(chosen), np.bool_)
    for low, high in ranges:
        inside |= (chosen >= low) & (chosen <= high)
    return inside


def raw_values(signal: SignalLayout, frames: FrameBatch) -> NDArray[Any]:
    """The signal's raw values in its narrow type (`signal.form`)."""
    bits = _raw_bits(signal, frames)
    spec = signal.spec
    kind = FORM_TYPES[signal.form]
    if signal.form is Form.OBJECT:
        half, span = 2 ** (spec.length - 1), 2**spec.length
        if spec.kind is NumberKind.SIGNED:
            return np.array([number - span if number >= half else number for number in bits.tolist()], np.object_)
        return bits
    if spec.kind is NumberKind.SIGNED:
        unused = 64 - spec.length
        return ((bits.astype(np.uint64) << np.uint64(unused)).view(np.int64) >> np.int64(unused)).astype(kind)
    if spec.kind is NumberKind.UNSIGNED:
        return bits.astype(kind)
    return bits.astype(np.dtype(f"u{kind.itemsize}")).view(kind)


def unsigned(signal: SignalLayout, raw: NDArray[Any]) -> NDArray[Any]:
    """Raw values as the plain bits on the bus."""
    mask = 2**signal.spec.length - 1
    if signal.form is Form.OBJECT:
        return np.array([number & mask for number in raw.tolist()], np.object_)
    return raw.view(np.dtype(f"u{raw.itemsize}")).astype(np.uint64) & np.uint64(mask)


def _raw_bits(signal: SignalLayout, frames: FrameBatch) -> NDArray[np.uint64] | NDArray[np.object_]:
    """The signal's bits as unsigned numbers (Python integers where it has more than 64); bits past the payload are zero."""
    spec = signal.spec
    if spec.length > 64:
        return _long_bits(signal, frames)
    if signal.byte_offset == 0 and signal.end_bit <= 64:
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


def physical(signal: SignalLayout, raw: NDArray[Any]) -> NDArray[np.float64]:
    """Raw values -> raw * scale + offset in the message's own unit, rounded as cantools' Python numbers are."""
    spec = signal.spec
    if signal.exact or signal.form is Form.OBJECT:
        scale = int(spec.scale) if spec.scale.is_integer() else spec.scale
        offset = int(spec.offset) if spec.offset.is_integer() else spec.offset
        return np.array([_nearest(number * scale + offset) for number in raw.tolist()], np.float64)
    # a signalling not-a-number becomes a quiet one; IEEE results of signals that are infinite or not a number
    with np.errstate(over="ignore", invalid="ignore"):
        return raw.astype(np.float64) * spec.scale + spec.offset


def _nearest(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # a whole number that no float64 comes near
        return math.inf if number > 0 else -math.inf


def in_path_unit(signal: SignalLayout, physical_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Physical values -> in the unit of the signal's VSS path."""
    if not signal.converted:
        return physical_values
    with np.errstate(over="ignore", invalid="ignore"):
        return physical_values * signal.spec.path_unit_scale + signal.spec.path_unit_offset
