"""The peer of `bench dispatch`: each order, as it arrives, goes to the nearest able workshop that still has room within reach.

It knows what is booked, which "nearest" alone does not, and looks for the nearest with the same k-d tree as the optimum does: its
neighbours are asked for in one call for all orders, and again, farther, for those whose neighbours are all booked out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from notifier.dealers.geography import chord_of_km
from notifier.dispatch import NOWHERE, Kind, PlacementProblem

NEAR = 64

Ints = npt.NDArray[np.int64]


def place_greedily(problem: PlacementProblem) -> Ints:
    """(n,) dealer of each order, `NOWHERE` where no room is left within reach; orders arrive in the order of their rows."""
    left, chosen = problem.room.sum(axis=1), np.full(len(problem.orders), NOWHERE, dtype=np.int64)
    searches = [_Search(problem, number, kind) for number, kind in enumerate(problem.kinds)]
    for order, kind in enumerate(problem.kind.tolist()):
        dealer = searches[kind].nearest_with_room(order, left)
        if dealer != NOWHERE:
            chosen[order] = dealer
            left[dealer] -= 1
    return chosen


class _Search:
    def __init__(self, problem: PlacementProblem, number: int, kind: Kind) -> None:
        self._rows = np.flatnonzero(kind.able & (problem.room.sum(axis=1) > 0))
        self._tree = cKDTree(problem.dealers[self._rows])
        self._places = problem.orders
        self._reach = chord_of_km(kind.reach_m / 1000 / kind.detour)
        mine = np.flatnonzero(problem.kind == number)
        near = min(NEAR, len(self._rows))
        chords, found = self._tree.query(problem.orders[mine], k=np.arange(1, near + 1), distance_upper_bound=self._reach)
        self._found: list[list[int]] = [
            self._rows[row[chord < np.inf]].tolist() for row, chord in zip(np.asarray(found), np.asarray(chords), strict=True)
        ]
        self._place = dict(zip(mine.tolist(), range(len(mine)), strict=True))

    def nearest_with_room(self, order: int, left: Ints) -> int:
        near = self._found[self._place[order]]
        for dealer in near:
            if left[dealer] > 0:
                return dealer
        if len(near) < min(NEAR, len(self._rows)):
            return NOWHERE
        within = self._rows[self._tree.query_ball_point(self._places[order], self._reach)]
        within = within[left[within] > 0]
        if not len(within):
            return NOWHERE
        return int(within[np.argmin(np.linalg.norm(self._rows_units(within) - self._places[order], axis=1))])

    def _rows_units(self, rows: Ints) -> npt.NDArray[np.float64]:
        units: npt.NDArray[np.float64] = self._tree.data[np.searchsorted(self._rows, rows)]
        return units
