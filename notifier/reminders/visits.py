"""From reminders to the ordinary orders: one visit for all that is due, joined to an order that is open anyway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from domain.care import Basis, CareItem, Quantity, Reminder, ReminderReason, ReminderState, Use
from domain.consents import Consent
from domain.findings import Recommendation, Text, Urgency
from domain.fleet import Vehicle
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.identity import care_incident_id
from notifier.orders.consent_gate import CARE_GROUP
from notifier.orders.ordering import update_orders

TO_DO = frozenset({ReminderState.DUE_SOON, ReminderState.DUE, ReminderState.OVERDUE})

_LIMITS = {
    Quantity.DISTANCE: Text(en="distance", zh="里程"),
    Quantity.TIME: Text(en="time", zh="时间"),
    Quantity.ENGINE: Text(en="engine hours", zh="发动机小时"),
    Quantity.ENERGY: Text(en="energy used", zh="用电量"),
    Quantity.OIL_WEAR: Text(en="oil wear", zh="机油老化"),
    Quantity.BRAKE_WORK: Text(en="brake wear", zh="制动磨损"),
    Quantity.CONDITION: Text(en="condition of the part", zh="部件状态"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitScene:
    """Where and when visits are decided.

    `time_ns`: begin of the reminder's day plus one, event time of the decision. `consents`: all statements for the vehicle.
    """

    vehicle: Vehicle
    network: DealerNetwork
    time_ns: int
    consents: tuple[Consent, ...] = ()


def order_visits(
    case: VehicleCase, reminders: Iterable[Reminder], items: Mapping[str, CareItem], scene: VisitScene
) -> tuple[VehicleCase, tuple[OutboxEvent, ...]]:
    """The case with a recommendation for each reminder that is to be done, and the orders these ask for.

    Args:
        case: the open part of one vehicle's case.
        reminders: those that changed; ended and snoozed ones ask for nothing.
        items: by id.
    """
    outbox: list[OutboxEvent] = []
    for reminder in sorted(reminders, key=lambda each: each.id):
        if reminder.state in TO_DO and reminder.item in items:
            advice = recommend_care(reminder, items[reminder.item], scene.time_ns)
            case, events = update_orders(
                case, advice, scene.vehicle, scene.network, scene.vehicle.home, scene.time_ns, scene.consents
            )
            outbox += events
    return case, tuple(outbox)


def recommend_care(reminder: Reminder, item: CareItem, time_ns: int) -> Recommendation:
    """What to do about a reminder: NEXT, and the item's own urgency (at most SOON) once it is overdue; a recall is SOON."""
    recall = reminder.reason is ReminderReason.CAMPAIGN and reminder.state is not ReminderState.DUE_SOON and not reminder.cycle
    urgency = item.late_urgency if reminder.state is ReminderState.OVERDUE else Urgency.SOON if recall else Urgency.NEXT
    work = replace(item.work, pay_type="recall") if recall else item.work
    return Recommendation(
        incident_id=care_incident_id(reminder.id),
        vehicle=reminder.vehicle,
        group_key=CARE_GROUP,
        time_ns=time_ns,
        title=item.title,
        urgency=urgency,
        urgency_reason=reason_text(reminder),
        action="dealer",
        drive="ok",
        safety="low" if urgency is Urgency.SOON else "none",
        advice=item.advice,
        causes=(),
        checks=(),
        plan=(work,),
        alerts=(),
        capabilities=item.needs,
    )


def reason_text(reminder: Reminder) -> Text:
    """Why it is to be done, in words."""
    limit, used = _LIMITS[reminder.forecast.quantity], f"{100 * reminder.used:.0f} %"
    match reminder.reason:
        case ReminderReason.CAMPAIGN:
            return Text(en="a campaign asks for it", zh="专项活动")
        case ReminderReason.OWN_VALUE:
            return Text(en="the vehicle itself asks for it", zh="车辆自身提示保养")
        case ReminderReason.VISIT:
            return Text(en=f"{used} of its interval is used up; it joins a visit", zh=f"保养间隔已用 {used}，可与本次到店合并")
    if reminder.basis is Basis.CONDITION:
        return Text(en=f"a sensor tells that it is {used} worn", zh=f"传感器显示已磨损 {used}")
    hard = reminder.use is Use.SEVERE and reminder.basis is Basis.SCHEDULE
    return Text(
        en=f"{used} of its interval is used up ({limit.en}{', severe use' if hard else ''})",
        zh=f"保养间隔已用 {used}（{limit.zh}{'，严苛使用' if hard else ''}）",
    )
