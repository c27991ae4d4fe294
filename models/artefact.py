"""A trained detector as one JSON file: what to look at, the curves, the fleet's prior, the thresholds, and how they were found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import pydantic

from domain.errors import DataFileError
from models.baseline import Prior
from models.cusum import Limits
from models.feature_set import FeatureSet
from models.residual import AdditiveModel

FORMAT = 1
SHIPPED = "coolant_residual.json"


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """Everything that a residual detector needs at run time, and nothing that executes.

    Attributes:
        name: detector id. features, model, prior, limits: as named.
        min_panes: panes that a trip needs to count. plausible: range of the target in which a vehicle may learn its baseline.
        training: how it was made (seed, vehicles, trips, residual figures, how the threshold was set); informative.
    """

    name: str
    features: FeatureSet
    model: AdditiveModel
    prior: Prior
    limits: Limits
    min_panes: int
    plausible: tuple[float, float]
    training: dict[str, Any]

    @cached_property
    def sha256(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(_canonical(asdict(self)).encode()).hexdigest()

    @property
    def version(self) -> str:
        """Short form of the hash, as findings carry it."""
        return self.sha256[:16]


def _canonical(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def save_artefact(path: Path, artefact: Artefact) -> None:
    """Write an artefact with its format number and hash."""
    document = {"format": FORMAT, "sha256": artefact.sha256, "artefact": asdict(artefact)}
    path.write_text(json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def load_artefact(path: Path | None = None) -> Artefact:
    """Read an artefact, the shipped coolant detector where no path is given.

    Raises:
        DataFileError: the file cannot be read, is no artefact of this format, or was changed after training.
    """
    source = files("models").joinpath("artefacts", SHIPPED) if path is None else path
    try:
        document = json.loads(source.read_text(encoding="utf-8"))
    except OSError as problem:
        mend = "check the path and its permissions"
        raise DataFileError(f"cannot be read ({problem.strerror})", file=str(source), mend=mend) from problem
    except ValueError as problem:
        raise DataFileError("is not valid JSON", file=str(source), mend="train the model again") from problem
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataFileError(f"is no artefact of format {FORMAT}", file=str(source), mend="train the model again")
    try:
        artefact = pydantic.TypeAdapter(Artefact).validate_python(document.get("artefact"))
    except pydantic.ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataFileError(f"{place}: {first['msg']}", file=str(source), mend="train the model again") from problem
    if artefact.sha256 != document.get("sha256"):
        raise DataFileError("does not match its sha256", file=str(source), mend="restore the file or train the model again")
    return artefact
