"""Reads what risk models are trained on: features (Parquet) and lives of components (CSV); docs/guides/models.md says the form."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from models.risk.lives import FeatureRows, Lives

_KEYS = ("vehicle", "event_time", "available_time")
_MEND = "docs/guides/models.md says the columns"


def read_features(file: Path) -> FeatureRows:
    """Features of vehicles; every column of numbers but the keys is one, in the file's order.

    Raises:
        DataFileError: the file is not as documented.
    """
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as problem:
        raise DataFileError("cannot be read as Parquet", file=file, mend="check the path, or write the file again") from problem
    missing = [name for name in _KEYS if name not in table.column_names]
    if missing:
        raise DataFileError(f"has no column {missing[0]!r}", file=file, mend=_MEND)
    if any(table[name].null_count for name in _KEYS) or not table.num_rows:
        raise DataFileError("has no rows, or rows without vehicle or time", file=file, mend=_MEND)
    names = [
        field.name
        for field in table.schema
        if field.name not in _KEYS and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]
    if not names:
        raise DataFileError("has no column of numbers", file=file, mend=_MEND)
    vehicles = sorted({str(name) for name in table["vehicle"].unique().to_pylist()})
    place = {name: number for number, name in enumerate(vehicles)}
    values = np.column_stack([_numbers(table[name]) for name in names])
    return FeatureRows(
        vehicles=tuple(vehicles),
        regions=_regions(table, place),
        features=tuple(names),
        vehicle=np.array([place[str(name)] for name in table["vehicle"].to_pylist()], np.int64),
        event_ns=_times(table["event_time"], file),
        available_ns=_times(table["available_time"], file),
        values=np.where(np.isfinite(values), values, np.nan),
    )


def _regions(table: Any, place: dict[str, int]) -> tuple[str, ...]:
    found = [""] * len(place)
    if "region" in table.column_names:
        for vehicle, region in zip(table["vehicle"].to_pylist(), table["region"].to_pylist(), strict=True):
            found[place[str(vehicle)]] = str(region or "")
    return tuple(found)


def _numbers(column: Any) -> Any:
    return pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()


def _times(column: Any, file: Path) -> Any:
    if not pa.types.is_timestamp(column.type):
        raise DataFileError("event_time or available_time is no timestamp", file=file, mend=_MEND)
    return column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64()).to_numpy()


class _LifeRow(pydantic.BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    vehicle: str
    component: str
    begins: datetime
    ends: datetime
    failed: bool


def read_lives(file: Path, component: str, vehicles: tuple[str, ...]) -> Lives:
    """Lives of one component; those of vehicles without features are passed over.

    Raises:
        DataFileError: the file is not as documented, or tells of no life of this component.
    """
    place = {name: number for number, name in enumerate(vehicles)}
    found = []
    for line, row in read_csv(file, _LifeRow):
        if row.component != component or row.vehicle not in place:
            continue
        if row.begins.tzinfo is None or row.ends.tzinfo is None:
            raise DataFileError("a time has no zone", file=file, line=line, mend="write RFC 3339, such as 2026-05-01T08:00:00Z")
        if row.ends < row.begins:
            raise DataFileError("a life ends before it begins", file=file, line=line, mend="correct begins or ends")
        found.append((place[row.vehicle], _ns(row.begins), _ns(row.ends), row.failed))
    if not found:
        raise DataFileError(f"tells of no life of {component} with features", file=file, mend=_MEND)
    columns = list(zip(*sorted(found), strict=True))
    return Lives(
        vehicle=np.array(columns[0], np.int64),
        begins_ns=np.array(columns[1], np.int64),
        ends_ns=np.array(columns[2], np.int64),
        failed=np.array(columns[3], np.bool_),
    )


def _ns(time: datetime) -> int:
    return round(time.timestamp() * 1e6) * 1000


def hash_of(*files: Path) -> str:
    """SHA-256 over the files' contents.

    Raises:
        DataFileError: one cannot be read.
    """
    whole = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as problem:
            raise DataFileError(f"cannot be read ({problem.strerror})", file=file, mend="check the path") from problem
    return whole.hexdigest()
