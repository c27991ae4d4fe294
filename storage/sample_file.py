"""A stream of samples as a Parquet file: `time` (UTC, nanoseconds), `vehicle`, `path` (VSS; null for a tick), `value`, in the stream's order.

Each row group is a `SampleBatch`: vehicles one after the other, each in its total order of records.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.errors import StorageError
from domain.signals import TICK_SIGNAL, SampleBatch
from storage.whole_file import WholeFile

_WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("time", pa.timestamp("ns", tz="UTC"), nullable=False, metadata={"meaning": "event time"}),
        pa.field("vehicle", _WORD, nullable=False, metadata={"meaning": "pseudonym"}),
        pa.field("path", _WORD, metadata={"meaning": "COVESA VSS path, null for a tick"}),
        pa.field("value", pa.float64(), nullable=False, metadata={"meaning": "in the unit of the path; of a tick, its kind"}),
    ]
)


class SampleFile:
    """A file that is written batch by batch, and there as a whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = WholeFile(path)
        self._writer: Any = None

    def __enter__(self) -> Self:
        with self._file.making():
            self._writer = pq.ParquetWriter(
                self._file.half, SCHEMA, compression="zstd", use_dictionary=["vehicle", "path", "value"],
                column_encoding={"time": "DELTA_BINARY_PACKED"},
            )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._file.finishing(good=kind is None):
            self._writer.close()

    def write(self, samples: SampleBatch) -> None:
        """Append a batch as a row group; nothing is written of no samples.

        Raises:
            StorageError: the file cannot be written.
        """
        if not len(samples):
            return
        columns = [
            pa.array(samples.time_ns).cast(SCHEMA.field("time").type),
            pa.DictionaryArray.from_arrays(pa.array(samples.vehicle), pa.array(samples.vehicles, pa.string())),
            pa.DictionaryArray.from_arrays(
                pa.array(samples.signal, mask=samples.signal == TICK_SIGNAL), pa.array(samples.paths, pa.string())
            ),
            pa.array(samples.value),
        ]
        with self._file.writing():
            self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), row_group_size=len(samples))


def read_samples(path: Path) -> Iterator[SampleBatch]:
    """The batches of a file, one in memory at a time.

    Raises:
        StorageError: the file is damaged or no file of samples.
    """
    try:
        with pq.ParquetFile(path, read_dictionary=["vehicle", "path"]) as file:
            for group in range(file.num_row_groups):
                yield _batch(file.read_row_group(group))
    except (OSError, KeyError, pa.ArrowException) as problem:
        raise StorageError(f"{path} is damaged or no file of samples; write it again") from problem


def _batch(table: pa.Table) -> SampleBatch:
    vehicle, path = (table.column(name).combine_chunks() for name in ("vehicle", "path"))
    return SampleBatch(
        vehicles=tuple(vehicle.dictionary.to_pylist()),
        paths=tuple(path.dictionary.to_pylist()),
        time_ns=table.column("time").cast(pa.int64()).to_numpy(),
        vehicle=vehicle.indices.to_numpy().astype(np.int32),
        signal=path.indices.fill_null(TICK_SIGNAL).to_numpy().astype(np.int32),
        value=table.column("value").to_numpy(),
    )
