"""A map of one batch placed twice, as SVG: every order's way to its dealer, as it comes and optimally."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

from benchmarks.dispatch import LOAD, SEED, road_km
from benchmarks.dispatch_demand import draw_demand
from benchmarks.dispatch_greedy import place_greedily
from notifier.dispatch import NOWHERE, place

ORDERS, DEALERS = 3_000, 3_000
_SIDE, _TOP, _GAP = 440, 70, 20
_SOUTH, _NORTH, _WEST, _EAST = 22.0, 44.0, 100.0, 124.0
_STEPS = ((60.0, "#d9a441"), (150.0, "#cf6a32"), (np.inf, "#a01c2c"))
"""Colour of ways up to so many km."""
_SHORT_KM = 20.0
"""Shorter ways are not drawn: a few pixels."""

Ints = npt.NDArray[np.int64]


def dispatch_map() -> str:
    """Both placements of the first country of the benchmark with fewer orders and dealers, side by side."""
    demand = draw_demand(ORDERS, DEALERS, load=LOAD, seed=SEED)
    problem = demand.problem()
    width, height = 2 * _SIDE + 3 * _GAP, _SIDE + _TOP + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_legend(width),
    ]
    panels = (("each to the nearest with room, as it comes", place_greedily(problem)), ("min-cost flow", place(problem).dealer))
    for number, (title, chosen) in enumerate(panels):
        km = road_km(demand, chosen)
        placed = chosen != NOWHERE
        words = f"{title}: {km[placed].mean():.1f} km mean, {np.percentile(km[placed], 95):.0f} km p95, {(~placed).sum()} nowhere"
        left = _GAP + number * (_SIDE + _GAP)
        parts.append(f'<text x="{left}" y="{_TOP - 10}">{escape(words)}</text>')
        parts.append(f'<rect x="{left}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="#fafafa" stroke="#ccc"/>')
        orders, dealers = _points(demand.orders, left), _points(demand.dealers, left)
        parts += [_lines(orders, dealers, chosen, km, low, high, colour) for low, high, colour in _bands()]
        parts.append(_dots(dealers, 0.6, "#888"))
        parts.append(_dots(orders[~placed], 2.5, "#d000d0"))
    return "\n".join([*parts, "</svg>", ""])


def _bands() -> list[tuple[float, float, str]]:
    lows = (_SHORT_KM, *(step for step, _ in _STEPS))
    return [(low, high, colour) for low, (high, colour) in zip(lows, _STEPS, strict=False)]


def _points(degrees: npt.NDArray[np.float64], left: float) -> npt.NDArray[np.float64]:
    x = left + _SIDE * (degrees[:, 1] - _WEST) / (_EAST - _WEST)
    y = _TOP + _SIDE * (_NORTH - degrees[:, 0]) / (_NORTH - _SOUTH)
    return np.column_stack((x, y))


def _lines(
    orders: npt.NDArray[np.float64],
    dealers: npt.NDArray[np.float64],
    chosen: Ints,
    km: npt.NDArray[np.float64],
    low: float,
    high: float,
    colour: str,
) -> str:
    rows = np.flatnonzero((chosen != NOWHERE) & (km >= low) & (km < high))
    ways = "".join(
        f"M{x:.1f} {y:.1f}l{dx:.1f} {dy:.1f}"
        for (x, y), (dx, dy) in zip(orders[rows], dealers[chosen[rows]] - orders[rows], strict=True)
    )
    return f'<path d="{ways}" stroke="{colour}" stroke-width="0.9" fill="none"/>'


def _dots(points: npt.NDArray[np.float64], radius: float, colour: str) -> str:
    dots = "".join(f"M{x - radius:.1f} {y:.1f}h{2 * radius:.1f}" for x, y in points)
    return f'<path d="{dots}" stroke="{colour}" stroke-width="{2 * radius}" fill="none"/>'


def _legend(width: int) -> list[str]:
    words = [("20 to 60 km", _STEPS[0][1]), ("to 150 km", _STEPS[1][1]), ("farther", _STEPS[2][1])]
    parts = [
        f'<text x="{_GAP}" y="20" font-weight="bold">{ORDERS:,} orders, {DEALERS} dealers, {LOAD:.0%} of the room taken: ways by road</text>'
    ]
    x = _GAP
    for name, colour in words:
        parts.append(f'<rect x="{x}" y="32" width="14" height="4" fill="{colour}"/><text x="{x + 18}" y="38">{name}</text>')
        x += 105
    parts.append(f'<text x="{width - _GAP}" y="38" text-anchor="end">dots: dealers; pink: orders placed nowhere</text>')
    return parts
