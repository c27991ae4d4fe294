"""The history of decoded signals: wide Parquet files, partitioned by date, vehicle bucket and message.

    DIRECTORY/date=2026-03-01/bucket=a7/message=EMS5/part-<first time>-<last time>-<columns>-<content>.parquet

`<columns>` and `<content>` are hashes: a reader opens one file of each kind of columns to know which hold a signal.

A bucket is the first two hex digits of the vehicle's pseudonym, or `all` for files that many vehicles share: live operation writes
often, and a file per bucket each time would be too many. Columns are `time_ns`, `vehicle` (pseudonym), `source` (J1939 address
or -1) and one float64 per signal, null where it is not valid; the signal's unit and VSS path are the column's metadata.
Byte-stream-split lays equal bytes of neighbouring values side by side, so that zstd finds them alike.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.errors import StorageError
from domain.signals import SignalBatch, SignalGroup

_DAY_NS = 86_400 * 1_000_000_000
_HOUR_NS = 3600 * 1_000_000_000
_FIXED_COLUMNS = ("time_ns", "vehicle", "source")
_SHARED = "all"
"""The bucket of files that vehicles share."""
_SHARED_ROW_GROUP = 16_384
"""Rows are sorted by vehicle, so that a reader of one vehicle passes over most groups of a shared file."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"part-(-?\d+)-(-?\d+)-([0-9a-f]{12})-[0-9a-f]+\.parquet")

Samples = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Event times and the values at them."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Which files rows go to, and the columns that those share."""

    day: int
    bucket: str
    message: str
    bus: str
    profile: str
    names: tuple[str, ...]
    paths: tuple[str | None, ...]
    units: tuple[str, ...]


@dataclass(slots=True)
class _Rows:
    """Rows that wait for their file, in pieces; `vehicle` points into `vehicles` (id -> number)."""

    vehicles: dict[str, int] = field(default_factory=dict)
    time_ns: list[NDArray[np.int64]] = field(default_factory=list)
    vehicle: list[NDArray[np.int32]] = field(default_factory=list)
    source: list[NDArray[np.int16]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)
    valid: list[NDArray[np.bool_]] = field(default_factory=list)
    count: int = 0


