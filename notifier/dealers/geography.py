"""Places on the sphere as unit vectors, and the ways between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""

Floats = npt.NDArray[np.float64]


def unit_vectors(degrees: Floats) -> Floats:
    """(n, 3) unit vectors of (n, 2) latitudes and longitudes (WGS84, degrees)."""
    latitude, longitude = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    return np.column_stack((np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)))


def chord_km(chord: Floats) -> Floats:
    """Great circles in km between unit vectors whose straight distances these are."""
    km: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0))
    return km


def chord_of_km(km: float) -> float:
    """The straight distance between unit vectors that lie this far apart on the sphere."""
    return float(2 * np.sin(min(km / EARTH_RADIUS_KM, np.pi) / 2))
