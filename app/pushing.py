"""Delivers the outbox of a database."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from app.channels import open_channels
from app.outbox_worker import ClaimedOutbox
from app.settings_file import ServiceSettings
from notifier.push.delivery import deliver_due

if TYPE_CHECKING:  # SQLAlchemy takes a fifth of a second that a replay in memory need not wait
    from storage.sql_store import SqlStore


def deliver(store: SqlStore, settings: ServiceSettings, *, hand_list: Path, now_ns: int, limit: int) -> str:
    """Attempt what is due once; says how it went. Events for people (dealers without an endpoint, operations) go to `hand_list`.

    What is attempted is claimed, so a service that runs beside this delivers nothing of it at the same time.
    """
    dealers = {dealer.id: dealer for dealer in store.dealers()}
    with ExitStack() as stack:
        channels = open_channels(settings, store, stack, hand_list=hand_list)
        outbox = stack.enter_context(ClaimedOutbox(store, clock=time.time_ns))
        report = deliver_due(outbox, channels, dealers, now_ns, limit)
    lines = [
        f"{report.attempted} attempted, {report.delivered} delivered, {report.retried} to be tried again, {report.failed} given up"
    ]
    lines += [f"  {event}: {error}" for event, error in report.errors]
    return "\n".join(lines)
