"""Critical alerts that nobody acknowledges."""

from __future__ import annotations

import json
from dataclasses import replace

from app.escalation import ESCALATED, escalate_alerts
from domain.findings import Severity
from domain.records import Commit, VehicleCase
from domain.standing import Standing
from notifier.alerts.alerting import apply_findings
from storage.memory_store import MemoryStore
from tests.notifier.builders import finding

MINUTE_NS = 60_000_000_000


def stored(*, severity: Severity = Severity.CRITICAL, standing: Standing | None = None) -> MemoryStore:
    store = MemoryStore(clock=lambda: 0)
    case, _ = apply_findings(VehicleCase(vehicle="v1"), [finding(severity=severity)])
    if standing is not None:
        case = replace(case, alerts=tuple(replace(alert, standing=standing) for alert in case.alerts))
    store.commit(Commit(cases=(case,)))
    return store


def escalations(store: MemoryStore) -> int:
    return sum(json.loads(event.body)["change"] == ESCALATED for event in store.events(0, 100))


def test_an_alert_is_escalated_once_after_its_time() -> None:
    store = stored()
    assert escalate_alerts(store, 900, 15 * MINUTE_NS - 1) == 0
    assert escalate_alerts(store, 900, 15 * MINUTE_NS) == 1
    assert escalate_alerts(store, 900, 99 * MINUTE_NS) == 0
    assert escalations(store) == 1


def test_an_acknowledged_a_milder_and_a_held_alert_are_not_escalated() -> None:
    seen = stored()
    assert seen.acknowledge_alert(seen.alerts()[0].id)
    for store in (seen, stored(severity=Severity.HIGH), stored(standing=Standing(silenced_by="s"))):
        assert escalate_alerts(store, 900, 99 * MINUTE_NS) == 0
        assert escalations(store) == 0
