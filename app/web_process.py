"""The web process of `pitcall serve`: API and pages, outbox workers, and what is done by the clock."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler
from fastapi import FastAPI

from app.car_display import AnswerDesk
from app.care import enrol_known, review_fleet
from app.channels import open_channels, ways_to_owners
from app.dispatching import place_waiting
from app.escalation import escalate_alerts
from app.fault_knowledge import fault_knowledge, maintenance_plans
from app.metrics import render_metrics
from app.night_jobs import add_night_jobs
from app.notices import relay_notices
from app.order_clocks import ClockTally, adopt_orders, release_agreed, run_clocks
from app.outbox_worker import OutboxWorker
from app.owner_notices import relay_owner_notices, send_due_notices
from app.parts import hold_for_parts, parts_desk
from app.rescue_watch import watch_rescues
from app.routing import routing_of, service_levels_of
from app.rule_files import CurrentRules
from app.settings_file import ServiceSettings
from domain.errors import PitcallError, StorageError
from dtc_knowledge.maintenance import MaintenancePlans
from notifier.dealers.routing_policy import Routing
from notifier.orders.service_levels import ServiceLevels
from notifier.owners.links import LinkSigner
from notifier.owners.notice_words import shipped_notice_words
from notifier.owners.notices import Owners
from notifier.owners.offers import SHIPPED as SHIPPED_OFFERS
from notifier.owners.offers import load_offers
from storage.database import open_store
from storage.history import SignalHistory
from storage.media_folder import MediaFolder
from web.api import create_app

if TYPE_CHECKING:
    from storage.sql_store import SqlStore

log = logging.getLogger(__name__)

STREAMS_CLOSE_S = 2.0
"""Open event streams are cut so long after a stop."""
WORKERS_END_S = 6.0
RETENTION_EVERY_H = 1
CARE_EVERY_H = 1
CARE_WAITS_H = 3
"""A day is looked at so long after it has ended (UTC), when its last drives have come in; what comes later shows in the odometer."""
CLOCKS_EVERY_S = 10
RELEASE_EVERY_S = 60
WATCH_EVERY_S = 2
"""Rescues that wait are looked at."""
DRAFTS_LEFT_MIN = 5.0
PIPELINE_SILENT_S = 15.0
MEDIA = "media"
"""Folder in the data folder for photos and videos."""
DAY_NS = 86_400 * 1_000_000_000
REQUESTS_KEPT_DAYS = 7
"""A request sent again after that is a new one."""
KEPT_SESSIONS = 256
"""Boot sessions of a vehicle whose sequence numbers stay: a message of an older one cannot come again, no broker holds it that long."""


class WebServerError(PitcallError):
    """The web server ended by itself; its log says why."""


def run_web(settings: ServiceSettings, stop: threading.Event) -> None:
    """Serve until `stop` is set; then close streams, end workers between attempts, and leave.

    Raises:
        StorageError: the database cannot be opened. InputError: a maintenance plan is not valid. WebServerError: the server could not
            start.
    """
    with ExitStack() as stack:
        store, plans = stack.enter_context(_open(settings)), plans_of(settings)
        routing = routing_of(settings.dispatch)
        server = uvicorn.Server(
            uvicorn.Config(
                build_app(settings, store, plans, stop, routing),
                host=settings.web.host,
                port=settings.web.port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=round(STREAMS_CLOSE_S),
                server_header=False,
            )
        )
        workers = [_worker(settings, store, stack, number) for number in range(settings.delivery.workers)]
        scheduler = _scheduler(settings, store, plans, workers, routing)
        answers = AnswerDesk(
            settings.mqtt, store, key=settings.common.pseudonym_key, routing=routing, fresh_ns=settings.rescue.fresh_ns
        )
        # in a thread of its own, since the signals are ours
        serving = threading.Thread(target=server.run, name="http", daemon=True)
        serving.start()
        scheduler.start()
        for worker in workers:
            worker.start()
        answers.start()
        log.info("the web process runs", extra={"fields": {"url": f"http://{settings.web.host}:{settings.web.port}"}})
        while serving.is_alive() and not stop.wait(0.2):
            pass
        failed = not stop.is_set()
        server.should_exit = True
        scheduler.shutdown(wait=False)
        answers.stop(WORKERS_END_S)
        _end(workers)
        serving.join(STREAMS_CLOSE_S + 1)
    log.info("the web process has stopped")
    if failed:
        raise WebServerError(f"the web server on {settings.web.host}:{settings.web.port} ended; see the log lines before")


def build_app(
    settings: ServiceSettings, store: SqlStore, plans: MaintenancePlans, stop: threading.Event, routing: Routing
) -> FastAPI:
    """The FastAPI application over this database; `store` is for metrics and readiness, `stop` closes event streams."""
    return create_app(
        partial(_open, settings),
        metrics=lambda: render_metrics(store, time.time_ns()),
        clock=time.time_ns,
        api_keys=settings.web.api_keys,
        rules=CurrentRules(settings.rule_files),
        history=settings.history_folder,
        schedule_of=plans.schedule,
        utc_offset_hours=settings.web.utc_offset_hours,
        readiness={"pipeline": partial(pipeline_trouble, store.figures, time.time_ns)},
        open_access=settings.web.open_access,
        stopping=stop.is_set,
        routing=routing,
        position_fresh_ns=settings.rescue.fresh_ns,
        link_key=settings.common.pseudonym_key,
        owners_told=owners_of(settings),
        media=MediaFolder(settings.data.folder / MEDIA),
        offers=load_offers(settings.owners.benefits or SHIPPED_OFFERS),
        secret_of=settings.common.secrets.__getitem__,
        topic_prefix=settings.broker.topic_prefix,
        levels=service_levels_of(settings),
    )


def pipeline_trouble(figures: Callable[[], dict[str, object]], clock: Callable[[], int]) -> str:
    """What is wrong with the pipeline process as far as its figures tell, "" for nothing."""
    try:
        found = figures()
    except StorageError:
        return "its figures cannot be read"
    reported_ns = found.get("reported_ns")
    if not isinstance(reported_ns, int):
        return "has not started yet"
    if clock() - reported_ns > PIPELINE_SILENT_S * 1e9:
        return "has not reported for a while"
    return "" if found.get("connected") else "is not connected to the broker"


def _open(settings: ServiceSettings) -> SqlStore:
    return open_store(settings.database_url, key=settings.common.pseudonym_key, desk=parts_desk(settings.common))


def _worker(settings: ServiceSettings, store: SqlStore, stack: ExitStack, number: int) -> OutboxWorker:
    """The first worker sees to everything, the others to critical pushes only."""
    return OutboxWorker(store, open_channels(settings, store, stack, number=number), critical_only=number > 0)


def _scheduler(
    settings: ServiceSettings, store: SqlStore, plans: MaintenancePlans, workers: list[OutboxWorker], routing: Routing
) -> BackgroundScheduler:
    """Wakes; what is due, and when, stands in the database."""
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
    )
    for worker in workers:
        scheduler.add_job(worker.wake, "interval", seconds=1)
    scheduler.add_job(_notice, "interval", seconds=1, args=[settings, store])
    levels = service_levels_of(settings)
    scheduler.add_job(_adopt, args=[store])
    scheduler.add_job(_run_clocks, "interval", seconds=CLOCKS_EVERY_S, args=[store, levels, routing])
    scheduler.add_job(_release, "interval", seconds=RELEASE_EVERY_S, args=[store, routing])
    scheduler.add_job(_escalate, "interval", seconds=CLOCKS_EVERY_S, args=[settings, store])
    scheduler.add_job(hold_for_parts, "interval", seconds=CLOCKS_EVERY_S, args=[store])
    scheduler.add_job(_tell_owners, "interval", seconds=1, args=[owners_of(settings), store])
    scheduler.add_job(_watch_rescues, "interval", seconds=WATCH_EVERY_S, args=[settings, store])
    scheduler.add_job(forget_old, "interval", hours=RETENTION_EVERY_H, args=[settings, store])
    scheduler.add_job(look_after, "interval", hours=CARE_EVERY_H, args=[store, plans, routing])
    add_night_jobs(scheduler, settings, store)
    # drafts that were left when batches were turned off are placed too
    scheduler.add_job(_place, "interval", minutes=settings.dispatch.batch_minutes or DRAFTS_LEFT_MIN, args=[store, routing])
    return scheduler


def _watch_rescues(settings: ServiceSettings, store: SqlStore) -> None:
    rescue = settings.rescue
    try:
        tally = watch_rescues(
            store, call_after_s=60 * rescue.call_min, accept_within_s=60 * rescue.accept_min, now_ns=time.time_ns()
        )
    except StorageError as problem:
        log.warning("rescues could not be looked through: %s", problem)
        return
    if tally.asked or tally.given_up:
        log.warning("rescues wait for people", extra={"fields": {"asked": tally.asked, "given_up": tally.given_up}})


def _adopt(store: SqlStore) -> None:
    """Once, at the start."""
    try:
        adopted = adopt_orders(store, time.time_ns())
    except StorageError as problem:
        log.warning("orders without a clock could not be looked for: %s", problem)
        return
    if adopted:
        log.info("clocks started for orders that had none", extra={"fields": {"orders": adopted}})


def _run_clocks(store: SqlStore, levels: ServiceLevels, routing: Routing) -> None:
    try:
        tally = run_clocks(store, levels, time.time_ns(), routing=routing)
    except StorageError as problem:
        log.warning("orders that wait could not be looked through: %s", problem)
        return
    if tally != ClockTally():
        log.warning("orders waited too long", extra={"fields": asdict(tally)})


def _release(store: SqlStore, routing: Routing) -> None:
    try:
        released = release_agreed(store, time.time_ns(), routing=routing)
    except StorageError as problem:
        log.warning("proposals could not be looked through: %s", problem)
        return
    if released:
        log.info("proposals sent out by a standing consent", extra={"fields": {"orders": released}})


def plans_of(settings: ServiceSettings) -> MaintenancePlans:
    """The maintenance plans that the settings name.

    Raises:
        InputError: a file is not valid.
    """
    return maintenance_plans(fault_knowledge(settings=settings.common), settings=settings.common)


def _place(store: SqlStore, routing: Routing) -> None:
    try:
        tally = place_waiting(store, routing, time.time_ns())
    except StorageError as problem:
        log.warning("orders that wait could not be placed: %s", problem)
        return
    if tally.placed or tally.manual:
        fields = {"placed": tally.placed, "manual": tally.manual, "put_off": tally.put_off}
        log.info("orders placed together", extra={"fields": fields})


def look_after(store: SqlStore, plans: MaintenancePlans, routing: Routing) -> None:
    """Care reminders of every day that has ended; what was looked at already is passed over."""
    yesterday = (time.time_ns() - CARE_WAITS_H * 3600 * 1_000_000_000) // DAY_NS - 1
    try:
        enrol_known(store, yesterday)
        tally = review_fleet(store, plans, yesterday, routing=routing)
    except StorageError as problem:
        log.warning("care could not be looked through: %s", problem)
        return
    if tally.reminders:
        fields = {"vehicles": tally.vehicles, "reminders": tally.reminders, "orders": tally.orders}
        log.info("care reminders changed", extra={"fields": fields})


def _notice(settings: ServiceSettings, store: SqlStore) -> None:
    try:
        relay_notices(store, [section.route for section in settings.routes])
    except StorageError as problem:
        log.warning("notices could not be made: %s", problem)


def owners_of(settings: ServiceSettings) -> Owners:
    """How owners are told, as the settings say."""
    base = settings.public_url
    signer = LinkSigner(settings.common.pseudonym_key)
    return Owners(
        words=shipped_notice_words(),
        ways=ways_to_owners(settings),
        address_of=lambda link: f"{base}/o/{signer.token(link)}",
        clock=time.time_ns,
    )


def _tell_owners(owners: Owners, store: SqlStore) -> None:
    try:
        relay_owner_notices(store, owners)
        send_due_notices(store, owners)
    except StorageError as problem:
        log.warning("owners could not be told: %s", problem)


def _escalate(settings: ServiceSettings, store: SqlStore) -> None:
    try:
        escalated = escalate_alerts(store, 60.0 * settings.alerts.escalate_after_min, time.time_ns())
    except StorageError as problem:
        log.warning("alerts could not be looked through: %s", problem)
        return
    if escalated:
        log.warning("critical alerts wait for somebody", extra={"fields": {"alerts": escalated}})


def forget_old(settings: ServiceSettings, store: SqlStore) -> None:
    """Forget feed events, positions and signals that are older than the settings allow, and what there is too much of."""
    now_ns, folder = time.time_ns(), settings.history_folder
    try:
        events = store.delete_events(now_ns - round(settings.retention.events_days * DAY_NS))
        positions = store.delete_sightings(now_ns - round(settings.retention.positions_days * DAY_NS))
        store.delete_old_requests(now_ns - REQUESTS_KEPT_DAYS * DAY_NS)
        sessions = store.delete_old_sessions(KEPT_SESSIONS)
        letters = store.delete_old_dead_letters(settings.retention.dead_letters)
        days = SignalHistory(folder).delete_before(now_ns - round(settings.history.keep_days * DAY_NS)) if folder else 0
    except StorageError as problem:
        log.warning("nothing could be forgotten: %s", problem)
        return
    if letters:
        log.warning("more dead letters than are kept: the oldest are forgotten", extra={"fields": {"dead_letters": letters}})
    forgotten = {"events": events, "positions": positions, "boot_sessions": sessions, "history_days": days}
    log.info("forgotten", extra={"fields": forgotten})


def _end(workers: list[OutboxWorker]) -> None:
    deadline = time.monotonic() + WORKERS_END_S
    for worker in workers:
        if not worker.stop(max(0.0, deadline - time.monotonic())):
            log.warning("an attempt lasts; it is left, and the push goes out again when its claim ends")
