"""Features of trips as a Parquet file, one row per trip and feature; each row group is a `TripFeatureBatch`."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from domain.trip_features import TripFeatureBatch
from storage.whole_file import WholeFile

_WORD = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("ns", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("vehicle", _WORD, nullable=False, metadata={"meaning": "pseudonym"}),
        pa.field("feature", _WORD, nullable=False, metadata={"meaning": "id of the detector that judges it"}),
        pa.field("trip_start", _TIME, nullable=False, metadata={"meaning": "event time of the trip's first record"}),
        pa.field("event_time", _TIME, nullable=False, metadata={"meaning": "event time at which the trip ended"}),
        pa.field("available_time", _TIME, nullable=False, metadata={"meaning": "when the figure could first be known"}),
        pa.field("value", pa.float64(), nullable=False, metadata={"meaning": "the trip's figure"}),
        pa.field("weight", pa.float64(), nullable=False, metadata={"meaning": "1 for a full trip, less for a poor one"}),
        pa.field("panes", pa.int64(), nullable=False, metadata={"meaning": "panes of 10 s that counted"}),
        pa.field("expected", pa.float64(), nullable=False, metadata={"meaning": "what was expected before"}),
    ]
)


class FeatureFile:
    """A file that is written batch by batch, and there as a whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = WholeFile(path)
        self._writer: Any = None

    def __enter__(self) -> Self:
        with self._file.making():
            self._writer = pq.ParquetWriter(self._file.half, SCHEMA, compression="zstd")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._file.finishing(good=kind is None):
            self._writer.close()

    def write(self, batch: TripFeatureBatch) -> None:
        """Append a batch as a row group; nothing is written of no rows.

        Raises:
            StorageError: the file cannot be written.
        """
        if not len(batch):
            return
        times = (batch.start_ns, batch.end_ns, batch.available_ns)
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(batch.vehicle), pa.array(batch.vehicles, pa.string())),
            pa.DictionaryArray.from_arrays(pa.array(batch.feature), pa.array(batch.features, pa.string())),
            *(pa.array(each).cast(_TIME) for each in times),
            *(pa.array(each) for each in (batch.value, batch.weight, batch.panes, batch.expected)),
        ]
        with self._file.writing():
            self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), row_group_size=len(batch))
