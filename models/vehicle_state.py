"""What a residual detector carries for one vehicle, and its compact, versioned form."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from domain.errors import StorageError
from models.cusum import CusumState, Drift
from models.pane_carry import PaneCarry
from models.residual import Trip

FORMAT = 1


@dataclass(slots=True, kw_only=True)
class VehicleState:
    """The trip under way, the residuals of the trips that the baseline was learnt from, and the running sums."""

    trip: Trip | None = None
    learnt: tuple[float, ...] = ()
    cusum: CusumState = field(default_factory=CusumState)


def encode(state: VehicleState, carry: PaneCarry | None) -> bytes:
    """Compressed JSON: floats keep every bit, and nothing in it can execute."""
    cusum = _fields(state.cusum) | {"high": _fields(state.cusum.high), "low": _fields(state.cusum.low)}
    document: dict[str, Any] = {"format": FORMAT, "learnt": state.learnt, "cusum": cusum}
    if carry is not None:
        arrays = {name: getattr(carry, name).tolist() for name in ("held_ns", "held", "sums", "counts")}
        document["carry"] = {"last_ns": carry.last_ns, "next_grid": carry.next_grid, **arrays}
    if state.trip is not None:
        trip = _fields(state.trip)
        trip["smoothed"] = [None if math.isnan(each) else each for each in state.trip.smoothed]
        trip["counts"] = sorted(state.trip.counts.items())
        document["trip"] = trip
    return zlib.compress(json.dumps(document, separators=(",", ":"), allow_nan=False).encode(), 1)


def _fields(record: Any) -> dict[str, Any]:
    """Fields by name, not copied: states are written at every commit, and `asdict` would take half of the time."""
    return {name: getattr(record, name) for name in record.__slots__}


def decode(content: bytes) -> tuple[VehicleState, PaneCarry | None]:
    """What `encode` was given.

    Raises:
        StorageError: not a state of this format.
    """
    try:
        document = json.loads(zlib.decompress(content))
        if document["format"] != FORMAT:
            raise StorageError(f"detector state has format {document['format']}, this version reads {FORMAT}")
        return _state(document), _carry(document.get("carry"))
    except (zlib.error, ValueError, KeyError, TypeError) as problem:
        raise StorageError("detector state is damaged") from problem


def _state(document: dict[str, Any]) -> VehicleState:
    cusum, trip = document["cusum"], document.get("trip")
    if trip is not None:
        trip["smoothed"] = [math.nan if each is None else each for each in trip["smoothed"]]
        trip["counts"] = dict(trip["counts"])
    return VehicleState(
        trip=None if trip is None else Trip(**trip),
        learnt=tuple(document["learnt"]),
        cusum=CusumState(high=Drift(**cusum["high"]), low=Drift(**cusum["low"]), side=cusum["side"], returned=cusum["returned"]),
    )


def _carry(carry: dict[str, Any] | None) -> PaneCarry | None:
    if carry is None:
        return None
    return PaneCarry(
        last_ns=carry["last_ns"],
        next_grid=carry["next_grid"],
        held_ns=np.array(carry["held_ns"], np.int64),
        held=np.array(carry["held"], np.float64),
        sums=np.array(carry["sums"], np.float64),
        counts=np.array(carry["counts"], np.int64),
    )
