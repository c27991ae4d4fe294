"""How far the items of a vehicle are used up: at enrolment, day by day, by the vehicle's own values, after a completion.

Every day uses up a share of each limit of the interval that counts on that day. So a change of use, of schedule or of what is
measured acts from that day on, and never makes something overdue at once.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from domain.care import Completion, DayUsage, Enrolment, Interval, ItemCare, OwnKind, OwnValue, Quantity, ScheduledItem, Use
from notifier.reminders.forecast import WEEK, Pace

MEASURED_WITHIN_DAYS, MEASURED_SHARE = 28, 0.8
OWN_VALUE_DAYS = 60
"""So long the vehicle's own word stands; between two of them its use is counted on."""
RESET_FROM, RESET_TO = 0.6, 0.25
"""An own value that falls from above the one to below the other was set back in a workshop."""
CONDITION_READINGS = 3
"""A condition is the median of that many days' readings, so that one odd value makes nothing due."""
CONDITION_RESTS_DAYS = 14
"""So long after an item was done readings do not speak of it: the old ones are still about."""
CONDITION_PACE_DAYS = 14
MEASURED = frozenset({Quantity.OIL_WEAR, Quantity.BRAKE_WORK})


def interval_of(item: ScheduledItem, care: ItemCare, use: Use, window: Sequence[DayUsage], day: int) -> Interval:
    """The interval that counts on this day."""
    if has_own_value(care, day):
        return item.normal  # the vehicle knows how it is used
    if not _has_condition(care, day):
        return _by_use(item, care, use, window, day)
    base = item.sensed or _by_use(item, care, use, window, day)
    return Interval(limits=(*base.limits, (Quantity.CONDITION, 1.0)))


def _by_use(item: ScheduledItem, care: ItemCare, use: Use, window: Sequence[DayUsage], day: int) -> Interval:
    if item.measured is not None and _is_measured(item.measured, window, day):
        return item.measured
    if item.first is not None and care.cycle == 0 and not care.done:
        return item.first
    return item.severe if use is Use.SEVERE else item.normal


def has_own_value(care: ItemCare, day: int) -> bool:
    """Whether the vehicle's own word of it still stands."""
    return care.own_day is not None and day - care.own_day <= OWN_VALUE_DAYS


def _has_condition(care: ItemCare, day: int) -> bool:
    return care.condition_day is not None and day - care.condition_day <= OWN_VALUE_DAYS


def _is_measured(interval: Interval, window: Sequence[DayUsage], day: int) -> bool:
    """A condition is measured while its values come on nearly every day of driving."""
    wanted = [quantity for quantity, _ in interval.limits if quantity in MEASURED]
    driven = [each for each in window if day - each.day < MEASURED_WITHIN_DAYS and (each.distance_km > 0 or each.engine_h > 0)]
    told = sum(all(each.amount(quantity) > 0 for quantity in wanted) for each in driven)
    return bool(driven) and told >= MEASURED_SHARE * len(driven)


def opening(item: ScheduledItem, enrolment: Enrolment) -> ItemCare:
    """An item at enrolment: counted from the last service that is known of, else taken as done whenever it was due before.

    So a car adopted at 27,000 km is 7,000 km into its third interval of 10,000 km, and nothing of it is overdue.
    """
    known = [each for each in enrolment.history if each.item == item.item.id and each.day <= enrolment.day]
    odometer, age = enrolment.odometer_km or 0.0, enrolment.day - (enrolment.first_used_day or enrolment.day)
    if known:
        last = max(known, key=lambda each: each.day)
        since = max(0.0, odometer - last.odometer_km) if last.odometer_km is not None else 0.0
        amounts = {Quantity.TIME: float(enrolment.day - last.day), Quantity.DISTANCE: since}
        used = {quantity: amounts.get(quantity, 0.0) / limit for quantity, limit in item.normal.limits}
        return ItemCare(item=item.item.id, cycle=0, since_day=last.day, used=_packed(used), done=True)
    amounts = {Quantity.TIME: float(age), Quantity.DISTANCE: odometer}
    past_first = item.first is not None and any(amounts.get(q, 0.0) >= limit for q, limit in item.first.limits)
    if item.first is not None and not past_first:
        used = {quantity: amounts.get(quantity, 0.0) / limit for quantity, limit in item.first.limits}
        return ItemCare(item=item.item.id, cycle=0, since_day=enrolment.day, used=_packed(used))
    first = dict(item.first.limits) if item.first is not None else {}
    used = {
        quantity: max(0.0, amounts.get(quantity, 0.0) - first.get(quantity, 0.0)) / limit % 1.0
        for quantity, limit in item.normal.limits
    }
    return ItemCare(item=item.item.id, cycle=0, since_day=enrolment.day, used=_packed(used), done=True)


def after_day(care: ItemCare, interval: Interval, usage: DayUsage) -> ItemCare:
    """The item after one more day."""
    used = dict(care.used)
    for quantity, limit in interval.limits:
        used[quantity] = used.get(quantity, 0.0) + usage.amount(quantity) / limit
    return replace(care, used=_packed(used))


