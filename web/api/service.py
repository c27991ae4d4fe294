"""What every request handler works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from domain.benefits import Benefits
from domain.care import Schedule
from domain.fleet import Vehicle
from domain.media import MediaStore
from notifier.dealers.routing_policy import Routing
from notifier.orders.service_levels import ServiceLevels
from notifier.owners.links import LinkSigner
from notifier.owners.notices import Owners
from rules.rule import Rule
from web.api.ports import WebStore
from web.kpis import KpiCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts behind the HTTP side; see `web.api.create_app`."""

    store: WebStore
    metrics: Callable[[], str]
    clock: Callable[[], int]
    rules: Callable[[], Sequence[Rule]]
    history: Path | None
    schedule_of: Callable[[Vehicle], Schedule | None]
    readiness: Mapping[str, Callable[[], str]]
    utc_offset_hours: float
    stopping: Callable[[], bool]
    poll_s: float
    routing: Routing
    position_fresh_ns: int
    links: LinkSigner
    benefits: Benefits
    owners: Owners
    media: MediaStore
    secret_of: Callable[[str], str]
    topic_prefix: str
    levels: ServiceLevels
    kpis: KpiCache


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(_service)]
