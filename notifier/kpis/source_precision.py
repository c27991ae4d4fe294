"""How often each rule, model and code was right, by what technicians found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.findings import Recommendation, SourceKind
from domain.orders import Order
from domain.records import VehicleCase
from domain.repairs import RepairOutcome, RepairResult, latest_outcomes
from notifier.kpis.intervals import wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePrecision:
    """Of one source in production.

    Attributes:
        confirmed, other_cause, no_fault: orders by result. precision: share that was confirmed, with its Wilson interval.
        fault_share: share in which anything at all was wrong, with its interval.
    """

    kind: SourceKind
    source: str
    confirmed: int
    other_cause: int
    no_fault: int
    precision: float
    precision_interval: tuple[float, float]
    fault_share: float
    fault_share_interval: tuple[float, float]


def source_precision(
    outcomes: Iterable[RepairOutcome], orders: Mapping[str, Order], case_of: Callable[[str], VehicleCase]
) -> list[SourcePrecision]:
    """By kind and id of every source whose alerts led to an order with a result; the latest result of an order counts.

    A cause that was found confirms the alerts of those incidents that it was suspected in. Of other incidents that the order answers
    beside them it says nothing. That another cause or nothing was found is said of all.

    Args:
        case_of: vehicle -> everything known of it.
    """
    counts: dict[tuple[SourceKind, str], Counter[RepairResult]] = {}
    for outcome in latest_outcomes(outcomes):
        order = orders.get(outcome.order)
        if order is not None:
            for source in set(_judged(outcome, order, case_of(order.vehicle))):
                counts.setdefault(source, Counter())[outcome.result] += 1
    return [_precision(kind, source, found) for (kind, source), found in sorted(counts.items())]


def _judged(outcome: RepairOutcome, order: Order, case: VehicleCase) -> Iterator[tuple[SourceKind, str]]:
    known = [each for each in case.recommendations if each.incident_id in order.incidents]
    if outcome.result is RepairResult.FOUND:
        known = [each for each in known if _suspects(each, outcome)]
    alerts = {alert for recommendation in known for alert in recommendation.alerts}
    for alert in case.alerts:
        if alert.id in alerts:
            yield alert.source.kind, alert.source.id


def _suspects(recommendation: Recommendation, outcome: RepairOutcome) -> bool:
    return any((cause.pattern, cause.id) == (outcome.pattern, outcome.cause) for cause in recommendation.causes)


def _precision(kind: SourceKind, source: str, found: Counter[RepairResult]) -> SourcePrecision:
    confirmed, other, none = (found[result] for result in (RepairResult.FOUND, RepairResult.OTHER_CAUSE, RepairResult.NO_FAULT))
    count = confirmed + other + none
    return SourcePrecision(
        kind=kind,
        source=source,
        confirmed=confirmed,
        other_cause=other,
        no_fault=none,
        precision=confirmed / count,
        precision_interval=wilson(confirmed, count),
        fault_share=(confirmed + other) / count,
        fault_share_interval=wilson(confirmed + other, count),
    )
