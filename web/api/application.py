"""Builds the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from domain.benefits import Benefits
from domain.care import Schedule
from domain.fleet import DEVELOPMENT_KEY, Vehicle
from domain.media import MediaStore
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.service_levels import NO_LEVELS, ServiceLevels
from notifier.owners.links import LinkSigner
from notifier.owners.notice_words import shipped_notice_words
from notifier.owners.notices import Owners
from notifier.owners.offers import SHIPPED as SHIPPED_OFFERS
from notifier.owners.offers import load_offers
from rules.rule import Rule
from storage.media_folder import MemoryMedia
from web import asyncapi
from web.api import (
    alerts,
    attachments,
    benefits,
    callbacks,
    campaigns,
    consents,
    dealers,
    emerging,
    evidence,
    fleet,
    health,
    kpis,
    labels,
    orders,
    outcomes,
    owners,
    parts,
    problems,
    quotes,
    reminders,
    rescues,
    silences,
    statements,
    stream,
    tickets,
)
from web.api.access import Access
from web.api.ports import WebStore
from web.api.service import Service
from web.kpis import KpiCache
from web.pages import alert_actions, care_actions, dealer_routes, owner_routes, rescue_routes, ticket_actions
from web.pages import routes as pages
from web.pages.visitors import SignInNeeded


def no_secrets(name: str) -> str:
    """Signing secrets where there are none."""
    raise KeyError(name)


def create_app(
    store_factory: Callable[[], WebStore],
    *,
    metrics: Callable[[], str],
    clock: Callable[[], int],
    api_keys: Mapping[str, Collection[str]] | None = None,
    rules: Callable[[], Sequence[Rule]] = lambda: (),
    history: Path | None = None,
    schedule_of: Callable[[Vehicle], Schedule | None] = lambda _: None,
    readiness: Mapping[str, Callable[[], str]] | None = None,
    utc_offset_hours: float = 8.0,
    open_access: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    poll_s: float = 0.5,
    routing: Routing = PLAIN_ROUTING,
    position_fresh_ns: int = 600 * 1_000_000_000,
    link_key: bytes = DEVELOPMENT_KEY,
    offers: Benefits | None = None,
    owners_told: Owners | None = None,
    media: MediaStore | None = None,
    secret_of: Callable[[str], str] = no_secrets,
    topic_prefix: str = "pitcall/v1",
    levels: ServiceLevels = NO_LEVELS,
) -> FastAPI:
    """The web application: `/api/v1/…`, the pages, `/healthz`, `/readyz`, `/metrics`.

    Args:
        store_factory: opens the store when the application starts; it is closed when it ends.
        metrics: the figures in Prometheus' text format.
        clock: wall time in ns since the epoch.
        api_keys: `access.key_hash(key)` -> scopes (`access.ROLES`, or "dealer:ID" or "owner:VEHICLE" alone), beside the keys in the store.
        rules: those in use, shown by `/api/v1/rules`.
        history: folder of the signal history, drawn on the alert page; None = evidence only.
        schedule_of: the maintenance schedule of a vehicle, for its page; None where no schedule fits.
        readiness: further checks of `/readyz` by name; each gives "" or what is wrong, and must be quick.
        utc_offset_hours: the operators' zone: where their day begins.
        open_access: no keys: everybody on this machine may do everything. For a service bound to 127.0.0.1 only.
        stopping: true when the service is about to end: open event streams close, so that the server need not break them off.
        poll_s: how often an open event stream looks for news (and whether it is to close).
        routing: how the next dealer is chosen after a refusal.
        position_fresh_ns: an older position of a vehicle sends nobody out to rescue it.
        link_key: secret from which links for owners are signed.
        offers: what makes quotes cheaper; None = the shipped offers.
        media: keeps photos and videos; None = in memory, for as long as the application lives.
        owners_told: by which ways owners are invited; None = by none but people.
        topic_prefix: of the MQTT topics, told by `/asyncapi.json`.
        secret_of: signing secrets by name, which dealers' callbacks are verified with; raises KeyError where there is none.
        levels: how long each step of an order may take; what takes longer is shown as late.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store, signer = store_factory(), LinkSigner(link_key)
        app.state.access = Access(
            lambda hashed: _scopes(store, hashed), fixed=api_keys or {}, open_access=open_access, clock=clock
        )
        app.state.service = Service(
            store=store,
            metrics=metrics,
            clock=clock,
            rules=rules,
            history=history,
            schedule_of=schedule_of,
            readiness=readiness or {},
            utc_offset_hours=utc_offset_hours,
            stopping=stopping,
            poll_s=poll_s,
            routing=routing,
            position_fresh_ns=position_fresh_ns,
            links=signer,
            owners=owners_told or _by_hand(signer, clock),
            media=media or MemoryMedia(),
            benefits=load_offers(SHIPPED_OFFERS) if offers is None else offers,
            secret_of=secret_of,
            topic_prefix=topic_prefix,
            levels=levels,
            kpis=KpiCache(),
        )
        app.state.overview = pages.OverviewCache()
        try:
            yield
        finally:
            store.close()

    app = FastAPI(
        title="pitcall",
        description="Alerts and orders of a fleet. Vehicles are known by pseudonym; no document carries a VIN or an owner.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its pages would load scripts from another machine
        redoc_url=None,
        lifespan=lifespan,
    )
    problems.install(app)
    for router in (
        alerts.router,
        evidence.router,
        labels.router,
        silences.router,
        orders.router,
        outcomes.router,
        callbacks.router,
        parts.router,
        statements.router,
        kpis.router,
        emerging.router,
        owners.router,
        benefits.router,
        campaigns.router,
        quotes.router,
        attachments.router,
        rescues.router,
        reminders.router,
        fleet.router,
        consents.router,
        dealers.router,
        stream.router,
        tickets.router,
        health.router,
        asyncapi.router,
        pages.router,
        alert_actions.router,
        owner_routes.router,
        ticket_actions.router,
        rescue_routes.router,
        care_actions.router,
        dealer_routes.router,
    ):
        app.include_router(router)
    app.add_exception_handler(SignInNeeded, lambda _request, _error: RedirectResponse("/sign-in", 303))
    return app


def _by_hand(signer: LinkSigner, clock: Callable[[], int]) -> Owners:
    """Messages to owners go to people, with addresses without a host."""
    return Owners(words=shipped_notice_words(), ways={}, address_of=lambda link: f"/o/{signer.token(link)}", clock=clock)


def _scopes(store: WebStore, hashed: str) -> tuple[str, ...] | None:
    key = store.api_key(hashed)
    return None if key is None else key.scopes
