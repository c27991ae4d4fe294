"""The figures of trips as a table, from the same code that judges them live."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from domain.signals import SampleBatch
from domain.trip_features import TripFeatureBatch
from models.trip import judgement
from models.trip.slots import Ints
from models.trip.stage import TripDetectors


def trip_features(
    stage: TripDetectors, samples: SampleBatch, available_ns: Callable[[Ints], Ints] = lambda end_ns: end_ns
) -> TripFeatureBatch:
    """The figures of the trips that end in this batch.

    Args:
        stage: goes on with what it carries. available_ns: when trips that ended at these event times were known, at once where
            not said.
    """
    verdicts = stage.verdicts(samples)
    vehicles = {name: number for number, name in enumerate(samples.vehicles)}
    slots = [[vehicles[stage.vehicle(slot)] for slot in each.rows.slot.tolist()] for each in verdicts]
    end_ns = _joined([each.rows.closed_ns for each in verdicts], np.int64)
    return TripFeatureBatch(
        vehicles=samples.vehicles,
        features=tuple(each.id for each in stage.detectors),
        vehicle=_joined([np.array(each, np.int32) for each in slots], np.int32),
        feature=_joined([np.full(len(each.rows), each.rows.detector, np.int32) for each in verdicts], np.int32),
        start_ns=_joined([each.rows.start_ns for each in verdicts], np.int64),
        end_ns=end_ns,
        available_ns=available_ns(end_ns),
        value=_joined([each.rows.value for each in verdicts], np.float64),
        weight=_joined([each.rows.weight for each in verdicts], np.float64),
        panes=_joined([each.rows.panes for each in verdicts], np.int64),
        expected=_joined([each.told[:, judgement.EXPECTED] for each in verdicts], np.float64),
    )


def _joined(parts: list[np.ndarray], kind: type[np.generic]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, kind)
