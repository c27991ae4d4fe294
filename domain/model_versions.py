"""Trained models as the registry knows them: what they are made of, where they stand, and what is reported of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ROLLED_BACK_TO = "rolled back to"
"""Reason of the change that a rollback makes to the version before."""


class ModelStage(StrEnum):
    """What a version may do."""

    SHADOW = "shadow"
    """Scores beside the champion; nobody acts on it."""
    ACTIVE = "active"
    """The champion: at most one of a name."""
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What a version was made of, so that it can be made again.

    Attributes:
        data: where the data came from, in words. data_sha256: hash of what was read.
        features: columns in their order. features_version: of the code that makes them. code: version of the program.
        seed: of everything random. trained_until_ns: no row of the training knew anything later.
    """

    data: str
    data_sha256: str
    features: tuple[str, ...]
    features_version: str
    code: str
    seed: int
    trained_until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChange:
    """One step of a version's life; `time_ns` is wall time."""

    stage: ModelStage
    time_ns: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One trained model.

    Attributes:
        id: `NAME-` and the beginning of its file's hash. name: what it predicts, such as "risk.battery_12v".
        sha256: of its file. figures: (name, value) of the evaluation when it was trained.
        changes: its life, the first one first; it has one at least.
    """

    id: str
    name: str
    sha256: str
    lineage: Lineage
    figures: tuple[tuple[str, float], ...]
    changes: tuple[StageChange, ...]

    @property
    def stage(self) -> ModelStage:
        """Where it stands now."""
        return self.changes[-1].stage

    @property
    def activated_ns(self) -> int | None:
        """When it was last promoted by choice (being rolled back to is none), None where it never was."""
        chosen = [each.time_ns for each in self.changes if each.stage is ModelStage.ACTIVE and each.reason != ROLLED_BACK_TO]
        return max(chosen, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What was seen of a model in service. `kind`: "drift" or "live"; `time_ns`: wall time; `body`: a JSON document."""

    model: str
    kind: str
    time_ns: int
    body: str
