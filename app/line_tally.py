"""Counts what passes the line, for metrics and for the map: decode share, anomalies, and where each vehicle was last heard of."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.findings import Finding
from domain.frames import FrameFlag
from domain.live import VehicleSighting
from pipeline.line import Advance
from pipeline.whereabouts import Whereabouts

log = logging.getLogger(__name__)
MOST_TOLD = 1000
"""Names in the log; what devices make up must not fill it."""


class LineTally:
    """Observes a line in its own thread; another thread takes the sums."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = self._unknown = 0
        self._anomalies: Counter[str] = Counter()
        self._shadow: dict[str, Counter[str]] = {}
        self._sightings: dict[str, VehicleSighting] = {}
        self._told: set[tuple[str, str, str]] = set()
        self.whereabouts = Whereabouts()
        """The line's own; set once it is built."""

    def observe(self, advance: Advance) -> None:
        """One push or close of the line."""
        sightings = self._seen(advance)
        with self._lock:
            self._known += advance.signals.known_frames
            self._unknown += advance.signals.unknown_frames
            for (_, kind), count in advance.signals.anomalies.items():
                self._anomalies[kind] += count
            self._sightings.update(sightings)

    def note_oddities(self, oddities: Mapping[tuple[str, str, str], int]) -> None:
        """What foreign messages held that was passed over or used with a doubt: counted by kind, each name told once in the log."""
        with self._lock:
            for (wire_format, kind, name), count in oddities.items():
                self._anomalies[kind] += count
                if name and (wire_format, kind, name) not in self._told and len(self._told) < MOST_TOLD:
                    self._told.add((wire_format, kind, name))
                    log.info("in %s messages: %s %r", wire_format, kind, name)

    def note_shadow(self, finding: Finding) -> None:
        """What a shadow rule would have raised or cleared; a step whose commit failed counts again."""
        with self._lock:
            self._shadow.setdefault(finding.source.id, Counter())[finding.transition.value] += 1

    def figures(self) -> dict[str, Any]:
        """Totals so far; `decode_share` is None before the first frame, `shadow` is rule -> "raised" or "cleared" -> how often."""
        with self._lock:
            frames = self._known + self._unknown
            return {
                "decode_share": self._known / frames if frames else None,
                "anomalies": dict(self._anomalies),
                "shadow": {rule: dict(counts) for rule, counts in self._shadow.items()},
            }

    def take_sightings(self) -> list[VehicleSighting]:
        """Sightings since the last call, the latest of each vehicle."""
        with self._lock:
            taken, self._sightings = self._sightings, {}
        return list(taken.values())

    def _seen(self, advance: Advance) -> dict[str, VehicleSighting]:
        """Released frames are sorted by vehicle and time; ticks are ours, so they are no sighting."""
        frames = advance.frames
        data = np.flatnonzero((frames.flags & np.uint8(FrameFlag.TICK)) == 0)
        if not len(data):
            return {}
        vehicle = frames.vehicle[data]
        first = np.flatnonzero(np.diff(vehicle, prepend=-1))
        event_ns = np.maximum.reduceat(frames.time_ns[data], first)
        received_ns = np.maximum.reduceat(frames.messages.received_ns[frames.message[data]], first)
        names = [frames.vehicles[number] for number in vehicle[first].tolist()]
        return {
            name: VehicleSighting(vehicle=name, event_ns=event, received_ns=received, location=self.whereabouts.position(name))
            for name, event, received in zip(names, event_ns.tolist(), received_ns.tolist(), strict=True)
        }