class SignalHistory:
    """Appends decoded batches and reads one vehicle's signal back. A context manager: leaving it writes what still waits.

    Files are written whole (under another name first), so that a crash leaves no half of one; the rows that waited are lost with the process.
    The same rows written again make the same file, and `read` gives a sample that stands in two files once.

    Args:
        directory: made where it is missing.
        rows_per_file: a file is written when so many rows of one message wait.
        values_in_memory: the fullest buffer is written when so many values wait in all.
        shared: vehicles share their files, as suits many vehicles and frequent flushes.
    """

    def __init__(
        self, directory: Path, *, rows_per_file: int = 250_000, values_in_memory: int = 8_000_000, shared: bool = False
    ) -> None:
        self._directory = directory
        self._shared = shared
        self._rows_per_file = rows_per_file
        self._values_in_memory = values_in_memory
        self._waiting: dict[_Place, _Rows] = {}
        self._values = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.flush()

    @property
    def values_waiting(self) -> int:
        """Values that are not written yet."""
        return self._values

    def append(self, batch: SignalBatch) -> None:
        """Take a batch; its arrays are copied.

        Raises:
            StorageError: a file cannot be written.
        """
        buckets = [_SHARED if self._shared else vehicle[:2] for vehicle in batch.vehicles]
        for group in batch.groups:
            for day, bucket, chosen in _partitions(group, buckets):
                self._append(_place(group, day, bucket), group, batch.vehicles, chosen)
        while self._values > self._values_in_memory:
            self._write(max(self._waiting, key=lambda place: self._waiting[place].count * len(place.names)))

    def _append(self, place: _Place, group: SignalGroup, vehicles: tuple[str, ...], chosen: NDArray[np.intp]) -> None:
        rows = self._waiting.setdefault(place, _Rows())
        rows.time_ns.append(group.time_ns[chosen])
        rows.vehicle.append(_numbered(group.vehicle[chosen], vehicles, rows.vehicles))
        rows.source.append(group.source[chosen])
        rows.values.append(group.values[:, chosen])
        rows.valid.append(group.valid[:, chosen])
        rows.count += len(chosen)
        self._values += len(chosen) * len(place.names)
        if rows.count >= self._rows_per_file:
            self._write(place)

    def flush(self) -> None:
        """Write all rows that wait.

        Raises:
            StorageError: a file cannot be written.
        """
        for place in list(self._waiting):
            self._write(place)

    def _write(self, place: _Place) -> None:
        rows = self._waiting[place]
        table, digest = _table(place, rows)
        folder = (
            self._directory / f"date={_date(place.day)}" / f"bucket={place.bucket}" / f"message={quote(place.message, safe='')}"
        )
        first, last = min(int(part.min()) for part in rows.time_ns), max(int(part.max()) for part in rows.time_ns)
        file = folder / f"part-{first}-{last}-{_kind(place)}-{digest}.parquet"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write_whole(table, file, _SHARED_ROW_GROUP if place.bucket == _SHARED else None)
        except OSError as problem:
            raise StorageError(
                f"signal history {self._directory} cannot be written ({problem.strerror}); check the directory, its permissions and disk space"
            ) from problem
        del self._waiting[place]
        self._values -= rows.count * len(place.names)

    def read(self, vehicle: str, path: str, start_ns: int, end_ns: int) -> Samples:
        """Event times and values of one VSS path, start included and end not, over all messages and sources that carry it, by (time, value).

        Only what is written is found: `flush` first.

        Raises:
            StorageError: a file is damaged.
        """
        return self.read_several(vehicle, (path,), start_ns, end_ns)[path]

    def read_several(self, vehicle: str, paths: Collection[str], start_ns: int, end_ns: int) -> dict[str, Samples]:
        """As `read`, of several paths at once: every file is opened once.

        Raises:
            StorageError: a file is damaged.
        """
        parts: dict[str, list[Samples]] = {path: [(np.empty(0, np.int64), np.empty(0, np.float64))] for path in paths}
        columns: dict[str, dict[str, str]] = {}
        for file in self._files(vehicle, start_ns, end_ns):
            name = _NAME.fullmatch(file.name)
            kind = name[3] if name else file.name
            try:
                if kind not in columns:
                    columns[kind] = _columns_of(file, parts)
                for path, samples in _read(file, columns[kind], vehicle, start_ns, end_ns):
                    parts[path].append(samples)
            except FileNotFoundError:
                continue  # its day was dropped meanwhile
            except (OSError, pa.ArrowException) as problem:
                raise StorageError(f"signal history file {file} is damaged; remove it") from problem
        return {path: _once(*map(np.concatenate, zip(*found, strict=True))) for path, found in parts.items()}

    def hours(self, vehicle: str, start_ns: int, end_ns: int) -> list[int]:
        """Event times at which the hours begin in which there can be samples of this vehicle, by the names of the files."""
        found: set[int] = set()
        for file in self._files(vehicle, start_ns, end_ns):
            name = _NAME.fullmatch(file.name)
            first, last = (start_ns, end_ns - 1) if name is None else (max(int(name[1]), start_ns), min(int(name[2]), end_ns - 1))
            found.update(range(first // _HOUR_NS, last // _HOUR_NS + 1))
        return [hour * _HOUR_NS for hour in sorted(found)]

    def _files(self, vehicle: str, start_ns: int, end_ns: int) -> Iterator[Path]:
        for folder in sorted(self._directory.glob("date=*")):
            if _date(start_ns // _DAY_NS) <= folder.name.removeprefix("date=") <= _date(end_ns // _DAY_NS):
                for bucket in (vehicle[:2], _SHARED):
                    files = sorted(folder.glob(f"bucket={bucket}/message=*/part-*.parquet"))
                    yield from (file for file in files if _overlaps(file, start_ns, end_ns))

    def days(self) -> list[int]:
        """Event times at which the days begin of which anything is kept."""
        names = sorted(folder.name.removeprefix("date=") for folder in self._directory.glob("date=*"))
        return [_DAY_NS * (datetime.fromisoformat(f"{name}T00:00:00+00:00") - _EPOCH).days for name in names]

    def delete_before(self, time_ns: int) -> int:
        """Drop the days that end before this event time; gives how many. Safe beside a writer, which makes again what it needs.

        Raises:
            StorageError: a folder cannot be removed.
        """
        first_kept = _date(time_ns // _DAY_NS)
        old = [folder for folder in self._directory.glob("date=*") if folder.name.removeprefix("date=") < first_kept]
        try:
            for folder in old:
                shutil.rmtree(folder)
        except OSError as problem:
            raise StorageError(f"signal history {self._directory} cannot be removed ({problem.strerror})") from problem
        return len(old)


def _overlaps(file: Path, start_ns: int, end_ns: int) -> bool:
    """Whether a file can hold samples of this span, by its name."""
    name = _NAME.fullmatch(file.name)
    return name is None or (int(name[1]) < end_ns and int(name[2]) >= start_ns)


def _partitions(group: SignalGroup, buckets: list[str]) -> Iterator[tuple[int, str, NDArray[np.intp]]]:
    """(day, bucket, rows) of a group; nearly always one."""
    names = sorted(set(buckets))
    number = np.array([names.index(bucket) for bucket in buckets], np.int64)
    key = group.time_ns // _DAY_NS * len(names) + number[group.vehicle]
    for one in np.unique(key[np.concatenate(([True], np.diff(key) != 0))]) if len(key) else ():
        day, bucket = divmod(int(one), len(names))
        yield day, names[bucket], np.flatnonzero(key == one)


def _place(group: SignalGroup, day: int, bucket: str) -> _Place:
    return _Place(day, bucket, group.message, group.bus, group.profile, group.names, group.paths, group.units)


def _kind(place: _Place) -> str:
    """The same for all files with the same columns."""
    columns = (place.message, place.bus, place.profile, place.names, place.paths, place.units)
    return hashlib.sha256(repr(columns).encode()).hexdigest()[:12]


def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=int(day))).strftime("%Y-%m-%d")


def _numbered(rows: NDArray[np.int32], vehicles: tuple[str, ...], numbers: dict[str, int]) -> NDArray[np.int32]:
    """The batch's vehicle indices as `numbers`, which grows by the vehicles that are new."""
    number = np.zeros(len(vehicles), np.int32)
    for index in np.unique(rows):
        number[index] = numbers.setdefault(vehicles[index], len(numbers))
    return number[rows]


def _table(place: _Place, rows: _Rows) -> tuple[pa.Table, str]:
    """The waiting rows by (vehicle, time), and a hash of all that is in them."""
    names = sorted(rows.vehicles)
    rank = np.empty(len(names), np.int32)
    rank[[rows.vehicles[name] for name in names]] = np.arange(len(names))
    time_ns, vehicle, source = np.concatenate(rows.time_ns), rank[np.concatenate(rows.vehicle)], np.concatenate(rows.source)
    order = np.lexsort((time_ns, vehicle))
    time_ns, vehicle, source = time_ns[order], vehicle[order], source[order]
    valid = np.concatenate(rows.valid, axis=1)[:, order]
    values = np.where(valid, np.concatenate(rows.values, axis=1)[:, order], 0.0)
    digest = hashlib.sha256(repr((place, names)).encode())
    for part in (time_ns, vehicle, source, values, valid):
        digest.update(np.ascontiguousarray(part).data)
    columns = [pa.array(time_ns), pa.DictionaryArray.from_arrays(vehicle, pa.array(names)), pa.array(source)]
    columns += [pa.array(row, mask=~usable) for row, usable in zip(values, valid, strict=True)]
    return pa.table(columns, schema=_schema(place)), digest.hexdigest()[:12]


def _schema(place: _Place) -> pa.Schema:
    fixed = [
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("vehicle", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("source", pa.int16(), nullable=False),
    ]
    signals = [
        pa.field(column, pa.float64(), metadata={"signal": name, "unit": unit} | ({"path": path} if path else {}))
        for column, name, path, unit in zip(_columns(place), place.names, place.paths, place.units, strict=True)
    ]
    return pa.schema(fixed + signals, metadata={"message": place.message, "bus": place.bus, "profile": place.profile})


def _columns(place: _Place) -> list[str]:
    """Signal names as column names; one that is taken already gets its number."""
    taken = set(_FIXED_COLUMNS)
    columns = []
    for number, name in enumerate(place.names):
        columns.append(name if name not in taken else f"{name}_{number}")
        taken.add(columns[-1])
    return columns


def _write_whole(table: pa.Table, file: Path, row_group: int | None) -> None:
    half = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with half.open("wb") as stream:
            pq.write_table(
                table,
                stream,
                compression="zstd",
                use_dictionary=["vehicle"],
                use_byte_stream_split=table.column_names[len(_FIXED_COLUMNS) :],
                column_encoding={"time_ns": "DELTA_BINARY_PACKED"},
                row_group_size=row_group,
            )
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)


def _columns_of(file: Path, paths: Collection[str]) -> dict[str, str]:
    """The columns that carry one of these paths -> the path."""
    carried = ((column.name, (column.metadata or {}).get(b"path")) for column in pq.read_schema(file))
    return {column: path.decode() for column, path in carried if path is not None and path.decode() in paths}


def _read(file: Path, wanted: Mapping[str, str], vehicle: str, start_ns: int, end_ns: int) -> Iterator[tuple[str, Samples]]:
    """(path, samples) of each of these columns."""
    if not wanted:
        return
    within: Any = [("vehicle", "=", vehicle), ("time_ns", ">=", start_ns), ("time_ns", "<", end_ns)]
    table = pq.read_table(file, columns=["time_ns", *wanted], filters=within, partitioning=None)
    time_ns = table.column("time_ns").to_numpy()
    for name, path in wanted.items():
        column = table.column(name)
        usable = ~column.is_null().to_numpy()
        yield path, (time_ns[usable], column.to_numpy()[usable])


def _once(time_ns: NDArray[np.int64], values: NDArray[np.float64]) -> Samples:
    """By time, with equal samples of one time given once."""
    order = np.lexsort((values, time_ns))
    time_ns, values = time_ns[order], values[order]
    first = np.ones(len(time_ns), np.bool_)
    first[1:] = (np.diff(time_ns) != 0) | (values[1:] != values[:-1])
    return time_ns[first], values[first]
