"""How an alert stands beside open or resolved: what holds it back, whether it flaps, whom it asks, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_EPISODES = 16
"""Raises of a source that an alert remembers, the latest ones."""
UNKNOWN_DRIVE = -1


class Hold(StrEnum):
    """Why an open alert starts no order by itself; it is stored and shown all the same."""

    INHIBITED = "inhibited"
    """Another alert explains it."""
    SILENCED = "silenced"
    """A person wants no orders of it for a while."""
    UNCONFIRMED = "unconfirmed"
    """Its source asks to be seen in several drives first."""


class Review(StrEnum):
    """Why a person is asked before anything is started."""

    NONE = ""
    OLD_DATA = "old_data"
    """The data was old when it came: the vehicle may be somewhere else, in another state, or repaired."""


class Resolution(StrEnum):
    """How an alert ended. Silence never ends one."""

    NONE = ""
    RECOVERED = "recovered"
    """Measured: the condition was seen to be gone."""
    REPAIRED = "repaired"
    """Confirmed by the workshop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Beside the alert's state.

    Attributes:
        episodes: (event time in ns, drive number or UNKNOWN_DRIVE) of the latest raises of its source, over earlier alerts too.
        flapping: its source came and went so often that all is one alert, which resolves after a quiet time.
        quiet_since_ns: event time since which a flapping source is clear, None while it is raised.
        inhibited_by: id of the alert that explains it. inhibition: id of the policy's rule that says so.
        silenced_by: id of the silence.
    """

    episodes: tuple[tuple[int, int], ...] = ()
    flapping: bool = False
    quiet_since_ns: int | None = None
    unconfirmed: bool = False
    inhibited_by: str = ""
    inhibition: str = ""
    silenced_by: str = ""
    review: Review = Review.NONE
    resolution: Resolution = Resolution.NONE

    @property
    def holds(self) -> tuple[Hold, ...]:
        """What keeps it from starting an order."""
        held = ((Hold.INHIBITED, self.inhibited_by), (Hold.SILENCED, self.silenced_by), (Hold.UNCONFIRMED, self.unconfirmed))
        return tuple(hold for hold, holds in held if holds)


NOTHING_SPECIAL = Standing()
