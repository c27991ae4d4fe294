"""From findings to the alerts of one side, and the alerts of two sides held against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.backtest.runs import VehicleRun
from app.backtest.variants import Side
from domain.findings import Alert, AlertState
from domain.records import VehicleCase
from notifier.alert_policy import AlertPolicy
from notifier.alerting import apply_findings, look_again
from pipeline.casework import NEXT_DRIVE, moments


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


def alerts_of(run: VehicleRun, side: Side, policy: AlertPolicy) -> tuple[Alert, ...]:
    """The alerts of this side's rules on one vehicle, silent ones too, formed as they are live."""
    own = []
    for finding in run.findings:
        rule = side.runs.get(finding.source.id)
        if rule is not None:
            own.append(replace(finding, source=replace(finding.source, id=rule.id, version=rule.full_version)))
    if not own:
        return ()
    case = VehicleCase(vehicle=run.vehicle)
    for _, time_ns, together in moments(own, tuple(run.ended)):
        if together:
            case, _ = apply_findings(case, together, policy)
        else:
            case, _ = look_again(case, time_ns, policy, drive=NEXT_DRIVE)
    return case.alerts


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
