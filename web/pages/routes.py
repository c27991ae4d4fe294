"""The pages' addresses."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Template

from domain.care import ReminderState
from domain.emerging import EmergingState
from domain.findings import AlertState, Severity, Text
from domain.fleet import Vehicle
from domain.tickets import TicketState
from web.api.access import SESSION_COOKIE, SESSION_NS, Access, Caller, Scope, refuse_foreign_sites
from web.api.problems import Problem
from web.api.service import Served, Service
from web.kpis import DEFAULT_WEEKS, MOST_WEEKS
from web.pages import (
    alert_page,
    care_words,
    desk_words,
    emerging_words,
    health_words,
    kpi_page,
    kpi_words,
    overview,
    rescue_words,
    ticket_page,
    ticket_words,
    vehicle_page,
    words,
)
from web.pages.alert_desk import gather_desk
from web.pages.visitors import Visitor
from web.report import formats
from web.report.markup import both, environment

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
"""Nothing is loaded from, sent to or shown inside another site."""
_ASSETS = {
    "style.css": ("style.css", "text/css"),
    "pages.css": ("pages/static/pages.css", "text/css"),
    "pages.js": ("pages/static/pages.js", "text/javascript"),
    "theme.js": ("pages/static/theme.js", "text/javascript"),
    "icon.svg": ("pages/static/icon.svg", "image/svg+xml"),
}
_PAGE = 50
_REFRESH_S = 1.0
_LEAST_PAUSE = 4.0
"""However many browsers watch, the overview is gathered once a second, and takes a fifth of the time at most."""

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class OverviewCache:
    """The overview as last gathered, for a moment."""

    def __init__(self) -> None:
        self._view: overview.Overview | None = None
        self._stale_s = 0.0
        self._lock = threading.Lock()

    def get(self, service: Service) -> overview.Overview:
        """The overview, a second old at most (of a large fleet a few)."""
        with self._lock:
            began_s = time.monotonic()
            if self._view is None or began_s > self._stale_s:
                self._view = overview.gather(service.store, service.clock(), service.utc_offset_hours, service.levels)
                ended_s = time.monotonic()
                self._stale_s = ended_s + max(_REFRESH_S, _LEAST_PAUSE * (ended_s - began_s))
            return self._view


@router.get("/")
def show_overview(request: Request, service: Served, visitor: Visitor) -> Response:
    """The first screen: what must stop now."""
    cache: OverviewCache = request.app.state.overview
    return _page("overview.html.j2", request, visitor, view=cache.get(service))


@router.get("/alerts")
def list_alerts(
    request: Request,
    service: Served,
    visitor: Visitor,
    state: AlertState | None = None,
    severity: Severity | None = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """All alerts, newest first."""
    found = service.store.alerts(state=state, severity=severity, newest_first=True, limit=_PAGE + 1, offset=offset)
    vehicles = {alert.vehicle: service.store.vehicle(alert.vehicle) or Vehicle(id=alert.vehicle) for alert in found}
    shown: dict[str, Any] = {
        "alerts": found[:_PAGE],
        "vehicles": vehicles,
        "state": state,
        "severity": severity,
        "states": list(AlertState),
        "severities": list(Severity),
        "newer": max(0, offset - _PAGE) if offset else None,
        "older": offset + _PAGE if len(found) > _PAGE else None,
    }
    return _page("alerts.html.j2", request, visitor, **shown)


@router.get("/alerts/{alert_id}")
def show_alert(alert_id: str, request: Request, service: Served, visitor: Visitor) -> Response:
    """One alert: evidence, causes, checks, plan, order."""
    view = alert_page.gather(service.store, alert_id, service.history)
    if view is None:
        said = {"heading": words.LABELS["unknown_alert"], "advice": words.LABELS["unknown_alert_do"]}
        return _page("message.html.j2", request, visitor, status=404, **said)
    desk = gather_desk(service.store, view.alert, view.vehicle, service.clock())
    return _page("alert.html.j2", request, visitor, view=view, view_desk=desk, may_act=visitor.may(Scope.ORDERS))


@router.get("/vehicles/{vehicle_id}")
def show_vehicle(vehicle_id: str, request: Request, service: Served, visitor: Visitor) -> Response:
    """One vehicle: its care, what is wrong, what is ordered."""
    view = vehicle_page.gather(service.store, vehicle_id, service.schedule_of)
    if view is None:
        said = {"heading": words.LABELS["unknown_vehicle"], "advice": words.LABELS["unknown_vehicle_do"]}
        return _page("message.html.j2", request, visitor, status=404, **said)
    return _page("vehicle.html.j2", request, visitor, view=view, may_act=visitor.may(Scope.ORDERS))


@router.get("/emerging")
def list_emerging(request: Request, service: Served, visitor: Visitor) -> Response:
    """Causes that come more often in one group of vehicles, the open ones first."""
    cases = sorted(service.store.emerging_cases(), key=lambda case: case.state is EmergingState.CLOSED)
    named = {vehicle for case in cases for vehicle in case.vehicles[-emerging_words.SHOWN :]}
    vehicles = {vehicle: service.store.vehicle(vehicle) or Vehicle(id=vehicle) for vehicle in named}
    return _page("emerging.html.j2", request, visitor, cases=cases, vehicles=vehicles)


@router.get("/reminders")
def list_reminders(
    request: Request,
    service: Served,
    visitor: Visitor,
    state: ReminderState | None = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Open care reminders, the latest first."""
    wanted = vehicle_page.OPEN_REMINDERS if state is None else (state,)
    found = service.store.reminders(state=wanted, limit=_PAGE + 1, offset=offset)
    shown: dict[str, Any] = {
        "reminders": found[:_PAGE],
        "vehicles": {each.vehicle: service.store.vehicle(each.vehicle) or Vehicle(id=each.vehicle) for each in found},
        "state": state,
        "states": vehicle_page.OPEN_REMINDERS,
        "newer": max(0, offset - _PAGE) if offset else None,
        "older": offset + _PAGE if len(found) > _PAGE else None,
    }
    return _page("reminders.html.j2", request, visitor, **shown)


