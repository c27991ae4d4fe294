"""How good the alerts of a simulated fleet are, family by family, in two tiers, with intervals over vehicles.

- One alert per episode: alerts of one vehicle and group that open within `MERGED_WITHIN` of the last are one, the first.
- Right is an alert of a fault's group on its vehicle between onset and repair; every other one is a false alarm, also on a vehicle with another fault.
- To be found is a fault that failed, came slowly, and let the car drive on three days at least between showing and failing. Found is one whose first right
  alert stands before the failure; its lead is the time from there to the failure. Never point-adjusted.
- Tiers: `alerts` reach owners and dealers (urgency NEXT and above, not held back), `watch` is for analysts (MONITOR, or held back).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.fleet_alerts import SIDES, VehicleAlerts
from app.scoring import Fault, score
from domain.findings import Alert, Urgency
from simulator.life import FaultRecord, FleetYear

DAY_NS = 86_400_000_000_000
DAY_S = 86_400.0
MERGED_WITHIN = 14 * DAY_NS
DRIVEN_DAYS = 3
RESAMPLES = 1000
TIERS = ("alerts", "watch")
SUPPLIES = ("ev_charge_low", "def_level_low", "def_level_empty")
"""Rules that ask for something to be filled up: no warning of a fault, neither right nor wrong."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Of one side and tier: figures of each vehicle.

    Attributes:
        right, wrong: alerts. days: vehicle-days. faults: (row of the vehicle, family, lead in days; None = not found) of each fault to be found.
        wrong_by_source: source id -> false alarms.
    """

    right: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    faults: list[tuple[int, str, float | None]] = field(default_factory=list)
    wrong_by_source: dict[str, int] = field(default_factory=dict)


def tally_vehicle(tally: Tally, year: FleetYear, vehicle: VehicleAlerts, alerts: Sequence[Alert]) -> None:
    """Add one vehicle's alerts of one side and tier."""
    records = vehicle.history.faults
    faults = [_fault(year, vehicle.vehicle, record) for record in records]
    merged = merge(alerts)
    scored = score(faults, merged, vehicle_days=len(vehicle.history.driven_days))
    row = len(tally.days)
    tally.days.append(scored.vehicle_days)
    tally.right.append(scored.true)
    tally.wrong.append(scored.false + scored.other)
    for alert in merged:
        if not any(fault.group_key == alert.group_key and fault.covers(alert.opened_ns) for fault in faults):
            tally.wrong_by_source[alert.source.id] = tally.wrong_by_source.get(alert.source.id, 0) + 1
    for record, found in zip(records, scored.found, strict=True):
        failed_ns = year.time_ns(record.failed_s)
        if failed_ns is None or not _to_be_found(record, vehicle.history.driven_days):
            continue
        first = None if found.alert is None else found.alert.opened_ns
        lead = None if first is None or first >= failed_ns else (failed_ns - first) / DAY_NS
        tally.faults.append((row, record.family, lead))


def merge(alerts: Iterable[Alert]) -> list[Alert]:
    """The first alert of each episode: of a group, with none of it in the time before."""
    last: dict[str, int] = {}
    first = []
    for alert in sorted(alerts, key=lambda each: (each.opened_ns, each.id)):
        before = last.get(alert.group_key)
        if before is None or alert.opened_ns - before > MERGED_WITHIN:
            first.append(alert)
        last[alert.group_key] = alert.opened_ns
    return first


def of_tier(alerts: Iterable[Alert], tier: str) -> list[Alert]:
    """The alerts that this tier sees."""
    faults = (each for each in alerts if each.source.id not in SUPPLIES)
    return [each for each in faults if (each.urgency > Urgency.MONITOR and not each.standing.holds) == (tier == "alerts")]


