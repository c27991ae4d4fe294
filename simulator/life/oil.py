"""Engine oil's life: revolutions, heat and cold starts use it up; a service makes it new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.faults import NEVER
from simulator.life.streams import Topic, stream
from simulator.life.truth import FaultRecord

if TYPE_CHECKING:
    from simulator.life.vehicle_life import VehicleLife


@dataclass(frozen=True, slots=True, kw_only=True)
class OilLife:
    """Share of the oil's life used up at the end of each trip (1 = it is due), with those times."""

    end_s: FloatArray
    used: FloatArray
    records: tuple[FaultRecord, ...]

    def used_at(self, time_s: FloatArray) -> FloatArray:
        """Share used at these times."""
        if not len(self.end_s):
            return np.zeros(len(time_s))
        return self.used[np.maximum(np.searchsorted(self.end_s, time_s, side="right") - 1, 0)]


def oil_life(life: VehicleLife) -> OilLife:
    """Wear by hours at the engine's work; short and cold trips count more."""
    trips = life.trips
    lasts_h = {"haulage": 900.0, "delivery": 560.0}.get(life.vehicle.usage, 330.0)
    harsh = 1.0 + 0.5 * (trips.duration_s < 900.0) + 0.015 * np.maximum(5.0 - trips.ambient_c, 0.0) + 0.3 * (trips.burden > 1.2)
    total = np.cumsum(trips.duration_s / 3600.0 / lasts_h * harsh * life.driven)
    began = stream(life.seed, life.vehicle.number, Topic.MAINTENANCE, 2).uniform(0.0, 0.8)
    ends = trips.end_s
    changed = np.searchsorted(life.oil_changes_s, ends, side="left")  # a change follows the trip that ends with it
    at_change = np.concatenate(([-began], np.interp(life.oil_changes_s, ends, total) if len(ends) else []))
    used = total - at_change[changed]
    return OilLife(end_s=ends, used=used, records=tuple(_overdue(life, ends, used, changed)))


def _overdue(
    life: VehicleLife, ends: FloatArray, used: FloatArray, changed: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> list[FaultRecord]:
    if life.vehicle.powertrain == "ev":
        return []
    records = []
    for period in np.unique(changed[used > 1.0]).tolist():
        onset_s = float(ends[np.flatnonzero((changed == period) & (used > 1.0))[0]])
        mended_s = float(life.oil_changes_s[period]) if period < len(life.oil_changes_s) else NEVER
        records.append(
            FaultRecord(
                kind="oil_overdue",
                family="oil_life",
                component="engine_oil",
                group_key="engine.lubrication",
                onset_s=onset_s,
                detectable_s=onset_s,
                failed_s=NEVER,
                repaired_s=mended_s,
            )
        )
    return records
