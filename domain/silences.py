"""What people say of alerts: silences (no orders of some alerts for a while; they resolve nothing) and labels (true or false)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from domain.findings import Alert
from domain.fleet import Vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Made by a person, ends by itself; kept for good, so that it can be looked up who silenced what, when and why.

    Attributes:
        vehicle: pseudonym. source: alert source id. group: group key. model: vehicle model. Each is a pattern with `*` and `?`,
            "" for any; all that are given must match, and at least one is.
        starts_ns, ends_ns: event times, the end excluded.
        author: who made it. reason: in the author's words. created_ns: wall time.
        ended_by, ended_ns: who ended it early and when (wall time).
    """

    id: str
    starts_ns: int
    ends_ns: int
    author: str
    reason: str
    created_ns: int
    vehicle: str = ""
    source: str = ""
    group: str = ""
    model: str = ""
    ended_by: str = ""
    ended_ns: int | None = None

    def concerns(self, vehicle: Vehicle, time_ns: int) -> bool:
        """Whether it may silence alerts of this vehicle at this event time."""
        ends_ns = self.ends_ns if self.ended_ns is None else min(self.ends_ns, self.ended_ns)
        return self.starts_ns <= time_ns < ends_ns and _matches(self.vehicle, vehicle.id) and _matches(self.model, vehicle.model)

    def matches(self, alert: Alert) -> bool:
        """Whether it silences this alert of a vehicle that it concerns."""
        return _matches(self.source, alert.source.id) and _matches(self.group, alert.group_key)


def _matches(pattern: str, value: str) -> bool:
    return not pattern or fnmatchcase(value, pattern)


class Verdict(StrEnum):
    """What an alert turned out to be."""

    FALSE_ALARM = "false_alarm"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLabel:
    """Somebody's verdict on an alert. Every one is kept; the latest of an alert counts. `created_ns`: wall time."""

    alert: str
    verdict: Verdict
    author: str
    note: str
    created_ns: int
