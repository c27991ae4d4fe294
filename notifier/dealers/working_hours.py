"""A dealer's working hours and calendar in whole hours of local time, as arithmetic on integers (no time zone database, no clock).

Times are hours since 1970-01-01T00 local; days are days since 1970-01-01 local, which was a Thursday.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.fleet import Dealer

HOUR_NS = 3_600_000_000_000


def offset_ns(dealer: Dealer) -> int:
    """Local time minus UTC."""
    return round(dealer.utc_offset_hours * HOUR_NS)


def local_day(dealer: Dealer, time_ns: int) -> int:
    """The dealer's calendar day at this time."""
    return (time_ns + offset_ns(dealer)) // (24 * HOUR_NS)


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
