"""Ways by road from an OSRM-compatible server: its `table` service, version 1 of the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from domain.errors import RoadError
from domain.ports import Ways


class OsrmRoads:
    """Implements `domain.ports.Roads`. After a failure the server is left alone for some calls, so that it cannot hold up orders.

    Args:
        client: with the server's address as base URL and the timeout; it is the caller's to close. profile: of the server's data.
    """

    REST_CALLS = 20

    def __init__(self, client: httpx.Client, profile: str = "driving") -> None:
        self._client, self._profile = client, profile
        self._resting = 0
        self.failures = 0

    def ways(self, start: tuple[float, float], ends: Sequence[tuple[float, float]]) -> Ways:
        """From one place to each of these.

        Raises:
            RoadError: the server did not answer with ways.
        """
        if self._resting:
            self._resting -= 1
            raise RoadError("the road service has just failed and is left alone")
        places = ";".join(f"{longitude:.6f},{latitude:.6f}" for latitude, longitude in (start, *ends))
        try:
            answer = self._client.get(
                f"/table/v1/{self._profile}/{places}", params={"sources": "0", "annotations": "distance,duration"}
            )
            answer.raise_for_status()
            document = answer.json()
            metres, seconds = (_row(document, name, len(ends)) for name in ("distances", "durations"))
        except (httpx.HTTPError, ValueError, TypeError, KeyError, IndexError) as problem:
            self.failures += 1
            self._resting = self.REST_CALLS
            raise RoadError(f"no ways from the road service ({type(problem).__name__})") from problem
        return Ways(km=metres / 1000, hours=seconds / 3600)


def _row(document: Any, name: str, count: int) -> npt.NDArray[np.float64]:
    """From the first place to all others; null is no way."""
    cells = document[name][0][1:]
    row = np.array([np.inf if cell is None else float(cell) for cell in cells])
    if len(row) != count or np.isnan(row).any() or (row < 0).any():
        raise ValueError(f"{name} are not as asked for")
    return row
