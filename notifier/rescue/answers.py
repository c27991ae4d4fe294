"""What comes back from a vehicle's display."""

from __future__ import annotations

from typing import Annotated

import pydantic

from domain.rescue import ReplacementCar
from notifier.rescue.confirming import TELEMETRY_PRECISION_M, SaidPosition
from notifier.rescue.wording import DriverAnswer

LARGEST = 4096
"""Octets of an answer."""


class _Place(pydantic.BaseModel):
    lat: Annotated[float, pydantic.Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, pydantic.Field(ge=-180, le=180, allow_inf_nan=False)]
    precision_m: Annotated[int, pydantic.Field(ge=1, le=100_000)] = TELEMETRY_PRECISION_M


class DisplayAnswer(pydantic.BaseModel):
    """`{"order_id", "answer": "help|no_help|call_me", "location"?: {"lat", "lon", "precision_m"?}, "replacement_car"?: bool, "time"?: RFC 3339}`."""

    model_config = pydantic.ConfigDict(frozen=True)

    order_id: Annotated[str, pydantic.Field(min_length=1, max_length=64)]
    answer: DriverAnswer
    location: _Place | None = None
    replacement_car: bool | None = None
    time: pydantic.AwareDatetime | None = None

    @property
    def said(self) -> SaidPosition | None:
        """Where the display says that the vehicle is."""
        place = self.location
        return None if place is None else SaidPosition(location=(place.lat, place.lon), precision_m=place.precision_m)

    def age_ns(self, now_ns: int) -> int:
        """How long ago it was given, 0 where it does not say."""
        return 0 if self.time is None else now_ns - round(self.time.timestamp() * 1e9)

    @property
    def replacement(self) -> ReplacementCar:
        """Whether a car is wanted to go on with."""
        if self.replacement_car is None:
            return ReplacementCar.NOT_ASKED
        return ReplacementCar.WANTED if self.replacement_car else ReplacementCar.NOT_NEEDED


def read_answer(payload: bytes) -> DisplayAnswer | None:
    """The answer in a message, None where there is none: whatever bytes came."""
    if len(payload) > LARGEST:
        return None
    try:
        return DisplayAnswer.model_validate_json(payload)
    except pydantic.ValidationError:
        return None
