"""From a trace to CAN frames, by a DBC: whole columns of raw values are packed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import cantools
import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, FrameBatch, MessageTable
from simulator.drive_spec import STEP_S, FloatArray, Trace

GAP_S = 0.00026
"""Shortest time between the starts of two frames: about one 8-byte frame at 500 kbit/s."""
JITTER_S = 0.00012


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameColumns:
    """Frames of one kind or many: time_s float64[n], can_id uint32[n] (bit 31 = extended), length uint8[n], payload uint64[n]."""

    time_s: FloatArray
    can_id: NDArray[np.uint32]
    length: NDArray[np.uint8]
    payload: NDArray[np.uint64]


Sent = list[tuple[float, int, bytes]]
"""(time_s, CAN id with bit 31 = extended, payload of at most 8 bytes) of single frames."""


def sent_columns(sent: Sent) -> FrameColumns:
    """Single frames as columns."""
    return FrameColumns(
        time_s=np.array([time_s for time_s, _, _ in sent], np.float64),
        can_id=np.array([can_id for _, can_id, _ in sent], np.uint32),
        length=np.array([len(payload) for _, _, payload in sent], np.uint8),
        payload=np.array([int.from_bytes(payload, "little") for _, _, payload in sent], np.uint64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedTrace:
    """Frames of a trace, and for each `MESSAGE.Signal` the rows of `frames` that carry it and the values that they carry."""

    frames: FrameColumns
    carried: Mapping[str, tuple[NDArray[np.intp], FloatArray]]


@cache
def load_dbc(name: str) -> Any:
    """The cantools database of a DBC of ours, by its file name (an immutable resource, parsed once)."""
    text = files("simulator").joinpath("templates", "dbc", name).read_text(encoding="utf-8")
    return cantools.database.load_string(text, "dbc")


def encode_trace(trace: Trace, dbc: Any, rng: np.random.Generator, *, rate: float = 1.0, not_available: bool) -> EncodedTrace:
    """Send every message of the DBC at its cycle time (`rate` times as often), with the values of that moment, until the buses fall asleep.

    With `not_available`, unused bits and NaN are sent as ones (SAE J1939), else unused bits as zeros.
    """
    parts: list[FrameColumns] = []
    carried: dict[str, tuple[NDArray[np.intp], FloatArray]] = {}
    base = 0
    for message in dbc.messages:
        time_s = _send_times(message.cycle_time / 1000.0 / rate, trace.asleep_s, rng)
        step = np.minimum((time_s / STEP_S).astype(np.intp), len(trace.time_s) - 1)
        payload, values = _encode_message(message, trace, step, not_available=not_available)
        can_id = message.frame_id | (EXTENDED_ID if message.is_extended_frame else 0)
        count = len(time_s)
        parts.append(
            FrameColumns(
                time_s=time_s,
                can_id=np.full(count, can_id, np.uint32),
                length=np.full(count, message.length, np.uint8),
                payload=payload,
            )
        )
        carried |= {f"{message.name}.{name}": (rows + base, physical) for name, (rows, physical) in values.items()}
        base += count
    return EncodedTrace(frames=join_columns(parts), carried=carried)


def join_columns(parts: list[FrameColumns]) -> FrameColumns:
    """One after the other."""
    names = ("time_s", "can_id", "length", "payload")
    return FrameColumns(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _send_times(period_s: float, end_s: float, rng: np.random.Generator) -> FloatArray:
    """Cyclic, each message with its own phase (kept off the edges of a physics step), with a small jitter."""
    phase = rng.uniform(0.02, 0.08) + STEP_S * int(rng.integers(0, max(round(period_s / STEP_S), 1)))
    due = np.arange(phase, end_s, period_s)
    return due + np.clip(rng.normal(0.0, JITTER_S, len(due)), -0.001, 0.001)


def _encode_message(
    message: Any, trace: Trace, step: NDArray[np.intp], *, not_available: bool
) -> tuple[NDArray[np.uint64], dict[str, tuple[NDArray[np.intp], FloatArray]]]:
    count = len(step)
    fill = (1 << (8 * message.length)) - 1 if not_available else 0
    payload = np.full(count, fill, np.uint64)
    carried: dict[str, tuple[NDArray[np.intp], FloatArray]] = {}
    selector = np.zeros(count, np.int64)
    for signal in message.signals:
        if signal.is_multiplexer:
            selector = np.arange(count) % _branches(message, signal.name)
    for signal in message.signals:
        rows = np.flatnonzero(np.isin(selector, signal.multiplexer_ids)) if signal.multiplexer_ids else np.arange(count)
        physical = selector.astype(np.float64) if signal.is_multiplexer else trace.values[signal.name][step[rows]]
        raw, known = _raw_values(signal, physical[rows] if signal.is_multiplexer else physical)
        _put(payload, rows, signal, raw)
        scaled = raw.astype(np.float64) * float(signal.scale) + float(signal.offset)
        carried[signal.name] = (rows[known], scaled[known])
    return payload, carried


def _branches(message: Any, selector: str) -> int:
    highest: int = max(max(s.multiplexer_ids) for s in message.signals if s.multiplexer_signal == selector)
    return highest + 1


def _raw_values(signal: Any, physical: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rounded and kept within the range that the DBC states; all ones where there is no value."""
    known = ~np.isnan(physical)
    scale, offset = float(signal.scale), float(signal.offset)
    low = -(1 << (signal.length - 1)) if signal.is_signed else 0
    high = low + (1 << signal.length) - 1
    if signal.maximum is not None:
        high = min(high, round((float(signal.maximum) - offset) / scale))
    if signal.minimum is not None:
        low = max(low, round((float(signal.minimum) - offset) / scale))
    raw = np.rint((np.where(known, physical, 0.0) - offset) / scale)
    return np.where(known, np.clip(raw, low, high).astype(np.int64), -1), known


