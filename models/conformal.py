"""Intervals around a regression that hold the truth as often as they promise, from errors on data that it was not fitted on.

Split conformal prediction (Vovk et al. 2005), by groups of predictions (Mondrian): the errors are taken among predictions of about the
same height, so that the promise holds for young engines and for old ones, and not only on average over the calibration set's mix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError

Floats = NDArray[np.float64]

LEAST_PER_GROUP = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Half widths of intervals by height of the prediction.

    Attributes:
        edges: between groups of predictions, rising [groups - 1]. half_width: in the target's unit [groups].
    """

    edges: Floats
    half_width: Floats

    def around(self, predicted: Floats, low: float, high: float) -> tuple[Floats, Floats]:
        """(lower, upper) end of each prediction's interval, within what the target can be."""
        half = self.half_width[np.searchsorted(self.edges, predicted)]
        return np.maximum(predicted - half, low), np.minimum(predicted + half, high)


def learn_margins(predicted: Floats, truth: Floats, *, share: float, groups: int, weight: Floats | None = None) -> Margins:
    """Margins that hold `share` of the truths in each of `groups` equally filled groups of predictions (fewer groups where data is short).

    Args:
        weight: how much each error counts [errors]; equal without.

    Raises:
        InputError: fewer errors than the share needs to be promised at all.
    """
    if not len(predicted) or math.ceil((len(predicted) + 1) * share) > len(predicted):
        raise InputError(f"{len(predicted)} errors cannot promise {share:.0%}", mend="give more data")
    counts = np.ones(len(predicted)) if weight is None else weight
    count = max(1, min(groups, len(predicted) // LEAST_PER_GROUP))
    edges = np.unique(np.quantile(predicted, np.arange(1, count) / count))
    # an edge at the greatest prediction would leave an empty group above it
    edges = edges[edges < predicted.max()]
    group = np.searchsorted(edges, predicted)
    error = np.abs(truth - predicted)
    widths = [_rank(error[group == number], counts[group == number], share) for number in range(len(edges) + 1)]
    return Margins(edges=edges, half_width=np.array(widths))


def _rank(errors: Floats, weight: Floats, share: float) -> float:
    """The error that one more exchangeable error, of mean weight, stays under with probability `share` or more."""
    order = np.argsort(errors)
    reached = np.cumsum(weight[order])
    place = int(np.searchsorted(reached, share * (reached[-1] + weight.mean()) * (1.0 - 1e-12)))
    return float(errors[order[place]]) if place < len(errors) else math.inf
