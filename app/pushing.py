"""Delivers the outbox of a database."""

from __future__ import annotations

from contextlib import closing

from app.settings import Settings
from notifier.channels.webhook import WebhookChannel
from notifier.delivery import deliver_due
from storage.sql_store import SqlStore


def deliver(store: SqlStore, settings: Settings, *, now_ns: int, limit: int) -> str:
    """Attempt what is due once; says how it went."""
    dealers = {dealer.id: dealer for dealer in store.dealers()}
    channel = WebhookChannel(lambda name: settings.secrets[name], allow_private=settings.allow_private_endpoints)
    with closing(channel):
        report = deliver_due(store, {channel.name: channel}, dealers, now_ns, limit)
    lines = [
        f"{report.attempted} attempted, {report.delivered} delivered, {report.retried} to be tried again, {report.failed} given up"
    ]
    lines += [f"  {event}: {error}" for event, error in report.errors]
    return "\n".join(lines)
