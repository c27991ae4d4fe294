"""Dates as logging tools write them into headers, in English, German and Chinese; without a zone, taken as UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "mär": 3, "mrz": 3, "apr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12,
}  # fmt: skip
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?:[.,:](?P<fraction>\d{1,9}(?:\.\d{1,3})?))?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_FORMS = (
    # Sam Sep 30 15:06:13.191 2017; Sat Sep 30 10:06:13.191 PM 2017
    re.compile(
        r"(?:\S+\s+)?(?P<name>[^\s\d.]{3,9}|(?P<month>\d{1,2})月)\.?\s+(?P<day>\d{1,2})\.?\s+" + _TIME + r"\s+(?P<year>\d{4})\b"
    ),
    # 18.12.2021 14:28:07.062.1; Sam 30.9.2017 15:06:13
    re.compile(r"(?:\S+\s+)?(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\s+" + _TIME),
    # 7/22/2025 19:06:28.418.0 (the English form of PCAN-View)
    re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})\s+" + _TIME),
    # 23:9:2015 22:17:28:928 (BUSMASTER)
    re.compile(r"(?P<day>\d{1,2}):(?P<month>\d{1,2}):(?P<year>\d{4})\s+" + _TIME),
    # 2021-12-18T14:28:07.062
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})[T ]" + _TIME),
)
_DAY_NS = 86_400_000_000_000
_TABLE_LAST_DAYS = 125_000
"""In the year 2242."""
_TABLE_EPOCH_DAYS = 25_569
"""1970-01-01 as spreadsheets and Delphi's TDateTime number days, from 1899-12-30."""


def day_and_time_ns(text: bytes) -> int | None:
    """The moment a header names, in ns since the epoch; None where it is not understood."""
    words = _decoded(text).strip()
    for form in _FORMS:
        if match := form.match(words):
            return _moment_ns(match.groupdict())
    return None


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _moment_ns(said: dict[str, str | None]) -> int | None:
    month = _MONTHS.get((said.get("name") or "")[:3].lower(), 0) or int(said.get("month") or 0)
    hour = int(said["hour"] or 0)
    if said["half"]:
        # the German 15:06 pm exists
        hour = hour % 12 + (12 if said["half"] in "Pp" else 0) if hour <= 12 else hour
    try:
        moment = datetime(
            int(said["year"] or 0),
            month,
            int(said["day"] or 0),
            hour,
            int(said["minute"] or 0),
            int(said["second"] or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    if not 1970 <= moment.year <= 2250:
        return None
    fraction = (said["fraction"] or "").partition(".")
    # PCAN-View: milliseconds, a point, and tenths or thousands of one
    digits = fraction[0].rjust(3, "0") + fraction[2] if fraction[1] else fraction[0]
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 1_000_000_000 + int(digits.ljust(9, "0")[:9])


def table_days_ns(text: bytes) -> int | None:
    """The moment of a spreadsheet's day number (44548.6028595139), to the microsecond; None where it is none."""
    try:
        days = Decimal(text.decode("ascii").strip())
        if not _TABLE_EPOCH_DAYS <= days < _TABLE_LAST_DAYS:  # first of all: the numbers of 1e999999 fill the memory
            return None
    except (InvalidOperation, ValueError):
        return None
    return int(((days - _TABLE_EPOCH_DAYS) * _DAY_NS / 1000).to_integral_value()) * 1000


def midnight_ns(moment_ns: int) -> int:
    """The beginning of that day."""
    return moment_ns // _DAY_NS * _DAY_NS


DAY_NS = _DAY_NS
