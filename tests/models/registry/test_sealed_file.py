"""Model files: read back exactly; whatever was changed or is unknown is refused before anything is built."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from domain.errors import DataFileError
from models.registry.sealed_file import seal, unseal


def points() -> np.ndarray:
    values = np.random.default_rng(1).normal(size=(300, 3))
    values[::7, 1] = np.nan
    return values


@cache
def sealed() -> tuple[bytes, str, HistGradientBoostingClassifier]:
    fitted = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(points(), points()[:, 0] > 0)
    content, sha256 = seal({"columns": ["a", "b", "c"], "estimator": fitted, "edges": np.arange(3.0), "slope": 1.25})
    return content, sha256, fitted


def test_a_model_is_read_back_exactly() -> None:
    content, sha256, fitted = sealed()
    parts = unseal(content, sha256, "m")
    assert parts["columns"] == ["a", "b", "c"]
    assert parts["slope"] == 1.25
    np.testing.assert_array_equal(parts["edges"], np.arange(3.0))
    np.testing.assert_array_equal(parts["estimator"].predict_proba(points()), fitted.predict_proba(points()))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_byte_is_changed_the_file_is_refused(data: st.DataObject) -> None:
    content, sha256, _ = sealed()
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    with pytest.raises(DataFileError, match="m: does not match the sha256 of the registry; restore"):
        unseal(flipped, sha256, "m")


def resealed(content: bytes) -> tuple[bytes, str]:
    """As somebody leaves it who can write the registry too."""
    return content, hashlib.sha256(content).hexdigest()


def with_schema(change: Callable[[dict[str, Any]], None]) -> bytes:
    source, target = zipfile.ZipFile(io.BytesIO(sealed()[0])), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                change(schema)
                content = json.dumps(schema).encode()
            archive.writestr(name, content)
    return target.getvalue()


def call_a_function(marker: Path) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        schema["content"]["slope"] = {
            "__class__": "partial",
            "__module__": "functools",
            "__loader__": "PartialNode",
            "content": {
                "func": {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": f"touch {marker}"}
            },
        }

    return change


def trusted_type_by_another_loader(schema: dict[str, Any]) -> None:
    schema["content"]["slope"] = {"__class__": "str", "__module__": "builtins", "__loader__": "MethodNode", "content": {}}


def no_loader(schema: dict[str, Any]) -> None:
    schema["content"]["slope"] = {"__class__": "dict", "__module__": "builtins"}


@pytest.mark.parametrize("change", [trusted_type_by_another_loader, no_loader])
def test_what_is_not_allowed_is_refused_even_with_a_fitting_hash(change: Callable[[dict[str, Any]], None]) -> None:
    content, sha256 = resealed(with_schema(change))
    with pytest.raises(DataFileError, match="which no model of ours consists of"):
        unseal(content, sha256, "m")


def test_a_file_that_would_call_a_function_calls_none(tmp_path: Path) -> None:
    content, sha256 = resealed(with_schema(call_a_function(tmp_path / "called")))
    with pytest.raises(DataFileError, match=r"functools.partial \(PartialNode\), which no model"):
        unseal(content, sha256, "m")
    assert not (tmp_path / "called").exists()


def test_an_estimator_that_skops_would_trust_is_refused_when_written_and_when_read() -> None:
    forest = RandomForestClassifier(n_estimators=2, random_state=0).fit(np.arange(8.0).reshape(-1, 1), [0, 1] * 4)
    with pytest.raises(TypeError, match="sklearn"):
        seal({"estimator": forest})
    content, sha256 = resealed(skops.io.dumps({"format": 1, "estimator": forest}))
    with pytest.raises(DataFileError, match="sklearn"):
        unseal(content, sha256, "m")


@pytest.mark.parametrize(
    "content", [b"", b"no zip", skops.io.dumps({"format": 2}), skops.io.dumps([1]), sealed()[0][:-30], sealed()[0][: 1 << 12]]
)
def test_what_is_no_model_file_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(DataFileError) as refused:
        unseal(*resealed(content), "m")
    assert str(refused.value).startswith("m: ")
    assert "\n" not in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_under_a_fitting_hash_never_escapes_as_another_error(data: st.DataObject) -> None:
    content = bytearray(sealed()[0])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DataFileError):
        unseal(*resealed(bytes(content)), "m")
