"""How often a source has come and gone: flapping, and confirmation by several drives. Pure; times are the vehicle's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from domain.findings import Alert, AlertState, Finding, Urgency
from domain.standing import MOST_EPISODES, UNKNOWN_DRIVE, Resolution, Review, Standing
from notifier.alerts.alert_policy import AlertPolicy


def opened_standing(previous: Alert | None, finding: Finding, policy: AlertPolicy) -> Standing:
    """The standing of an alert that this finding opens.

    Args:
        previous: the latest alert of the source, None where it has none. Its episodes go on in the new alert.
    """
    episodes = _with_episode(() if previous is None else previous.standing.episodes, finding)
    standing = Standing(episodes=episodes, flapping=_flaps(episodes, finding.order_ns, policy), review=_review(finding, policy))
    return replace(standing, unconfirmed=not _confirmed(standing, finding, finding.urgency, policy))


def repeated_standing(alert: Alert, finding: Finding, policy: AlertPolicy) -> Standing:
    """The standing of an open alert after another finding of its source: data that came in time ends a review."""
    standing = alert.standing
    again = standing.quiet_since_ns is not None
    another_drive = finding.drive is not None and (not standing.episodes or standing.episodes[-1][1] != finding.drive)
    if again or another_drive:
        standing = replace(standing, episodes=_with_episode(standing.episodes, finding))
    standing = replace(standing, quiet_since_ns=None, review=_review(finding, policy), resolution=Resolution.NONE)
    urgency = max(alert.urgency, finding.urgency)
    return replace(standing, unconfirmed=standing.unconfirmed and not _confirmed(standing, finding, urgency, policy))


def quieted(alert: Alert, finding: Finding) -> Alert:
    """A flapping alert whose condition cleared: it waits whether it stays so."""
    since_ns = max(alert.updated_ns, finding.time_ns)
    return replace(alert, updated_ns=since_ns, standing=replace(alert.standing, quiet_since_ns=since_ns))


def resolved(alert: Alert, time_ns: int) -> Alert:
    """An alert whose condition was measured to be gone."""
    standing = replace(alert.standing, resolution=Resolution.RECOVERED, quiet_since_ns=None)
    return replace(alert, state=AlertState.RESOLVED, updated_ns=time_ns, standing=standing)


def quiet_long_enough(alerts: Iterable[Alert], now_ns: int, policy: AlertPolicy) -> list[Alert]:
    """Flapping alerts that have been clear for the quiet time by now, resolved at the end of that time.

    So it does not matter when, or how often, this is looked at.
    """
    if policy.flapping is None:
        return []
    found = []
    for alert in alerts:
        quiet_ns = alert.standing.quiet_since_ns
        if alert.state is not AlertState.RESOLVED and quiet_ns is not None and quiet_ns + policy.flapping.quiet_ns <= now_ns:
            found.append(resolved(alert, quiet_ns + policy.flapping.quiet_ns))
    return found


def _with_episode(episodes: tuple[tuple[int, int], ...], finding: Finding) -> tuple[tuple[int, int], ...]:
    drive = UNKNOWN_DRIVE if finding.drive is None else finding.drive
    return (*episodes, (finding.order_ns, drive))[-MOST_EPISODES:]


def _flaps(episodes: tuple[tuple[int, int], ...], now_ns: int, policy: AlertPolicy) -> bool:
    rule = policy.flapping
    return rule is not None and sum(time_ns > now_ns - rule.within_ns for time_ns, _ in episodes) >= rule.raises


def _confirmed(standing: Standing, finding: Finding, urgency: Urgency, policy: AlertPolicy) -> bool:
    """Raised in enough of the latest drives. What asks to stop, and what cannot be counted, needs no confirmation."""
    asked = next((each for each in policy.confirmations if each.asks(finding.source.id)), None)
    if asked is None or finding.drive is None or urgency is Urgency.STOP:
        return True
    drives = {drive for _, drive in standing.episodes if drive != UNKNOWN_DRIVE and drive > finding.drive - asked.of}
    return len(drives) >= asked.drives


def _review(finding: Finding, policy: AlertPolicy) -> Review:
    """Data whose arrival is not known (a recording) is not called old."""
    if policy.stale_after_ns is None or finding.received_ns is None:
        return Review.NONE
    return Review.OLD_DATA if finding.received_ns - finding.time_ns > policy.stale_after_ns else Review.NONE
