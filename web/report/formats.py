"""Figures, times and durations as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from domain.findings import Text
from web.report.words import UNITS

_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNDATED_NS = 366 * 86_400 * _SECOND
"""Recordings without absolute time count from the epoch, so a time in its first year is an elapsed one."""


def number(value: float | None) -> str:
    """About four significant digits, thousands grouped, a true minus sign; "–" for none."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    form = ".3g" if size >= 1e9 or 0 < size < 1e-3 else ",.0f" if size >= 1000 else ".4g"
    return format(value, form).replace("-", "−")


def unit(name: str) -> str:
    """The unit's sign."""
    return UNITS.get(name, name)


def quantity(value: float | None, unit_name: str) -> str:
    """A figure with its unit: `92.4 °C`, `35%`."""
    sign = unit(unit_name)
    return number(value) if value is None or not sign else f"{number(value)}{'' if sign in '%°' else ' '}{sign}"


def comparison(sign: str) -> str:
    """`>=` as ≥."""
    return {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}.get(sign, sign)


def is_dated(time_ns: int) -> bool:
    """Whether an event time is a date, rather than counted from the start of an undated recording."""
    return abs(time_ns) >= _UNDATED_NS


def time(time_ns: int) -> str:
    """`2026-03-01 08:15:30`, or `+0:05:12` in an undated recording."""
    if not is_dated(time_ns):
        return f"+{clock(time_ns)}"
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).strftime("%Y-%m-%d %H:%M:%S")


def clock(time_ns: int, decimals: int = 0) -> str:
    """`08:15:30.25` of a date, `0:05:12` since the start of an undated recording."""
    seconds, rest = divmod(time_ns, _SECOND)
    fraction = f".{rest:09d}"[: decimals + 1] if decimals else ""
    hours, minutes = divmod(seconds // 60, 60)
    if is_dated(time_ns):
        return f"{hours % 24:02d}:{minutes:02d}:{seconds % 60:02d}{fraction}"
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}{fraction}"


def day(time_ns: int) -> str:
    """`2026-03-01`, "" in an undated recording."""
    return time(time_ns)[:10] if is_dated(time_ns) else ""


def span(start_ns: int | None, end_ns: int | None) -> str:
    """`2026-03-01 08:15:30 – 08:16:02`: the day is said once; "–" where there is no start."""
    if start_ns is None:
        return "–"
    if end_ns is None or end_ns == start_ns:
        return time(start_ns)
    same_day = is_dated(end_ns) and day(start_ns) == day(end_ns)
    return f"{time(start_ns)} – {clock(end_ns) if same_day else time(end_ns)}"


def local_span(start_ns: int, end_ns: int, utc_offset_hours: float) -> str:
    """`2026-03-02 09:00–10:30` at a place that is so many hours ahead of UTC."""
    zone = timedelta(hours=utc_offset_hours)
    start, end = (_EPOCH + timedelta(microseconds=ns // 1000) + zone for ns in (start_ns, end_ns))
    return f"{start:%Y-%m-%d %H:%M}–{end:{'%H:%M' if start.date() == end.date() else '%Y-%m-%d %H:%M'}}"


def duration(seconds: float | None) -> Text:
    """`12.4 s`, `5 min 12 s`, `3 h 05 min`, in both languages."""
    if seconds is None or not math.isfinite(seconds):
        return Text(en="–", zh="–")
    if seconds < 60:
        return Text(en=f"{number(seconds)} s", zh=f"{number(seconds)} 秒")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return Text(en=f"{minutes} min {rest:02d} s", zh=f"{minutes} 分 {rest:02d} 秒")
    hours, minutes = divmod(minutes, 60)
    return Text(en=f"{hours} h {minutes:02d} min", zh=f"{hours} 小时 {minutes:02d} 分")


def age(seconds: float | None) -> Text:
    """A time that has passed, in whole units and never finer than is useful: `12 s`, `5 min`, `3 h 05 min`, `2 d 4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return Text(en="–", zh="–")
    if seconds < 59.5:
        return Text(en=f"{seconds:.0f} s", zh=f"{seconds:.0f} 秒")
    minutes = max(1, int(seconds // 60))
    if minutes < 60:
        return Text(en=f"{minutes} min", zh=f"{minutes} 分钟")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return Text(en=f"{hours} h {minutes:02d} min", zh=f"{hours} 小时 {minutes:02d} 分")
    days, hours = divmod(hours, 24)
    return Text(en=f"{days} d {hours} h", zh=f"{days} 天 {hours} 小时")