def figures(tally: Tally, families: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    """Rates with 90 % bootstrap intervals over vehicles, and the table of families."""
    columns = np.array([tally.right, tally.wrong, tally.days], np.float64)
    weights = rng.multinomial(len(tally.days), np.full(len(tally.days), 1.0 / len(tally.days)), RESAMPLES).astype(np.float64)
    right, wrong, days = columns.sum(axis=1).tolist()
    drawn = weights @ columns.T
    return {
        "right": int(right),
        "false": int(wrong),
        "false_per_1000_vehicle_days": 1000.0 * wrong / days,
        "false_per_1000_vehicle_days_90": _interval(1000.0 * drawn[:, 1] / drawn[:, 2]),
        "precision": right / (right + wrong) if right + wrong else None,
        "precision_90": _interval(drawn[:, 0] / np.maximum(drawn[:, 0] + drawn[:, 1], 1.0)) if right + wrong else None,
        "false_by_source": dict(sorted(tally.wrong_by_source.items(), key=lambda item: -item[1])),
        "families": {family: _family(tally, family, weights) for family in families},
    }


def _family(tally: Tally, family: str, weights: NDArray[np.float64]) -> dict[str, Any]:
    own = [(row, lead) for row, name, lead in tally.faults if name == family]
    leads = [lead for _, lead in own if lead is not None]
    rows = np.array([row for row, _ in own], np.intp)
    hits = np.array([lead is not None for _, lead in own], np.float64)
    drawn = weights[:, rows]
    recalls = (drawn @ hits)[drawn.sum(axis=1) > 0] / drawn.sum(axis=1)[drawn.sum(axis=1) > 0]
    return {
        "faults": len(own),
        "found": len(leads),
        "recall": len(leads) / len(own) if own else None,
        "recall_90": _interval(recalls) if own else None,
        "lead_days_median": float(np.median(leads)) if leads else None,
        "lead_days_p10": float(np.quantile(leads, 0.1)) if leads else None,
    }


def _interval(values: NDArray[np.float64]) -> list[float]:
    low, high = np.quantile(values, [0.05, 0.95]).tolist()
    return [low, high]


def _fault(year: FleetYear, vehicle: str, record: FaultRecord) -> Fault:
    onset_ns = year.time_ns(record.onset_s)
    assert onset_ns is not None
    return Fault(
        vehicle=vehicle, kind=record.kind, group_key=record.group_key, onset_ns=onset_ns, end_ns=year.time_ns(record.repaired_s)
    )


def _to_be_found(record: FaultRecord, driven_days: NDArray[np.int64]) -> bool:
    showing = (driven_days >= record.detectable_s // DAY_S) & (driven_days < record.failed_s // DAY_S)
    return not record.sudden and int(showing.sum()) >= DRIVEN_DAYS


def evaluate_fleets(years: Iterable[tuple[FleetYear, Iterable[VehicleAlerts]]]) -> dict[str, Any]:
    """The document of `pitcall models evaluate --fleet`: `vehicle_days`, `faults` (kind -> outcome -> count), and for each side and tier the figures."""
    tallies: Mapping[tuple[str, str], Tally] = {(side, tier): Tally() for side in SIDES for tier in TIERS}
    kinds: dict[str, dict[str, int]] = {}
    families: set[str] = set()
    for year, vehicles in years:
        for vehicle in vehicles:
            for record in vehicle.history.faults:
                outcomes = kinds.setdefault(record.kind, {})
                outcome = "sudden" if record.sudden else record.outcome
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                families.add(record.family)
            for (side, tier), tally in tallies.items():
                tally_vehicle(tally, year, vehicle, of_tier(vehicle.alerts[side], tier))
    rng = np.random.default_rng(0)
    return {
        "vehicle_days": sum(tallies[SIDES[0], TIERS[0]].days),
        "faults": dict(sorted(kinds.items())),
        "sides": {side: {tier: figures(tallies[side, tier], sorted(families), rng) for tier in TIERS} for side in SIDES},
    }


def tables(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        f"{document['vehicle_days']:,} vehicle-days",
        "",
        "| side | tier | right | false | per 1,000 vehicle-days | precision |",
        "|---|---|---|---|---|---|",
    ]
    for side, tiers in document["sides"].items():
        for tier, found in tiers.items():
            rate, (low, high) = found["false_per_1000_vehicle_days"], found["false_per_1000_vehicle_days_90"]
            precision = "-" if found["precision"] is None else f"{found['precision']:.2f}"
            lines.append(
                f"| {side} | {tier} | {found['right']} | {found['false']} | {rate:.3f} ({low:.3f} to {high:.3f}) | {precision} |"
            )
    for side, tiers in document["sides"].items():
        lines += ["", f"| {side}, alerts | failed | found before | recall | lead median, p10 (days) |", "|---|---|---|---|---|"]
        lines += [_row(family, row) for family, row in tiers["alerts"]["families"].items() if row["faults"]]
    return "\n".join(lines)


def _row(family: str, row: Mapping[str, Any]) -> str:
    low, high = row["recall_90"]
    lead = "-" if row["lead_days_median"] is None else f"{row['lead_days_median']:.0f}, {row['lead_days_p10']:.0f}"
    return f"| {family} | {row['faults']} | {row['found']} | {row['recall']:.2f} ({low:.2f} to {high:.2f}) | {lead} |"
