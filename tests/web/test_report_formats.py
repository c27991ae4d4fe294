from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.report import formats

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        (0.0, "0"),
        (92.44, "92.44"),
        (92.4412, "92.44"),
        (-7.5, "−7.5"),
        (1234.56, "1,235"),
        (1_204_331, "1,204,331"),
        (0.000123456, "0.000123"),
        (2.5e12, "2.5e+12"),
    ],
)
def test_figures_are_short_and_readable(value: float | None, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(92.4, "celsius", "92.4 °C"), (35, "percent", "35%"), (0.81, "ratio", "0.81"), (12.1, "V", "12.1 V"), (None, "V", "–")],
)
def test_quantities_carry_the_sign_of_their_unit(value: float | None, unit: str, text: str) -> None:
    assert formats.quantity(value, unit) == text


@given(st.datetimes(datetime(1972, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_dated_times_are_told_in_utc(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    time_ns = (
        int((aware.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND + aware.microsecond * 1000
    )
    assert formats.time(time_ns) == aware.strftime("%Y-%m-%d %H:%M:%S")
    assert formats.clock(time_ns, 3) == aware.strftime("%H:%M:%S.%f")[:-3]
    assert formats.day(time_ns) == aware.strftime("%Y-%m-%d")


def test_undated_times_are_told_from_the_start() -> None:
    assert formats.time(3_723 * SECOND) == "+1:02:03"
    assert formats.clock(62 * SECOND + 250_000_000, 2) == "0:01:02.25"
    assert formats.day(62 * SECOND) == ""


def test_a_span_says_its_day_once() -> None:
    start = 1_772_352_000 * SECOND
    assert formats.span(start, start + 90 * SECOND) == "2026-03-01 08:00:00 – 08:01:30"
    assert formats.span(start, start + 86_400 * SECOND) == "2026-03-01 08:00:00 – 2026-03-02 08:00:00"
    assert formats.span(5 * SECOND, 9 * SECOND) == "+0:00:05 – +0:00:09"
    assert formats.span(start, None) == formats.span(start, start) == "2026-03-01 08:00:00"
    assert formats.span(None, start) == "–"


def test_slots_are_told_in_the_dealers_local_time() -> None:
    start = 1_772_352_000 * SECOND
    assert formats.local_span(start, start + 3600 * SECOND, 8.0) == "2026-03-01 16:00–17:00"
    assert formats.local_span(start, start + 9 * 3600 * SECOND, 8.0) == "2026-03-01 16:00–2026-03-02 01:00"
    assert formats.local_span(start, start + 3600 * SECOND, 5.5) == "2026-03-01 13:30–14:30"


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [(0.8, "0.8 s", "0.8 秒"), (312.2, "5 min 12 s", "5 分 12 秒"), (11_100, "3 h 05 min", "3 小时 05 分"), (None, "–", "–")],
)
def test_durations_are_told_in_both_languages(seconds: float | None, en: str, zh: str) -> None:
    text = formats.duration(seconds)
    assert (text.en, text.zh) == (en, zh)
