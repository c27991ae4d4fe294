"""Trained models as skops files, read only where their hash and every type in them are known.

A file is refused before anything in it is built unless its SHA-256 is that of its registry row, and unless every (module, type, loader)
that it names stands in `ALLOWED`. That list is code: what a file, or skops, says could be trusted is never asked.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import DataFileError

FORMAT = 1
_MEND = "restore the file or train the model again"
_SCHEMA = "schema.json"

_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
ALLOWED = frozenset(
    {
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "str", "JsonNode"),
        ("builtins", "str", "TypeNode"),  # the type of a dictionary's keys
        ("builtins", "tuple", "TupleNode"),
        ("numpy", "ndarray", "NdArrayNode"),
        ("numpy", "float64", "NdArrayNode"),
        ("numpy", "int64", "NdArrayNode"),
        ("numpy", "uint64", "NdArrayNode"),
        ("numpy.random._generator", "Generator", "RandomGeneratorNode"),
        ("sklearn._loss._loss", "CyHalfBinomialLoss", "LossNode"),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
        ("sklearn._loss.link", "LogitLink", "ObjectNode"),
        ("sklearn._loss.loss", "HalfBinomialLoss", "ObjectNode"),
        (f"{_BOOSTING}.binning", "_BinMapper", "ObjectNode"),
        (f"{_BOOSTING}.gradient_boosting", "HistGradientBoostingClassifier", "ObjectNode"),
        (f"{_BOOSTING}.predictor", "TreePredictor", "ObjectNode"),
        ("sklearn.preprocessing._label", "LabelEncoder", "ObjectNode"),
    }
)
"""Everything that boosted trees consist of, and nothing that runs a function of somebody's choice."""
TRUSTED = [f"{module}.{name}" for module, name, _ in sorted(ALLOWED)]


def seal(parts: Mapping[str, Any]) -> tuple[bytes, str]:
    """A model's parts as (file content, its SHA-256).

    Raises:
        TypeError: a part is of a type that could not be read again.
    """
    import skops.io

    content: bytes = skops.io.dumps({"format": FORMAT, **parts})
    foreign = _foreign(_schema(content))
    if foreign:
        raise TypeError(f"a model of {foreign} could not be read again; see ALLOWED")
    return content, hashlib.sha256(content).hexdigest()


def unseal(content: bytes, sha256: str, file: str) -> dict[str, Any]:
    """The parts that `seal` was given; `sha256` is that of the registry, `file` is named in errors.

    Raises:
        DataFileError: the file was changed, is damaged, names a type that is not known, or is of another format.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataFileError("does not match the sha256 of the registry", file=file, mend=_MEND)
    try:
        foreign = _foreign(_schema(content))
    except (zipfile.BadZipFile, KeyError, ValueError, zlib.error, RecursionError, NotImplementedError) as problem:
        raise DataFileError("is no model file", file=file, mend=_MEND) from problem
    if foreign:
        raise DataFileError(f"holds {foreign}, which no model of ours consists of", file=file, mend="train the model again")
    import skops.io

    try:
        parts = skops.io.loads(content, trusted=TRUSTED)
    except Exception as problem:
        raise DataFileError(f"cannot be put together ({type(problem).__name__})", file=file, mend=_MEND) from problem
    if not isinstance(parts, dict) or parts.pop("format", None) != FORMAT:
        raise DataFileError(f"is no model of format {FORMAT}", file=file, mend="train the model again")
    return parts


def _schema(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read(_SCHEMA))


def _foreign(schema: Any) -> str:
    """The first (module, type, loader) that is not allowed, in words; "" where all are."""
    for module, name, loader in _named(schema):
        if (module, name, loader) not in ALLOWED:
            return f"{module}.{name} ({loader})"
    return ""


def _named(schema: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every node of a skops schema; whatever names one of the three must name all."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.keys() & {"__class__", "__module__", "__loader__"}:
                yield tuple(str(node.get(name)) for name in ("__module__", "__class__", "__loader__"))  # type: ignore[misc]  # three of them
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
