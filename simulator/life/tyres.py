"""Tyre pressures: diffusion, topping up, the change to winter tyres, heat, and leaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.life.faults import NEVER
from simulator.life.streams import Topic, stream
from simulator.life.truth import FaultRecord
from simulator.life.weather import DAY_S

if TYPE_CHECKING:
    from simulator.life.driving import Moments
    from simulator.life.vehicle_life import VehicleLife

ATMOSPHERE_KPA, KELVIN, REFERENCE_C = 101.3, 273.15, 20.0
DRIVEN_TO_THE_PUMP_K = 6.0
"""Tyres are filled to the placard as they are: at the day's temperature, a little warm."""
SOFT_SHARE = 0.85
"""A tyre under this share of the placard is soft, whether it leaks or was only forgotten."""
LEAK_OF_KPA = 240.0
"""Sizes of leaks are given for a tyre of this pressure; a truck's loses in proportion."""
WINTER_TYRES, SUMMER_TYRES = 310, 90
"""Days of the year on which cars of cold cities change tyres, give or take two weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TyreStates:
    """Pressure of each tyre (4, k) at the start of each trip, kPa over atmosphere at 20 °C, without leaks; and the placard's.

    `records`: times in which tyres that do not leak were soft all the same.
    """

    reference_kpa: FloatArray
    placard_kpa: float
    records: tuple[FaultRecord, ...] = ()


def tyre_states(life: VehicleLife) -> TyreStates:
    """Ordinary loss of 1 to 3 % a month, made good now and then."""
    vehicle, starts = life.vehicle, life.trips.start_s
    rng = stream(life.seed, vehicle.number, Topic.TYRES)
    placard = (
        750.0 if vehicle.is_truck else 350.0 if vehicle.powertrain == "diesel" else 260.0 if vehicle.powertrain == "ev" else 240.0
    )
    loss_per_day = placard * rng.uniform(0.0003, 0.0009, 4)
    gaps, levels = rng.uniform(30.0, 130.0, 400), rng.normal(1.0, 0.012, (400, 4))
    refills = np.cumsum(gaps) - gaps[0] * rng.random()
    changes = (refills > 0) & (refills * DAY_S < life.days * DAY_S)
    times = np.concatenate(([-40.0 * rng.random()], refills[changes], _seasonal(life, rng)))
    order = np.argsort(times)
    times, levels = times[order] * DAY_S, levels[: len(times)][order]
    last = np.searchsorted(times, starts, side="right") - 1
    last = np.maximum(last, 0)
    lost = loss_per_day[:, None] * (starts - times[last]) / DAY_S
    filled_c = (
        np.interp(times, starts, life.trips.ambient_c) + DRIVEN_TO_THE_PUMP_K if len(starts) else np.full(len(times), REFERENCE_C)
    )
    filled = (placard * levels + ATMOSPHERE_KPA) * ((REFERENCE_C + KELVIN) / (filled_c + KELVIN))[:, None] - ATMOSPHERE_KPA
    reference = filled[last].T - lost
    return TyreStates(reference_kpa=reference, placard_kpa=placard, records=tuple(_soft(life, reference, placard, times, last)))


def _soft(
    life: VehicleLife, reference: FloatArray, placard: float, filled_s: FloatArray, last: NDArray[np.intp]
) -> Iterator[FaultRecord]:
    """From the first drive with a tyre as soft as `SOFT_SHARE` of the placard until tyres are filled again."""
    cold = (reference + ATMOSPHERE_KPA) * (life.trips.ambient_c + KELVIN) / (REFERENCE_C + KELVIN) - ATMOSPHERE_KPA
    soft = cold.min(axis=0, initial=np.inf) < SOFT_SHARE * placard
    for filling in np.unique(last[soft]).tolist():
        onset_s = float(life.trips.start_s[np.flatnonzero(soft & (last == filling))[0]])
        yield FaultRecord(
            kind="tyres_soft",
            family="tyre_care",
            component="tyre",
            group_key="chassis.tyre",
            onset_s=onset_s,
            detectable_s=onset_s,
            failed_s=NEVER,
            repaired_s=float(filled_s[filling + 1]) if filling + 1 < len(filled_s) else NEVER,
        )


def _seasonal(life: VehicleLife, rng: np.random.Generator) -> FloatArray:
    """Days on which other wheels are put on."""
    jitter = rng.uniform(-14.0, 14.0, 40)
    if life.vehicle.city.cold < 0.3 or life.vehicle.is_truck:
        return np.empty(0)
    days = [year * 365 + day for year in range(-(-life.days // 365)) for day in (SUMMER_TYRES, WINTER_TYRES)]
    return np.array(days, np.float64) + jitter[: len(days)]


def tyres(life: VehicleLife, moments: Moments, noise: FloatArray) -> tuple[list[FloatArray], list[FloatArray]]:
    """Pressure kPa and temperature °C of front left, front right, rear left, rear right; `noise` (4, n) standard normal and slow."""
    rolling = (1.0 - np.exp(-moments.since_s / 700.0)) * (6.0 + 0.17 * life.trips.speed_kmh[moments.trip])
    episode = life.episode("tyre_leak")
    pressures, temperatures = [], []
    for wheel in range(4):
        warm = moments.ambient_c + rolling * (1.05 if wheel < 2 else 0.95) + 0.8 * noise[wheel]
        reference = life.tyres.reference_kpa[wheel][moments.trip]
        if episode is not None and episode.place == wheel + 1:
            reference = reference - life.effect("tyre_leak", moments.time_s) * life.tyres.placard_kpa / LEAK_OF_KPA
        absolute = (np.maximum(reference, 0.0) + ATMOSPHERE_KPA) * (warm + KELVIN) / (REFERENCE_C + KELVIN)
        pressures.append(np.maximum(absolute - ATMOSPHERE_KPA, 0.0))
        temperatures.append(warm)
    return pressures, temperatures
