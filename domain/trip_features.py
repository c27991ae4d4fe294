"""What trips say, as columns: the figures that detectors judge, as they were known and when."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TripFeatureBatch:
    """n figures of trips, one row per trip and feature.

    Attributes:
        vehicles, features: ids that `vehicle` and `feature` point into.
        start_ns, end_ns: event times of the trip's first record and of the one that ended it.
        available_ns: when the figure could first be known: training and scoring at a time see rows up to it, and no others.
        value: the figure (its natural logarithm where the detector judges that). weight: 1 for a full trip, less for a poor one.
        panes: how many panes counted. expected: what was expected of it, before it was learnt from.
    """

    vehicles: tuple[str, ...]
    features: tuple[str, ...]
    vehicle: NDArray[np.int32]
    feature: NDArray[np.int32]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    available_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    panes: NDArray[np.int64]
    expected: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.value)

    def known_at(self, time_ns: int) -> TripFeatureBatch:
        """The rows that were available then."""
        rows = np.flatnonzero(self.available_ns <= time_ns)
        columns = [each.name for each in fields(self) if each.name not in {"vehicles", "features"}]
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})
