"""Everything that frames say in signals: messages of a profile, and the OBD-II answers among the frames."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from domain.frames import FrameBatch
from domain.ports import Jit, Stage, no_jit
from domain.signals import SignalBatch
from ingest.decoder import Decoder
from ingest.message_spec import Match
from ingest.obd_answers import ObdAnswers
from ingest.profiles import Profile


class BusDecoder:
    """Messages (`Decoder`) and OBD-II answers (`ObdAnswers`) as one batch of signal groups; a `domain.ports.Stage`.

    Expects frames sorted by vehicle, then by the vehicle's total order: what comes in several frames is carried from batch to batch.
    """

    name = "bus_decoder"

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        profile_of: Callable[[str], str],
        *,
        jit: Jit = no_jit,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self._profiles = {name: _without_answers(profile) for name, profile in profiles.items()}
        self._profile_of = profile_of
        self._decoder = Decoder(self._profiles, profile_of, jit=jit, wanted=wanted)
        self._answers = ObdAnswers(profiles, profile_of, wanted=wanted)
        self._parts: tuple[Stage, ...] = (self._decoder, self._answers)
        self._claims: dict[tuple[str, int], bool] = {}
        self.version = hashlib.sha256(f"1 {self._decoder.version} {self._answers.version}".encode()).hexdigest()[:16]

    def decode(self, frames: FrameBatch) -> SignalBatch:
        """All that can be decoded; oddities are counted (`Decoder.decode`)."""
        return self._with_answers(frames, self._decoder.decode(frames), limited=True)

    def decode_strict(self, frames: FrameBatch) -> SignalBatch:
        """Single frames as cantools decodes them (`Decoder.decode_strict`), and answers with every raw value taken as a measurement."""
        return self._with_answers(frames, self._decoder.decode_strict(frames), limited=False)

    def _with_answers(self, frames: FrameBatch, signals: SignalBatch, *, limited: bool) -> SignalBatch:
        answers = self._answers.read(frames, limited=limited)
        if not answers.groups and not answers.anomalies:
            return signals
        rows = answers.frames
        senders, count = np.unique(frames.vehicle[rows].astype(np.int64) << 32 | frames.can_id[rows], return_counts=True)
        fresh = sum(
            frames_of
            for one, frames_of in zip(senders.tolist(), count.tolist(), strict=True)
            if not self._is_claimed(frames.vehicles[one >> 32], one & 0xFFFF_FFFF)
        )
        return replace(
            signals,
            groups=(*signals.groups, *answers.groups),
            anomalies=dict(Counter(signals.anomalies) + Counter(answers.anomalies)),
            known_frames=signals.known_frames + fresh,
            unknown_frames=signals.unknown_frames - fresh,
        )

    def _is_claimed(self, vehicle: str, can_id: int) -> bool:
        """Whether a message of the vehicle's profile has the identifier of an answer, so that its frames are known already."""
        key = self._profile_of(vehicle), can_id
        if key not in self._claims:
            messages = self._profiles[key[0]].messages
            self._claims[key] = any(m.match is Match.EXACT and can_id & m.can_id_mask == m.can_id for m in messages)
        return self._claims[key]

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's messages and answers under way, as JSON; None where there are none."""
        states = [part.snapshot(vehicle) for part in self._parts]
        if all(state is None for state in states):
            return None
        return json.dumps([state and state.decode() for state in states]).encode()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot` of the same version."""
        for part, own in zip(self._parts, json.loads(state), strict=True):
            if own is None:
                part.forget(vehicle)
            else:
                part.restore(vehicle, own.encode())

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        for part in self._parts:
            part.forget(vehicle)


def _without_answers(profile: Profile) -> Profile:
    return replace(profile, messages=tuple(m for m in profile.messages if m.match is not Match.OBD_ANSWER))
