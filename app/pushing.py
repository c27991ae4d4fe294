"""Delivers the outbox of a database."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from app.outbox_worker import ClaimedOutbox
from app.settings import Settings
from notifier.channels.log_file import LogFileChannel
from notifier.channels.webhook import WebhookChannel
from notifier.push.delivery import deliver_due

if TYPE_CHECKING:  # SQLAlchemy takes a fifth of a second that a replay in memory need not wait
    from storage.sql_store import SqlStore


def deliver(store: SqlStore, settings: Settings, *, hand_list: Path, now_ns: int, limit: int) -> str:
    """Attempt what is due once; says how it went. Events for people (dealers without an endpoint, operations) go to `hand_list`.

    What is attempted is claimed, so a service that runs beside this delivers nothing of it at the same time.
    """
    dealers = {dealer.id: dealer for dealer in store.dealers()}
    channel = WebhookChannel(lambda name: settings.secrets[name], allow_private=settings.allow_private_endpoints)
    by_hand = LogFileChannel(hand_list)
    with closing(channel), ClaimedOutbox(store, clock=time.time_ns) as outbox:
        report = deliver_due(outbox, {channel.name: channel, by_hand.name: by_hand}, dealers, now_ns, limit)
    lines = [
        f"{report.attempted} attempted, {report.delivered} delivered, {report.retried} to be tried again, {report.failed} given up"
    ]
    lines += [f"  {event}: {error}" for event, error in report.errors]
    return "\n".join(lines)
