"""From findings to the alerts of each side, and the alerts of two sides held against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.backtest.variants import Side
from domain.findings import Alert, AlertState, Finding
from domain.open_case import open_part, overlaid
from domain.records import VehicleCase
from notifier.alerts.alert_policy import AlertPolicy
from notifier.alerts.alerting import apply_findings, look_again
from pipeline.casework import NEXT_DRIVE, Decided, moments
from pipeline.drive_ticks import Ended
from rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One episode on both sides; None on the side that does not have it."""

    old: Alert | None
    new: Alert | None

    @property
    def alert(self) -> Alert:
        """The new one, else the old one."""
        alert = self.new or self.old
        assert alert is not None
        return alert

    @property
    def moved_s(self) -> float:
        """How much later the new side opens the alert (below 0: earlier); 0 where one side does not have it."""
        return 0.0 if self.old is None or self.new is None else (self.new.opened_ns - self.old.opened_ns) / 1e9


class Episodes:
    """Forms the alerts of one vehicle on several sides as they are formed live, while the findings come (`pipeline.replay.Decides`)."""

    def __init__(self, vehicle: str, sides: Sequence[Side], policy: AlertPolicy) -> None:
        self._policy = policy
        self._cases = [VehicleCase(vehicle=vehicle) for _ in sides]
        self._sides_of: dict[str, list[tuple[int, Rule]]] = {}
        for number, side in enumerate(sides):
            for name, rule in side.runs.items():
                self._sides_of.setdefault(name, []).append((number, rule))

    @property
    def alerts(self) -> tuple[tuple[Alert, ...], ...]:
        """Of each side, silent ones too, by time; without their evidence, which nobody asks a backtest for."""
        return tuple(tuple(replace(alert, evidence=()) for alert in case.alerts) for case in self._cases)

    def handle(self, findings: Sequence[Finding], ended: Ended = ()) -> Decided:
        """Apply findings of every running rule, and ends of drives, to the sides that they concern."""
        own: dict[int, list[Finding]] = {}
        for finding in findings:
            for number, rule in self._sides_of.get(finding.source.id, ()):
                source = replace(finding.source, id=rule.id, version=rule.full_version)
                own.setdefault(number, []).append(replace(finding, source=source))
        for number, case in enumerate(self._cases):
            if number in own or (ended and case.alerts):
                self._cases[number] = self._decided(case, own.get(number, []), ended)
        return Decided()

    def forget(self, vehicle: str) -> None:
        """All that is kept is wanted."""

    def _decided(self, case: VehicleCase, findings: Sequence[Finding], ended: Ended) -> VehicleCase:
        for _, time_ns, together in moments(findings, ended):
            before = open_part(case, ())
            if together:
                after, _ = apply_findings(before, together, self._policy)
            else:
                after, _ = look_again(before, time_ns, self._policy, drive=NEXT_DRIVE)
            case = overlaid(case, after)
        return case


def changes(old: Iterable[Alert], new: Iterable[Alert]) -> list[Change]:
    """Every episode of either side once, by time, vehicle and rule.

    An alert of one side is the same episode as one of the other side if both are of one vehicle and rule and their spans of time, from
    opening to resolution (without end where there was none), meet; of several, the first one not yet taken.
    """
    olds, news = _by_condition(old), _by_condition(new)
    found = [change for key in dict.fromkeys([*olds, *news]) for change in _paired(olds.get(key, []), news.get(key, []))]
    return sorted(found, key=lambda change: (change.alert.opened_ns, change.alert.vehicle, change.alert.source.id))


def _paired(old: Sequence[Alert], new: Sequence[Alert]) -> Iterator[Change]:
    before, after = 0, 0
    while before < len(old) and after < len(new):
        if _ends(old[before]) < new[after].opened_ns:
            yield Change(old=old[before], new=None)
            before += 1
        elif _ends(new[after]) < old[before].opened_ns:
            yield Change(old=None, new=new[after])
            after += 1
        else:
            yield Change(old=old[before], new=new[after])
            before, after = before + 1, after + 1
    yield from (Change(old=alert, new=None) for alert in old[before:])
    yield from (Change(old=None, new=alert) for alert in new[after:])


def _ends(alert: Alert) -> float:
    return alert.updated_ns if alert.state is AlertState.RESOLVED else float("inf")


def _by_condition(alerts: Iterable[Alert]) -> dict[tuple[str, str], list[Alert]]:
    """(vehicle, rule) -> its alerts by time."""
    found: dict[tuple[str, str], list[Alert]] = {}
    for alert in sorted(alerts, key=lambda alert: alert.opened_ns):
        found.setdefault((alert.vehicle, alert.source.id), []).append(alert)
    return found
