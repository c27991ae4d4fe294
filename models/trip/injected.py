"""How soon a detector finds shifts and ramps that are added to the trips of a healthy car, and how often it speaks without reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.ports import Jit, no_jit
from models.trip import judgement
from models.trip.entries import Detector
from models.trip.features import TripRows
from models.trip.slots import Floats, Ints

RAISED = judgement.WATCH_RAISED | judgement.ALERT_RAISED


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How lives are made of a car's trips.

    Attributes:
        lives: each puts the trips into another order; the first half is learnt from, the second held out.
        ramp: trips over which a ramp reaches its full size.
        false_alarms_per_trip: the budget that the limit is worked out from. share: of the shift, from which a mean deviation is told;
            what an owner should hear of is another matter (`Side.smallest`).
    """

    lives: int = 400
    ramp: int = 10
    false_alarms_per_trip: float = 0.001
    share: float = 0.5
    seed: int = 20260301


def injected_figures(detector: Detector, rows: TripRows, shift: float, protocol: Protocol, jit: Jit = no_jit) -> dict[str, Any]:
    """Figures of one detector on one healthy car.

    Returns:
        `trips` that said something; `step` and `ramp`: median and 90th percentile of the trips until the first alarm, and the share
        found at all; `false_alarms_per_1000_trips` on held-out trips, with the share of lives that had any.
    """
    rng = np.random.default_rng(protocol.seed)
    known = len(rows) // 2
    lives = np.argsort(rng.random((protocol.lives, len(rows))), axis=1)
    late = np.arange(lives.shape[1]) - known
    figures: dict[str, Any] = {"trips": len(rows), "held_out": len(rows) - known, "limit": _limit(detector, protocol)}
    for name, added in (("step", late >= 0), ("ramp", np.clip((late + 1) / protocol.ramp, 0.0, 1.0))):
        raised = _raised(detector, rows, lives, shift * np.where(late >= 0, added, 0.0), shift, protocol, jit)[:, known:]
        found = raised.any(axis=1)
        until = np.where(found, raised.argmax(axis=1) + 1.0, math.inf)
        middle, worst = np.quantile(until, (0.5, 0.9), method="inverted_cdf").tolist()
        figures[name] = {"median_trips": _finite(middle), "p90_trips": _finite(worst), "found": float(found.mean())}
    healthy = _raised(detector, rows, lives, np.zeros(lives.shape[1]), shift, protocol, jit)[:, known:]
    figures["false_alarms_per_1000_trips"] = 1000.0 * float(healthy.mean())
    figures["lives_with_false_alarms"] = float(healthy.any(axis=1).mean())
    return figures


def _limit(detector: Detector, protocol: Protocol) -> float:
    return judgement.limit_for_budget(protocol.false_alarms_per_trip, detector.entry.limits.allowance)


def _worth_telling(detector: Detector, size: float) -> tuple[float, float, float, float]:
    high, low = (size if side else math.inf for side in (detector.entry.high, detector.entry.low))
    return high, low, high, low


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _raised(
    detector: Detector, rows: TripRows, lives: Ints, added: Floats, shift: float, protocol: Protocol, jit: Jit
) -> np.ndarray:
    """Whether each trip of each life raised anything: bool[lives, trips]."""
    count, length = lives.shape
    trip = lives.ravel()
    told = np.empty((len(trip), judgement.TOLD + 2 * detector.q))
    limit = _limit(detector, protocol)
    jit(judgement.judge_trips)(
        np.repeat(np.arange(count), length),
        np.tile(np.arange(1.0, length + 1.0), count),
        rows.value[trip] + np.tile(added, count),
        rows.weight[trip],
        rows.points[trip],
        np.tile(detector.fresh, (count, 1)),
        float(detector.entry.learn),
        detector.entry.prior.steadiest,
        detector.entry.limits.allowance,
        limit,
        limit,
        *_worth_telling(detector, protocol.share * abs(shift)),
        told,
    )
    return (told[:, judgement.SAID].astype(np.int64) & RAISED > 0).reshape(count, length)


def joined(parts: Sequence[TripRows]) -> TripRows:
    """The trips of several batches as one, in order."""
    first = parts[0]
    columns = ("slot", "start_ns", "closed_ns", "panes", "value", "weight", "points")
    return TripRows(
        detector=first.detector, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    )
