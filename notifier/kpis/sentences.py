"""The key figures as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from notifier.kpis.figures import DURATIONS, Figure
from notifier.kpis.observations import Kpi
from notifier.kpis.report import Figures, KpiReport


def report_lines(report: KpiReport) -> Iterator[str]:
    """The whole stretch with its intervals, then week by week, then the sources."""
    if not report.total:
        yield "no orders, repairs or pushes in these weeks: no figures"
    for kpi, figure in report.total.items():
        low, high = shown(kpi, figure.low), shown(kpi, figure.high)
        yield f"{kpi.value:22} {shown(kpi, figure.value):>10}   {low} to {high}, {figure.count:,} cases"
    for name in report.week_names if report.total else ():
        yield f"{name}  {_week(report.weeks.get(name, {}))}"
    for source in report.sources:
        low_share, high_share = source.precision_interval
        found = f"{source.confirmed} confirmed, {source.other_cause} other cause, {source.no_fault} no fault"
        yield f"{source.kind.value} {source.source}: {100 * source.precision:.0f} % right ({100 * low_share:.0f} to {100 * high_share:.0f} %), {found}"


def shown(kpi: Kpi, value: float) -> str:
    """With its unit."""
    if kpi is Kpi.NPS:
        return f"{value:+.0f}"
    if kpi not in DURATIONS:
        return f"{100 * value:.1f} %"
    return (
        f"{value / 86_400:.1f} d" if value >= 172_800 else f"{value / 3600:.1f} h" if value >= 5400 else f"{value / 60:.1f} min"
    )


def _week(figures: Figures) -> str:
    return "  ".join(f"{kpi.value} {_brief(kpi, figure)}" for kpi, figure in figures.items()) or "–"


def _brief(kpi: Kpi, figure: Figure) -> str:
    return f"{shown(kpi, figure.value)} ({figure.count})"
