"""Recordings as pandas tables, for notebooks: the small public surface of this package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from domain.errors import InputError
from domain.ports import Jit, no_jit
from domain.signals import SignalBatch, SignalGroup
from ingest.bus_decoder import BusDecoder
from ingest.logs import open_log
from ingest.profiles import dbc_profile, load_profile

DbcFiles = str | Path | Sequence[str | Path] | Mapping[str, str | Path]
_COMPILERS = "pitcall.compilers"
_NOBODY = ""
_WORDS = ("message", "signal", "unit", "path", "bus")
_COLUMNS = ("time", "message", "signal", "value", "unit", "path", "bus", "source")


def decode_log(
    path: str | Path,
    *,
    dbc: DbcFiles = (),
    profile: str | None = None,
    signals: Collection[str] | None = None,
    start: str | float | datetime | None = None,
    strict: bool = False,
    jit: Jit | None = None,
) -> pd.DataFrame:
    """A recording of any format as one table, a row for each value, in the order of the file within each signal.

    Columns: `time` (UTC), `message`, `signal`, `value`, `unit`, `path` (VSS), `bus`, `source` (J1939 address, -1: none). What was odd
    is counted in `attrs["anomalies"]`.

    Args:
        dbc: description files, of all buses or by bus. profile: a vehicle profile by name or file, besides. Without both, OBD-II and
            J1939 are decoded by the built-in definitions.
        signals: only these: by name, as "MESSAGE.SIGNAL", or by VSS path. start: time of stamp 0 in recordings without absolute
            time, RFC 3339 or seconds since 1970. strict: exactly what cantools decodes.
        jit: compiles the kernels; None: what the installed package offers.

    Raises:
        InputError: a file is not valid or cannot be read, or the recording has no signal of this name.
    """
    anomalies: Counter[str] = Counter()
    pieces = list(
        decode_log_pieces(
            path, dbc=dbc, profile=profile, signals=signals, start=start, strict=strict, jit=jit, anomalies=anomalies
        )
    )
    table = _joined(pieces) if pieces else _table([])
    table.attrs["anomalies"] = {kind: count for kind, count in sorted(anomalies.items()) if count}
    return table


def decode_log_pieces(
    path: str | Path,
    *,
    dbc: DbcFiles = (),
    profile: str | None = None,
    signals: Collection[str] | None = None,
    start: str | float | datetime | None = None,
    strict: bool = False,
    jit: Jit | None = None,
    batch_frames: int = 262_144,
    anomalies: Counter[str] | None = None,
) -> Iterator[pd.DataFrame]:
    """The same piece by piece, for recordings larger than memory; `anomalies` is added to.

    Raises:
        InputError: as `decode_log`.
    """
    known = _Wanted(signals)
    pairs = _dbc_pairs(dbc)
    book = dbc_profile(pairs) if pairs and profile is None else load_profile(profile or "generic", extra_dbc=pairs)
    chosen = jit or _compiler()
    decoder = BusDecoder({book.id: book}, lambda _: book.id, jit=chosen)
    log = open_log(Path(path), vehicle=_NOBODY, start_ns=_time_ns(start), batch_frames=batch_frames, jit=chosen)
    for frames in log:
        decoded: SignalBatch = decoder.decode_strict(frames) if strict else decoder.decode(frames)
        if anomalies is not None:
            for (_, kind), count in decoded.anomalies.items():
                anomalies[kind] += count
        rows = [(group, row) for group in decoded.groups for row in known.rows(group)]
        if rows:
            yield _table(rows)
    if anomalies is not None:
        anomalies.update(log.anomalies)
    known.check(Path(path))


class _Wanted:
    """Which signals are asked for, and which of them occurred."""

    def __init__(self, names: Collection[str] | None) -> None:
        self._names = None if names is None else {names} if isinstance(names, str) else set(names)
        self._found: set[str] = set()

    def rows(self, group: SignalGroup) -> list[int]:
        if self._names is None:
            return list(range(len(group.names)))
        chosen = []
        for row, (name, path) in enumerate(zip(group.names, group.paths, strict=True)):
            hits = self._names & {name, f"{group.message}.{name}", path or name}
            if hits:
                self._found |= hits
                chosen.append(row)
        return chosen

    def check(self, path: Path) -> None:
        missing = sorted((self._names or set()) - self._found)
        if missing:
            raise InputError(f"has no signal {missing[0]}", file=path, mend="decode it without `signals` to see which it has")


def _table(rows: Sequence[tuple[SignalGroup, int]]) -> pd.DataFrame:
    """The valid values of these rows of groups; words are categories."""
    good = [np.flatnonzero(group.valid[row]) for group, row in rows]
    sizes = [len(some) for some in good]
    words = [(group.message, group.names[row], group.units[row], group.paths[row], group.bus) for group, row in rows]
    columns: dict[str, object] = {
        name: _categories([word[number] for word in words], sizes) for number, name in enumerate(_WORDS)
    }
    time_ns = _end_to_end([group.time_ns[some] for (group, _), some in zip(rows, good, strict=True)], np.int64)
    columns["time"] = pd.to_datetime(time_ns, unit="ns", utc=True)
    columns["value"] = _end_to_end([_values(group, row)[some] for (group, row), some in zip(rows, good, strict=True)], np.float64)
    columns["source"] = _end_to_end([group.source[some] for (group, _), some in zip(rows, good, strict=True)], np.int16)
    return pd.DataFrame({name: columns[name] for name in _COLUMNS})


def _values(group: SignalGroup, row: int) -> NDArray[np.float64]:
    values: NDArray[np.float64] = group.values[row]  # noqa: PD011 -- not pandas'
    return values


def _end_to_end(parts: list[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _categories(words: list[str | None], sizes: list[int]) -> pd.Categorical:
    numbers: dict[str, int] = {}
    codes = [-1 if word is None else numbers.setdefault(word, len(numbers)) for word in words]
    return pd.Categorical.from_codes(np.repeat(np.array(codes, np.int32), sizes), categories=pd.Index(list(numbers), dtype="str"))


def _joined(pieces: list[pd.DataFrame]) -> pd.DataFrame:
    """End to end, with the categories of all."""
    plain = pd.concat([piece.drop(columns=list(_WORDS)) for piece in pieces], ignore_index=True)
    for name in _WORDS:
        plain[name] = union_categoricals([piece[name] for piece in pieces])
    return plain[list(_COLUMNS)]


def _dbc_pairs(dbc: DbcFiles) -> list[tuple[str, Path]]:
    if isinstance(dbc, str | Path):
        return [("*", Path(dbc))]
    if isinstance(dbc, Mapping):
        return [(str(bus), Path(file)) for bus, file in dbc.items()]
    return [("*", Path(file)) for file in dbc]


def _time_ns(start: str | float | datetime | None) -> int | None:
    if start is None or isinstance(start, int | float):
        return None if start is None else round(start * 1e9)
    try:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    except ValueError as problem:
        raise InputError(
            f"{start!r} is no time", mend="write RFC 3339, such as 2026-05-01T08:00:00Z, or seconds since 1970"
        ) from problem
    return pd.Timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).as_unit("ns").value


def _compiler() -> Jit:
    """What the installed package names under `pitcall.compilers`, since a stage chooses no compiler; none where it is not installed."""
    for entry in entry_points(group=_COMPILERS):
        make = entry.load()
        jit: Jit = make()
        return jit
    return no_jit
