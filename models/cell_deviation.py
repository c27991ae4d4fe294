"""Finds cells of a traction battery that stand apart from the others of their pack, in records with every cell's voltage.

The cells of a pack share current, age and, roughly, temperature, so that each is judged against all others: by its level against the
middle cell, by what current does to that level (resistance), and by how far the level moved since the first records (growth). Each
is measured in robust standard deviations of the pack's own cells: a pack whose cells lie far apart, as in a used car, says so itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError

Floats = NDArray[np.float64]

MAD_TO_SIGMA = 1.4826
PLAUSIBLE_V = (1.5, 4.6)
WINDOW = 500
"""Records of a window: minutes of driving, an hour of charging."""
LEAST_WINDOWS = 5
LIMIT = 6.0
"""Robust standard deviations: of a hundred normal cells, one in five million packs has one so far out; real packs have heavier tails."""
LEAST_MV = {"level": 8.0, "growth": 10.0, "current": 20.0}
"""Deviations below these are a matter of sensors, which resolve 1 to 5 mV, and of bars between modules, which a cell's wires may span."""
LEAST_SIGMA_MV = 1.5
PERSISTENT = 0.8
"""Share of the windows in which a cell has to stand apart by half of the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell against its pack.

    Attributes:
        name: as in the data. score: the greatest of the three, in robust standard deviations; `reason` says which.
        level_mv: mean deviation from the middle cell. growth_mv: last third of the windows minus first. current_mv: deviation while
            discharging minus while charging. first_window: from which on it stands apart for good, None if it does not.
    """

    name: str
    score: float
    reason: str
    level_mv: float
    growth_mv: float
    current_mv: float
    deviating: bool
    first_window: int | None


def deviating_cells(names: Sequence[str], current_a: Floats, volts: Floats) -> tuple[Cell, ...]:
    """All cells, the most conspicuous first.

    Args:
        current_a: [n], of either sign convention. volts: [n, cells], in order of time; records with an implausible cell are left out.

    Raises:
        InputError: too few records or cells.
    """
    sound = ((volts > PLAUSIBLE_V[0]) & (volts < PLAUSIBLE_V[1])).all(axis=1) & np.isfinite(current_a)
    current_a, volts = current_a[sound], volts[sound]
    windows = len(volts) // WINDOW
    if windows < LEAST_WINDOWS or volts.shape[1] < 8:
        what = f"{len(volts)} sound records of {volts.shape[1]} cells are too few"
        raise InputError(what, mend=f"give at least {LEAST_WINDOWS * WINDOW} records of 8 cells")
    deviation = 1000.0 * (volts - np.median(volts, axis=1, keepdims=True))
    by_window = deviation[: windows * WINDOW].reshape(windows, WINDOW, -1).mean(axis=1)
    third = max(1, windows // 3)
    level = by_window.mean(axis=0)
    growth = by_window[-third:].mean(axis=0) - by_window[:third].mean(axis=0)
    swing = _swing(current_a, deviation)
    apart = np.array([_robust(each) for each in by_window])
    scores = {"level": _robust(level), "growth": _robust(growth), "current": _robust(swing)}
    sizes = {"level": level, "growth": growth, "current": swing}
    cells = []
    for number, name in enumerate(names):
        reason = max(scores, key=lambda each: abs(scores[each][number]))
        score = float(scores[reason][number])
        side = np.sign(apart[:, number].mean())
        beyond = side * apart[:, number] > LIMIT / 2.0
        lasting = reason != "level" or beyond.mean() >= PERSISTENT
        deviating = abs(score) > LIMIT and abs(float(sizes[reason][number])) > LEAST_MV[reason] and bool(lasting)
        cells.append(
            Cell(
                name=name,
                score=score,
                reason=reason,
                level_mv=float(level[number]),
                growth_mv=float(growth[number]),
                current_mv=float(swing[number]),
                deviating=deviating,
                first_window=_since(beyond) if deviating else None,
            )
        )
    return tuple(sorted(cells, key=lambda cell: (not cell.deviating, -abs(cell.score))))


def window_record(window: int) -> int:
    """The first sound record of a window."""
    return window * WINDOW


def _swing(current_a: Floats, deviation: Floats) -> Floats:
    """Deviation at high current of one sign minus the other; 0 where the pack was not driven both ways."""
    high = np.abs(current_a) > 15.0
    out, into = high & (current_a > 0), high & (current_a < 0)
    if out.sum() < WINDOW or into.sum() < WINDOW:
        return np.zeros(deviation.shape[1])
    return np.asarray(deviation[out].mean(axis=0) - deviation[into].mean(axis=0))


def _robust(values: Floats) -> Floats:
    middle = np.median(values)
    sigma = max(LEAST_SIGMA_MV, MAD_TO_SIGMA * float(np.median(np.abs(values - middle))))
    return np.asarray((values - middle) / sigma)


def _since(beyond: NDArray[np.bool_]) -> int | None:
    """First of the windows from which on at least the persistent share stands apart."""
    share = np.cumsum(beyond[::-1])[::-1] / np.arange(len(beyond), 0, -1)
    found = np.flatnonzero(beyond & (share >= PERSISTENT))
    return int(found[0]) if len(found) else None


def as_json(cell: Cell) -> dict[str, Any]:
    """Figures of one cell."""
    return {name: getattr(cell, name) for name in ("name", "score", "reason", "level_mv", "growth_mv", "current_mv")}