def _put(payload: NDArray[np.uint64], rows: NDArray[np.intp], signal: Any, raw: NDArray[np.int64]) -> None:
    """Set the signal's bits in the little-endian words `payload[rows]`."""
    mask = (1 << signal.length) - 1
    bits = raw.astype(np.uint64) & np.uint64(mask)
    if signal.byte_order == "little_endian":
        shift = np.uint64(signal.start)
        payload[rows] = (payload[rows] & ~(np.uint64(mask) << shift)) | (bits << shift)
        return
    # Motorola: in the big-endian word, the most significant bit stands at byte * 8 + (7 - bit) from the left
    from_left = signal.start // 8 * 8 + 7 - signal.start % 8
    shift = np.uint64(64 - from_left - signal.length)
    word = payload[rows].byteswap()
    payload[rows] = ((word & ~(np.uint64(mask) << shift)) | (bits << shift)).byteswap()


def to_batch(frames: FrameColumns, *, vehicle: str, start_ns: int) -> tuple[FrameBatch, NDArray[np.intp]]:
    """Put frames on one bus in order of time, no two closer than a frame lasts.

    Returns:
        The batch, and for each of its rows the row of `frames` it came from.
    """
    order = np.argsort(frames.time_s, kind="stable")
    count = len(order)
    slots = np.arange(count) * GAP_S
    time_s = np.maximum.accumulate(frames.time_s[order] - slots) + slots
    time_ns = start_ns + np.rint(time_s * 1e6).astype(np.int64) * 1000
    batch = FrameBatch(
        vehicles=(vehicle,),
        buses=("can0",),
        messages=MessageTable.single(),
        time_ns=time_ns,
        vehicle=np.zeros(count, np.int32),
        bus=np.zeros(count, np.uint8),
        can_id=frames.can_id[order],
        message=np.zeros(count, np.int32),
        index=np.arange(count, dtype=np.int64),
        length=frames.length[order],
        flags=np.zeros(count, np.uint8),
        payload=frames.payload[order],
        arena_offset=np.full(count, -1, np.int64),
        arena=np.empty(0, np.uint8),
    )
    return batch, order
