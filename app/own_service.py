"""The API's own handlers over a store at hand, called without a network between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import FastAPI

from notifier.dealers.routing_policy import Routing
from web.api import create_app
from web.api.ports import WebStore
from web.api.service import Service


def own_service(store: WebStore, clock: Callable[[], int], routing: Routing) -> Service:
    """What the handlers of `web.api` take as their service.

    Args:
        store: gives its connections back and opens new ones when it is used again. clock: wall time in ns. routing: how dealers are chosen.
    """
    return asyncio.run(_opened(create_app(lambda: store, metrics=str, clock=clock, routing=routing)))


async def _opened(app: FastAPI) -> Service:
    async with app.router.lifespan_context(app):
        service: Service = app.state.service
        return service