@router.get("/kpis")
def show_kpis(
    request: Request, service: Served, visitor: Visitor, weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS)] = DEFAULT_WEEKS
) -> Response:
    """Key figures of the work, with how they went."""
    view = kpi_page.gather(service.kpis.get(service.store, service.clock), weeks=weeks, utc_offset_hours=service.utc_offset_hours)
    choices, columns = kpi_page.WEEK_CHOICES, kpi_page.COLUMNS
    return _page("kpis.html.j2", request, visitor, view=view, weeks=weeks, choices=choices, columns=columns)


@router.get("/tickets")
def list_tickets(
    request: Request,
    service: Served,
    visitor: Visitor,
    state: TicketState = TicketState.OPEN,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What waits for a person of the call centre."""
    found = ticket_page.gather(service, state, offset, _PAGE + 1)
    shown: dict[str, Any] = {
        "tickets": found[:_PAGE],
        "state": state,
        "states": list(TicketState),
        "newer": max(0, offset - _PAGE) if offset else None,
        "older": offset + _PAGE if len(found) > _PAGE else None,
    }
    return _page("tickets.html.j2", request, visitor, may_act=visitor.may(Scope.ORDERS), **shown)


@router.get("/sign-in")
def show_sign_in(request: Request) -> Response:
    """Asks for a key."""
    return _page("sign_in.html.j2", request, None, wrong=False)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Takes a key and opens a session."""
    access: Access = request.app.state.access
    refuse_foreign_sites(request, loopback_only=access.open_access)
    body = (await request.body())[:4096].decode("utf-8", "replace")
    caller = access.by_key(parse_qs(body).get("key", [""])[0].strip())
    if caller is None:
        return _page("sign_in.html.j2", request, None, status=401, wrong=True)
    answer = RedirectResponse("/dealer" if caller.dealer else "/", 303)
    answer.set_cookie(
        SESSION_COOKIE,
        access.sign_in(caller),
        max_age=SESSION_NS // 1_000_000_000,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Ends the session."""
    access: Access = request.app.state.access
    refuse_foreign_sites(request, loopback_only=access.open_access)
    access.sign_out(request.cookies.get(SESSION_COOKIE, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.get("/static/{name}")
def asset(name: str) -> Response:
    """Style sheets, scripts and the icon; nothing else of the package."""
    if name not in _ASSETS:
        raise Problem(404, "not_found", "There is no such file.")
    file, media_type = _ASSETS[name]
    return Response(_asset(file), media_type=media_type, headers=SECURITY_HEADERS | {"cache-control": "max-age=300"})


@cache
def _asset(file: str) -> bytes:
    return files("web").joinpath(file).read_bytes()


@cache
def _template(name: str) -> Template:
    own = {
        "say": lambda key: both(words.LABELS[key]),
        "said": lambda key, *values: both(_filled(words.LABELS[key], *values)),
        "page_words": words,
        "care_words": care_words,
        "emerging_words": emerging_words,
        "health_words": health_words,
        "desk": lambda key: both(desk_words.LABELS[key]),
        "desk_filled": lambda key, *values: both(_filled(desk_words.LABELS[key], *values)),
        "desk_words": desk_words,
        "ticket": lambda key: both(ticket_words.LABELS[key]),
        "ticket_words": ticket_words,
        "rescue_words": rescue_words,
        "kpi": lambda key: both(kpi_words.LABELS[key]),
        "kpi_words": kpi_words,
        "percent": kpi_page.percent,
        "day_text": vehicle_page.day_text,
        "why": vehicle_page.why,
        "moment": lambda time_ns: formats.time(time_ns)[5:16] if formats.is_dated(time_ns) else formats.time(time_ns),
        "age_text": formats.age,
        "age": lambda seconds: both(formats.age(seconds)),
    }
    return environment().get_template(f"pages/{name}", globals=own)


def _filled(text: Text, *values: Any) -> Text:
    texts = [value if isinstance(value, Text) else Text(en=str(value), zh=str(value)) for value in values]
    return Text(en=text.en.format(*(value.en for value in texts)), zh=text.zh.format(*(value.zh for value in texts)))


def _page(name: str, request: Request, visitor: Caller | None, *, status: int = 200, **shown: Any) -> Response:
    context: Mapping[str, Any] = {"path": request.url.path, "session": SESSION_COOKIE in request.cookies, "visitor": visitor}
    return HTMLResponse(_template(name).render(**context, **shown), status, headers=SECURITY_HEADERS)
