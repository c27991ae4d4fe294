"""Orders that want a dealer and a day, the room that dealers have, and where each order went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NOWHERE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Orders that ask the same of a dealer.

    Attributes:
        able: (dealers,) which may take such an order at all.
        favour_m: (dealers,) metres of way that a dealer's merits (parts, brand, ratings) are worth, 0 or more.
        wait_m: (days,) metres that an appointment on that day counts as, `NEVER` where it would be too late.
        reach_m: the longest way by road. detour: way by road over great circle.
    """

    able: Bools
    favour_m: Ints
    wait_m: Ints
    reach_m: int
    detour: float = 1.3


NEVER = np.iinfo(np.int64).max
"""In `Kind.wait_m`: not on this day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementProblem:
    """Everything an optimum depends on; lengths are whole metres, so that an optimum is exact.

    Attributes:
        dealers: (m, 3) unit vectors. room: (m, days) appointments that are still free, 0 or more.
        orders: (n, 3) unit vectors. kinds: what orders ask for. kind: (n,) index into `kinds`.
        favourite: (n,) the dealer that the owner prefers, `NOWHERE` for none. favourite_m: (n,) metres that it is worth.
        excluded: (order, dealer) pairs that are not to be asked.
    """

    dealers: Floats
    room: Ints
    orders: Floats
    kinds: tuple[Kind, ...]
    kind: Ints
    favourite: Ints
    favourite_m: Ints
    excluded: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the orders went.

    Attributes:
        dealer, day: (n,) rows and days, `NOWHERE` where no dealer within reach has room. road_m: (n,) way, 0 where placed nowhere.
        cost_m: sum of way and waiting minus favours over the placed orders.
        proven: no other placement places more orders, or as many at less cost: the prices say so, over every pair of order and
            dealer, looked at or not. rounds: min-cost flows solved. arcs: pairs looked at in the last one.
    """

    dealer: Ints
    day: Ints
    road_m: Ints
    cost_m: int
    proven: bool
    rounds: int
    arcs: int
