"""Telematics units and sensors as they are: noise, bias, rounding, lost samples, silent days, stuck and replaced sensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.life.fleet_plan import LifeVehicle
from simulator.life.streams import Topic, stream
from simulator.life.tables import Sensor, sensors
from simulator.life.weather import DAY_S

WANDERING = ("Vehicle.Exterior.AirTemperature", "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature")
"""Signals whose sensor gets stuck or is replaced in some cars without any other fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One vehicle's unit and sensors.

    Attributes:
        lost: share of the instants that never arrive. silent_s: (start, end) of days without any.
        bias: path -> offset. replaced: path -> (time, offset from then on). stuck: (path, start, end), values stand still.
    """

    lost: float
    silent_s: tuple[tuple[float, float], ...]
    bias: Mapping[str, float]
    replaced: Mapping[str, tuple[float, float]]
    stuck: tuple[str, float, float] | None

    def arrives(self, time_s: FloatArray, luck: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Which instants reach us; `luck` is uniform."""
        kept = luck >= self.lost
        for start, end in self.silent_s:
            kept &= (time_s < start) | (time_s >= end)
        return kept


def draw_device(seed: int, vehicle: LifeVehicle, days: int) -> Device:
    """A unit with its habits."""
    rng = stream(seed, vehicle.number, Topic.DEVICE)
    poor = rng.random() < 0.06
    known = sensors()
    offsets = dict(zip(known, (rng.standard_normal(len(known)) * [each.bias for each in known.values()]).tolist(), strict=True))
    silences = rng.random((max(days // 365, 1), 2)).tolist()
    silent = [
        (DAY_S * 365 * (year + start), DAY_S * (365 * (year + start) + 1 + 5 * lasts))
        for year, (start, lasts) in enumerate(silences)
    ]
    replaced_at, again, which = rng.random(), rng.normal(), int(rng.integers(len(WANDERING)))
    swaps, sticks, stuck_at = rng.random() < 0.08, rng.random() < 0.02, rng.random()
    path = WANDERING[which]
    return Device(
        lost=0.05 if poor else 0.003,
        silent_s=tuple(silent) if rng.random() < 0.4 else (),
        bias=offsets,
        replaced={path: (replaced_at * days * DAY_S, float(again) * known[path].bias)} if swaps else {},
        stuck=(WANDERING[0], stuck_at * days * DAY_S, stuck_at * days * DAY_S + 9 * DAY_S) if sticks else None,
    )


def measured(device: Device, paths: Sequence[str], true: FloatArray, time_s: FloatArray, rng: np.random.Generator) -> FloatArray:
    """What sensors make of true values (signals, instants): offset, noise, rounding, range."""
    known: list[Sensor] = [sensors()[path] for path in paths]
    noise, step = np.array([each.noise for each in known])[:, None], np.array([each.resolution for each in known])[:, None]
    values: FloatArray = true + np.array([device.bias[path] for path in paths])[:, None]
    values += noise * rng.standard_normal(true.shape, dtype=np.float32)
    for row, path in enumerate(paths):
        if path in device.replaced:
            since, offset = device.replaced[path]
            values[row, time_s >= since] += offset - device.bias[path]
        if device.stuck is not None and device.stuck[0] == path:
            still = (time_s >= device.stuck[1]) & (time_s < device.stuck[2])
            if still.any():
                values[row, still] = values[row, np.argmax(still)]
    values /= step
    np.rint(values, out=values)
    values *= step
    np.clip(values, [[each.low] for each in known], [[each.high] for each in known], out=values)
    return values
