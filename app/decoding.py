"""`pitcall decode` without its words: logs -> the JSON document, and the signals as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.composition import GENERIC
from app.kernels import cache_directory, compiler
from domain.signals import SignalBatch
from ingest.bus_decoder import BusDecoder
from ingest.descriptions import Mend
from ingest.logs import open_log
from ingest.profiles import Profile, dbc_profile, load_profile
from ingest.summary import DecodeSummary

_NOBODY = ""
_TOLD = 5


def decode_logs(
    logs: Sequence[Path],
    *,
    dbc: Sequence[tuple[str, Path]],
    profile: str | None,
    start_ns: int | None,
    strict: bool,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _words: None,
) -> dict[str, Any]:
    """Decode recordings with description files, a profile, or (with neither) the built-in definitions.

    `say` is told what was mended in the description files.

    Raises:
        InputError: a file is not valid or cannot be read.
    """
    jit = compiler()
    book = _profile(dbc, profile)
    tell_mends(book.mends, say)
    decoder = BusDecoder({book.id: book}, lambda _: book.id, jit=jit)
    summary = DecodeSummary()
    table = _Table(out) if out else None
    try:
        for path in logs:
            log = open_log(path, vehicle=_NOBODY, start_ns=start_ns, jit=jit)
            for frames in log:
                signals = decoder.decode_strict(frames) if strict else decoder.decode(frames)
                summary.add(frames, signals)
                if table is not None:
                    table.write(signals)
            decoder.forget(_NOBODY)
            summary.add_anomalies(log.anomalies)
    finally:
        if table is not None:
            table.close()
    return summary.document() | {"mended": _mended(book.mends)}


def _mended(mends: Sequence[Mend]) -> dict[str, int]:
    """What was put right in the description files, counted by kind."""
    return dict(sorted(Counter(str(mend.kind) for mend in mends).items()))


def tell_mends(mends: Sequence[Mend], say: Callable[[str], None]) -> None:
    """One line for each thing put right, the first few of them."""
    for mend in mends[:_TOLD]:
        say(str(mend))
    if len(mends) > _TOLD:
        say(f"and {len(mends) - _TOLD} more mended")


def _profile(dbc: Sequence[tuple[str, Path]], profile: str | None) -> Profile:
    cache = cache_directory()
    return (
        dbc_profile(dbc, cache=cache) if dbc and profile is None else load_profile(profile or GENERIC, extra_dbc=dbc, cache=cache)
    )


class _Table:
    """Signals in long form (time_ns, message, signal, value, unit), written as they come."""

    _COLUMNS = ("time_ns", "message", "signal", "value", "unit")

    def __init__(self, out: Path) -> None:
        self._parquet: Any = None
        if out.suffix == ".csv":
            self._file = out.open("w", newline="", encoding="utf-8")
            self._file.write(",".join(self._COLUMNS) + "\n")
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = (pa.int64(), pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int32(), pa.string()), pa.float64())
        fields = [*zip(self._COLUMNS[:4], kinds, strict=True), ("unit", pa.dictionary(pa.int32(), pa.string()))]
        self._schema = pa.schema(fields)
        self._parquet = pq.ParquetWriter(out, self._schema, compression="zstd")

    def write(self, signals: SignalBatch) -> None:
        """Append the valid values of every signal."""
        append = self._append_csv if self._parquet is None else self._append_parquet
        for group in signals.groups:
            time_ns = group.time_ns
            for name, unit, values, valid in zip(group.names, group.units, group.values, group.valid, strict=True):
                rows = np.flatnonzero(valid)
                append(group.message, name, unit, time_ns[rows], values[rows])

    def _append_csv(self, message: str, name: str, unit: str, time_ns: Any, values: Any) -> None:
        import pandas as pd

        columns = (time_ns, message, name, values, unit)
        table = pd.DataFrame(dict(zip(self._COLUMNS, columns, strict=True)))
        table.to_csv(self._file, header=False, index=False)

    def _append_parquet(self, message: str, name: str, unit: str, time_ns: Any, values: Any) -> None:
        import pyarrow as pa

        same = np.zeros(len(time_ns), np.int32)
        words = [pa.DictionaryArray.from_arrays(same, [word]) for word in (message, name, unit)]
        arrays = [pa.array(time_ns), words[0], words[1], pa.array(values), words[2]]
        self._parquet.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        if self._parquet is not None:
            self._parquet.close()
        else:
            self._file.close()
