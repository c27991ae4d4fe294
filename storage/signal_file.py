"""Decoded signals as one table in a Parquet or CSV file, for pandas, polars, DuckDB and spreadsheets.

One row for each value: `time` (UTC, nanoseconds), `message`, `signal`, `value`, `unit`, `path` (VSS, null where unmapped), `bus` ("*":
any) and `source` (J1939 address, null where there is none). A Parquet file has one row group for each piece written, and in its
metadata, under "pitcall", a JSON document of the signals (unit, path, bus) and of what it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.signals import SignalBatch, SignalGroup
from storage.whole_file import WholeFile

_WORDS = ("message", "signal", "unit", "path", "bus")
_WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("time", pa.timestamp("ns", tz="UTC"), nullable=False, metadata={"meaning": "event time"}),
        pa.field("message", _WORD, nullable=False, metadata={"meaning": "message name of the signal database"}),
        pa.field("signal", _WORD, nullable=False, metadata={"meaning": "signal name of the signal database"}),
        pa.field("value", pa.float64(), nullable=False, metadata={"meaning": "physical value, in `unit`"}),
        pa.field("unit", _WORD, nullable=False, metadata={"meaning": "of the VSS path where there is one, else of the database"}),
        pa.field("path", _WORD, metadata={"meaning": "COVESA VSS path"}),
        pa.field("bus", _WORD, nullable=False, metadata={"meaning": "bus of the definition, * for any"}),
        pa.field("source", pa.int16(), metadata={"meaning": "J1939 source address"}),
    ]
)


class SignalFile:
    """A table that is written piece by piece, and there as a whole or not at all.

    Use it as a context: what was written appears under `path` when the block ends well, and vanishes when it does not.

    Raises:
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path, *, made_from: Mapping[str, Any] | None = None) -> None:
        self._file = WholeFile(path)
        self._is_csv = path.suffix == ".csv"
        self._made_from = dict(made_from or {})
        self._labels = _Labels()
        self._writer: Any = None

    def __enter__(self) -> Self:
        with self._file.making():
            if self._is_csv:
                self._writer = pc.CSVWriter(str(self._file.half), _plain(SCHEMA))
            else:
                self._writer = pq.ParquetWriter(
                    self._file.half, SCHEMA, compression="zstd", use_dictionary=[*_WORDS, "value", "source"],
                    column_encoding={"time": "DELTA_BINARY_PACKED"},
                )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._file.finishing(good=kind is None):
            if kind is None and not self._is_csv:
                document = self._made_from | {"signals": self._labels.document()}
                self._writer.add_key_value_metadata({"pitcall": json.dumps(document, ensure_ascii=False)})
            self._writer.close()

    def write(self, signals: SignalBatch) -> None:
        """Append the valid values of every signal, message by message.

        Raises:
            StorageError: the file cannot be written.
        """
        table = self._labels.table(signals.groups)
        if not table.num_rows:
            return
        with self._file.writing():
            if self._is_csv:
                self._writer.write_table(table.cast(_plain(SCHEMA)))
            else:
                self._writer.write_table(table, row_group_size=table.num_rows)


def _plain(schema: pa.Schema) -> pa.Schema:
    """Words as such, for CSV."""
    return pa.schema([field.with_type(pa.string()) if field.type == _WORD else field for field in schema])


class _Labels:
    """Numbers for the words of every signal that came so far."""

    def __init__(self) -> None:
        self._words: dict[str, dict[str | None, int]] = {name: {} for name in _WORDS}
        self._signals: dict[str, dict[str, Any]] = {}
        self._known: dict[int, tuple[object, NDArray[np.int32]]] = {}

    def document(self) -> dict[str, dict[str, Any]]:
        """MESSAGE.SIGNAL -> unit, path and bus."""
        return dict(sorted(self._signals.items()))

    def table(self, groups: Sequence[SignalGroup]) -> pa.Table:
        """The valid values of these groups."""
        parts = [self._columns(group) for group in groups if len(group)]
        if not parts:
            return SCHEMA.empty_table()
        time_ns, value, codes, source = (np.concatenate(columns, axis=-1) for columns in zip(*parts, strict=True))
        arrays = {
            name: pa.DictionaryArray.from_arrays(
                pa.array(row, mask=row < 0) if name == "path" else pa.array(row),
                pa.array([word for word in self._words[name] if word is not None], pa.string()),
            )
            for name, row in zip(_WORDS, codes, strict=True)
        }
        arrays["time"] = pa.array(time_ns).cast(SCHEMA.field("time").type)
        arrays["value"] = pa.array(value)
        arrays["source"] = pa.array(source, mask=source < 0)
        return pa.Table.from_arrays([arrays[name] for name in SCHEMA.names], schema=SCHEMA)

    def _columns(self, group: SignalGroup) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int32], NDArray[np.int16]]:
        """Time, value, numbers of the words (one row for each of `_WORDS`), source of every valid value."""
        signals, frames = len(group.names), len(group)
        valid = group.valid.ravel()
        time_ns, source = np.tile(group.time_ns, signals), np.tile(group.source, signals)
        codes = np.repeat(self._codes(group), frames, axis=1)
        value = group.values.ravel()
        if valid.all():
            return time_ns, value, codes, source
        return time_ns[valid], value[valid], codes[:, valid], source[valid]

    def _codes(self, group: SignalGroup) -> NDArray[np.int32]:
        """int32[words, signals]; -1 for no path."""
        known = self._known.get(id(group.labels))
        if known is not None and known[0] is group.labels:
            return known[1]
        codes = np.empty((len(_WORDS), len(group.names)), np.int32)
        for column, (name, unit, path) in enumerate(zip(group.names, group.units, group.paths, strict=True)):
            for row, (kind, word) in enumerate(zip(_WORDS, (group.message, name, unit, path, group.bus), strict=True)):
                numbers = self._words[kind]
                codes[row, column] = -1 if word is None else numbers.setdefault(word, len(numbers))
            self._signals[f"{group.message}.{name}"] = {"unit": unit, "path": path, "bus": group.bus}
        self._known[id(group.labels)] = group.labels, codes
        return codes
