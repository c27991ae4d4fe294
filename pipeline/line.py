"""The pipeline is one line: frames -> order -> signals and trouble codes -> samples -> findings.

Live, replay and distributed runs push frames through the same `Line`; only what stands before and after it differs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.care import DayUsage
from domain.findings import Finding
from domain.frames import FrameBatch
from domain.ports import FindingStage, Stage
from domain.records import DeadLetter, StageState
from domain.signals import SampleBatch, SignalBatch
from domain.trouble_codes import DtcBatch
from pipeline.drive_ticks import Ended, until_drive_ends
from pipeline.finding_stamps import FindingStamps
from pipeline.holdback import HoldBack, Released
from pipeline.late_lane import LateLane
from pipeline.whereabouts import Whereabouts

NO_STATE = b""


class Decode(Stage, Protocol):
    """FrameBatch -> SignalBatch."""

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


class MeterUse(Stage, Protocol):
    """SampleBatch -> days of use."""

    def read(self, samples: SampleBatch) -> Sequence[tuple[str, DayUsage]]:
        """(vehicle, day as it stands) of days that are over and of those on which a drive ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What one pass through the stages gave.

    Attributes:
        late: of records that came behind their vehicle's watermark. ended: drives of vehicles that end with it; none where it is late.
        usage: (vehicle, day of use as it stands) of days that are over or on which a drive ended.
    """

    frames: FrameBatch
    signals: SignalBatch
    samples: SampleBatch
    dtcs: DtcBatch
    findings: tuple[Finding, ...]
    dead_letters: tuple[DeadLetter, ...] = ()
    late: bool = False
    ended: Ended = ()
    usage: tuple[tuple[str, DayUsage], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What one push through the line gave: passes of the vehicles' own records, then of late ones."""

    advances: tuple[Advance, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings by vehicle, in the order in which they are decided on."""
        return tuple(sorted((finding for advance in self.advances for finding in advance.findings), key=_order))

    @property
    def ended(self) -> Ended:
        """(vehicle, event time) of the drives that ended."""
        return tuple(end for advance in self.advances for end in advance.ended)

    @property
    def usage(self) -> tuple[tuple[str, DayUsage], ...]:
        """Days of use in the order in which they were told."""
        return tuple(day for advance in self.advances for day in advance.usage)

    @property
    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Of all passes."""
        return tuple(letter for advance in self.advances for letter in advance.dead_letters)

    @property
    def late_records(self) -> int:
        """How many records came behind their vehicle's watermark."""
        return sum(len(advance.frames) for advance in self.advances if advance.late)


Observer = Callable[[Advance], None]
"""Told of every push and close before it is decided on; a push whose commit failed is told again."""


class Line:
    """The stages in their order, with the state that they carry per vehicle.

    Args:
        late: stages like these, without lateness, for what comes behind a vehicle's watermark; without them that is not judged.
        meter: makes days of use of the vehicles' own records; late ones count by the odometer alone.
    """

    def __init__(
        self,
        *,
        holdback: HoldBack,
        decoder: Decode,
        fusion: Fuse,
        diagnostics: ReadCodes,
        whereabouts: Whereabouts,
        finders: Sequence[FindingStage],
        late: Line | None = None,
        meter: MeterUse | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._holdback, self._decoder, self._fusion = holdback, decoder, fusion
        self._diagnostics, self._whereabouts, self._finders = diagnostics, whereabouts, tuple(finders)
        self._stamps, self._meter = FindingStamps(), meter
        self._observers = tuple(observers)
        self._late = None if late is None else LateLane(late)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every part that carries state."""
        meter = () if self._meter is None else (self._meter,)
        own = (self._holdback, self._decoder, self._fusion, self._diagnostics, self._whereabouts, self._stamps)
        return (*own, *meter, *self._finders)

    @property
    def lateness_ns(self) -> int:
        """How far records may arrive out of order."""
        return self._holdback.lateness_ns

    def reached(self, vehicle: str) -> tuple[int, int] | None:
        """(greatest event time seen in ns, boot session of the last record) of this vehicle, None before its first record."""
        return self._holdback.reached(vehicle)

    def push(self, frames: FrameBatch) -> Pushed:
        """Frames in arrival order."""
        released = self._holdback.push(frames)
        return Pushed(advances=(*self._own(released), *self._late_ones(released)))

    def close(self, vehicle: str) -> Pushed:
        """The vehicle's records end: evaluate its tail and close its trip."""
        reached = self._holdback.reached(vehicle)
        released = self._holdback.close(vehicle)
        advances = [*self._own(released), *self._late_ones(released)]
        if self._late is not None and reached is not None:
            advances += self._told(self._late.close(vehicle, reached[0]))
        return Pushed(advances=tuple(advances))

    def _own(self, released: Released) -> Iterator[Advance]:
        """The vehicles' own records, in parts that stop where a drive ends, so that the state of that moment can be kept."""
        letters = released.dead_letters
        for frames, ended in until_drive_ends(released.frames):
            advance = replace(self._evaluate(frames), dead_letters=letters, ended=ended)
            for vehicle, _ in ended:
                self._stamps.end_drive(vehicle)
            yield self._tell(advance)
            letters = ()
            if self._late is not None:
                for vehicle, end_ns in ended:
                    self._late.shelve(vehicle, end_ns, self._stage_states(vehicle))

    def _late_ones(self, released: Released) -> list[Advance]:
        if self._late is None or not len(released.late):
            return []
        return self._told(self._late.push(released))

    def _told(self, advances: list[Advance]) -> list[Advance]:
        return [self._tell(advance) for advance in advances]

    def _tell(self, advance: Advance) -> Advance:
        for observe in self._observers:
            observe(advance)
        return advance

    def _evaluate(self, frames: FrameBatch) -> Advance:
        signals = self._decoder.decode(frames)
        samples = self._fusion.fuse(frames, signals)
        dtcs = self._diagnostics.read(frames)
        findings = [finding for finder in self._finders for finding in finder.evaluate(samples, dtcs)]
        located = self._whereabouts.locate(samples, sorted(findings, key=_order))
        stamped = self._stamps.stamp(located, frames)
        usage = () if self._meter is None else tuple(self._meter.read(samples))
        return Advance(frames=frames, signals=signals, samples=samples, dtcs=dtcs, findings=stamped, usage=usage)

    def snapshot(self, vehicle: str) -> tuple[StageState, ...]:
        """The carried state of every stage; NO_STATE where it has none, which takes the place of what is stored."""
        return (*self._stage_states(vehicle), *(() if self._late is None else self._late.snapshot(vehicle)))

    def _stage_states(self, vehicle: str) -> tuple[StageState, ...]:
        return tuple(
            StageState(vehicle=vehicle, stage=stage.name, version=stage.version, state=stage.snapshot(vehicle) or NO_STATE)
            for stage in self.stages
        )

    def restore(self, states: Sequence[StageState]) -> None:
        """Set state from `snapshot`; state of another version of a stage is left out (that stage starts anew)."""
        by_name: Mapping[str, Stage] = {stage.name: stage for stage in self.stages}
        for state in states:
            stage = by_name.get(state.stage)
            if stage is not None and stage.version == state.version and state.state != NO_STATE:
                stage.restore(state.vehicle, state.state)
        if self._late is not None:
            for vehicle in dict.fromkeys(state.vehicle for state in states):
                self._late.restore(vehicle, {state.stage: state for state in states if state.vehicle == vehicle})

    def lower(self, vehicle: str, sources: Collection[str]) -> None:
        """These sources count as not raised any more (`domain.ports.FindingStage.lower`)."""
        for finder in self._finders if sources else ():
            finder.lower(vehicle, sources)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state from every stage."""
        for stage in self.stages:
            stage.forget(vehicle)
        if self._late is not None:
            self._late.forget(vehicle)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.vehicle, finding.order_ns, finding.time_ns, finding.source.kind, finding.source.id
