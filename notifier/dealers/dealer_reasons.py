"""The words for why a dealer was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from domain.findings import Text
from domain.fleet import Dealer
from domain.orders import OrderKind, Wish
from notifier.dealers.dealer_needs import DealerNeeds
from notifier.dealers.routing_policy import RegionPolicy, Step

_STEPS = {
    Step.OWNER_CHOICE: Text(en="the owner has chosen it", zh="车主指定的维修站"),
    Step.LAST_SERVICE: Text(en="did the last service", zh="上次保养由该店完成"),
    Step.SELLING: Text(en="sold the vehicle", zh="该店为车辆销售门店"),
}
_TRANSPORTS = {
    "MOBILE": Text(en="no able workshop in reach: a mobile unit comes", zh="范围内没有合格维修站：由流动服务车上门"),
    "FLAT_BED": Text(en="no able workshop in reach: the vehicle is towed", zh="范围内没有合格维修站：由拖车运送"),
}
_WISHES = {
    Wish.PICK_UP: Text(en="fetches the vehicle and brings it back", zh="提供上门取送车"),
    Wish.LOANER: Text(en="has a car to lend", zh="可提供代步车"),
    Wish.WAIT_AT_DEALER: Text(en="the owner waits there", zh="车主到店等候"),
}
SPARE_LOAD, KEEN, LIKED = 0.5, 0.9, 50.0
"""Less booked, more accepting, better rated than this is worth a word, where the policy counts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """How a dealer won: km by road, whether that is a road service's word, share of parts, load, horizon, and among how many.

    `together`: chosen with so many orders at once, so that all ways together are shortest; 0 = by itself.
    """

    step: Step
    km: float
    by_road: bool
    stocked: float
    load: float
    horizon_h: int
    able: int
    transport: str = ""
    together: int = 0


def reasons(dealer: Dealer, needs: DealerNeeds, policy: RegionPolicy, won: Won) -> tuple[Text, ...]:
    """Why this dealer, in words, in a fixed order."""
    why = [_TRANSPORTS[won.transport]] if won.transport else []
    why += [_STEPS[won.step]] if won.step in _STEPS else []
    why.append(_way(won) if needs.location is not None else _UNKNOWN)
    if needs.kind is OrderKind.RESCUE:
        return (*why, Text(en="rescue partner", zh="道路救援合作方"))
    why += _ability(dealer, needs, won)
    why += [_WISHES[needs.wish]] if needs.wish and not won.transport else []
    if needs.location is not None and dealer.id == needs.preferred:
        why.append(Text(en="the owner's preferred workshop", zh="车主首选的维修站"))
    why += _merits(dealer, policy, won)
    if won.horizon_h > policy.limits_of(needs.urgency).horizon_h[0]:
        why.append(Text(en="no able workshop is free sooner", zh="没有更早可预约的合格维修站"))
    return tuple(why)


_UNKNOWN = Text(en="position unknown, so the owner's preferred workshop", zh="车辆位置未知，因此选择车主首选的维修站")


def _way(won: Won) -> Text:
    about = ("", "路程") if won.by_road else ("about ", "预计路程约")
    if won.step in _STEPS:
        return Text(en=f"{about[0]}{won.km:.1f} km by road", zh=f"{about[1]} {won.km:.1f} 公里")
    if won.together:
        return Text(
            en=f"{about[0]}{won.km:.1f} km by road, for the shortest ways of {won.together} orders together",
            zh=f"{about[1]} {won.km:.1f} 公里，与共 {won.together} 个订单统筹安排，总路程最短",
        )
    alone = won.able == 1
    return Text(
        en=f"{about[0]}{won.km:.1f} km by road, "
        + ("the only able one in reach" if alone else f"best of {won.able} able ones in reach"),
        zh=f"{about[1]} {won.km:.1f} 公里，"
        + ("范围内唯一符合条件的门店" if alone else f"范围内 {won.able} 家符合条件门店中最合适"),
    )


def _ability(dealer: Dealer, needs: DealerNeeds, won: Won) -> list[Text]:
    why = []
    if needs.brand and (not dealer.brands or needs.brand.casefold() in (brand.casefold() for brand in dealer.brands)):
        en, zh = (f"serves {needs.brand}", f"服务 {needs.brand} 品牌") if dealer.brands else ("serves any brand", "服务所有品牌")
        why.append(Text(en=en, zh=zh))
    if needs.capabilities:
        names = ", ".join(needs.capabilities)
        why.append(Text(en=f"equipped for: {names}", zh=f"具备维修能力：{names}"))
    if needs.parts:
        count, of = round(won.stocked * len(needs.parts)), len(needs.parts)
        why.append(Text(en=f"{count} of {of} parts in stock", zh=f"所需 {of} 种配件中有 {count} 种现货"))
    return why


def _merits(dealer: Dealer, policy: RegionPolicy, won: Won) -> list[Text]:
    why = []
    if policy.worth.acceptance and dealer.acceptance is not None and dealer.acceptance >= KEEN:
        why.append(Text(en=f"accepts {dealer.acceptance:.0%} of its offers", zh=f"接单率 {dealer.acceptance:.0%}"))
    if policy.worth.nps and dealer.nps is not None and dealer.nps >= LIKED:
        why.append(Text(en=f"owners rate it {dealer.nps:.0f} (NPS)", zh=f"车主净推荐值 {dealer.nps:.0f}"))
    if policy.worth.load and won.load < SPARE_LOAD and won.able > 1:
        why.append(Text(en=f"{won.load:.0%} booked next week", zh=f"未来一周预约率 {won.load:.0%}"))
    return why
