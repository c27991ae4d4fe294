"""What `serve` does with failure risks by the clock: score every night, watch for drift, train again in shadow every week."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np

from app.model_notes import note_event
from app.model_registry import RISK, ModelRegistry, ModelStore, component_of, train_into
from app.risk_labels import LabelStore, lives_of
from domain.errors import InputError
from domain.fleet import Vehicle
from domain.model_versions import ModelReport, ModelStage, ModelVersion
from domain.records import Commit
from domain.risk import RiskAssessment
from models.drift import FeatureDrift, drift
from models.risk.components import Component
from models.risk.feature_words import feature_names
from models.risk.hazard import Hazard
from models.risk.lives import DAY_NS, Decisions, FeatureRows, Lives, outcomes
from models.risk.scoring import Asked, assess
from models.risk.training import RiskRecipe

OWNER = "model_owner"
"""Whom drift is told to."""
KEPT_DAYS = 400
REPLICATES = 500


class RiskStore(ModelStore, LabelStore, Protocol):
    """What of the store is read and written."""

    # ruff: noqa: D102 - the stores describe them

    def vehicles(self) -> tuple[Vehicle, ...]: ...

    def save_assessments(self, assessments: Sequence[RiskAssessment]) -> None: ...

    def assessments(self, *, model: str | None = None, since_day: int | None = None) -> tuple[RiskAssessment, ...]: ...

    def delete_assessments(self, before_day: int) -> int: ...

    def save_model_report(self, report: ModelReport) -> None: ...

    def commit(self, changes: Commit) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskService:
    """The registry of a database with what its models need. `visits`: that the workshops of one region take of a component in a night."""

    store: RiskStore
    registry: ModelRegistry
    components: Mapping[str, Component]
    visits: int | None

    def score_fleet(self, rows: FeatureRows, now_ns: int) -> list[RiskAssessment]:
        """Every vehicle with fresh features by every active and shadow model; kept in the database.

        Raises:
            StorageError: the database failed. InputError: a model's file is not what it should be.
        """
        rows = self._with_regions(rows)
        found: list[RiskAssessment] = []
        for version in self._in_service():
            hazard = self.registry.hazard(version)
            table, latest = _columns(rows, hazard), rows.latest_by(now_ns, hazard.windows.fresh_days * DAY_NS)
            places = rows.vehicle[latest].tolist()
            asked = Asked(
                vehicles=[rows.vehicles[place] for place in places],
                workshop=[rows.regions[place] for place in places],
                values=table[latest],
            )
            found += assess(
                hazard,
                component_of(version, self.components),
                asked,
                day=now_ns // DAY_NS,
                model=version.id,
                champion=version.stage is ModelStage.ACTIVE,
                capacity=self.visits,
                names=feature_names(),
            )
        self.store.save_assessments(found)
        self.store.delete_assessments(now_ns // DAY_NS - KEPT_DAYS)
        return found

    def watch_drift(self, rows: FeatureRows, now_ns: int) -> dict[str, tuple[FeatureDrift, ...]]:
        """What has drifted, by active model; each gets a report, and its owner is told where anything has.

        Raises:
            StorageError: the database failed. InputError: a model's file is not what it should be.
        """
        rows = self._with_regions(rows)
        told: dict[str, tuple[FeatureDrift, ...]] = {}
        for version in self._in_service():
            if version.stage is not ModelStage.ACTIVE:
                continue
            hazard = self.registry.hazard(version)
            latest = rows.latest_by(now_ns, hazard.windows.fresh_days * DAY_NS)
            regions = [rows.regions[place] for place in rows.vehicle[latest].tolist()]
            reference, current = (_with_risk(hazard, each) for each in (hazard.reference, _columns(rows, hazard)[latest]))
            found = drift((*hazard.features, "risk"), reference, hazard.reference_regions, current, regions)
            told[version.id] = tuple(each for each in found if each.drifted)
            body = {"vehicles": len(latest), "compared": len(found), "look": [_said(each) for each in found if each.look]}
            self._report(version, "drift", now_ns, body | {"drifted": [_said(each) for each in told[version.id]]})
            if told[version.id]:
                note = note_event(
                    "model.drift", version.id, OWNER, {"drifted": [_said(each) for each in told[version.id]]}, now_ns
                )
                self.store.commit(Commit(outbox=(note,)))
        return told

    def train_again(self, rows: FeatureRows, now_ns: int, recipe: RiskRecipe) -> list[ModelVersion]:
        """A new version in shadow of every component with enough failures, from what technicians reported.

        Raises:
            StorageError: the database failed.
        """
        rows = self._with_regions(rows)
        made: list[ModelVersion] = []
        for component in self.components.values():
            lives = lives_of(self.store, component, rows, now_ns)
            if not lives.failed.any():
                continue
            data = f"{len(rows.vehicles)} vehicles in service, {int(lives.failed.sum())} failures that workshops reported"
            try:
                version, _ = train_into(
                    self.registry,
                    rows,
                    lives,
                    component,
                    recipe,
                    data=data,
                    data_sha256=hashlib.sha256(rows.values.tobytes() + lives.ends_ns.tobytes()).hexdigest(),
                    time_ns=now_ns,
                    actor="weekly training",
                )
            except InputError:
                continue  # too few failures yet: next week there are more
            made.append(version)
        return made

    def compare_live(self, rows: FeatureRows, now_ns: int) -> dict[str, dict[str, Any]]:
        """Each shadow version against its champion, on decisions that both made and whose outcome is known by now; reported.

        Returns:
            version -> {"champion", "decisions", "failures", "brier", "brier_champion", "difference_ci": over vehicles}; negative
            differences speak for the challenger.

        Raises:
            StorageError: the database failed.
        """
        told: dict[str, dict[str, Any]] = {}
        versions = self._in_service()
        champions = {version.name: version for version in versions if version.stage is ModelStage.ACTIVE}
        for version in versions:
            champion = champions.get(version.name)
            if champion is None or version is champion:
                continue
            component = component_of(version, self.components)
            lives = lives_of(self.store, component, rows, now_ns)
            pairs = _pairs(self.store.assessments(model=version.id), self.store.assessments(model=champion.id))
            judged = _judged(pairs, rows, lives, self.registry.hazard(version))
            if judged is not None:
                told[version.id] = {"champion": champion.id} | judged
                self._report(version, "live", now_ns, told[version.id])
        return told

    def _in_service(self) -> list[ModelVersion]:
        return [
            version
            for version in self.store.model_versions()
            if version.name.startswith(RISK) and version.stage is not ModelStage.RETIRED
        ]

    def _with_regions(self, rows: FeatureRows) -> FeatureRows:
        """Regions as the vehicle table has them."""
        known = {vehicle.id: vehicle.region for vehicle in self.store.vehicles()}
        regions = (known.get(name) or region for name, region in zip(rows.vehicles, rows.regions, strict=True))
        return replace(rows, regions=tuple(regions))

    def _report(self, version: ModelVersion, kind: str, now_ns: int, body: Mapping[str, Any]) -> None:
        self.store.save_model_report(ModelReport(model=version.id, kind=kind, time_ns=now_ns, body=json.dumps(body)))


def _columns(rows: FeatureRows, hazard: Hazard) -> Any:
    """The features of a model [rows, features]; those that are not there are unknown."""
    place = {name: number for number, name in enumerate(rows.features)}
    nothing = np.full(len(rows.values), np.nan)
    return np.column_stack([rows.values[:, place[name]] if name in place else nothing for name in hazard.features])


def _with_risk(hazard: Hazard, values: Any) -> Any:
    risk = hazard.risk(hazard.odds(values)) if len(values) else np.empty(0)
    return np.column_stack([values, risk])


def _said(each: FeatureDrift) -> dict[str, Any]:
    return asdict(each)


def _pairs(ours: Sequence[RiskAssessment], theirs: Sequence[RiskAssessment]) -> list[tuple[RiskAssessment, RiskAssessment]]:
    champion = {(each.vehicle, each.day): each for each in theirs if each.champion}
    return [(each, champion[each.vehicle, each.day]) for each in ours if (each.vehicle, each.day) in champion]


def _judged(
    pairs: Sequence[tuple[RiskAssessment, RiskAssessment]], rows: FeatureRows, lives: Lives, hazard: Hazard
) -> dict[str, Any] | None:
    """Figures of both on decisions whose outcome is known, None where none is."""
    lived: dict[str, list[int]] = defaultdict(list)
    for number, vehicle in enumerate(lives.vehicle.tolist()):
        lived[rows.vehicles[vehicle]].append(number)
    asked = [
        (life, ours.day * DAY_NS, ours.probability, theirs.probability)
        for ours, theirs in pairs
        for life in lived[ours.vehicle]
        if lives.begins_ns[life] <= ours.day * DAY_NS < lives.ends_ns[life]
    ]
    if not asked:
        return None
    life, time = (np.array([each[place] for each in asked], np.int64) for place in (0, 1))
    known, failed = outcomes(Decisions(life=life, time_ns=time, row=life), lives, hazard.windows)
    if not known.any():
        return None
    squared = (np.array([each[2:] for each in asked])[known] - failed[known][:, None]) ** 2
    _, vehicle = np.unique(lives.vehicle[life[known]], return_inverse=True)
    counts, sums = np.bincount(vehicle), np.bincount(vehicle, squared[:, 0] - squared[:, 1])
    drawn = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1.0 / len(counts)), REPLICATES)
    differences = (drawn @ sums) / (drawn @ counts)
    return {
        "decisions": int(known.sum()),
        "failures": int(failed[known].sum()),
        "brier": float(squared[:, 0].mean()),
        "brier_champion": float(squared[:, 1].mean()),
        "difference_ci": [float(each) for each in np.percentile(differences, (2.5, 97.5))],
    }
