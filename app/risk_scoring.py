"""Scores vehicles by the models of the registry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.model_registry import ModelRegistry
from app.risk_files import read_features
from domain.errors import InputError
from domain.model_versions import ModelStage, ModelVersion
from domain.risk import RiskAssessment
from models.risk.components import Component
from models.risk.feature_words import feature_names
from models.risk.lives import DAY_NS
from models.risk.scoring import Asked, assess


def explain_vehicle(
    registry: ModelRegistry, version: ModelVersion, component: Component, features: Path, vehicle: str
) -> RiskAssessment:
    """The assessment of one vehicle by its latest features.

    Raises:
        InputError: the file is not valid, or does not tell of the vehicle, or has other features than the model.
    """
    rows = read_features(features)
    hazard = registry.hazard(version)
    if rows.features != hazard.features:
        raise InputError("the features are not those of the model", file=features, mend=f"give {', '.join(hazard.features)}")
    if vehicle not in rows.vehicles:
        raise InputError(f"there is no vehicle {vehicle}", file=features, mend="name one of the column vehicle")
    mine = np.flatnonzero(rows.vehicle == rows.vehicles.index(vehicle))
    row = mine[np.argmax(rows.event_ns[mine])]
    asked = Asked(vehicles=(vehicle,), workshop=("",), values=rows.values[row : row + 1])
    day = int(rows.event_ns[row] // DAY_NS)
    champion = version.stage is ModelStage.ACTIVE
    (found,) = assess(
        hazard,
        component,
        asked,
        day=day,
        model=version.id,
        champion=champion,
        capacity=None,
        explain_all=True,
        names=feature_names(),
    )
    return found
