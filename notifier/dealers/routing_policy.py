"""The routing policy: whom an order is offered to first, how far and how late, and what counts how much; data per region.

Regions are open-ended paths ("cn/shanghai/pudong"). A region says only what differs from the region above it; "" is everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datafiles import load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Urgency
from domain.ports import Roads

SHIPPED = Path(__file__).with_name("routing_policy.yaml")


class Step(StrEnum):
    """Whom to ask, one step after the other; the first able dealer has the order."""

    OWNER_CHOICE = "owner_choice"
    """The workshop that the owner has chosen, however far; what it does not sell it may still repair, so its brands do not matter."""
    LAST_SERVICE = "last_service"
    SELLING = "selling"
    NEAREST = "nearest"
    """All able dealers in reach, by score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyLimits:
    """How far and how late, by urgency.

    Attributes:
        reach_km: by road, each tried in turn. horizon_h: hours in which the appointment must begin, each tried in turn with every reach.
        wait_km_per_h: an hour of waiting counts as this many kilometres.
    """

    reach_km: tuple[float, ...]
    horizon_h: tuple[int, ...]
    wait_km_per_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a dealer's merits are worth, in kilometres of detour; 0 = they do not count.

    Attributes:
        preferred: the owner's preferred workshop. stocked: all parts in stock (some of them, their share). franchised: of the
            vehicle's own brand. acceptance: accepting every offer over none. nps: a promoter score of 100 over 0.
        load: being free over being booked out next week, so that work is spread.
    """

    preferred: float = 25.0
    stocked: float = 10.0
    franchised: float = 5.0
    acceptance: float = 0.0
    nps: float = 0.0
    load: float = 0.0


_URGENT = UrgencyLimits(reach_km=(50.0, 150.0, 400.0), horizon_h=(24, 96), wait_km_per_h=1.0)
_LIMITS: Mapping[Urgency, UrgencyLimits] = {
    Urgency.STOP: _URGENT,
    Urgency.TODAY: _URGENT,
    Urgency.SOON: UrgencyLimits(reach_km=(80.0, 200.0, 400.0), horizon_h=(168, 336), wait_km_per_h=0.05),
    Urgency.NEXT: UrgencyLimits(reach_km=(100.0, 250.0, 400.0), horizon_h=(720,), wait_km_per_h=0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionPolicy:
    """How orders are routed in one region; the defaults know no favourites but the preferred workshop.

    Attributes:
        steps: for service orders; a rescue always goes to the nearest able partner. within_km: how far a last-service or selling
            dealer may be. mobile_km, tow_km: where no workshop is able in reach, mobile units come from so far, and then vehicles are
            towed so far; 0 = not done. detour: road over great circle. drive_kmh: average speed to the workshop.
    """

    steps: tuple[Step, ...] = tuple(Step)
    within_km: float = 40.0
    limits: Mapping[Urgency, UrgencyLimits] = field(default_factory=lambda: _LIMITS)
    rescue_reach_km: tuple[float, ...] = (100.0, 300.0, 600.0)
    worth: Worth = Worth()
    mobile_km: float = 150.0
    tow_km: float = 800.0
    detour: float = 1.3
    drive_kmh: float = 40.0

    def limits_of(self, urgency: Urgency) -> UrgencyLimits:
        """Of this urgency; what only watches counts as able to wait."""
        return self.limits.get(urgency, self.limits[Urgency.NEXT])


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """Region path -> policy; "" is always there."""

    regions: Mapping[str, RegionPolicy]

    def of(self, region: str) -> RegionPolicy:
        """The policy of the narrowest region named that holds this one."""
        while region and region not in self.regions:
            region = region.rpartition("/")[0]
        return self.regions[region]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """How orders find their dealers.

    Attributes:
        policy: by region. roads: a road service, None for estimates alone. waiting: urgencies whose service orders are not offered at
            once but wait, as drafts, to be placed together (`notifier.dispatch.batch`).
    """

    policy: RoutingPolicy
    roads: Roads | None = None
    waiting: frozenset[Urgency] = frozenset()


PLAIN_ROUTING = Routing(policy=RoutingPolicy(regions={"": RegionPolicy()}))

_Km = Annotated[float, Field(ge=0, le=20_000)]
_Ladder = Annotated[list[_Km], Field(min_length=1, max_length=10)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Limits(_Entry):
    reach_km: _Ladder
    horizon_h: Annotated[list[Annotated[int, Field(gt=0, le=24 * 366)]], Field(min_length=1, max_length=10)]
    wait_km_per_h: Annotated[float, Field(ge=0, le=1_000)]

    @model_validator(mode="after")
    def _widening(self) -> _Limits:
        if sorted(self.reach_km) != self.reach_km or sorted(self.horizon_h) != self.horizon_h:
            raise ValueError("reach_km and horizon_h must widen from one try to the next")
        return self


class _Limited(_Entry):
    STOP: _Limits
    TODAY: _Limits
    SOON: _Limits
    NEXT: _Limits


class _Worth(_Entry):
    preferred: _Km
    stocked: _Km
    franchised: _Km
    acceptance: _Km
    nps: _Km
    load: _Km


class _Region(_Entry):
    region: Annotated[str, Field(pattern=r"^([a-z0-9_-]+(/[a-z0-9_-]+)*)?$")]
    source: Annotated[str, Field(min_length=1)]
    steps: Annotated[list[Step], Field(min_length=1)]
    within_km: _Km
    limits: _Limited
    rescue_reach_km: _Ladder
    worth: _Worth
    mobile_km: _Km
    tow_km: _Km
    detour: Annotated[float, Field(ge=1, le=5)]
    drive_kmh: Annotated[float, Field(gt=0, le=200)]

    @model_validator(mode="after")
    def _ends_with_anybody(self) -> _Region:
        if len(set(self.steps)) < len(self.steps) or self.steps[-1] is not Step.NEAREST:
            raise ValueError("steps name each step once and end with 'nearest', so that nobody is forgotten")
        return self


def load_routing_policy(file: Path = SHIPPED) -> RoutingPolicy:
    """Read a policy file: a list `regions`, the one of "" first and whole, others with `region`, `source` and what differs.

    Raises:
        DataFileError: the first problem, with its line.
    """
    document = load_yaml(file)
    entries = document.data.get("regions") if isinstance(document.data, dict) and set(document.data) == {"regions"} else None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise DataFileError(
            "must be a list 'regions' of mappings and nothing else", file=file, line=1, mend="see routing_policy.yaml"
        )
    whole: dict[str, dict[str, Any]] = {}
    regions: dict[str, RegionPolicy] = {}
    for row, entry in enumerate(entries):
        name = str(entry.get("region", ""))
        if (name == "") != (row == 0) or name in whole:
            line = document.line("regions", row)
            raise DataFileError(f"region {name!r} stands in a wrong place", file=file, line=line, mend="'' first, and each once")
        whole[name] = _laid_over(_above(whole, name), entry)
        regions[name] = _policy(validate(_Region, document, "regions", row, data=whole[name]))
    return RoutingPolicy(regions=regions)


def _above(whole: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """What the narrowest region over this one says; regions stand after those that hold them."""
    while name:
        name = name.rpartition("/")[0]
        if name in whole:
            return whole[name]
    return {}


def _laid_over(above: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(above)
    for key, value in entry.items():
        inner = merged.get(key)
        merged[key] = _laid_over(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _policy(region: _Region) -> RegionPolicy:
    limits = {
        urgency: UrgencyLimits(reach_km=tuple(of.reach_km), horizon_h=tuple(of.horizon_h), wait_km_per_h=of.wait_km_per_h)
        for urgency in (Urgency.STOP, Urgency.TODAY, Urgency.SOON, Urgency.NEXT)
        for of in (getattr(region.limits, urgency.name),)
    }
    return RegionPolicy(
        steps=tuple(region.steps),
        within_km=region.within_km,
        limits=limits,
        rescue_reach_km=tuple(region.rescue_reach_km),
        worth=Worth(**region.worth.model_dump()),
        mobile_km=region.mobile_km,
        tow_km=region.tow_km,
        detour=region.detour,
        drive_kmh=region.drive_kmh,
    )
