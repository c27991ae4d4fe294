"""The pipeline process of `pitcall serve`: broker -> line -> casework -> one commit -> acknowledgement, and its figures."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from app.arenas import share_arenas
from app.calibration import CalibratedKnowledge
from app.composition import Parts, build_line, load_profiles
from app.fault_knowledge import condition_readings, fault_knowledge
from app.history_writer import HistoryWriter
from app.line_tally import LineTally
from app.parts import parts_desk
from app.routing import routing_of
from app.rule_reload import RuleWatch
from app.settings_file import ServiceSettings
from app.sources import build_sources, pseudonyms
from app.vehicle_directory import StoredVehicles
from domain.errors import InputError, StorageError
from domain.fleet import Vehicle
from domain.live import EventKind, FeedEvent
from domain.messages import RawMessage
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.mqtt.network_receiver import NetworkReceiver
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.socket_receiver import SocketReceiver
from ingest.profiles import Profile, shipped_profiles
from notifier.orders.settling import settle_order
from pipeline.casework import Casework
from pipeline.live import LiveRunner
from storage.database import open_store

if TYPE_CHECKING:
    from storage.sql_store import SqlStore

log = logging.getLogger(__name__)

REPORT_EVERY_S = 1.0
LONGEST_BACKLOG_NS = 30 * 86_400 * 1_000_000_000
"""Silences that ended longer ago are not looked at: no vehicle's own time is that far behind."""


def run_pipeline(settings: ServiceSettings, stop: threading.Event) -> None:
    """Work until `stop` is set; then finish the step at hand.

    Raises:
        InputError: a rule, profile or baseline is not valid. StorageError: the database cannot be opened.
    """
    share_arenas()
    with ExitStack() as stack:
        store = stack.enter_context(
            open_store(
                settings.database_url,
                key=settings.common.pseudonym_key,
                settle=settle_order,
                desk=parts_desk(settings.common),
            )
        )
        tally = LineTally()
        folder = settings.history_folder
        history = stack.enter_context(HistoryWriter(folder, flush_s=settings.history.flush_s)) if folder else None
        runner, watch = build_runner(settings, store, tally, history)
        if threading.current_thread() is threading.main_thread():
            watch.ask_on_hangup()
        watch.start()
        stack.callback(watch.stop)
        store.append_event(FeedEvent(kind=EventKind.PIPELINE, subject="started", vehicle="", body="{}"))
        ended = threading.Event()
        reporter = threading.Thread(target=_report, args=(runner, tally, store, ended), name="figures")
        reporter.start()
        log.info("the pipeline runs", extra={"fields": {"broker": settings.mqtt.place, "receiver": settings.broker.receiver}})
        try:
            runner.run(stop)
        finally:
            ended.set()
            reporter.join()
    log.info("the pipeline has stopped")


def build_runner(
    settings: ServiceSettings, store: SqlStore, tally: LineTally, history: HistoryWriter | None = None
) -> tuple[LiveRunner, RuleWatch]:
    """The live runner over all registered vehicles and all that may yet come, and what gives it rules that change."""
    profiles = usable_profiles(store.vehicles())
    knowledge, readings = fault_knowledge(settings=settings.common), condition_readings(settings.common)

    def build() -> Parts:
        return build_line(
            StoredVehicles(store.vehicle, profiles, time.time_ns),
            profiles=profiles,
            rule_files=settings.rule_files,
            baselines=settings.data.baselines,
            lateness_ns=round(settings.pipeline.lateness_s * 1e9),
            everything=history is not None and settings.history.everything,
            observers=[tally.observe, *([history.observe] if history else [])],
            on_shadow=tally.note_shadow,
            knowledge=knowledge,
            readings=readings,
        )

    def use(parts: Parts) -> None:
        runner.change_line(parts.line)
        tally.whereabouts = parts.whereabouts

    parts = build()
    tally.whereabouts = parts.whereabouts
    pipeline = settings.pipeline
    runner = LiveRunner(
        receiver_of(settings),
        parts.line,
        Casework(
            store=store,
            knowledge=CalibratedKnowledge(parts.knowledge, store.outcomes, time.time_ns),
            network_mark=store.network_mark,
            clock=time.time_ns,
            policy=replace(parts.policy, stale_after_ns=round(pipeline.stale_after_min * 60e9)),
            silences=lambda: store.silences(ending_after_ns=time.time_ns() - LONGEST_BACKLOG_NS),
            routing=routing_of(settings.dispatch),
        ),
        store,
        _parser(settings, store, tally),
        clock=time.time_ns,
        batch_messages=pipeline.batch_messages,
        batch_wait_s=pipeline.batch_wait_s,
        gap_timeout_s=pipeline.gap_timeout_s,
        silent_after_s=pipeline.silent_after_s,
        evict_after_s=pipeline.evict_after_s,
    )
    return runner, RuleWatch(settings.rule_files, build, use, every_s=settings.rules.look_every_s)


def usable_profiles(vehicles: Sequence[Vehicle]) -> dict[str, Profile]:
    """Every shipped profile and every one that a vehicle names; one that cannot be used is left out, and said so.

    A single bad file must not keep the fleet from being watched.
    """
    profiles: dict[str, Profile] = {}
    named = sorted({vehicle.profile for vehicle in vehicles}.difference(shipped_profiles(), {""}))
    for name in ("", *shipped_profiles(), *named):
        try:
            profiles |= load_profiles([Vehicle(id="", profile=name)])
        except InputError as problem:
            log.error("a profile cannot be used: %s", problem)  # noqa: TRY400 - said in one line that names file and mend
    return profiles


def receiver_of(settings: ServiceSettings) -> NetworkReceiver:
    """The receiver that the settings name."""
    return SocketReceiver(settings.mqtt) if settings.broker.receiver == "socket" else PahoReceiver(settings.mqtt)


def _parser(settings: ServiceSettings, store: SqlStore, tally: LineTally) -> Callable[[Sequence[RawMessage]], ParsedMessages]:
    """Messages -> what they say; remembers the pseudonyms of the vehicles it has met."""
    sources = build_sources(settings, store.vehicle_of_device, time.time_ns)
    pseudonym_of = pseudonyms(settings.common.pseudonym_key)

    def parse(messages: Sequence[RawMessage]) -> ParsedMessages:
        parsed = parse_messages(messages, pseudonym_of=pseudonym_of, topic_prefix=settings.broker.topic_prefix, sources=sources)
        tally.note_oddities(sources.take_oddities())
        return parsed

    return parse


def _report(runner: LiveRunner, tally: LineTally, store: SqlStore, ended: threading.Event) -> None:
    """Write figures and sightings every second, and once more at the end. Both can be missed without harm."""
    failing = False
    while True:
        last = ended.wait(REPORT_EVERY_S)
        figures = {**asdict(runner.figures), **tally.figures(), "reported_ns": time.time_ns()}
        if last:
            figures["connected"] = False
        try:
            store.save_sightings(tally.take_sightings())
            store.save_figures(figures)
            failing = False
        except StorageError as problem:
            if not failing:
                log.warning("figures could not be stored: %s", problem)
            failing = True
        if last:
            return
