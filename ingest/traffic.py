"""What travels on the buses of a recording: identifiers with how often and how long, and how much of it definitions know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NOT_CAN, FrameBatch, FrameFlag
from ingest.message_spec import Match, MessageSpec

_OBD_ANSWERS = range(0x7E8, 0x7F0)
_DIAGNOSTIC = range(0x700, 0x800)
_DIAGNOSTIC_FORMATS = (0xDA, 0xDB)
"""PDU formats of 29-bit diagnostic messages (ISO 15765-2), physical and functional."""
_NO_MESSAGE = np.uint8(FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """One identifier on one bus. `shortest`, `longest`: payload bytes."""

    bus: str
    can_id: int
    frames: int
    shortest: int
    longest: int

    @property
    def is_extended(self) -> bool:
        """The identifier has 29 bits."""
        return bool(self.can_id & EXTENDED_ID)

    @property
    def group(self) -> int:
        """SAE J1939 parameter group number of a 29-bit identifier."""
        number = self.can_id >> 8 & 0x3FFFF
        return number & 0x3FF00 if self.can_id >> 16 & 0xFF < 240 else number

    @property
    def looks_like(self) -> str:
        """What the identifier alone suggests: "obd", "diagnostic", "j1939" (any other 29-bit one) or "data"."""
        if self.is_extended:
            if self.can_id >> 16 & 0xFF in _DIAGNOSTIC_FORMATS:
                return "obd" if self.can_id & 0xFFFF_FF00 == 0x98DA_F100 else "diagnostic"
            return "j1939"
        if self.can_id in _OBD_ANSWERS:
            return "obd"
        return "diagnostic" if self.can_id in _DIAGNOSTIC else "data"


class Traffic:
    """Counts data frames by bus and identifier over any number of batches."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], tuple[int, int, int]] = {}

    def add(self, frames: FrameBatch) -> None:
        """Count one batch; error and remote frames and what is no CAN frame are left out."""
        rows = np.flatnonzero((frames.flags & _NO_MESSAGE) == 0)
        key = frames.bus[rows].astype(np.uint64) << np.uint64(32) | frames.can_id[rows]
        keys, at, count = np.unique(key, return_inverse=True, return_counts=True)
        shortest, longest = np.full(len(keys), 255, np.uint8), np.zeros(len(keys), np.uint8)
        np.minimum.at(shortest, at, frames.length[rows])
        np.maximum.at(longest, at, frames.length[rows])
        columns = (keys.tolist(), count.tolist(), shortest.tolist(), longest.tolist())
        for one, number, least, most in zip(*columns, strict=True):
            place = frames.buses[one >> 32], one & 0xFFFF_FFFF
            before = self._counts.get(place, (0, 255, 0))
            self._counts[place] = (before[0] + number, min(before[1], least), max(before[2], most))

    def talkers(self) -> tuple[Talker, ...]:
        """Every identifier heard, by bus, the most frequent first."""
        found = [
            Talker(bus=bus, can_id=can_id, frames=count, shortest=least, longest=most)
            for (bus, can_id), (count, least, most) in self._counts.items()
        ]
        return tuple(sorted(found, key=lambda talker: (talker.bus, -talker.frames, talker.can_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far definitions fit what was heard: frames and identifiers in all, known, and known with just the declared length."""

    frames: int = 0
    ids: int = 0
    known_frames: int = 0
    known_ids: int = 0
    fitting_frames: int = 0

    @property
    def known_share(self) -> float:
        """Of the frames, 0 where there are none."""
        return self.known_frames / self.frames if self.frames else 0.0

    @property
    def fitting_share(self) -> float:
        """Of the frames: a database of another model knows identifiers by chance, but not their lengths."""
        return self.fitting_frames / self.frames if self.frames else 0.0


class Definitions:
    """Message definitions, asked by identifier."""

    def __init__(self, messages: Iterable[MessageSpec]) -> None:
        self._exact: dict[int, MessageSpec] = {}
        self._groups: dict[int, MessageSpec] = {}
        self._masked: list[MessageSpec] = []
        for message in messages:
            if message.match is Match.PGN:
                self._groups[message.can_id] = message
            elif message.can_id_mask == 0xFFFF_FFFF:
                self._exact[message.can_id] = message
            else:
                self._masked.append(message)

    def of(self, talker: Talker) -> MessageSpec | None:
        """What defines this identifier on its bus, None where nothing does."""
        candidates = [self._exact.get(talker.can_id)]
        candidates += [spec for spec in self._masked if talker.can_id & spec.can_id_mask == spec.can_id]
        candidates += [self._groups.get(talker.group)] if talker.is_extended else []
        return next((spec for spec in candidates if spec is not None and spec.bus in ("*", talker.bus)), None)

    def coverage(self, talkers: Sequence[Talker]) -> Coverage:
        """How much of these they know."""
        known = [(talker, spec) for talker in talkers if (spec := self.of(talker)) is not None]
        fitting = [talker for talker, spec in known if talker.shortest == talker.longest == spec.length]
        return Coverage(
            frames=sum(talker.frames for talker in talkers),
            ids=len(talkers),
            known_frames=sum(talker.frames for talker, _ in known),
            known_ids=len(known),
            fitting_frames=sum(talker.frames for talker in fitting),
        )


def shares(talkers: Sequence[Talker]) -> dict[str, float]:
    """What the frames look like (`Talker.looks_like`) -> share of them."""
    kinds = sorted({talker.looks_like for talker in talkers})
    counts: NDArray[np.int64] = np.array([sum(t.frames for t in talkers if t.looks_like == kind) for kind in kinds], np.int64)
    return dict(zip(kinds, (counts / max(1, counts.sum())).tolist(), strict=True))
