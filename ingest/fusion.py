"""Decoded groups -> one ordered stream of samples under VSS names, with one source per name and vehicle at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, FrameFlag
from domain.ports import Jit, no_jit
from domain.signals import TICK_SIGNAL, SampleBatch, SignalBatch, SignalGroup
from domain.vss import catalogue
from ingest import fusion_kernels

NO_SOURCE = np.uint64(0)
_STATE = np.dtype([("path", "<u2"), ("source", "<u8"), ("priority", "u1"), ("last_ns", "<i8"), ("stale_ns", "<i8")])
"""One row of a snapshot: the source that counts for a path, and when it was last heard."""


class Fusion:
    """Merges decoded groups into one stream of samples and settles which source of a VSS path counts.

    Where several sources (messages, bus names, ECU or source addresses) give one path, the better one (lower `priority`)
    silences the others until it has been silent for its `stale_after`; among equals the one heard first stays. The state is
    the best source of each path per vehicle; a `domain.ports.Stage`.

    `paths` fixes what `SampleBatch.signal` points into (default: the whole VSS catalogue, in its order); others are left out.
    """

    name = "fusion"

    def __init__(self, paths: Sequence[str] | None = None, *, jit: Jit = no_jit) -> None:
        self._paths = tuple(catalogue() if paths is None else paths)
        self.version = hashlib.sha256("\n".join(("1", *self._paths)).encode()).hexdigest()[:16]
        self._number = {path: number for number, path in enumerate(self._paths)}
        self._order: Any = None if jit is no_jit else jit(fusion_kernels.order_by_frame)
        self._settle_all: Any = None if jit is no_jit else jit(fusion_kernels.settle_samples)
        self._source_ids: dict[tuple[str, ...], np.uint64] = {}
        self._best = _Best.of_size(0)
        self._slots: dict[str, int] = {}
        self._free: list[int] = []

    def fuse(self, frames: FrameBatch, signals: SignalBatch) -> SampleBatch:
        """Samples of all valid, finite, mapped values, and ticks, in the order of the frames (which are sorted by vehicle and
        total order); samples of one frame stand in the order of groups and signals.
        """
        origins: list[_Origin] = []
        parts = [part for group in signals.groups for part in self._samples(frames, group, origins)]
        parts.append(_ticks(frames))
        samples = _concatenate(parts)
        if self._order is None:
            samples = samples.take(np.argsort(samples.frame, kind="stable"))
            keep = self._settle(frames, samples, origins)
        else:
            order = np.empty(len(samples.frame), np.int64)
            self._order(samples.frame, len(frames), order)
            samples = samples.take(order)
            keep = self._settle_compiled(frames, samples, origins)
        if not keep.all():
            samples = samples.take(keep)
        return SampleBatch(
            vehicles=frames.vehicles,
            paths=self._paths,
            time_ns=frames.time_ns[samples.frame],
            vehicle=frames.vehicle[samples.frame],
            signal=samples.signal,
            value=samples.value,
        )

    def _samples(self, frames: FrameBatch, group: SignalGroup, origins: list[_Origin]) -> Iterator[_Samples]:
        """The group's mapped signals, one after another; what is needed of their sources is added to `origins`."""
        mapped = [(row, self._number[path]) for row, path in enumerate(group.paths) if path in self._number]
        if not mapped:
            return
        senders, sender = _senders(frames, group)
        group_frame, group_values = group.frame, group.values
        for row, signal in mapped:
            values = group_values[row]  # NaN where not valid
            finite = np.isfinite(values)
            good: NDArray[np.bool_] | slice = slice(None) if finite.all() else finite
            first = len(origins)
            for bus, address in senders:
                source = self._source_id(bus, address, group.message, group.names[row])
                origins.append(_Origin(source=source, priority=int(group.priority[row]), stale_ns=int(group.stale_after_ns[row])))
            frame = group_frame[good]
            yield _Samples(
                frame=frame,
                signal=np.full(len(frame), signal, np.int32),
                value=values[good],
                origin=sender[good] + np.int32(first),
            )

    def _source_id(self, *names: str) -> np.uint64:
        known = self._source_ids.get(names)
        if known is None:
            digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
            known = self._source_ids[names] = np.uint64(int.from_bytes(digest, "little") or 1)
        return known

    def _settle_compiled(self, frames: FrameBatch, samples: _Samples, origins: list[_Origin]) -> NDArray[np.bool_]:
        """Which samples count, bringing the state up to date."""
        keep = np.empty(len(samples.frame), np.bool_)
        slots = np.array([self._slot(vehicle) for vehicle in frames.vehicles] if origins else [], np.int64)
        best = self._best
        self._settle_all(
            samples.frame, samples.signal, samples.origin, frames.time_ns, frames.vehicle, slots, len(self._paths),
            np.array([o.source for o in origins], np.uint64), np.array([o.priority for o in origins], np.uint8),
            np.array([o.stale_ns for o in origins], np.int64),
            best.source, best.priority, best.last_ns, best.stale_ns, keep,
        )  # fmt: skip
        return keep

    def _settle(self, frames: FrameBatch, samples: _Samples, origins: list[_Origin]) -> NDArray[np.bool_]:
        """The same by numpy, which decides at once what nobody disputes."""
        keep = np.ones(len(samples.frame), np.bool_)
        real = np.flatnonzero(samples.signal != TICK_SIGNAL)
        if not len(real):
            return keep
        slots = np.array([self._slot(vehicle) for vehicle in frames.vehicles], np.int64)
        frame, origin = samples.frame[real], samples.origin[real]
        heard = _Best(
            source=np.array([o.source for o in origins], np.uint64)[origin],
            priority=np.array([o.priority for o in origins], np.uint8)[origin],
            stale_ns=np.array([o.stale_ns for o in origins], np.int64)[origin],
            last_ns=frames.time_ns[frame],
        )
        pair = slots[frames.vehicle[frame]] * len(self._paths) + samples.signal[real]
        disputed = self._accept_undisputed(pair, heard)
        if disputed.any():
            verdict = np.empty(int(np.count_nonzero(disputed)), np.bool_)
            asked = heard.take(disputed)
            best = self._best
            fusion_kernels.choose_sources(
                pair[disputed], asked.last_ns, asked.source, asked.priority, asked.stale_ns,
                best.source, best.priority, best.last_ns, best.stale_ns, verdict,
            )  # fmt: skip
            keep[real[disputed]] = verdict
        return keep

    def _accept_undisputed(self, pair: NDArray[np.int64], heard: _Best) -> NDArray[np.bool_]:
        """Bring the state of (vehicle, path) pairs with one source up to date; which samples belong to the other pairs."""
        fresh = pair[self._best.source[pair] == NO_SOURCE]
        self._best.source[pair] = np.where(self._best.source[pair] == NO_SOURCE, heard.source, self._best.source[pair])
        quarrels = np.unique(pair[self._best.source[pair] != heard.source])
        disputed = np.isin(pair, quarrels)
        self._best.source[np.intersect1d(fresh, quarrels)] = NO_SOURCE
        # of several values for one place, numpy keeps the last: the latest sample
        calm = ~disputed
        self._best.priority[pair[calm]] = heard.priority[calm]
        self._best.last_ns[pair[calm]] = heard.last_ns[calm]
        self._best.stale_ns[pair[calm]] = heard.stale_ns[calm]
        return disputed

    def snapshot(self, vehicle: str) -> bytes | None:
        """The best source of each path heard so far; None for a vehicle never heard."""
        slot = self._slots.get(vehicle)
        if slot is None:
            return None
        mine = self._best.take(self._cells(slot))
        heard = np.flatnonzero(mine.source != NO_SOURCE)
        if not len(heard):
            return None
        rows = np.zeros(len(heard), _STATE)
        rows["path"] = heard
        for field in _BEST_FIELDS:
            rows[field] = getattr(mine, field)[heard]
        return rows.tobytes()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from a `snapshot` of the same version."""
        self.forget(vehicle)
        rows = np.frombuffer(state, _STATE)
        at = self._cells(self._slot(vehicle)).start + rows["path"].astype(np.int64)
        for field in _BEST_FIELDS:
            getattr(self._best, field)[at] = rows[field]

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        slot = self._slots.pop(vehicle, None)
        if slot is not None:
            self._best.source[self._cells(slot)] = NO_SOURCE
            self._free.append(slot)

    def _cells(self, slot: int) -> slice:
        return slice(slot * len(self._paths), (slot + 1) * len(self._paths))

    def _slot(self, vehicle: str) -> int:
        slot = self._slots.get(vehicle)
        if slot is None:
            if not self._free:
                before = len(self._slots)
                self._best = self._best.grown(max(1, 2 * before) * len(self._paths))
                self._free.extend(range(before, max(1, 2 * before)))
            slot = self._slots[vehicle] = self._free.pop()
        return slot


@dataclass(frozen=True, slots=True, kw_only=True)
class _Best:
    """Columns of sources: of the best one per (vehicle slot, path), `source` 0 = none; or of samples heard."""

    source: NDArray[np.uint64]
    priority: NDArray[np.uint8]
    last_ns: NDArray[np.int64]
    stale_ns: NDArray[np.int64]

    @staticmethod
    def of_size(size: int) -> _Best:
        return _Best(**{field: np.zeros(size, _STATE[field]) for field in _BEST_FIELDS})

    def take(self, rows: slice | NDArray[np.bool_]) -> _Best:
        return _Best(**{field: getattr(self, field)[rows] for field in _BEST_FIELDS})

    def grown(self, size: int) -> _Best:
        larger = _Best.of_size(size)
        for field in _BEST_FIELDS:
            getattr(larger, field)[: len(self.source)] = getattr(self, field)
        return larger


_BEST_FIELDS = tuple(field.name for field in fields(_Best))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """What is known of where samples come from: a signal of a message from one sender."""

    source: np.uint64
    priority: int
    stale_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    """Samples before they are settled: row of the frame, path number or TICK_SIGNAL, value, row of the origins."""

    frame: NDArray[np.int64]
    signal: NDArray[np.int32]
    value: NDArray[np.float64]
    origin: NDArray[np.int32]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> _Samples:
        return _Samples(frame=self.frame[rows], signal=self.signal[rows], value=self.value[rows], origin=self.origin[rows])


def _concatenate(parts: Sequence[_Samples]) -> _Samples:
    return _Samples(
        frame=np.concatenate([part.frame for part in parts]),
        signal=np.concatenate([part.signal for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        origin=np.concatenate([part.origin for part in parts]),
    )


def _ticks(frames: FrameBatch) -> _Samples:
    frame = np.flatnonzero(frames.flags & np.uint8(FrameFlag.TICK)).astype(np.int64)
    return _Samples(
        frame=frame,
        signal=np.full(len(frame), TICK_SIGNAL, np.int32),
        value=frames.can_id[frame].astype(np.float64),
        origin=np.full(len(frame), -1, np.int32),
    )


def _senders(frames: FrameBatch, group: SignalGroup) -> tuple[list[tuple[str, str]], NDArray[np.int32]]:
    """The (bus, address) pairs that sent the group's frames, and which of them sent each frame."""
    address = np.where(group.source >= 0, group.source.astype(np.int64), frames.can_id[group.frame].astype(np.int64))
    key = frames.bus[group.frame].astype(np.int64) << 32 | address
    if (key == key[0]).all():
        distinct, sender = key[:1], np.zeros(len(key), np.int32)
    else:
        distinct, inverse = np.unique(key, return_inverse=True)
        sender = inverse.astype(np.int32)
    return [(frames.buses[k >> 32], str(k & 0xFFFF_FFFF)) for k in distinct.tolist()], sender
