"""What `serve` does with models by night: emerging issues, failure risks, drift; and once a week training in shadow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.settings_file import ServiceSettings
from domain.errors import InputError, StorageError

if TYPE_CHECKING:  # SciPy and scikit-learn take seconds that no start of the service need wait
    from apscheduler.schedulers.background import BackgroundScheduler

    from app.risk_service import RiskService
    from models.risk.lives import FeatureRows
    from storage.sql_store import SqlStore

log = logging.getLogger(__name__)

SCORE_MINUTE, TRAIN_MINUTE = 10, 50


def add_night_jobs(scheduler: BackgroundScheduler, settings: ServiceSettings, store: SqlStore) -> None:
    """Put them on the clock; risks only where the settings name features."""
    night = settings.models.nightly_hour_utc
    scheduler.add_job(look_for_emerging, "cron", hour=night, args=[store])
    if settings.models.features is not None:
        scheduler.add_job(score_by_night, "cron", hour=night, minute=SCORE_MINUTE, args=[settings, store])
        day = settings.models.retrain_weekday - 1
        scheduler.add_job(train_by_week, "cron", day_of_week=day, hour=night, minute=TRAIN_MINUTE, args=[settings, store])


def look_for_emerging(store: SqlStore) -> None:
    """Cases of causes that come more often in one group of vehicles."""
    from app.emerging import review_emerging

    try:
        new = review_emerging(store, time.time_ns())
    except StorageError as problem:
        log.warning("emerging issues could not be looked for: %s", problem)
        return
    for case in new:
        log.warning("an emerging issue", extra={"fields": {"case": case.id, "cause": case.cause, "group": dict(case.group)}})


def score_by_night(settings: ServiceSettings, store: SqlStore) -> None:
    """Risks of every vehicle with fresh features, and whether those features have drifted."""
    _at_work(_score, settings, store)


def train_by_week(settings: ServiceSettings, store: SqlStore) -> None:
    """Models of what workshops reported, in shadow; and how those in shadow do against their champions."""
    _at_work(_train, settings, store)


def _score(service: RiskService, rows: FeatureRows) -> None:
    now_ns = time.time_ns()
    found = service.score_fleet(rows, now_ns)
    fields = {"assessments": len(found), "worth_a_visit": sum(each.act for each in found)}
    log.info("vehicles scored", extra={"fields": fields})
    for model, drifted in service.watch_drift(rows, now_ns).items():
        if drifted:
            names = sorted({f"{each.feature}@{each.region or 'everywhere'}" for each in drifted})
            log.warning("a model's features have drifted", extra={"fields": {"model": model, "features": names}})


def _train(service: RiskService, rows: FeatureRows) -> None:
    from models.risk.training import RiskRecipe

    now_ns = time.time_ns()
    compared = service.compare_live(rows, now_ns)
    made = service.train_again(rows, now_ns, RiskRecipe())
    log.info("models trained again", extra={"fields": {"shadow": [each.id for each in made], "compared": sorted(compared)}})


def _at_work(work: Callable[[RiskService, FeatureRows], None], settings: ServiceSettings, store: SqlStore) -> None:
    """Do it with the registry and the features, by one thread; what goes wrong is logged in one line, and the next night tries again."""
    from threadpoolctl import threadpool_limits

    from app.model_registry import ModelRegistry
    from app.risk_files import read_features
    from app.risk_service import RiskService
    from models.risk.components import SHIPPED, load_components

    assert settings.models.features is not None
    try:
        with threadpool_limits(1):
            components = load_components(settings.models.costs or SHIPPED)
            registry = ModelRegistry(store, settings.models_folder)
            visits = settings.models.visits_per_night
            service = RiskService(store=store, registry=registry, components=components, visits=visits)
            work(service, read_features(settings.models.features))
    except (InputError, StorageError) as problem:
        log.warning("failure risks could not be worked out: %s", problem)
