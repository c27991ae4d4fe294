"""What the page of key figures shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from domain.findings import Text
from notifier.kpis.figures import DURATIONS, Figure
from notifier.kpis.observations import Kpi
from notifier.kpis.report import Figures, KpiReport
from notifier.kpis.source_precision import SourcePrecision
from web.kpis import KpiSources
from web.pages.kpi_words import KPIS, LABELS
from web.report import formats
from web.report.chart import Chart, Line, draw_chart

WEEK_CHOICES = (4, 13, 26, 53)
COLUMNS = tuple(kpi for kpi in Kpi if kpi is not Kpi.ORDER_AGE)
"""Of the tables: the age of orders says nothing of a dealer that has few open."""
_HOUR_S, _DAY_S = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One figure over all weeks, and how it went."""

    name: Text
    value: Text
    interval: Text
    cases: Text
    drawing: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The figures of one region or dealer with how many cases each is of; one for each of `COLUMNS`."""

    name: Text
    cells: tuple[tuple[Text, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiView:
    """The page."""

    trends: tuple[Trend, ...]
    regions: tuple[Row, ...]
    dealers: tuple[Row, ...]
    sources: tuple[SourcePrecision, ...]


def gather(sources: KpiSources, *, weeks: int, utc_offset_hours: float) -> KpiView:
    """What is shown of the last so many weeks."""
    report = sources.report(weeks=weeks, utc_offset_hours=utc_offset_hours)
    names = {dealer.id: dealer.name for dealer in sources.dealers.values()}
    return KpiView(
        trends=tuple(_trend(kpi, report) for kpi in Kpi if kpi in report.total),
        regions=tuple(
            _row(Text(en=name, zh=name) if name else LABELS["no_region"], total) for name, (total, _) in report.regions.items()
        ),
        dealers=tuple(_row(names.get(name, LABELS["no_dealer"]), total) for name, (total, _) in report.dealers.items()),
        sources=report.sources,
    )


def shown(kpi: Kpi, value: float) -> Text:
    """A figure as people read it."""
    if kpi in DURATIONS:
        return formats.age(value)
    words = f"{value:.0f}".replace("-", "−") if kpi is Kpi.NPS else percent(value)
    return Text(en=words, zh=words)


def percent(value: float) -> str:
    """A share."""
    return f"{100 * value:.3g} %"


def _trend(kpi: Kpi, report: KpiReport) -> Trend:
    whole = report.total[kpi]
    low, high = shown(kpi, whole.low), shown(kpi, whole.high)
    count = f"{whole.count:,}"
    return Trend(
        name=KPIS[kpi],
        value=shown(kpi, whole.value),
        interval=Text(en=f"{low.en} – {high.en}", zh=f"{low.zh} – {high.zh}"),
        cases=Text(en=LABELS["of"].en.format(count), zh=LABELS["of"].zh.format(count)),
        drawing=Markup(draw_chart(_chart(kpi, report))),  # noqa: S704 - made of numbers and our own words
    )


def _chart(kpi: Kpi, report: KpiReport) -> Chart:
    """Points stand at so many weeks ago; weeks without a case leave a gap."""
    found = [
        (number + 1 - len(report.week_names), report.weeks.get(name, {}).get(kpi))
        for number, name in enumerate(report.week_names)
    ]
    per, unit = _scale(kpi, [each for _, each in found if each is not None])
    points = tuple((float(ago), None if each is None else each.value / per) for ago, each in found)
    name = KPIS[kpi]
    return Chart(
        title=Text(en=f"{name.en}{unit.en}", zh=f"{name.zh}{unit.zh}"),
        across=LABELS["across"],
        lines=(Line(name=name, points=points),),
        percent=kpi not in DURATIONS and kpi is not Kpi.NPS,
        bottom=-100.0 if kpi is Kpi.NPS else 0.0,
        top=100.0 if kpi is Kpi.NPS else None if kpi in DURATIONS else 1.0,
    )


def _scale(kpi: Kpi, figures: Sequence[Figure]) -> tuple[float, Text]:
    """Days, hours or minutes, as the longest median of a week asks for."""
    if kpi not in DURATIONS:
        return 1.0, Text(en="", zh="")
    longest = max((each.value for each in figures), default=0.0)
    if longest >= 3 * _DAY_S:
        return _DAY_S, Text(en=", days", zh="，天")
    return (_HOUR_S, Text(en=", hours", zh="，小时")) if longest >= _HOUR_S else (60.0, Text(en=", minutes", zh="，分钟"))


def _row(name: Text, figures: Figures) -> Row:
    none = Text(en="–", zh="–")
    found = [figures.get(kpi) for kpi in COLUMNS]
    cells = [
        (none, 0) if each is None else (shown(kpi, each.value), each.count) for kpi, each in zip(COLUMNS, found, strict=True)
    ]
    return Row(name=name, cells=tuple(cells))
