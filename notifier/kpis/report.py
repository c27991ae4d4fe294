"""The key figures of a stretch of weeks: by week, region and dealer, and over all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.fleet import Dealer
from notifier.kpis.figures import Figure, summarise, week_of, week_start
from notifier.kpis.observations import DAY_NS, Kpi, Observation, WorkHistory, observe
from notifier.kpis.source_precision import SourcePrecision
from notifier.push.messages import rfc3339

Figures = Mapping[Kpi, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiReport:
    """Figures of all dealers together, by region and by dealer, each over the whole stretch and by week.

    Attributes:
        from_ns, until_ns: wall times. total, weeks (by ISO week): of all. regions, dealers: (figures, figures by week) by name; ""
            gathers what no dealer had.
        sources: precision of each source over all time. week_names: all weeks of the stretch, those without a figure too.
    """

    from_ns: int
    until_ns: int
    total: Figures
    weeks: Mapping[str, Figures]
    regions: Mapping[str, tuple[Figures, Mapping[str, Figures]]]
    dealers: Mapping[str, tuple[Figures, Mapping[str, Figures]]]
    sources: tuple[SourcePrecision, ...] = ()
    week_names: tuple[str, ...] = ()


def kpi_report(
    history: WorkHistory,
    dealers: Mapping[str, Dealer],
    sources: Iterable[SourcePrecision] = (),
    *,
    weeks: int,
    utc_offset_hours: float,
    region: str = "",
    dealer: str = "",
) -> KpiReport:
    """The figures of the last so many weeks (the running one is one of them).

    Args:
        region: only of dealers in it ("cn/shanghai" includes "cn/shanghai/pudong"). dealer: only of this one.
    """
    until_ns = history.until_ns
    from_ns = week_start(until_ns, utc_offset_hours) - (weeks - 1) * 7 * DAY_NS
    ends = [*(from_ns + week * 7 * DAY_NS - 1 for week in range(1, weeks)), until_ns]
    regions = {each.id: each.region for each in dealers.values()}

    def is_wanted(each: Observation) -> bool:
        where = regions.get(each.dealer, "")
        in_region = not region or where == region or where.startswith(f"{region}/")
        return from_ns <= each.time_ns <= until_ns and in_region and dealer in ("", each.dealer)

    seen = [each for each in observe(history, ends) if is_wanted(each)]
    # over all weeks the age of an order is that of now
    now = [each for each in seen if each.kpi is not Kpi.ORDER_AGE or each.time_ns == until_ns]

    def week(each: Observation) -> str:
        return week_of(each.time_ns, utc_offset_hours)

    def grouped(name_of: Callable[[Observation], str]) -> dict[str, tuple[Figures, Mapping[str, Figures]]]:
        by_week = summarise(seen, lambda each: (name_of(each), week(each)))
        whole = summarise(now, name_of)
        names = sorted({*whole, *(name for name, _ in by_week)})
        return {
            name: (whole.get(name, {}), {when: of for (other, when), of in sorted(by_week.items()) if other == name})
            for name in names
        }

    return KpiReport(
        from_ns=from_ns,
        until_ns=until_ns,
        total=summarise(now, lambda _: "").get("", {}),
        weeks=dict(sorted(summarise(seen, week).items())),
        regions=grouped(lambda each: regions.get(each.dealer, "")),
        dealers=grouped(lambda each: each.dealer if each.dealer in regions else ""),
        sources=tuple(sources),
        week_names=tuple(week_of(end, utc_offset_hours) for end in ends),
    )


def report_json(report: KpiReport) -> dict[str, Any]:
    """The KPI document: durations in seconds, shares as fractions, the promoter score from -100 to 100."""
    return {
        "from": rfc3339(report.from_ns),
        "until": rfc3339(report.until_ns),
        "total": _figures_json(report.total),
        "weeks": _weeks_json(report.weeks),
        "regions": [{"region": name, **_both_json(*figures)} for name, figures in report.regions.items()],
        "dealers": [{"dealer": name, **_both_json(*figures)} for name, figures in report.dealers.items()],
        "sources": [_source_json(source) for source in report.sources],
    }


def _both_json(total: Figures, weeks: Mapping[str, Figures]) -> dict[str, Any]:
    return {"total": _figures_json(total), "weeks": _weeks_json(weeks)}


def _weeks_json(weeks: Mapping[str, Figures]) -> list[dict[str, Any]]:
    return [{"week": name, "figures": _figures_json(figures)} for name, figures in weeks.items()]


def _figures_json(figures: Figures) -> dict[str, Any]:
    return {
        kpi.value: {
            "count": each.count,
            "value": _rounded(each.value),
            "interval": [_rounded(each.low), _rounded(each.high)],
        }
        for kpi, each in figures.items()
    }


def _source_json(source: SourcePrecision) -> dict[str, Any]:
    return {
        "kind": source.kind.value,
        "source": source.source,
        "confirmed": source.confirmed,
        "other_cause": source.other_cause,
        "no_fault": source.no_fault,
        "precision": _rounded(source.precision),
        "precision_interval": [_rounded(bound) for bound in source.precision_interval],
        "fault_share": _rounded(source.fault_share),
        "fault_share_interval": [_rounded(bound) for bound in source.fault_share_interval],
    }


def _rounded(value: float) -> float:
    return round(value, 4)
