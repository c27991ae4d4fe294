"""Frames -> decoded signals, by each vehicle's profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.ports import Jit, no_jit
from domain.signals import SignalBatch, SignalGroup
from ingest import columns
from ingest.backends import Grouped, KernelBackend, NumpyBackend
from ingest.profiles import Profile
from ingest.records import record_groups
from ingest.signal_table import MessageLayout, SignalTable, compile_book

SHORT_FRAME = "short_frame"
UNKNOWN_MUX = "unknown_mux"
NOT_AVAILABLE = "not_available"
DIFFERS_FROM_STRICT = frozenset({UNKNOWN_MUX, NOT_AVAILABLE, "overlapping_signals", "overlong_signals"})
"""Anomalies where the default gives something else than strict decoding; a short frame gives the same in both."""


class Decoder:
    """Decodes batches of frames; the result depends on nothing but the batch.

    Each book of a profile (DBC file on a bus, built-in set) decodes on its own, so that a frame may belong to several
    messages. With `wanted`, only signals of these VSS paths are decoded, and anomalies counted only in their messages.
    Result arrays are taken from buffers that are used again once nobody holds them, so one decoder serves one thread.
    """

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        profile_of: Callable[[str], str],
        *,
        jit: Jit = no_jit,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self._profile_of = profile_of
        self._books = {name: tuple(_books(profile, wanted)) for name, profile in profiles.items()}
        self._profiles = profiles
        self._backend = NumpyBackend() if jit is no_jit else KernelBackend(jit)

    def decode(self, frames: FrameBatch) -> SignalBatch:
        """All that can be decoded: also complete signals of short frames, of overlapping layouts, and of unknown multiplexers.

        Raw values past a signal's valid maximum (J1939: error, not available) are not valid. Oddities are counted.
        """
        return self._decode(frames, strict=False)

    def decode_strict(self, frames: FrameBatch) -> SignalBatch:
        """What cantools gives with `load_file(strict=False)` and `decode(decode_choices=False, allow_truncated=True)`.

        A frame on which it raises gives nothing; no raw value is taken as not available.
        """
        return self._decode(frames, strict=True)

    def _decode(self, frames: FrameBatch, *, strict: bool) -> SignalBatch:
        groups: list[SignalGroup] = []
        anomalies: Counter[tuple[str, str]] = Counter()
        known = np.zeros(len(frames), np.bool_)
        for profile, vehicle_ok in self._vehicles_by_profile(frames):
            for table in self._books[profile]:
                bus_ok = np.array([table.bus in ("*", name) for name in frames.buses] or [False], np.bool_)
                if bus_ok.any():
                    grouped = self._backend.group(frames, vehicle_ok, bus_ok, table)
                    known |= grouped.message >= 0
                    groups += self._decode_book(frames, grouped, table, profile, strict, anomalies)
        groups += record_groups(frames, anomalies)
        data = (frames.flags & np.uint8(columns.NO_SIGNALS)) == 0
        known_frames = int(np.count_nonzero(known))
        return SignalBatch(
            vehicles=frames.vehicles,
            groups=tuple(groups),
            anomalies=dict(anomalies),
            known_frames=known_frames,
            unknown_frames=int(np.count_nonzero(data)) - known_frames,
        )

    def _vehicles_by_profile(self, frames: FrameBatch) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        names = [self._profile_of(vehicle) for vehicle in frames.vehicles]
        for name in sorted(set(names) & set(self._books)):
            yield name, np.array([other == name for other in names], np.bool_)

    def _decode_book(
        self,
        frames: FrameBatch,
        grouped: Grouped,
        table: SignalTable,
        profile: str,
        strict: bool,
        anomalies: Counter[tuple[str, str]],
    ) -> Iterator[SignalGroup]:
        decoded = self._backend.decode(frames, grouped, table, limited=not strict)
        for number, start, values, valid, unavailable in decoded:
            layout = table.layouts[number]
            rows = slice(start, start + values.shape[1])
            failed = _failures(layout, values, valid) if layout.broken or layout.selectors else _NO_FAILURES
            short = int(grouped.short[number])
            for kind, count in ((SHORT_FRAME, short), (NOT_AVAILABLE, unavailable), *failed.kinds.items()):
                if count:
                    anomalies[layout.spec.name, kind] += count
            for row, scale, offset in layout.converted:
                values[row] *= scale
                values[row] += offset
            group = _signal_group(layout, profile, grouped, rows, values[: layout.shown], valid[: layout.shown])
            if strict and failed.frames is not None:
                group = _keep(group, ~failed.frames)
            if len(group.frame):
                yield group


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failures:
    """Frames on which strict decoding raises (None: none), and how many for which reason; each frame counts once."""

    frames: NDArray[np.bool_] | None
    kinds: dict[str, int]


_NO_FAILURES = _Failures(frames=None, kinds={})


def _failures(layout: MessageLayout, values: NDArray[np.float64], valid: NDArray[np.bool_]) -> _Failures:
    """`values` before VSS conversion, since selectors are compared in the units of their own message."""
    size = values.shape[1]
    failed: NDArray[np.bool_] | None = None
    kinds: Counter[str] = Counter()

    def add(kind: str, frames: NDArray[np.bool_]) -> None:
        nonlocal failed
        fresh = frames if failed is None else frames & ~failed
        kinds[kind] += int(np.count_nonzero(fresh))
        failed = frames if failed is None else failed | frames

    row_of = {signal.spec.name: signal.row for signal in layout.signals}
    for branch in layout.broken:
        if not branch.parent:
            add(branch.reason, np.ones(size, np.bool_))
        elif branch.parent in row_of:
            row = row_of[branch.parent]
            add(branch.reason, valid[row] & columns.in_ranges(values[row], branch.ranges))
    for position, known in layout.selectors:
        row = layout.signals[position].row
        add(UNKNOWN_MUX, valid[row] & ~columns.in_ranges(values[row], known))
    return _Failures(frames=failed if failed is not None and failed.any() else None, kinds=dict(kinds))


def _signal_group(
    layout: MessageLayout, profile: str, grouped: Grouped, rows: slice, values: NDArray[np.float64], valid: NDArray[np.bool_]
) -> SignalGroup:
    return SignalGroup(
        message=layout.spec.name,
        bus=layout.spec.bus,
        profile=profile,
        names=layout.names,
        paths=layout.paths,
        units=layout.units,
        frame=grouped.frame[rows],
        time_ns=grouped.time_ns[rows],
        vehicle=grouped.vehicle[rows],
        source=grouped.source[rows],
        values=values,
        valid=valid,
        priority=layout.priority,
        stale_after_ns=layout.stale_after_ns,
    )


def _keep(group: SignalGroup, frames: NDArray[np.bool_]) -> SignalGroup:
    return replace(
        group,
        frame=group.frame[frames],
        time_ns=group.time_ns[frames],
        vehicle=group.vehicle[frames],
        source=group.source[frames],
        values=group.values[:, frames],
        valid=group.valid[:, frames],
    )


def _books(profile: Profile, wanted: frozenset[str] | None) -> Iterator[SignalTable]:
    """Messages of equal (bus, origin), in the profile's order of first appearance."""
    order = {key: number for number, key in enumerate(dict.fromkeys((m.bus, m.origin) for m in profile.messages))}
    ordered = sorted(profile.messages, key=lambda m: order[m.bus, m.origin])
    for _, messages in groupby(ordered, key=lambda m: order[m.bus, m.origin]):
        yield compile_book(tuple(messages), wanted=wanted)
