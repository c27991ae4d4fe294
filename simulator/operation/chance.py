"""Chance by name: each draw depends on the seed and on what it is about alone, not on what was drawn before it."""

from __future__ import annotations

import random
from collections.abc import Mapping

from simulator.operation.tables import Habit

_NS = {"minutes": 60e9, "hours": 3600e9}


class Chance:
    """Draws from people's habits.

    Args:
        seed: of the whole year. habits: by name.
    """

    def __init__(self, seed: int, habits: Mapping[str, Habit]) -> None:
        self._seed, self._habits = seed, habits

    def of(self, *about: object) -> random.Random:
        """The random numbers about something."""
        return random.Random(f"{self._seed}/{'/'.join(map(str, about))}")  # noqa: S311 - a simulation, no secret

    def does(self, habit: str, *about: object) -> bool:
        """Whether somebody does what this share of people does."""
        return self.of(habit, *about).random() < self._habits[habit].median

    def takes_ns(self, habit: str, *about: object) -> int:
        """How long it takes."""
        known = self._habits[habit]
        return round(known.median * _NS[known.unit] * self.of(habit, *about).lognormvariate(0.0, known.spread))

    def points(self, habit: str, *about: object) -> float:
        """A normal draw."""
        known = self._habits[habit]
        return self.of(habit, *about).gauss(known.median, known.spread)

    def factor(self, habit: str, *about: object) -> float:
        """A log-normal draw."""
        known = self._habits[habit]
        return known.median * self.of(habit, *about).lognormvariate(0.0, known.spread)
