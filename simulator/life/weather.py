"""Weather of a city, day by day: season, warm and cold spells, wet days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from simulator.drive_spec import FloatArray
from simulator.life.streams import Topic, stream
from simulator.life.tables import City, cities

DAY_S = 86_400.0
COLDEST_DAY = 15.0
"""The middle of January, as a day of the year."""
WARMEST_HOUR = 15.0
SPELL_KEEP, SPELL_K = 0.75, 3.5
"""How much of today's deviation from the season tomorrow keeps, and its standard deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """A city's weather by day of the run: mean temperature °C, and how wet it is (0 dry to 1 soaked)."""

    city: City
    mean_c: FloatArray
    wet: FloatArray

    def temperature(self, time_s: FloatArray) -> FloatArray:
        """Air temperature °C at times in seconds since day 0; the day's swing runs without a step over midnight."""
        day = time_s / DAY_S - 0.5
        base = np.interp(day, np.arange(len(self.mean_c)), self.mean_c)
        swing = np.cos(2 * np.pi * (time_s / 3600.0 - WARMEST_HOUR) / 24.0)
        return np.asarray(base + self.city.day_c * swing, np.float64)

    def wetness(self, time_s: FloatArray) -> FloatArray:
        """How wet it is at these times."""
        day = np.clip((time_s / DAY_S).astype(np.intp), 0, len(self.wet) - 1)
        return self.wet[day]


def weather(seed: int, city: City, days: int) -> Weather:
    """The weather of a city; the same for all vehicles of a fleet there."""
    number = next(place for place, each in enumerate(cities()) if each.city == city.city)
    rng = stream(seed, number, Topic.WEATHER)
    spell = _persistent(rng.standard_normal(days)) * SPELL_K
    damp = _persistent(rng.standard_normal(days))
    season = city.season_c * np.cos(2 * np.pi * (np.arange(days) - COLDEST_DAY) / 365.25)
    wettest = float(np.quantile(damp, 1.0 - city.wet_share))
    return Weather(city=city, mean_c=city.mean_c - season + spell, wet=np.clip((damp - wettest) / 1.5, 0.0, 1.0))


def _persistent(white: FloatArray) -> FloatArray:
    """Unit variance, correlated from day to day."""
    gain = np.sqrt(1.0 - SPELL_KEEP**2)
    return np.asarray(lfilter([gain], [1.0, -SPELL_KEEP], white), np.float64)
