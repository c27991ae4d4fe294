"""From findings to alerts: one alert per (vehicle, source, episode), grouped into incidents.

An alert opens with the first finding of an episode and resolves when the condition clears; a resolved alert is history and
absorbs nothing. Alerts of one vehicle with the same group key belong to one incident for as long as any of them is unresolved.
Where the policy says so, a source that comes and goes becomes one flapping alert, and some alerts hold others back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import groupby

from domain.findings import Alert, AlertState, Evidence, Finding, Severity, SourceKind, Transition
from domain.records import VehicleCase
from domain.silences import Silence
from notifier.alerts.alert_policy import PLAIN, AlertPolicy
from notifier.alerts.episodes import opened_standing, quiet_long_enough, quieted, repeated_standing, resolved
from notifier.alerts.holding import held_back
from notifier.identity import alert_id, incident_id

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_Condition = tuple[SourceKind, str]


class AlertDecision(StrEnum):
    """What a finding does to the alerts of its vehicle."""

    OPEN = "open"
    """Nothing is open for this source: a new alert. A repeated finding opens one too, because no warning may be lost."""
    REPEAT = "repeat"
    RESOLVE = "resolve"
    QUIET = "quiet"
    """Cleared, but its source flaps: it resolves when it stays clear."""
    IGNORE_NOT_OPEN = "ignore_not_open"
    """Cleared, but no alert of this source is open."""
    IGNORE_OUTDATED = "ignore_outdated"
    """Cleared, but seen again since (a finding of the late lane)."""


class AcknowledgeOutcome(StrEnum):
    """What became of the wish to acknowledge an alert."""

    ACKNOWLEDGED = "acknowledged"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    ALREADY_RESOLVED = "already_resolved"
    UNKNOWN_ALERT = "unknown_alert"


def decide(alert: Alert | None, finding: Finding) -> AlertDecision:
    """What this finding does, given the unresolved alert of its source (None: there is none)."""
    if finding.transition is not Transition.CLEARED:
        return AlertDecision.OPEN if alert is None else AlertDecision.REPEAT
    if alert is None:
        return AlertDecision.IGNORE_NOT_OPEN
    if finding.time_ns < alert.updated_ns:
        return AlertDecision.IGNORE_OUTDATED
    return AlertDecision.QUIET if alert.standing.flapping else AlertDecision.RESOLVE


def apply_findings(
    case: VehicleCase, findings: Sequence[Finding], policy: AlertPolicy = PLAIN, silences: Sequence[Silence] = ()
) -> tuple[VehicleCase, tuple[str, ...]]:
    """The case with these findings of its vehicle applied, and the ids of the incidents that changed, first changed first.

    All findings with equal times must be in the same call; they count as simultaneous, so that a condition that clears and
    another of its group that rises at the same instant share an incident whatever the names of their sources. Findings of
    different sources may come in any order; those of one source and time are taken in the order given.

    Args:
        silences: those that concern the vehicle at the time of these findings.
    """
    alerts = {alert.id: alert for alert in case.alerts}
    changed: dict[str, None] = {}
    ordered = sorted(findings, key=lambda finding: (finding.time_ns, finding.source.kind, finding.source.id))
    for _, together in groupby(ordered, key=lambda finding: finding.time_ns):
        simultaneous = list(together)
        now_ns = max(finding.order_ns for finding in simultaneous)
        _take_in(alerts, quiet_long_enough(alerts.values(), now_ns, policy), changed)
        _apply_instant(alerts, simultaneous, policy, changed)
        drive = next((finding.drive for finding in simultaneous if finding.drive is not None), None)
        _take_in(alerts, held_back(list(alerts.values()), policy, drive=drive, silences=silences), changed)
    return _with_alerts(case, alerts, changed)


def look_again(
    case: VehicleCase, time_ns: int, policy: AlertPolicy, *, drive: int | None, silences: Sequence[Silence] = ()
) -> tuple[VehicleCase, tuple[str, ...]]:
    """As `apply_findings`, where nothing was found: what ends by itself has ended by now.

    Args:
        time_ns: event time that the vehicle has reached. drive: number of the drive that begins after it, None = as before.
    """
    alerts = {alert.id: alert for alert in case.alerts}
    changed: dict[str, None] = {}
    _take_in(alerts, quiet_long_enough(alerts.values(), time_ns, policy), changed)
    _take_in(alerts, held_back(list(alerts.values()), policy, drive=drive, silences=silences), changed)
    return _with_alerts(case, alerts, changed)


def _take_in(alerts: dict[str, Alert], new: Sequence[Alert], changed: dict[str, None]) -> None:
    alerts.update((alert.id, alert) for alert in new)
    changed.update((alert.incident_id, None) for alert in new)


def _with_alerts(case: VehicleCase, alerts: dict[str, Alert], changed: dict[str, None]) -> tuple[VehicleCase, tuple[str, ...]]:
    if not changed:
        return case, ()
    kept = tuple(sorted(alerts.values(), key=lambda alert: (alert.opened_ns, alert.id)))
    return replace(case, alerts=kept), tuple(changed)


def _apply_instant(alerts: dict[str, Alert], findings: list[Finding], policy: AlertPolicy, changed: dict[str, None]) -> None:
    unresolved = [alert for alert in alerts.values() if alert.state is not AlertState.RESOLVED]
    open_alerts: dict[_Condition, Alert] = {(alert.source.kind, alert.source.id): alert for alert in unresolved}
    incidents = {alert.group_key: alert.incident_id for alert in unresolved}
    for finding in findings:
        condition = (finding.source.kind, finding.source.id)
        current = open_alerts.get(condition)
        match decide(current, finding), current:
            case AlertDecision.OPEN, _:
                alert = _opened(finding, incidents, _latest(alerts, condition), policy)
                told = alerts.get(alert.id)
                if told is not None and told.updated_ns > finding.time_ns:  # an episode of that instant has come and gone
                    continue
                if told is not None:  # cleared and raised again within one instant is one episode
                    alert = replace(_repeated(told, finding, policy), state=AlertState.OPEN)
                open_alerts[condition] = alert
            case AlertDecision.REPEAT, Alert() as current:
                alert = open_alerts[condition] = _repeated(current, finding, policy)
            case AlertDecision.RESOLVE, Alert() as current:
                alert = resolved(current, finding.time_ns)
                del open_alerts[condition]
            case AlertDecision.QUIET, Alert() as current:
                alert = open_alerts[condition] = quieted(current, finding)
            case _:
                continue
        alerts[alert.id] = alert
        changed[alert.incident_id] = None


def _latest(alerts: dict[str, Alert], condition: _Condition) -> Alert | None:
    own = (alert for alert in alerts.values() if (alert.source.kind, alert.source.id) == condition)
    return max(own, key=lambda alert: (alert.opened_ns, alert.id), default=None)


def _opened(finding: Finding, incidents: dict[str, str], previous: Alert | None, policy: AlertPolicy) -> Alert:
    identity = alert_id(finding)
    incident = incidents.setdefault(finding.group_key, incident_id(finding.vehicle, finding.group_key, identity))
    return Alert(
        id=identity,
        incident_id=incident,
        vehicle=finding.vehicle,
        source=finding.source,
        state=AlertState.OPEN,
        severity=finding.severity,
        urgency=finding.urgency,
        group_key=finding.group_key,
        title=finding.title,
        explanation=finding.explanation,
        opened_ns=finding.time_ns,
        updated_ns=finding.time_ns,
        evidence=finding.evidence,
        codes=finding.codes,
        location=finding.location,
        late=finding.late,
        standing=opened_standing(previous, finding, policy),
    )


def _repeated(alert: Alert, finding: Finding, policy: AlertPolicy) -> Alert:
    """Counted once more; severity and urgency only rise, and the words are those of the worst finding so far (latest of equals)."""
    as_bad = _RANK[finding.severity] <= _RANK[alert.severity] and finding.urgency >= alert.urgency
    return replace(
        alert,
        source=finding.source,
        severity=min(alert.severity, finding.severity, key=_RANK.__getitem__),
        urgency=max(alert.urgency, finding.urgency),
        title=finding.title if as_bad else alert.title,
        explanation=finding.explanation if as_bad else alert.explanation,
        updated_ns=max(alert.updated_ns, finding.time_ns),
        occurrences=alert.occurrences + 1,
        evidence=_latest_evidence(alert.evidence, finding.evidence),
        codes=tuple(dict.fromkeys((*alert.codes, *finding.codes))),
        location=finding.location or alert.location,
        standing=repeated_standing(alert, finding, policy),
    )


def _latest_evidence(before: tuple[Evidence, ...], latest: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The latest evidence, its windows stretched back to where the same evidence began in this episode."""
    if not latest:
        return before
    began: dict[tuple[str, str], int] = {}
    for old in before:
        if old.window_start_ns is not None:
            key = (old.kind, old.signal)
            began[key] = min(began.get(key, old.window_start_ns), old.window_start_ns)
    return tuple(_stretched(new, began.get((new.kind, new.signal))) for new in latest)


def _stretched(evidence: Evidence, began_ns: int | None) -> Evidence:
    if began_ns is None or evidence.window_start_ns is None or began_ns >= evidence.window_start_ns:
        return evidence
    return replace(evidence, window_start_ns=began_ns)


def acknowledge(case: VehicleCase, alert_id: str) -> tuple[VehicleCase, AcknowledgeOutcome]:
    """The case with this alert acknowledged: somebody looks after it, and it still repeats and resolves.

    `updated_ns` stays, for it is the vehicle's time and this is not the vehicle's doing.
    """
    alert = next((alert for alert in case.alerts if alert.id == alert_id), None)
    if alert is None:
        return case, AcknowledgeOutcome.UNKNOWN_ALERT
    if alert.state is AlertState.RESOLVED:
        return case, AcknowledgeOutcome.ALREADY_RESOLVED
    if alert.state is AlertState.ACKNOWLEDGED:
        return case, AcknowledgeOutcome.ALREADY_ACKNOWLEDGED
    seen = replace(alert, state=AlertState.ACKNOWLEDGED)
    alerts = tuple(seen if other.id == alert_id else other for other in case.alerts)
    return replace(case, alerts=alerts), AcknowledgeOutcome.ACKNOWLEDGED
