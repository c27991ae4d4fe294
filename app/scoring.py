"""How good alerts are, measured against known faults: one definition of recall, precision, false alarms and lead time for all."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.findings import Alert

SYSTEM_OF = {
    "thermostat_stuck_open": "engine.cooling",
    "overheating": "engine.cooling",
    "weak_12v_battery": "electrical.12v",
    "misfire": "engine.ignition",
    "ev_cell_imbalance": "ev.battery",
    "red_stop_lamp": "engine.lubrication",
}
"""Fault of the simulator -> group key of the alerts that find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that is known to have been there.

    Attributes:
        vehicle: pseudonym. kind: what it is called. group_key: of the alerts that find it.
        onset_ns: event time from which it can be found. end_ns: when the car failed or was mended, None = not known.
    """

    vehicle: str
    kind: str
    group_key: str
    onset_ns: int
    end_ns: int | None = None

    def covers(self, time_ns: int) -> bool:
        """Whether it is there at this event time, both ends included."""
        return self.onset_ns <= time_ns and (self.end_ns is None or time_ns <= self.end_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A fault and what found it: the first alert of its group while it was there, None = nothing did."""

    fault: Fault
    alert: Alert | None

    @property
    def delay_s(self) -> float | None:
        """From onset to alert, in the vehicle's time."""
        return None if self.alert is None else (self.alert.opened_ns - self.fault.onset_ns) / 1e9

    @property
    def lead_s(self) -> float | None:
        """From alert to the end of the fault; None where that is not known."""
        return None if self.alert is None or self.fault.end_ns is None else (self.fault.end_ns - self.alert.opened_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Alerts against faults.

    Attributes:
        found: each fault. true: alerts of a fault's group on its vehicle while the fault was there.
        other: alerts of other groups on a vehicle that had a fault at that time: neither right nor wrong.
        false: all others, that is on vehicles without a fault, and before the onset or after the end of one.
        vehicle_days: days on which a vehicle had records, summed over vehicles.
    """

    found: tuple[Found, ...]
    true: int
    other: int
    false: int
    vehicle_days: int

    @property
    def recall(self) -> float | None:
        """Share of the faults that were found; None where there are none."""
        return sum(each.alert is not None for each in self.found) / len(self.found) if self.found else None

    @property
    def precision(self) -> float | None:
        """Share of right ones among right and false alerts; None where there are none."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def false_per_1000_days(self) -> float | None:
        """False alerts per 1,000 vehicle-days; None where there are no days."""
        return 1000.0 * self.false / self.vehicle_days if self.vehicle_days else None

    @property
    def delays_s(self) -> tuple[float, ...]:
        """Delays of the faults found, shortest first."""
        return tuple(sorted(each.delay_s for each in self.found if each.delay_s is not None))

    @property
    def leads_s(self) -> tuple[float, ...]:
        """Lead times of the faults found whose end is known, shortest first."""
        return tuple(sorted(each.lead_s for each in self.found if each.lead_s is not None))

    def of_groups(self, groups: Collection[str]) -> Score:
        """The same alerts, held against the faults of these groups alone."""
        return replace(self, found=tuple(each for each in self.found if each.fault.group_key in groups))

    def by_kind(self) -> dict[str, dict[str, Any]]:
        """Kind -> how many vehicles had it, in how many it was found, and the median delay."""
        kinds: dict[str, list[float | None]] = {}
        for each in self.found:
            kinds.setdefault(each.fault.kind, []).append(each.delay_s)
        return {kind: _figures(delays) for kind, delays in kinds.items()}


def score(faults: Sequence[Fault], alerts: Sequence[Alert], *, vehicle_days: int) -> Score:
    """Hold alerts against faults; every alert that opened counts, also one that another one explains."""
    of_vehicle: dict[str, list[Fault]] = {}
    for fault in faults:
        of_vehicle.setdefault(fault.vehicle, []).append(fault)
    first: dict[int, Alert] = {}
    true = other = 0
    for alert in sorted(alerts, key=lambda alert: (alert.opened_ns, alert.id)):
        there = [fault for fault in of_vehicle.get(alert.vehicle, ()) if fault.covers(alert.opened_ns)]
        meant = [fault for fault in there if fault.group_key == alert.group_key]
        true += bool(meant)
        other += bool(there) and not meant
        for fault in meant:
            first.setdefault(id(fault), alert)
    return Score(
        found=tuple(Found(fault=fault, alert=first.get(id(fault))) for fault in faults),
        true=true,
        other=other,
        false=len(alerts) - true - other,
        vehicle_days=vehicle_days,
    )


def _figures(delays: Sequence[float | None]) -> dict[str, Any]:
    known = [delay for delay in delays if delay is not None]
    return {"vehicles": len(delays), "found": len(known), "median_delay_s": statistics.median(known) if known else None}
