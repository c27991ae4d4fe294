"""Renders the report of a backtest: one self-contained HTML page, in both languages, light and dark."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Template
from markupsafe import Markup

from domain.findings import Text
from web.report import formats
from web.report.backtest_model import BacktestReport, ChangeRow, Judged, RuleFigures, SideFigures, SweepReport
from web.report.backtest_words import RULE_STATUSES, WORDS
from web.report.chart import Chart, Line, draw_chart, share_beyond, share_within
from web.report.markup import environment
from web.report.page import inlined


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """A row of the table of both sides. `wish`: +1 where more is better, -1 where less is, 0 where neither."""

    name: Text
    of: Callable[[SideFigures], float | None]
    shown: Callable[[float | None], Text]
    wish: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """A measure as shown; `verdict` is "better", "worse" or ""."""

    name: Text
    old: Text
    new: Text
    verdict: str


def render_backtest(report: BacktestReport) -> str:
    """The page; it asks no server for anything."""
    return _template().render(
        report=report,
        sides=_side_rows(report),
        distributions=_distributions(report),
        curves=[(sweep, _curves(sweep)) for sweep in report.sweeps],
        labelled=report.new.judged is not None,
        compared=report.old is not None,
    )


def median(values: Sequence[float]) -> float | None:
    """None where there are none."""
    return statistics.median(values) if values else None


def _plain(words: str) -> Text:
    return Text(en=words, zh=words)


def _count(value: float | None) -> Text:
    return _plain("–" if value is None else f"{value:,.0f}")


def _rate(value: float | None) -> Text:
    return _plain("–" if value is None else f"{value:,.1f}")


def share(value: float | None) -> Text:
    """A fraction as percent."""
    return _plain("–" if value is None else f"{100 * value:.4g} %")


def _judged(of: Callable[[Judged], float | None]) -> Callable[[SideFigures], float | None]:
    return lambda side: None if side.judged is None else of(side.judged)


_ALERTS = _Measure(name=WORDS["alerts"], of=lambda side: side.alerts, shown=_count)
_MEASURES = (
    _Measure(name=WORDS["faults"], of=_judged(lambda judged: judged.faults), shown=_count),
    _Measure(name=WORDS["found"], of=_judged(lambda judged: judged.found), shown=_count, wish=1),
    _Measure(name=WORDS["recall"], of=_judged(lambda judged: judged.recall), shown=share, wish=1),
    _Measure(name=WORDS["precision"], of=_judged(lambda judged: judged.precision), shown=share, wish=1),
    _Measure(name=WORDS["false_alarms"], of=_judged(lambda judged: judged.false_alarms), shown=_count, wish=-1),
    _Measure(name=WORDS["false_rate"], of=_judged(lambda judged: judged.false_per_1000_days), shown=_rate, wish=-1),
    _Measure(name=WORDS["other"], of=_judged(lambda judged: judged.other), shown=_count),
    _Measure(name=WORDS["delay"], of=_judged(lambda judged: median(judged.delays_s)), shown=formats.duration, wish=-1),
    _Measure(name=WORDS["lead"], of=_judged(lambda judged: median(judged.leads_s)), shown=formats.duration, wish=1),
)


def _side_rows(report: BacktestReport) -> list[SideRow]:
    sides = [side for side in (report.old, report.new) if side is not None]
    measures = [measure for measure in (_ALERTS, *_MEASURES) if any(measure.of(side) is not None for side in sides)]
    return [_side_row(measure, report) for measure in measures]


def _side_row(measure: _Measure, report: BacktestReport) -> SideRow:
    new = measure.of(report.new)
    old = None if report.old is None else measure.of(report.old)
    gain = 0.0 if old is None or new is None else measure.wish * (new - old)
    verdict = "better" if gain > 0 else "worse" if gain < 0 else ""
    return SideRow(name=measure.name, old=measure.shown(old), new=measure.shown(new), verdict=verdict)


def _distributions(report: BacktestReport) -> list[Markup]:
    """How many of the faults were found how soon, and how long before their end; both sides in one drawing."""
    named = ((WORDS["new"], report.new), (WORDS["old"], report.old))
    sides = [(name, side.judged) for name, side in named if side is not None and side.judged is not None]
    latest_s = max((delay for _, judged in sides for delay in judged.delays_s), default=0.0)
    drawings = (
        (
            WORDS["delay_title"],
            WORDS["delay_axis"],
            [(name, share_within(judged.delays_s, judged.faults, until=latest_s)) for name, judged in sides if latest_s],
        ),
        (
            WORDS["lead_title"],
            WORDS["lead_axis"],
            [(name, share_beyond(judged.leads_s, judged.faults)) for name, judged in sides if judged.leads_s],
        ),
    )
    return [
        _drawn(
            Chart(
                title=title,
                across=across,
                lines=tuple(Line(name=name, points=points, stepped=True, dots=False) for name, points in lines),
                top=1.0,
                percent=True,
            )
        )
        for title, across, lines in drawings
        if lines
    ]


def _curves(sweep: SweepReport) -> list[Markup]:
    """The measures over the swept value."""
    unit = f", {sweep.unit}" if sweep.unit else ""
    across = _plain(f"{sweep.rule}.{sweep.parameter}{unit}")
    rows = [(row.value, row.figures) for row in sweep.rows]

    def line(measure: _Measure) -> Line:
        return Line(name=measure.name, points=tuple((value, None if side is None else measure.of(side)) for value, side in rows))

    labelled = any(side is not None and side.judged is not None for _, side in rows)
    recall, precision, rate, delay, lead = (_MEASURES[number] for number in (2, 3, 5, 7, 8))
    wanted: list[tuple[Text, tuple[_Measure, ...], bool]] = (
        [
            (WORDS["right_title"], (recall, precision), True),
            (rate.name, (rate,), False),
            (WORDS["delay_seconds"], (delay,), False),
            (WORDS["lead_seconds"], (lead,), False),
        ]
        if labelled
        else [(WORDS["alerts"], (_ALERTS,), False)]
    )
    return [
        _drawn(
            Chart(
                title=title,
                across=across,
                lines=tuple(map(line, measures)),
                marked=sweep.present,
                marked_name=WORDS["present"],
                top=1.05 if percent else None,
                percent=percent,
            )
        )
        for title, measures, percent in wanted
        if any(y is not None for measure in measures for _, y in line(measure).points)
    ]


def _drawn(chart: Chart) -> Markup:
    return Markup(draw_chart(chart))  # noqa: S704 - every word in it is escaped


def change_words(change: ChangeRow) -> Text:
    """What became of an alert."""
    if change.old_ns is None:
        return WORDS["appears"]
    if change.new_ns is None:
        return WORDS["disappears"]
    moved_s = (change.new_ns - change.old_ns) / 1e9
    by, way = formats.duration(abs(moved_s)), WORDS["later" if moved_s > 0 else "earlier"]
    return Text(en=f"{by.en} {way.en}", zh=f"{way.zh} {by.zh}")


def status_words(rule: RuleFigures, *, compared: bool) -> Text:
    """The rule's status, and what it was before where that differs."""
    sides = (rule.old, rule.new) if compared else (rule.new,)
    told = list(dict.fromkeys(WORDS["absent"] if side is None else RULE_STATUSES[side.status] for side in sides))
    if compared and len(told) == 1 and rule.is_changed:
        told.append(WORDS["changed"])
        return Text(en=", ".join(word.en for word in told), zh="，".join(word.zh for word in told))
    return Text(en=" → ".join(word.en for word in told), zh=" → ".join(word.zh for word in told))


@cache
def _template() -> Template:
    told = {"say": WORDS, "change_words": change_words, "status_words": status_words, "share": share, "median": median}
    return environment().get_template("report/backtest.html.j2", globals=inlined() | told)
