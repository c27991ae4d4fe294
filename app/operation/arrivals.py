"""What comes from the cars: faults as findings, and days of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.care import DayUsage
from domain.code_state import CodeState
from domain.findings import Finding, Source, SourceKind, Transition
from domain.ports import CodeTable
from rules.code_finding_text import code_finding
from rules.code_level import Level
from rules.rule import Rule
from simulator.operation.breakdowns import Breakdown


def by_weeks(days: Iterable[DayUsage], first_day: int) -> Iterator[list[DayUsage]]:
    """The days on which a car was driven, week by week from the first day on; empty lists without end after the last."""
    week, together = 0, list[DayUsage]()
    for each in days:
        while (each.day - first_day) // 7 > week:
            yield together
            week, together = week + 1, []
        together.append(each)
    while True:
        yield together
        together = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Words and levels of what is found: the shipped rules by id, and the code table."""

    rules: Mapping[str, Rule]
    codes: CodeTable

    def finding(self, breakdown: Breakdown, location: tuple[float, float] | None) -> Finding:
        """As a rule or the code reader would tell it."""
        rate = breakdown.rate
        if rate.rule:
            rule = self.rules[rate.rule]
            return Finding(
                vehicle=breakdown.vehicle,
                source=Source(kind=SourceKind.RULE, id=rule.id, version=str(rule.version)),
                transition=Transition.RAISED,
                time_ns=breakdown.time_ns,
                group_key=rule.group_key,
                severity=rule.severity,
                urgency=rule.urgency,
                title=rule.title,
                explanation=rule.title,
                location=location,
            )
        info = self.codes.lookup(rate.code)
        return code_finding(
            vehicle=breakdown.vehicle,
            source_id=rate.code,
            transition=Transition.RAISED,
            time_ns=breakdown.time_ns,
            info=info,
            level=Level(severity=info.severity, urgency=info.urgency),
            state=CodeState.CONFIRMED,
        )
