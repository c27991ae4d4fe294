"""Critical alerts that nobody acknowledges: told once more, in the feed, for whoever is on call."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Protocol

from domain.findings import Alert, AlertState, Severity
from domain.live import EventKind, FeedEvent

ESCALATED = "escalated"


class EscalationStore(Protocol):
    """What the escalation needs of the store."""

    def alerts(
        self,
        *,
        state: AlertState | Collection[AlertState] | None = None,
        severity: Severity | Collection[Severity] | None = None,
    ) -> tuple[Alert, ...]:
        """Alerts in these states, of these severities."""

    def events_of(self, subject: str) -> tuple[FeedEvent, ...]:
        """The feed events of one alert."""

    def append_event(self, event: FeedEvent) -> None:
        """Append to the feed."""


def escalate_alerts(store: EscalationStore, after_s: float, now_ns: int) -> int:
    """Append an event for every open critical alert that has waited so long since it was stored (wall time); gives how many.

    Each alert is escalated once for as long as the feed remembers it. What is held back (explained, silenced, unconfirmed) waits for
    nobody.

    Raises:
        StorageError: the database failed; what was appended until then stays.
    """
    escalated = 0
    for alert in store.alerts(state=AlertState.OPEN, severity=Severity.CRITICAL):
        events = store.events_of(alert.id)
        told = any(json.loads(event.body).get("change") == ESCALATED for event in events)
        stored_ns = events[0].time_ns if events else 0
        if told or alert.standing.holds or now_ns - stored_ns < after_s * 1e9:
            continue
        body = {
            "change": ESCALATED,
            "incident_id": alert.incident_id,
            "state": alert.state.value,
            "severity": alert.severity.value,
            "urgency": alert.urgency.name,
            "title": {"en": alert.title.en, "zh": alert.title.zh},
            "waited_s": round((now_ns - stored_ns) / 1e9) if events else None,
        }
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        store.append_event(FeedEvent(kind=EventKind.ALERT, subject=alert.id, vehicle=alert.vehicle, body=text))
        escalated += 1
    return escalated
