"""Brake pads: wear with distance, town and style; changed at a service or when they squeal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.faults import NEVER
from simulator.life.maintenance import SERVICE_TAKES_S, Service
from simulator.life.streams import Topic, stream
from simulator.life.truth import FaultRecord
from simulator.life.weather import DAY_S

if TYPE_CHECKING:
    from simulator.life.driving import Moments
    from simulator.life.vehicle_life import VehicleLife

FORESEEN_FROM, CHANGED_FROM, WORN_FROM, WORN_OUT = 70.0, 76.0, 82.0, 97.0
"""Percent worn from which one may speak of it, at which a workshop changes pads, at which they count as worn, and at which they are through."""
AXLES = ("front", "rear")


@dataclass(frozen=True, slots=True, kw_only=True)
class PadWear:
    """Percent worn of each axle (2, k) at the start of each trip, without what a dragging calliper adds, and what became of it."""

    worn: FloatArray
    records: tuple[FaultRecord, ...]
    services: tuple[Service, ...]


def pad_wear(life: VehicleLife) -> PadWear:
    """Wear of both axles over the vehicle's life."""
    rng = stream(life.seed, life.vehicle.number, Topic.BRAKES)
    gentle = (
        2.2 if life.vehicle.powertrain == "ev" else 2.0 if life.vehicle.is_truck else 1.0
    )  # it recuperates, or has a retarder
    style = np.exp(rng.normal(0.0, 0.2))
    per_km = 100.0 / (42_000.0 * gentle) * style * np.where(life.trips.motorway, 0.5, 1.3) * life.trips.burden
    axles, records, services = [], [], []
    for number, slower in enumerate((1.0, 1.6)):
        grown = np.cumsum(life.trips.km * life.driven * per_km / slower)
        worn, found, visits = _changed(life, grown, float(rng.uniform(0.0, 75.0)), rng.random(50), AXLES[number])
        axles.append(worn)
        records += found
        services += visits
    return PadWear(worn=np.array(axles), records=tuple(records), services=tuple(services))


def _changed(
    life: VehicleLife, grown: FloatArray, began: float, lucks: FloatArray, axle: str
) -> tuple[FloatArray, list[FaultRecord], list[Service]]:
    """Wear at each start with pads changed as they are due."""
    starts = life.trips.start_s
    worn = grown + began
    records: list[FaultRecord] = []
    visits: list[Service] = []
    for luck in lucks.tolist():
        change_s, through_s = _next_change(starts, worn, life.oil_changes_s, visits, luck)
        foreseen_s, worn_s = (_reaches(starts, worn, share, visits) for share in (FORESEEN_FROM, WORN_FROM))
        if foreseen_s < change_s:
            records.append(
                _record(axle, foreseen_s, min(worn_s, change_s), through_s if through_s < change_s else NEVER, change_s)
            )
        if change_s == NEVER:
            break
        visits.append(Service(time_s=change_s, reason="repair", component=f"brake_pads_{axle}", kind="brake_pads_worn"))
        after = starts > change_s
        if after.any():
            worn = np.where(after, worn - worn[np.argmax(after)], worn)
    return worn, records, visits


def _next_change(
    starts: FloatArray, worn: FloatArray, scheduled: FloatArray, visits: Sequence[Service], luck: float
) -> tuple[float, float]:
    """When the pads that are on now are changed, and when they are through."""
    since_s = visits[-1].time_s if visits else -1.0
    through_s = _reaches(starts, worn, WORN_OUT, visits)
    squeal_s = through_s + (2.0 + 13.0 * luck) * DAY_S
    for time_s in scheduled[scheduled > since_s].tolist():
        if time_s < squeal_s and float(np.interp(time_s, starts, worn)) >= CHANGED_FROM:
            return time_s + SERVICE_TAKES_S, through_s
    return squeal_s, through_s


def _reaches(starts: FloatArray, worn: FloatArray, share: float, visits: Sequence[Service]) -> float:
    """Start of the first trip since the last change on pads as worn as this."""
    found = np.flatnonzero((worn >= share) & (starts > (visits[-1].time_s if visits else -1.0)))
    return float(starts[found[0]]) if len(found) else NEVER


def _record(axle: str, onset_s: float, detectable_s: float, failed_s: float, repaired_s: float) -> FaultRecord:
    return FaultRecord(
        kind="brake_pads_worn",
        family="brakes",
        component=f"brake_pads_{axle}",
        group_key="chassis.brake",
        onset_s=onset_s,
        detectable_s=detectable_s,
        failed_s=failed_s,
        repaired_s=repaired_s,
    )


def pads(life: VehicleLife, moments: Moments) -> list[FloatArray]:
    """Percent worn at front left, front right, rear left, rear right."""
    rng = stream(life.seed, life.vehicle.number, Topic.BRAKES, 1)
    uneven = rng.normal(1.0, 0.03, 4)
    wheels = [life.pads.worn[wheel // 2][moments.trip] * uneven[wheel] for wheel in range(4)]
    episode = life.episode("brake_drag")
    if episode is not None:
        wheels[episode.place - 1] = wheels[episode.place - 1] + life.effect("brake_drag", moments.time_s)
    return [np.minimum(each, 100.0) for each in wheels]
