"""What operators, the web process and metrics ask, answered from dictionaries: the same as `storage.sql_views.SqlViews`."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from domain.findings import Alert, AlertState, Severity
from domain.fleet import Vehicle
from domain.live import AnsweredRequest, ApiKey, FeedEvent, FunnelCounts, VehicleSighting, VehicleSummary
from domain.notices import OWNER, ROUTE
from domain.order_audit import AuditEntry
from domain.orders import Order
from domain.records import DeadLetter, DeliveryAttempt, OutboxEvent, PushResult
from storage.feed import FRESH_TRY_NS
from storage.grouped import Grouped
from storage.record_json import to_json


class MemoryViews:
    """The dictionaries of the store in memory, and queries over them."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._vehicles: dict[str, Vehicle] = {}
        self._alerts: dict[str, dict[str, Alert]] = {}
        self._orders: dict[str, dict[str, Order]] = {}
        self._orders_by_id = Grouped[Order](lambda order: order.state)
        self._order_states: dict[str, dict[int, str]] = {}
        self._outbox = Grouped[OutboxEvent](lambda event: event.state)
        self._outbox_times: dict[str, int] = {}
        self._notices_read = -1
        self._outbox_to: dict[tuple[str, str], list[str]] = {}
        self._dead_letters: dict[str, DeadLetter] = {}
        self._sightings: dict[str, VehicleSighting] = {}
        self._requests: dict[tuple[str, str], AnsweredRequest] = {}
        self._attempts: dict[str, list[DeliveryAttempt]] = {}
        self._audit: list[AuditEntry] = []
        self._events: list[FeedEvent] = []
        self._events_of: dict[str, list[FeedEvent]] = {}
        self._last_event = 0
        self._figures = "{}"
        self._api_keys: dict[str, ApiKey] = {}

    def _append_events(self, events: Iterable[FeedEvent | None]) -> None:
        for event in events:
            if event is not None:
                self._last_event += 1
                noted = replace(event, id=self._last_event, time_ns=self._clock())
                self._events.append(noted)
                self._events_of.setdefault(noted.subject, []).append(noted)

    def _write_outbox(self, events: Iterable[OutboxEvent]) -> None:
        now_ns = self._clock()
        for event in events:
            if event.id not in self._outbox:
                self._outbox.put(event.id, event)
                self._outbox_times[event.id] = now_ns
                self._outbox_to.setdefault((event.subject, event.recipient), []).append(event.id)
            for other in self._pending_before(event):
                if other.due_ns > now_ns + FRESH_TRY_NS:
                    self._outbox.put(other.id, replace(other, due_ns=now_ns, attempts=0))

    def notices_read(self) -> int:
        """The last feed event that notices were made of, -1 where they begin with what comes next."""
        return self._notices_read

    def write_notices(self, notices: Iterable[OutboxEvent], read: int) -> None:
        """Write notices, and how far the feed was read for them."""
        self._write_outbox(notices)
        self._notices_read = read

    def _pending_before(self, event: OutboxEvent) -> list[OutboxEvent]:
        """Those of earlier versions of its subject that its recipient is still to get."""
        others = (self._outbox[name] for name in self._outbox_to.get((event.subject, event.recipient), ()))
        return [other for other in others if other.state == "pending" and other.version < event.version]

    def order_audit(self, *, order: str | None = None, since: int = 0, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """Entries of the audit after number `since`, of all orders or of one, as they were appended."""
        found = (entry for entry in self._audit[since:] if order in (None, entry.order))
        return tuple(islice(found, limit))

    def order_documents(self) -> dict[str, str]:
        """Order id -> its text as the database would store it."""
        return {order.id: to_json(order) for order in self._orders_by_id.values()}

    def delivery_attempts(self, event: str) -> tuple[DeliveryAttempt, ...]:
        """The attempts to deliver one push, first one first."""
        return tuple(self._attempts.get(event, ()))

    def outbox_written(self, since_ns: int = 0) -> dict[str, str]:
        """Id -> recipient of the pushes that were written at this wall time or after it."""
        return {name: self._outbox[name].recipient for name in sorted(self._outbox) if self._outbox_times[name] >= since_ns}

    def push_results(self, since_ns: int = 0) -> tuple[PushResult, ...]:
        """What has become of the pushes that were written at this wall time or after it, by id."""
        return tuple(
            PushResult(
                id=name,
                recipient=event.recipient,
                channel=event.channel,
                written_ns=self._outbox_times[name],
                attempts=event.attempts,
                state=event.state,
            )
            for name in sorted(self._outbox)
            if self._outbox_times[name] >= since_ns
            for event in (self._outbox[name],)
        )

    def answered_request(self, caller: str, key: str) -> AnsweredRequest | None:
        """The request that this caller has sent under this key."""
        return self._requests.get((caller, key))

    def delete_old_requests(self, before_ns: int) -> int:
        """Forget requests answered before this wall time; gives how many."""
        old = [name for name, request in self._requests.items() if request.time_ns < before_ns]
        for name in old:
            del self._requests[name]
        return len(old)

    def alert(self, identifier: str) -> Alert | None:
        """One alert."""
        return next((alerts[identifier] for alerts in self._alerts.values() if identifier in alerts), None)

    def alerts(
        self,
        *,
        vehicle: str | None = None,
        state: AlertState | Collection[AlertState] | None = None,
        severity: Severity | Collection[Severity] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Alert, ...]:
        """Alerts by (opened_ns, id), or the other way round: all, or those of one vehicle, of these states, of these severities."""
        of = self._alerts.values() if vehicle is None else [self._alerts.get(vehicle, {})]
        found = by_opening(
            alert for each in of for alert in each.values() if _is(alert.state, state) and _is(alert.severity, severity)
        )
        return _page(found, newest_first, limit, offset)

    def order(self, identifier: str) -> Order | None:
        """One order."""
        return self._orders_by_id.get(identifier)

    def orders(
        self,
        *,
        vehicle: str | None = None,
        state: str | Collection[str] | None = None,
        dealer: str | None = None,
        kind: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Order, ...]:
        """Orders by (created_ns, id), or the other way round: all, or those of one vehicle, of these states, of one dealer, of one kind."""
        of = self._orders_by_id.values(state) if vehicle is None else self._orders.get(vehicle, {}).values()
        found = by_creation(
            order
            for order in of
            if _is(order.state, state)
            and (dealer is None or dealer == (order.choice.dealer if order.choice else ""))
            and kind in (None, order.kind.value)
        )
        return _page(found, newest_first, limit, offset)

    def vehicle_summaries(self, *, limit: int | None = None, offset: int = 0) -> tuple[VehicleSummary, ...]:
        """Every vehicle that is registered, was heard of or has an alert, by id."""
        every = sorted({*self._vehicles, *self._sightings, *(name for name, alerts in self._alerts.items() if alerts)})
        return _page(tuple(self._summary(name) for name in every), False, limit, offset)

    def _summary(self, name: str) -> VehicleSummary:
        seen = self._sightings.get(name)
        waiting = [alert for alert in self._alerts.get(name, {}).values() if alert.state is not AlertState.RESOLVED]
        return VehicleSummary(
            vehicle=name,
            registered=name in self._vehicles,
            event_ns=seen.event_ns if seen else None,
            received_ns=seen.received_ns if seen else None,
            location=seen.location if seen else None,
            open_alerts=len(waiting),
            urgency=max((alert.urgency for alert in waiting), default=None),
        )

    def sighting(self, vehicle: str) -> VehicleSighting | None:
        """When and where one vehicle was last heard of."""
        return self._sightings.get(vehicle)

    def save_sightings(self, sightings: Iterable[VehicleSighting]) -> None:
        """Note when and where vehicles were heard of; times only grow, and a position stays where the new sighting has none."""
        for fresh in sightings:
            known = self._sightings.get(fresh.vehicle, fresh)
            self._sightings[fresh.vehicle] = replace(
                fresh,
                event_ns=max(known.event_ns, fresh.event_ns),
                received_ns=max(known.received_ns, fresh.received_ns),
                location=fresh.location or known.location,
            )

    def events(self, after_id: int, limit: int) -> tuple[FeedEvent, ...]:
        """At most `limit` feed events after this id, by id."""
        after = bisect_right(self._events, after_id, key=lambda event: event.id)
        return tuple(self._events[after : after + limit])

    def events_of(self, subject: str) -> tuple[FeedEvent, ...]:
        """All feed events of one alert, order or push that are not forgotten, by id."""
        return tuple(self._events_of.get(subject, ()))

    def last_event_id(self) -> int:
        """The greatest id of the feed, 0 where it is empty."""
        return self._events[-1].id if self._events else 0

    def delete_events(self, before_ns: int) -> int:
        """Forget feed events of before this wall time; gives how many."""
        kept = [event for event in self._events if event.time_ns >= before_ns]
        dropped, self._events = len(self._events) - len(kept), kept
        self._events_of = {}
        for event in kept:
            self._events_of.setdefault(event.subject, []).append(event)
        return dropped

    def delete_sightings(self, before_ns: int) -> int:
        """Forget where vehicles were that nobody has heard of since this wall time; gives how many."""
        old = [name for name, seen in self._sightings.items() if seen.received_ns < before_ns]
        for name in old:
            del self._sightings[name]
        return len(old)

    def save_figures(self, figures: dict[str, Any]) -> None:
        """Replace the pipeline's figures (a JSON object)."""
        self._figures = json.dumps(figures, allow_nan=False)

    def figures(self) -> dict[str, Any]:
        """The pipeline's figures as last saved, {} where it never ran."""
        found: dict[str, Any] = json.loads(self._figures)
        return found

    def funnel(self, since_ns: int = 0) -> FunnelCounts:
        """How far alerts opened and orders made since this event time came."""
        alerts = [alert for alert in self.alerts() if alert.opened_ns >= since_ns]
        orders = [order for order in self.orders() if order.created_ns >= since_ns]
        made = {order.id for order in orders}
        pushed = [event for event in self._outbox.values() if event.state == "delivered" and event.subject in made]
        reached = {(order, state) for order in made for state in self._order_states[order].values()}
        return FunnelCounts(
            alerts=len(alerts),
            incidents=len({alert.incident_id for alert in alerts}),
            orders=len(orders),
            told=len({event.subject for event in pushed if not event.recipient.startswith((OWNER, ROUTE))}),
            owners_told=len({event.subject for event in pushed if event.recipient.startswith(OWNER)}),
            reached=tuple(sorted(Counter(state for _, state in reached).items())),
            now=tuple(sorted(Counter(order.state for order in orders).items())),
        )

    def open_alert_counts(self) -> dict[str, int]:
        """Severity -> alerts that are not resolved."""
        return dict(Counter(alert.severity.value for alert in self.alerts() if alert.state is not AlertState.RESOLVED))

    def dead_letter_counts(self) -> dict[str, int]:
        """Reason -> dead letters."""
        return dict(Counter(letter.reason for letter in self._dead_letters.values()))

    def outbox_counts(self) -> dict[str, int]:
        """State -> pushes."""
        return dict(Counter(event.state for event in self._outbox.values()))

    def oldest_pending_ns(self) -> int | None:
        """When the oldest of the pushes that wait was written; None where none waits."""
        return min((self._outbox_times[event.id] for event in self._outbox.values("pending")), default=None)

    def save_api_key(self, key: ApiKey) -> None:
        """Add or replace a key."""
        self._api_keys[key.hash] = key

    def api_key(self, key_hash: str) -> ApiKey | None:
        """The key of this hash, None where there is none (any more)."""
        return self._api_keys.get(key_hash)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """All keys by (name, hash)."""
        return tuple(sorted(self._api_keys.values(), key=lambda key: (key.name, key.hash)))

    def revoke(self, key_hash: str) -> bool:
        """Drop a key; False where there is none."""
        return self._api_keys.pop(key_hash, None) is not None


def by_opening(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Sorted by (opened_ns, id)."""
    return tuple(sorted(alerts, key=lambda alert: (alert.opened_ns, alert.id)))


def by_creation(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Sorted by (created_ns, id)."""
    return tuple(sorted(orders, key=lambda order: (order.created_ns, order.id)))


def _is(word: str, chosen: str | Collection[str] | None) -> bool:
    return chosen is None or (word == chosen if isinstance(chosen, str) else word in chosen)


def _page(found: tuple[Any, ...], newest_first: bool, limit: int | None, offset: int) -> tuple[Any, ...]:
    ordered = found[::-1] if newest_first else found
    return ordered[offset : None if limit is None else offset + limit]
