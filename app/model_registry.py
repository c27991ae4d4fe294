"""The registry as commands and jobs use it: train into it, take models out of it, move them between stages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from domain.errors import InputError, StorageError
from domain.model_versions import Lineage, ModelReport, ModelVersion
from models.registry.sealed_file import seal, unseal
from models.registry.stages import find, registered
from models.risk.card import model_card
from models.risk.components import Component
from models.risk.figures import figures
from models.risk.hazard import Hazard, hazard_of
from models.risk.lives import FeatureRows, Lives, check
from models.risk.training import RiskRecipe, judge, judged_part, split_time, train_risk
from storage.model_files import ModelFiles

RISK = "risk."
REPORTS, REPORTS_SHOWN = ("drift", "live"), 4
_TRIES = 3


class ModelStore(Protocol):
    """What of the store a registry needs."""

    def model_versions(self, name: str | None = None) -> tuple[ModelVersion, ...]: ...  # noqa: D102 - see storage

    def change_models(self, before: Sequence[ModelVersion], after: Sequence[ModelVersion]) -> bool: ...  # noqa: D102 - see storage

    def model_reports(self, model: str, kind: str, *, limit: int | None = None) -> tuple[ModelReport, ...]: ...  # noqa: D102 - see storage


class ModelRegistry:
    """Versions in the store, their files in a folder."""

    def __init__(self, store: ModelStore, folder: Path) -> None:
        self.store, self._files = store, ModelFiles(folder)

    def add(
        self, name: str, parts: Mapping[str, Any], lineage: Lineage, told: Mapping[str, Any], *, time_ns: int, actor: str
    ) -> ModelVersion:
        """Keep a trained model, in shadow.

        Raises:
            StorageError: its file cannot be written, or the database failed.
        """
        content, sha256 = seal(parts)
        self._files.write(content, sha256)
        version = registered(name, sha256, lineage, flat(told), time_ns=time_ns, actor=actor)
        self.store.change_models((), (version,))
        return version

    def hazard(self, version: ModelVersion) -> Hazard:
        """The risk model of this version.

        Raises:
            DataFileError: its file was changed, is missing, or holds something else.
        """
        content, file = self._files.read(version.sha256), str(self._files.path(version.sha256))
        return hazard_of(unseal(content, version.sha256, file), file)

    def change(self, name: str, decide: Callable[[Sequence[ModelVersion]], tuple[ModelVersion, ...]]) -> tuple[ModelVersion, ...]:
        """Put what `decide` makes of a model's versions in their place; decides again where somebody else was quicker.

        Raises:
            InputError: the decision is refused. StorageError: somebody else was quicker every time.
        """
        for _ in range(_TRIES):
            before = self.store.model_versions(name)
            after = decide(before)
            if self.store.change_models(before, after):
                return after
        raise StorageError("the versions of the model keep changing; try again")

    def find(self, identifier: str) -> ModelVersion:
        """The version whose id begins so.

        Raises:
            InputError: none does, or several do.
        """
        return find(self.store.model_versions(), identifier)


def flat(told: Mapping[str, Any]) -> dict[str, float]:
    """Figures as plain numbers: intervals become NAME_low and NAME_high, what could not be counted is left out."""
    plain: dict[str, float] = {}
    for name, value in told.items():
        if isinstance(value, list | tuple):
            stem = name.removesuffix("_ci")
            plain |= {f"{stem}_low": float(value[0]), f"{stem}_high": float(value[1])}
        elif value is not None:
            plain[name] = float(value)
    return plain


def component_of(version: ModelVersion, components: Mapping[str, Component]) -> Component:
    """What a risk model tells of.

    Raises:
        InputError: it is no risk model, or the table of components does not name it.
    """
    name = version.name.removeprefix(RISK)
    if name == version.name or name not in components:
        raise InputError(f"{version.id} tells of no known component", mend=f"known are {', '.join(components)}")
    return components[name]


def train_into(
    registry: ModelRegistry,
    rows: FeatureRows,
    lives: Lives,
    component: Component,
    recipe: RiskRecipe,
    *,
    data: str,
    data_sha256: str,
    time_ns: int,
    actor: str,
) -> tuple[ModelVersion, dict[str, Any]]:
    """Train, judge and keep a risk model, in shadow; gives the version and its figures.

    Raises:
        InputError: too few failures, or data that would make the figures worthless.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        hazard, judged = train_risk(rows, lives, component, recipe)
        told = figures(judged, seed=recipe.seed)
    lineage = Lineage(
        data=data,
        data_sha256=data_sha256,
        features=rows.features,
        features_version=hashlib.sha256("\n".join(rows.features).encode()).hexdigest()[:12],
        code=code_version(),
        seed=recipe.seed,
        trained_until_ns=split_time(lives, recipe.time_share),
    )
    version = registry.add(RISK + component.id, hazard.parts(), lineage, told, time_ns=time_ns, actor=actor)
    return version, told


def evaluate_version(
    registry: ModelRegistry, version: ModelVersion, component: Component, rows: FeatureRows, lives: Lives
) -> dict[str, Any]:
    """Figures of a version on vehicles that were dealt to be judged, after the time until which it was trained.

    Raises:
        InputError: the features are not those of the model, or nothing is left to judge by.
    """
    hazard = registry.hazard(version)
    check(rows, lives)
    if rows.features != hazard.features:
        mend = f"give {', '.join(hazard.features)} in this order"
        raise InputError("the features are not those of the model", mend=mend)
    held = lives.of(judged_part(rows.vehicles, RiskRecipe(seed=version.lineage.seed))[lives.vehicle])
    held = held.of(held.ends_ns > version.lineage.trained_until_ns)
    if not len(held.vehicle):
        raise InputError("no vehicle is left to judge by", mend="give later data, or other vehicles")
    return figures(judge(hazard, component, rows, held, version.lineage.trained_until_ns), seed=version.lineage.seed)


def card_of(registry: ModelRegistry, version: ModelVersion, components: Mapping[str, Component]) -> str:
    """The card of a version, with its latest reports in service.

    Raises:
        InputError: its file is not what it should be, or it tells of no known component.
    """
    reports = [report for kind in REPORTS for report in registry.store.model_reports(version.id, kind, limit=REPORTS_SHOWN)]
    return model_card(version, registry.hazard(version), component_of(version, components), reports)


def code_version() -> str:
    """Version of the program, and a hash of what trains and judges."""
    from importlib.metadata import version

    source = hashlib.sha256()
    folder = Path(str(files("models").joinpath("risk")))
    for file in sorted(folder.glob("*.py")):
        source.update(file.read_bytes())
    return f"pitcall {version('pitcall')}, {source.hexdigest()[:12]}"


def version_json(version: ModelVersion) -> dict[str, Any]:
    """A version for people and programs."""
    from notifier.push.messages import rfc3339

    return {
        "id": version.id,
        "name": version.name,
        "stage": version.stage.value,
        "sha256": version.sha256,
        "lineage": {
            "data": version.lineage.data,
            "data_sha256": version.lineage.data_sha256,
            "features": list(version.lineage.features),
            "features_version": version.lineage.features_version,
            "code": version.lineage.code,
            "seed": version.lineage.seed,
            "trained_until": rfc3339(version.lineage.trained_until_ns),
        },
        "figures": dict(version.figures),
        "changes": [
            {"stage": each.stage.value, "time": rfc3339(each.time_ns), "actor": each.actor, "reason": each.reason}
            for each in version.changes
        ],
    }
