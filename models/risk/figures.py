"""How good a risk model is, per failure and per vehicle, with intervals from drawing vehicles anew. Never point-adjusted.

Decisions to visit within one look-ahead (gap and horizon) of the first are one episode. An episode is right where the component fails
within its look-ahead, wrong where it is known not to, and otherwise says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.risk.lives import DAY_NS, outcomes
from models.risk.training import Judged, failures_in_reach

Floats = NDArray[np.float64]

REPLICATES = 300
MONTH_DAYS = 30.4375
TAIL = 2.5
LEAD_DAYS = 7.0
_SUMS = ("days", "failures", "found", "found_7d", "right", "wrong", "cost", "without")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What figures are worked out of, given how often each vehicle is drawn.

    Attributes:
        sums: name -> sum per vehicle. leads: days from the episode to the failure; lead_vehicle: its place among the vehicles.
        risk, failed, risk_vehicle: decisions with known outcome.
        held, held_weight, held_vehicle: whether intervals of remaining life held the truth.
    """

    sums: Mapping[str, Floats]
    leads: Floats
    lead_vehicle: NDArray[np.int64]
    risk: Floats
    failed: NDArray[np.bool_]
    risk_vehicle: NDArray[np.int64]
    held: NDArray[np.bool_]
    held_weight: Floats
    held_vehicle: NDArray[np.int64]
    base_rate: float


def figures(judged: Judged, *, seed: int = 0, replicates: int = REPLICATES) -> dict[str, Any]:
    """Counts, then each figure with `NAME_ci` = [2.5 %, 97.5 %] over vehicles; None where there is nothing to count.

    `recall`: failures of which an episode told at least the gap ahead; `recall_7d`: at least a week ahead; `precision` of episodes;
    `false_alarms_per_1000_vehicle_days`; `lead_days` (median), `lead_days_p10`; `auc`, `brier`, `brier_skill` (over always saying the
    base rate) and `calibration_error` of risks; `coverage` of the 90 % intervals of remaining life, among failures within reach;
    `cost_per_vehicle_month`, and `saved_per_vehicle_month` against no model.
    """
    sample = _sample(judged)
    vehicles = len(judged.vehicles)
    sums = sample.sums
    told: dict[str, Any] = {
        "vehicles": vehicles,
        "vehicle_days": float(sums["days"].sum()),
        "decisions": len(judged.asked.life),
        "failures": int(sums["failures"].sum()),
        "episodes": int((sums["right"] + sums["wrong"]).sum()),
        "false_alarms": int(sums["wrong"].sum()),
        "threshold": judged.component.threshold,
    }
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(vehicles, np.full(vehicles, 1.0 / max(1, vehicles)), size=replicates if vehicles else 0)
    once = np.ones(vehicles)
    for name, figure in _FIGURES.items():
        told[name] = figure(sample, once)
        drawn = [value for weight in draws if (value := figure(sample, weight.astype(np.float64))) is not None]
        told[f"{name}_ci"] = [float(each) for each in np.percentile(drawn, (TAIL, 100.0 - TAIL))] if drawn else None
    return told


def _sample(judged: Judged) -> _Sample:
    asked, lives, windows = judged.asked, judged.lives, judged.hazard.windows
    place = np.searchsorted(judged.vehicles, lives.vehicle)
    sums = {name: np.zeros(len(judged.vehicles)) for name in _SUMS}
    from_ns = np.maximum(lives.begins_ns, judged.from_ns)
    np.add.at(sums["days"], place, np.maximum(lives.ends_ns - from_ns, 0) / DAY_NS)
    leads: list[tuple[float, int]] = []
    for life, vehicle in enumerate(place):
        _tell(judged, life, int(vehicle), sums, leads)
    known, failed = outcomes(asked, lives, windows)
    within, days, weight = failures_in_reach(windows, lives, asked)
    held = np.zeros(0, np.bool_)
    if judged.hazard.margins is not None:
        low, high = judged.hazard.margins.around(judged.likely_days[within], windows.gap_days, windows.reach_days)
        held = (low <= days) & (days <= high)
    return _Sample(
        sums=sums,
        leads=np.array([lead for lead, _ in leads]),
        lead_vehicle=np.array([vehicle for _, vehicle in leads], np.int64),
        risk=judged.risk[known],
        failed=failed[known],
        risk_vehicle=place[asked.life[known]],
        held=held,
        held_weight=weight[: len(held)],
        held_vehicle=place[asked.life[within]][: len(held)],
        base_rate=float(failed[known].mean()) if known.any() else 0.0,
    )


