"""What an order needs of a dealer, how far and how late it may be, and the words for why one was chosen or passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.findings import DealerChoice, OrderKind, Text, Urgency
from domain.fleet import Dealer


class Rejection(StrEnum):
    """Why a dealer was not able."""

    TOO_FAR = "too_far"
    EXCLUDED = "excluded"
    """Declined this order before, or is not to be asked."""
    BRAND = "brand"
    CAPABILITY = "capability"
    CLOSED = "closed"
    """Not open in time."""
    FULL = "full"
    """Open in time, but booked out on each of those days."""


class DealerOutcome(StrEnum):
    """How the choice ended."""

    CHOSEN = "chosen"
    NONE_ABLE = "none_able"
    NO_LOCATION = "no_location"
    """Nobody knows where the vehicle is, and the owner prefers no dealer."""


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


LIMITS: Mapping[Urgency, UrgencyLimits] = {
    Urgency.STOP: UrgencyLimits(reach_km=(50.0, 150.0, 400.0), horizon_h=(24, 96), wait_km_per_h=1.0),
    Urgency.TODAY: UrgencyLimits(reach_km=(50.0, 150.0, 400.0), horizon_h=(24, 96), wait_km_per_h=1.0),
    Urgency.SOON: UrgencyLimits(reach_km=(80.0, 200.0, 400.0), horizon_h=(168, 336), wait_km_per_h=0.05),
    Urgency.NEXT: UrgencyLimits(reach_km=(100.0, 250.0, 400.0), horizon_h=(720,), wait_km_per_h=0.0),
}
RESCUE_REACH_KM = (100.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerNeeds:
    """What an order needs of a dealer.

    Attributes:
        time_ns: event time of the decision. location: (latitude, longitude) of the vehicle, None where unknown.
        brand: "" where unknown (any workshop may do). parts: (number, quantity).
    """

    kind: OrderKind
    urgency: Urgency
    time_ns: int
    location: tuple[float, float] | None
    brand: str = ""
    capabilities: tuple[str, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()
    preferred: str = ""
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerDecision:
    """The outcome; `choice` and `slots` only where one was chosen. `rejected` counts every dealer that was not able, by reason."""

    outcome: DealerOutcome
    choice: DealerChoice | None = None
    slots: tuple[tuple[int, int], ...] = ()
    rejected: tuple[tuple[str, int], ...] = ()


def reasons(dealer: Dealer, needs: DealerNeeds, km: float, stocked: float, horizon_h: int, able: int) -> tuple[Text, ...]:
    """Why this dealer, in words, in a fixed order.

    Args:
        dealer: the chosen one.
        needs: what it was chosen for.
        km: way by road.
        stocked: share of the needed part numbers in stock.
        horizon_h: the horizon in which it is free.
        able: how many dealers were able.
    """
    why: list[Text] = []
    if needs.location is None:
        why.append(Text(en="position unknown, so the owner's preferred workshop", zh="车辆位置未知，因此选择车主首选的维修站"))
    else:
        why.append(
            Text(
                en=f"about {km:.1f} km by road, "
                + ("the only able one in reach" if able == 1 else f"best of {able} able ones in reach"),
                zh=f"预计路程约 {km:.1f} 公里，"
                + ("范围内唯一符合条件的门店" if able == 1 else f"范围内 {able} 家符合条件门店中最合适"),
            )
        )
    if needs.kind is OrderKind.RESCUE:
        why.append(Text(en="rescue partner", zh="道路救援合作方"))
        return tuple(why)
    if needs.brand:
        en, zh = (f"serves {needs.brand}", f"服务 {needs.brand} 品牌") if dealer.brands else ("serves any brand", "服务所有品牌")
        why.append(Text(en=en, zh=zh))
    if needs.capabilities:
        names = ", ".join(needs.capabilities)
        why.append(Text(en=f"equipped for: {names}", zh=f"具备维修能力：{names}"))
    if needs.parts:
        count = round(stocked * len(needs.parts))
        why.append(
            Text(en=f"{count} of {len(needs.parts)} parts in stock", zh=f"所需 {len(needs.parts)} 种配件中有 {count} 种现货")
        )
    if needs.location is not None and dealer.id == needs.preferred:
        why.append(Text(en="the owner's preferred workshop", zh="车主首选的维修站"))
    if horizon_h > LIMITS.get(needs.urgency, LIMITS[Urgency.NEXT]).horizon_h[0]:
        why.append(Text(en="no able workshop is free sooner", zh="没有更早可预约的合格维修站"))
    return tuple(why)
