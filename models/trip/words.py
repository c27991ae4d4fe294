"""How a finding of a trip detector is told: observed against expected, what was taken into account, the interval, in both languages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.findings import Text
from models.trip.entries import Entry, Side
from models.trip.formulas import Regressor
from models.trip.slots import Floats
from models.trip.trend import Slope

TOP = 3
"""Contributions that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one coordinate of the operating point adds to the expectation, in the figure's unit; `name` is "level" for the rest."""

    name: str
    words: Text
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One trip against what was expected of it; `observed` = the sum of `contributions` + `error`.

    Attributes:
        mean: of the deviation over `trips`, with the 95 % interval `low` to `high`.
    """

    observed: float
    contributions: tuple[Contribution, ...]
    error: float
    mean: float
    low: float
    high: float
    trips: int

    @property
    def expected(self) -> float:
        """The sum of the contributions."""
        return sum(each.value for each in self.contributions)

    @property
    def greatest(self) -> tuple[Contribution, ...]:
        """What matters most of the operating point, at least a twentieth of the deviation."""
        least = 0.05 * abs(self.mean)
        told = [each for each in self.contributions if each.name != "level" and abs(each.value) > least]
        return tuple(sorted(told, key=lambda each: -abs(each.value))[:TOP])


LEVEL = Text(en="normal level of this vehicle", zh="本车正常水平")


def contributions(
    names: Sequence[str], regressors: Sequence[Regressor], coefficients: Floats, point: Floats
) -> tuple[Contribution, ...]:
    """Each coefficient times its coordinate; the level first."""
    words = (LEVEL, *(each.words for each in regressors))
    return tuple(
        Contribution(name=name, words=told, value=value)
        for name, told, value in zip(("level", *names), words, (coefficients * point).tolist(), strict=True)
    )


def shifted(entry: Entry, side: Side, account: Account) -> Text:
    """A lasting deviation."""
    seen, due = _level(entry, account.observed), _level(entry, account.expected)
    by, span = _change(entry, account.mean), f"{_change(entry, account.low)} … {_change(entry, account.high)}"
    drives = "one drive" if account.trips == 1 else f"{account.trips} drives"
    considered = ", ".join(f"{each.words.en} {_change(entry, each.value)}" for each in account.greatest)
    considered_zh = "、".join(f"{each.words.zh} {_change(entry, each.value)}" for each in account.greatest)
    return Text(
        en=f"{entry.what.en}: {seen}, where {due} are expected of this vehicle in this use; {by} over {drives} (95 %: {span})."
        + (f" Taken into account: {considered}." if considered else "")
        + f" {side.text.en}",
        zh=f"{entry.what.zh}：{seen}，按本车当时工况应为 {due}；最近 {account.trips} 次行程平均偏差 {by}（95% 区间 {span}）。"
        + (f"已考虑：{considered_zh}。" if considered_zh else "")
        + side.text.zh,
    )


def worn(entry: Entry, side: Side, line: Slope, limit: float) -> Text:
    """A limit that comes near."""
    unit, places = _unit(entry), entry.decimals
    left, sooner, later = line.days_left(limit)
    level, end = f"{line.level:.{places}f}{unit}", f"{limit:.{places}f}{unit}"
    return (
        Text(
            en=f"{entry.what.en}: {level}, changing by {line.per_day:+.{places + 1}f} a day; at this rate {end} is reached in"
            f" {_days(left)} (95 %: {_days(sooner)} to {_days(later)}). {side.text.en}",
            zh=f"{entry.what.zh}：{level}，每天变化 {line.per_day:+.{places + 1}f}；照此速度约 {_days(left)} 天后达到 {end}"
            f"（95% 区间 {_days(sooner)} 至 {_days(later)} 天）。{side.text.zh}",
        )
        if left > 0
        else Text(
            en=f"{entry.what.en}: {level}; the limit of {end} is reached. {side.text.en}",
            zh=f"{entry.what.zh}：{level}，已达到限值 {end}。{side.text.zh}",
        )
    )


def losing(entry: Entry, side: Side, line: Slope) -> Text:
    """A change that is too fast."""
    places, level = entry.decimals, _level(entry, line.level)
    pace, span = f"{line.per_day:+.{places + 1}f}", f"{line.low:+.{places + 1}f} … {line.high:+.{places + 1}f}"
    return Text(
        en=f"{entry.what.en}: {level}, changing by {pace} a day over the last {line.days:.0f} days (95 %: {span}). {side.text.en}",
        zh=f"{entry.what.zh}：{level}，最近 {line.days:.0f} 天每天变化 {pace}（95% 区间 {span}）。{side.text.zh}",
    )


def returned(entry: Entry, account: Account) -> Text:
    """The deviation is over."""
    seen, due = _level(entry, account.observed), _level(entry, account.expected)
    return Text(
        en=f"{entry.what.en} is back at {seen}, near the {due} that are normal for this vehicle.",
        zh=f"{entry.what.zh}已回到 {seen}，接近本车正常的 {due}。",
    )


def _unit(entry: Entry) -> str:
    return f" {entry.unit}" if entry.unit else ""


def _level(entry: Entry, value: float) -> str:
    return f"{figure(entry, value):.{entry.decimals}f}{_unit(entry)}"


def _change(entry: Entry, value: float) -> str:
    if entry.log:
        return f"{100.0 * math.expm1(value):+.0f} %"
    return f"{value:+.{entry.decimals}f}{_unit(entry)}"


def figure(entry: Entry, value: float) -> float:
    """A figure as people know it, also where it is judged by its logarithm."""
    return math.exp(value) if entry.log else value


def _days(days: float) -> str:
    return f"{days:.0f}" if days < 10_000 else "∞"
