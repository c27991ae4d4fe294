"""The pipeline is one line: frames -> order -> signals and trouble codes -> samples -> findings.

Live, replay and distributed runs push frames through the same `Line`; only what stands before and after it differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.findings import Finding
from domain.frames import FrameBatch
from domain.ports import FindingStage, Stage
from domain.records import DeadLetter, StageState
from domain.signals import SampleBatch, SignalBatch
from domain.trouble_codes import DtcBatch
from pipeline.holdback import HoldBack, Released
from pipeline.whereabouts import Whereabouts


class Decode(Protocol):
    """FrameBatch -> SignalBatch; stateless."""

    def decode(self, frames: FrameBatch) -> SignalBatch:
        """Decode every frame that a message definition matches."""


class Fuse(Stage, Protocol):
    """SignalBatch -> one ordered stream of samples under VSS names."""

    def fuse(self, frames: FrameBatch, signals: SignalBatch) -> SampleBatch:
        """Samples and ticks, sorted as the frames are."""


class ReadCodes(Stage, Protocol):
    """FrameBatch -> trouble codes."""

    def read(self, frames: FrameBatch) -> DtcBatch:
        """Every diagnostic report that is complete with these frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What one push through the line gave."""

    frames: FrameBatch
    signals: SignalBatch
    samples: SampleBatch
    dtcs: DtcBatch
    findings: tuple[Finding, ...]
    dead_letters: tuple[DeadLetter, ...]


Observer = Callable[[Advance], None]
"""Told of every push and close before it is decided on; a push whose commit failed is told again."""


class Line:
    """The stages in their order, with the state that they carry per vehicle."""

    def __init__(
        self,
        *,
        holdback: HoldBack,
        decoder: Decode,
        fusion: Fuse,
        diagnostics: ReadCodes,
        whereabouts: Whereabouts,
        finders: Sequence[FindingStage],
        observers: Sequence[Observer] = (),
    ) -> None:
        self._holdback, self._decoder, self._fusion = holdback, decoder, fusion
        self._diagnostics, self._whereabouts, self._finders = diagnostics, whereabouts, tuple(finders)
        self._observers = tuple(observers)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every part that carries state."""
        return (self._holdback, self._fusion, self._diagnostics, self._whereabouts, *self._finders)

    @property
    def lateness_ns(self) -> int:
        """How far records may arrive out of order."""
        return self._holdback.lateness_ns

    def reached(self, vehicle: str) -> tuple[int, int] | None:
        """(greatest event time seen in ns, boot session of the last record) of this vehicle, None before its first record."""
        return self._holdback.reached(vehicle)

    def push(self, frames: FrameBatch) -> Advance:
        """Frames in arrival order."""
        return self._evaluate(self._holdback.push(frames))

    def close(self, vehicle: str) -> Advance:
        """The vehicle's records end: evaluate its tail and close its trip."""
        return self._evaluate(self._holdback.close(vehicle))

    def _evaluate(self, released: Released) -> Advance:
        frames = released.frames
        signals = self._decoder.decode(frames)
        samples = self._fusion.fuse(frames, signals)
        dtcs = self._diagnostics.read(frames)
        findings = [finding for finder in self._finders for finding in finder.evaluate(samples, dtcs)]
        located = self._whereabouts.locate(samples, sorted(findings, key=_order))
        advance = Advance(
            frames=frames,
            signals=signals,
            samples=samples,
            dtcs=dtcs,
            findings=located,
            dead_letters=released.dead_letters,
        )
        for observe in self._observers:
            observe(advance)
        return advance

    def snapshot(self, vehicle: str) -> tuple[StageState, ...]:
        """The carried state of every stage that has one for this vehicle."""
        pairs = [(stage, stage.snapshot(vehicle)) for stage in self.stages]
        return tuple(
            StageState(vehicle=vehicle, stage=stage.name, version=stage.version, state=state)
            for stage, state in pairs
            if state is not None
        )

    def restore(self, states: Sequence[StageState]) -> None:
        """Set state from `snapshot`; state of another version of a stage is left out (that stage starts anew)."""
        by_name: Mapping[str, Stage] = {stage.name: stage for stage in self.stages}
        for state in states:
            stage = by_name.get(state.stage)
            if stage is not None and stage.version == state.version:
                stage.restore(state.vehicle, state.state)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state from every stage."""
        for stage in self.stages:
            stage.forget(vehicle)


def _order(finding: Finding) -> tuple[str, int, str, str]:
    return finding.vehicle, finding.time_ns, finding.source.kind, finding.source.id
