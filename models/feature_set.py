"""What a signal family looks at: the target signal, its operating point and when it has settled. Data, not code."""

from __future__ import annotations

from dataclasses import dataclass

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One signal of the operating point.

    Attributes:
        name: feature name, with its unit (`speed_kmh`). path: VSS path, in the unit of the VSS catalogue.
        stale_after_s: how long a value may be held. smooth_s: time constant of its moving average, 0 for the pane's own mean.
        required: panes without it do not count; an optional input may be absent from a car altogether.
    """

    name: str
    path: str
    stale_after_s: float
    smooth_s: float = 0.0
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """When the target has settled after a start, as a running time that grows with how cold the engine was then.

    Attributes:
        running: name of the input that tells that the engine turns. running_above: it does above this value.
        base_s: running time that even a warm start needs. per_unit_s: added for each unit that the target began below `warm_at`.
    """

    running: str
    running_above: float
    base_s: float
    per_unit_s: float
    warm_at: float

    def needed_s(self, start: float) -> float:
        """Running time after which a trip that began with the target at `start` counts."""
        return self.base_s + self.per_unit_s * max(0.0, self.warm_at - start)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """A target, its operating point, and the steps of event time in which both are looked at.

    Attributes:
        target: the signal that is expected from the others.
        grid_s: held values are read off at multiples of this. pane_s: and averaged over panes of this (a multiple of `grid_s`).
        trip_gap_s: silence that ends a trip where no end-of-drive tick says so.
    """

    target: Input
    inputs: tuple[Input, ...]
    settling: Settling
    grid_s: int = 1
    pane_s: int = 10
    trip_gap_s: int = 600

    @property
    def columns(self) -> tuple[Input, ...]:
        """The target, then the inputs: the columns of a pane."""
        return (self.target, *self.inputs)

    @property
    def required(self) -> tuple[int, ...]:
        """Numbers of the inputs without which a pane does not count."""
        return tuple(number for number, each in enumerate(self.inputs) if each.required)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that the model sees: the inputs, then the running time of the trip."""
        return (*(each.name for each in self.inputs), "running_s")
