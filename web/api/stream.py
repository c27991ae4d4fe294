"""`/api/v1/stream`: changes as server-sent events, resumed by `Last-Event-ID`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from domain.live import FeedEvent
from notifier.push.messages import rfc3339
from web.api.access import Reader
from web.api.service import Served

router = APIRouter(prefix="/api/v1", tags=["stream"])
_AT_ONCE = 200
"""Events read at a time: a long backlog neither fills memory nor holds the database."""


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    service: Served,
    _caller: Reader,
    last_event_id: Annotated[str | None, Header(description="resume after this event")] = None,
    after: Annotated[int | None, Query(ge=0, description="the same, where no header can be sent")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Alerts, orders and deliveries as they change, in order of commit: every change after the given event, or from now on."""
    known = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else after
    if known is None:
        known = await to_thread.run_sync(service.store.last_event_id)
    yield ServerSentEvent(comment="connected", id=str(known), retry=1000)
    while not service.stopping():
        events = await to_thread.run_sync(service.store.events, known, _AT_ONCE)
        for event in events:
            yield _message(event)
            known = event.id
        if len(events) < _AT_ONCE:
            await anyio.sleep(service.poll_s)


def _message(event: FeedEvent) -> ServerSentEvent:
    data = {"time": rfc3339(event.time_ns), "subject": event.subject, "vehicle": event.vehicle, **json.loads(event.body)}
    return ServerSentEvent(id=str(event.id), event=event.kind.value, data=data)
