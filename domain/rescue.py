"""What a rescue order knows beside an order: who confirmed it, where the vehicle is and on which basis that is used, when help comes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.consents import ConsentBasis


class ConfirmedBy(StrEnum):
    """Whose word sends somebody out."""

    DRIVER = "driver"
    """By the vehicle's own display."""
    AGENT = "agent"
    """Who has spoken with the driver."""


class PositionSource(StrEnum):
    """Where a position comes from."""

    DISPLAY = "display"
    """Sent with the driver's answer."""
    TELEMETRY = "telemetry"
    """The vehicle's latest message."""
    AGENT = "agent"
    """Told to an agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the vehicle is: (latitude, longitude) WGS84 within `precision_m`, when that was known, and why it may be used."""

    location: tuple[float, float]
    precision_m: int
    time_ns: int
    source: PositionSource
    basis: ConsentBasis


class ReplacementCar(StrEnum):
    """How the people in the vehicle go on."""

    NOT_ASKED = "not_asked"
    WANTED = "wanted"
    ARRANGED = "arranged"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """Of a rescue order that was confirmed.

    Attributes:
        confirmed_by, confirmed_ns: whose word it was, wall time. agent: name of the agent's key, "" for the driver.
        eta_ns: wall time at which the partner is expected, None before one has taken it.
        eta_from: "estimate" (the way at the time of taking it) or "partner" (its own word), "" for none.
    """

    confirmed_by: ConfirmedBy
    confirmed_ns: int
    position: Position
    agent: str = ""
    replacement: ReplacementCar = ReplacementCar.NOT_ASKED
    eta_ns: int | None = None
    eta_from: str = ""
