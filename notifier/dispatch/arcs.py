"""Pairs of order and dealer worth looking at: the nearest able ones of each order, and more where prices say that it pays."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from notifier.dealers.geography import chord_km
from notifier.dispatch.problem import NOWHERE, Bools, Ints, PlacementProblem

BLOCK = 2_000_000
"""Neighbours asked for at once; bounds the memory of a query."""


class CandidateArcs:
    """Grows, per order, by the next nearest able dealers.

    Attributes:
        order, dealer, road_m, cost_m: the pairs, in no particular order; the cost is the way minus what the dealer is worth to the order.
        bound_m: (n,) no pair that was not looked at costs less than this, `NEVER_LESS` where all within reach were.
    """

    NEVER_LESS = np.iinfo(np.int64).max // 4

    def __init__(self, problem: PlacementProblem, first: int) -> None:
        self._problem = problem
        count = len(problem.orders)
        roomy = problem.room.sum(axis=1) > 0
        self._rows = [np.flatnonzero(kind.able & roomy) for kind in problem.kinds]
        self._trees = [cKDTree(problem.dealers[rows]) if len(rows) else None for rows in self._rows]
        self._most_favour = [
            int(kind.favour_m[rows].max(initial=0)) for kind, rows in zip(problem.kinds, self._rows, strict=True)
        ]
        self._near = np.zeros(count, dtype=np.int64)
        self.bound_m = np.zeros(count, dtype=np.int64)
        self.order, self.dealer, self.road_m, self.cost_m = (np.zeros(0, dtype=np.int64) for _ in range(4))
        self._take_favourites(roomy)
        self.grow(np.arange(count), first)

    def grow(self, orders: Ints, near: int) -> None:
        """Look at the `near` nearest dealers of each of these orders; what was looked at before is not taken again."""
        for kind, (rows, tree) in enumerate(zip(self._rows, self._trees, strict=True)):
            mine = orders[self._problem.kind[orders] == kind]
            count = min(near, len(rows))
            if tree is None:
                self.bound_m[mine] = self.NEVER_LESS
                continue
            for part in np.array_split(mine, max(1, len(mine) * count // BLOCK)):
                self._look(kind, part, count)

    def _look(self, kind: int, orders: Ints, near: int) -> None:
        rows, tree, asked = self._rows[kind], self._trees[kind], self._problem.kinds[kind]
        assert tree is not None
        chord, found = tree.query(self._problem.orders[orders], k=np.arange(1, near + 1))
        road_m = np.rint(asked.detour * 1000 * chord_km(np.asarray(chord))).astype(np.int64)
        dealer = rows[found]
        cost_m = road_m - asked.favour_m[dealer]
        take = (road_m <= asked.reach_m) & (np.arange(near) >= self._near[orders][:, None])
        take &= dealer != self._problem.favourite[orders][:, None]
        order = np.broadcast_to(orders[:, None], dealer.shape)
        self._take(order[take], dealer[take], road_m[take], cost_m[take])
        whole = (near == len(rows)) | (road_m[:, -1] >= asked.reach_m)
        self.bound_m[orders] = np.where(whole, self.NEVER_LESS, road_m[:, -1] - self._most_favour[kind])
        self._near[orders] = near

    def _take_favourites(self, roomy: Bools) -> None:
        problem = self._problem
        for row, kind in enumerate(problem.kinds):
            order = np.flatnonzero((problem.favourite != NOWHERE) & (problem.kind == row))
            order = order[(kind.able & roomy)[problem.favourite[order]]]
            dealer = problem.favourite[order]
            chord = np.linalg.norm(problem.orders[order] - problem.dealers[dealer], axis=1)
            road_m = np.rint(kind.detour * 1000 * chord_km(chord)).astype(np.int64)
            cost_m, near = road_m - kind.favour_m[dealer] - problem.favourite_m[order], road_m <= kind.reach_m
            self._take(order[near], dealer[near], road_m[near], cost_m[near])

    def _take(self, order: Ints, dealer: Ints, road_m: Ints, cost_m: Ints) -> None:
        if self._problem.excluded and len(order):
            count = len(self._problem.dealers)
            barred = np.array([row * count + dealer for row, dealer in self._problem.excluded], dtype=np.int64)
            kept = ~np.isin(order * count + dealer, barred)
            order, dealer, road_m, cost_m = order[kept], dealer[kept], road_m[kept], cost_m[kept]
        self.order = np.concatenate((self.order, order))
        self.dealer = np.concatenate((self.dealer, dealer))
        self.road_m = np.concatenate((self.road_m, road_m))
        self.cost_m = np.concatenate((self.cost_m, cost_m))
