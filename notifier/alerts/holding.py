"""Which open alerts are held back: explained by another one, or silenced by a person. Pure; nothing held back is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.findings import Alert, AlertState, Urgency
from domain.silences import Silence
from notifier.alerts.alert_policy import AlertPolicy, Inhibition, While


def held_back(
    alerts: Sequence[Alert], policy: AlertPolicy, *, drive: int | None = None, silences: Sequence[Silence] = ()
) -> list[Alert]:
    """The open alerts that stand otherwise now, with their new standing.

    Every chain of inhibition ends in an alert that nothing inhibits, so alerts never hold each other back. An alert that asks to
    stop is inhibited only by another one that does.

    Args:
        alerts: of one vehicle: the open ones, and the resolved ones that are still at hand.
        drive: number of the vehicle's drive now, None where it is not known: what holds for a drive stays as it is then.
        silences: those that concern the vehicle now.
    """
    ordered = sorted(alerts, key=lambda alert: (alert.opened_ns, alert.id))
    unresolved = [alert for alert in ordered if alert.state is not AlertState.RESOLVED]
    parents = _parents(ordered, unresolved, policy, drive)
    changed = []
    for alert in unresolved:
        parent, rule = parents.get(alert.id, ("", ""))
        silence = next((each.id for each in silences if each.matches(alert)), "")
        standing = replace(alert.standing, inhibited_by=parent, inhibition=rule, silenced_by=silence)
        if standing != alert.standing:
            changed.append(replace(alert, standing=standing))
    return changed


def _parents(
    alerts: Sequence[Alert], unresolved: Sequence[Alert], policy: AlertPolicy, drive: int | None
) -> dict[str, tuple[str, str]]:
    """Alert id -> (id of the alert that inhibits it, id of the rule)."""
    parents: dict[str, tuple[str, str]] = {}
    for rule in policy.inhibitions:
        if rule.lasts is While.SAME_DRIVE and drive is None:
            parents.update(
                (alert.id, (alert.standing.inhibited_by, rule.id))
                for alert in unresolved
                if alert.standing.inhibition == rule.id and alert.id not in parents
            )
            continue
        for child in unresolved:
            if child.id in parents or not rule.child.matches(child):
                continue
            parent = next((each for each in alerts if each.id not in parents and _explains(rule, each, child, drive)), None)
            if parent is not None:
                parents[child.id] = (parent.id, rule.id)
    return parents


def _explains(rule: Inhibition, parent: Alert, child: Alert, drive: int | None) -> bool:
    if parent.id == child.id or not rule.parent.matches(parent):
        return False
    if rule.same_group and parent.group_key != child.group_key:
        return False
    if child.urgency is Urgency.STOP and parent.urgency is not Urgency.STOP:
        return False
    if rule.lasts is While.PARENT_OPEN:
        return parent.state is not AlertState.RESOLVED
    return any(raised_in == drive for _, raised_in in parent.standing.episodes)