def _tell(judged: Judged, life: int, vehicle: int, sums: Mapping[str, Floats], leads: list[tuple[float, int]]) -> None:
    """Add what happened in one life."""
    windows, component = judged.hazard.windows, judged.component
    ahead = (windows.gap_days + windows.horizon_days) * DAY_NS
    mine = judged.asked.life == life
    times, act = judged.asked.time_ns[mine], component.avoided(judged.risk[mine]) > 0.0
    end = int(judged.lives.ends_ns[life])
    fails = bool(judged.lives.failed[life]) and len(times) > 0
    told_ns: int | None = None
    for start in _episodes(times[act], ahead):
        if fails and end <= start + ahead:
            told_ns = start if told_ns is None else told_ns
            sums["right"][vehicle] += 1
        elif end >= start + ahead:
            sums["wrong"][vehicle] += 1
            sums["cost"][vehicle] += component.visit
    if not fails:
        return
    lead = 0.0 if told_ns is None else (end - told_ns) / DAY_NS
    found = lead >= windows.gap_days and told_ns is not None
    sums["failures"][vehicle] += 1
    sums["found"][vehicle] += found
    sums["found_7d"][vehicle] += found and lead >= LEAD_DAYS
    sums["cost"][vehicle] += component.planned if found else component.breakdown
    sums["without"][vehicle] += component.breakdown
    if found:
        leads.append((lead, vehicle))


def _episodes(times: NDArray[np.int64], ahead: int) -> list[int]:
    """First decision of each episode."""
    starts: list[int] = []
    for time_ns in times.tolist():
        if not starts or time_ns >= starts[-1] + ahead:
            starts.append(time_ns)
    return starts


def _ratio(above: float, below: float) -> float | None:
    return float(above / below) if below else None


def _lead(sample: _Sample, weight: Floats, share: float) -> float | None:
    drawn = np.repeat(sample.leads, weight[sample.lead_vehicle].astype(np.int64)) if len(sample.leads) else sample.leads
    return float(np.quantile(drawn, share)) if len(drawn) else None


def _auc(sample: _Sample, weight: Floats) -> float | None:
    """Share of (failing, living) pairs in the right order, from ranks: one sort serves every draw."""
    w = weight[sample.risk_vehicle]
    if not (w[sample.failed].sum() and w[~sample.failed].sum()):
        return None
    _, tied = np.unique(sample.risk, return_inverse=True)
    ups = np.bincount(tied, np.where(sample.failed, w, 0.0))
    downs = np.bincount(tied, np.where(sample.failed, 0.0, w))
    below = np.cumsum(downs) - downs
    return float((ups * (below + downs / 2.0)).sum() / (ups.sum() * downs.sum()))


def _brier(sample: _Sample, weight: Floats) -> float | None:
    w = weight[sample.risk_vehicle]
    return _ratio(float((w * (sample.risk - sample.failed) ** 2).sum()), float(w.sum()))


def _brier_skill(sample: _Sample, weight: Floats) -> float | None:
    w = weight[sample.risk_vehicle]
    plain = _ratio(float((w * (sample.base_rate - sample.failed) ** 2).sum()), float(w.sum()))
    ours = _brier(sample, weight)
    return None if not plain or ours is None else 1.0 - ours / plain


def _calibration_error(sample: _Sample, weight: Floats) -> float | None:
    """Mean distance of risk and observed share, over ten groups of equally many decisions."""
    if len(sample.risk) < 10:
        return None
    group = np.searchsorted(np.quantile(sample.risk, np.arange(1, 10) / 10.0), sample.risk)
    w = weight[sample.risk_vehicle]
    gaps = np.abs(np.bincount(group, w * sample.risk, 10) - np.bincount(group, w * sample.failed, 10))
    return _ratio(float(gaps.sum()), float(w.sum()))


def _share(above: str, below: tuple[str, ...], factor: float = 1.0) -> Callable[[_Sample, Floats], float | None]:
    def figure(sample: _Sample, weight: Floats) -> float | None:
        return _ratio(factor * float(weight @ sample.sums[above]), sum(float(weight @ sample.sums[name]) for name in below))

    return figure


def _saved(sample: _Sample, weight: Floats) -> float | None:
    without = float(weight @ sample.sums["without"])
    return _ratio(MONTH_DAYS * (without - float(weight @ sample.sums["cost"])), float(weight @ sample.sums["days"]))


def _coverage(sample: _Sample, weight: Floats) -> float | None:
    w = sample.held_weight * weight[sample.held_vehicle]
    return _ratio(float((w * sample.held).sum()), float(w.sum()))


_FIGURES: Mapping[str, Callable[[_Sample, Floats], float | None]] = {
    "recall": _share("found", ("failures",)),
    "recall_7d": _share("found_7d", ("failures",)),
    "precision": _share("right", ("right", "wrong")),
    "false_alarms_per_1000_vehicle_days": _share("wrong", ("days",), 1000.0),
    "lead_days": lambda sample, weight: _lead(sample, weight, 0.5),
    "lead_days_p10": lambda sample, weight: _lead(sample, weight, 0.1),
    "auc": _auc,
    "brier": _brier,
    "brier_skill": _brier_skill,
    "calibration_error": _calibration_error,
    "coverage": _coverage,
    "cost_per_vehicle_month": _share("cost", ("days",), MONTH_DAYS),
    "saved_per_vehicle_month": _saved,
}
