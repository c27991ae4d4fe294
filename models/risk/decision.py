"""Which vehicles to call in: those where it is worth most, and no more than workshops can take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def chosen(avoided: NDArray[np.float64], workshop: NDArray[np.int64], capacity: int | None) -> NDArray[np.bool_]:
    """Visits worth their cost, the most worth first, at most `capacity` for each workshop (None: any number).

    Args:
        avoided: expected cost that each visit avoids. workshop: number of the workshop (or region) that would take it.
    """
    order = np.lexsort((-avoided, workshop))
    sorted_workshop = workshop[order]
    place = np.arange(len(order)) - np.searchsorted(sorted_workshop, sorted_workshop)
    taken = np.zeros(len(avoided), np.bool_)
    taken[order] = place < (len(order) if capacity is None else capacity)
    return taken & (avoided > 0.0)