def by_own_values(item: ScheduledItem, care: ItemCare, usage: DayUsage) -> tuple[ItemCare, bool]:
    """The item as the vehicle itself sees it, and whether it was set back in a workshop on this day."""
    told = [value for value in usage.own_values if value.name in item.item.own and value.kind is OwnKind.OWN]
    if not told:
        return care, False
    shares = _own_shares(item.normal, told)
    if not shares:
        return care, False
    before, after = used_share(care, item.normal), max(shares.values())
    new = replace(care, used=_packed(shares), own_day=usage.day)
    return new, before >= RESET_FROM and after <= RESET_TO and has_own_value(care, usage.day)


def _own_shares(interval: Interval, told: Iterable[OwnValue]) -> dict[Quantity, float]:
    limits = dict(interval.limits)
    shares: dict[Quantity, float] = {}

    def note(quantity: Quantity, share: float) -> None:
        shares[quantity] = max(share, shares.get(quantity, share))

    for value in told:
        if value.remaining_km is not None and Quantity.DISTANCE in limits:
            note(Quantity.DISTANCE, 1.0 - value.remaining_km / limits[Quantity.DISTANCE])
        if value.remaining_days is not None and Quantity.TIME in limits:
            note(Quantity.TIME, 1.0 - value.remaining_days / limits[Quantity.TIME])
        if value.remaining_share is not None:
            note(interval.limits[-1][0] if Quantity.DISTANCE not in limits else Quantity.DISTANCE, 1.0 - value.remaining_share)
    return shares


def by_condition(item: ScheduledItem, care: ItemCare, window: Sequence[DayUsage], day: int) -> tuple[ItemCare, bool]:
    """The item with what its sensors say, and whether the part was renewed behind our back (only a sensor of the part can tell).

    Args:
        window: with this day.
    """
    if not item.item.own or not window or window[-1].day != day or not window[-1].own_values:
        return care, False
    readings = _readings(item, care, window)
    if len(readings) < CONDITION_READINGS or readings[-1][0] != day:
        return care, False
    share = statistics.median(share for _, share in readings[-CONDITION_READINGS:])
    used = dict(care.used)
    renewed = item.sensed is not None and used.get(Quantity.CONDITION, 0.0) >= RESET_FROM and share <= RESET_TO
    kept = {} if renewed else used
    return replace(care, used=_packed(kept | {Quantity.CONDITION: share}), condition_day=day), renewed


def condition_pace(item: ScheduledItem, care: ItemCare, window: Sequence[DayUsage]) -> Pace:
    """How fast the condition gets worse, from the first to the last readings of the window; standing still where it does not."""
    readings = _readings(item, care, window)
    days = readings[-1][0] - readings[0][0] if readings else 0
    if days < CONDITION_PACE_DAYS:
        return Pace(0.0, 0.0, 0)
    early = statistics.median(share for _, share in readings[:CONDITION_READINGS])
    late = statistics.median(share for _, share in readings[-CONDITION_READINGS:])
    mean = max(0.0, (late - early) * WEEK / days)
    return Pace(mean, mean / 2, days // WEEK)


def _readings(item: ScheduledItem, care: ItemCare, window: Sequence[DayUsage]) -> list[tuple[int, float]]:
    """(day, share used) of the days on which sensors told of the item, the worst of each day."""
    first_day = max(care.since_day + CONDITION_RESTS_DAYS, care.quiet_until)
    told = [
        (
            each.day,
            [_share(value) for value in each.own_values if value.kind is OwnKind.CONDITION and value.name in item.item.own],
        )
        for each in window
        if each.day > first_day
    ]
    return [(day, max(0.0, *shares)) for day, shares in told if shares]


def _share(value: OwnValue) -> float:
    return 0.0 if value.remaining_share is None else 1.0 - value.remaining_share


def completed(
    item: ScheduledItem, care: ItemCare, completion: Completion, use: Use, window: Sequence[DayUsage], day: int
) -> ItemCare | None:
    """The item counted anew from the day of the completion; None where it is known already or older than what is known.

    A completion that is told of late is counted from its own day, as far as the kept days reach.
    """
    if completion.id == care.completion or completion.day < care.since_day or (care.done and completion.day == care.since_day):
        return None
    new = replace(
        care,
        cycle=care.cycle + 1,
        since_day=completion.day,
        used=(),
        done=True,
        own_day=None,
        condition_day=None,
        completion=completion.id,
        quiet_until=0,
    )
    interval = interval_of(item, new, use, window, day)
    for usage in window:
        if usage.day > completion.day:
            new = after_day(new, interval, usage)
    # days without use are not in the window, but they are days
    used = {quantity: share for quantity, share in new.used if quantity is not Quantity.TIME}
    limit = dict(interval.limits).get(Quantity.TIME)
    return replace(new, used=_packed(used | ({Quantity.TIME: (day - completion.day) / limit} if limit else {})))


def declined(care: ItemCare, day: int, *, at_most: float, quiet_days: int) -> ItemCare:
    """The item that its owner does not want done now: asked again after the rest of `at_most`."""
    used = {quantity: min(share, at_most) for quantity, share in care.used}
    return replace(care, cycle=care.cycle + 1, used=_packed(used), quiet_until=day + quiet_days)


def used_share(care: ItemCare, interval: Interval) -> float:
    """How much of the interval is used up, 1 = due, by the limit that is nearest."""
    used = dict(care.used)
    # rounded, since a year of days adds up to a little less than one
    return round(max(used.get(quantity, 0.0) for quantity, _ in interval.limits), 9)


def _packed(used: Mapping[Quantity, float]) -> tuple[tuple[Quantity, float], ...]:
    return tuple(sorted(used.items()))
