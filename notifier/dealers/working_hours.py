"""A dealer's working hours and calendar in whole hours of local time, as arithmetic on integers (no time zone database, no clock).

Times are hours since 1970-01-01T00 local; days are days since 1970-01-01 local, which was a Thursday.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.fleet import Dealer

HOUR_NS = 3_600_000_000_000
_LONGEST_DAYS = 800
"""No limit lasts longer, holidays included."""


def offset_ns(dealer: Dealer) -> int:
    """Local time minus UTC."""
    return round(dealer.utc_offset_hours * HOUR_NS)


def local_day(dealer: Dealer, time_ns: int) -> int:
    """The dealer's calendar day at this time."""
    return (time_ns + offset_ns(dealer)) // (24 * HOUR_NS)


def local_hour(dealer: Dealer, time_ns: int) -> int:
    """The dealer's hour in which this time lies."""
    return (time_ns + offset_ns(dealer)) // HOUR_NS


def iso_weekday(day: int) -> int:
    """1 = Monday … 7 = Sunday."""
    return (day + 3) % 7 + 1


def hours_of_weekday(dealer: Dealer, weekday: int) -> tuple[int, int]:
    """(opens, closes) on this ISO weekday but for holidays; (0, 0) where it is closed."""
    if weekday not in dealer.days_open:
        return 0, 0
    return next(
        ((opens, closes) for day, opens, closes in dealer.hours if day == weekday), (dealer.opens_hour, dealer.closes_hour)
    )


def after_open_time(dealer: Dealer, start_ns: int, length_ns: int) -> int:
    """The first moment at which the dealer has been open for so long since the start; every minute counts where it never opens.

    A holiday and a day on which it is closed do not count; work days do, whatever their capacity.
    """
    left_ns, first = length_ns, local_day(dealer, start_ns)
    for day in range(first, first + _LONGEST_DAYS):
        if left_ns <= 0:
            break
        opens, closes = (0, 0) if day in dealer.holidays else hours_of_weekday(dealer, iso_weekday(day))
        opens_ns, closes_ns = (((day * 24 + hour) * HOUR_NS) - offset_ns(dealer) for hour in (opens, closes))
        begin_ns = max(start_ns, opens_ns)
        if closes_ns - begin_ns >= left_ns:
            return begin_ns + left_ns
        left_ns -= max(0, closes_ns - begin_ns)
    return start_ns + length_ns


def capacity_on(dealer: Dealer, day: int) -> int:
    """Orders that it takes on this day, 0 on a holiday."""
    return 0 if day in dealer.holidays else dict(dealer.capacity_on).get(day, dealer.capacity_per_day)


def hours_between(dealer: Dealer, first: int, last: int) -> Iterator[int]:
    """Local hours from `first` to `last` (both may begin a slot) at which an hour's appointment fits into the working day."""
    for day in range(first // 24, last // 24 + 1):
        opens, closes = hours_of_weekday(dealer, iso_weekday(day))
        if day not in dealer.holidays:
            yield from range(max(first, day * 24 + opens), min(last, day * 24 + closes - 1) + 1)


def slot(dealer: Dealer, hour: int) -> tuple[int, int]:
    """(start_ns, end_ns) in UTC of the appointment hour that begins at this local hour."""
    start = hour * HOUR_NS - offset_ns(dealer)
    return start, start + HOUR_NS
