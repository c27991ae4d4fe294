"""A coarse map of cars and dealers as SVG, drawn without any other machine: coast lines only, no borders.

The outlines are Natural Earth's (public domain) in `land.json`, a replaceable file: rings of longitude and latitude in
hundredths of a degree, flat.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from domain.findings import Text, Urgency
from domain.fleet import Dealer
from domain.live import VehicleSummary

WIDTH, HEIGHT = 720, 460
_CELLS = 26
"""Cars that share one of so many cells across the map are drawn as one circle: a map for an overview need not follow anybody."""
_LEAST_SPAN_DEG = 3.0
_MARGIN = 0.14

Place = tuple[float, float]
"""(latitude, longitude), WGS84."""
_Ring = list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarDot:
    """Cars of one cell: where on the drawing, how many, and the greatest urgency among them (None: all well)."""

    x: float
    y: float
    radius: float
    cars: int
    urgency: Urgency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerMark:
    """A dealer: where on the drawing."""

    x: float
    y: float
    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldMap:
    """What the template draws. `land` is SVG path data; `meridians` and `parallels` are (position, label)."""

    land: str
    meridians: tuple[tuple[float, str], ...]
    parallels: tuple[tuple[float, str], ...]
    cars: tuple[CarDot, ...]
    dealers: tuple[DealerMark, ...]
    unplaced: int


@dataclass(frozen=True, slots=True)
class _View:
    """An equirectangular view, true to scale in its middle."""

    west: float
    north: float
    scale_x: float
    scale_y: float

    @property
    def east(self) -> float:
        return self.west + WIDTH / self.scale_x

    @property
    def south(self) -> float:
        return self.north - HEIGHT / self.scale_y

    def point(self, place: Place) -> tuple[float, float]:
        return (place[1] - self.west) * self.scale_x, (self.north - place[0]) * self.scale_y


def draw_map(cars: Sequence[VehicleSummary], homes: dict[str, Place], dealers: Sequence[Dealer]) -> WorldMap | None:
    """Cars where they were last heard of (else at home) and dealers, in a view that holds them all; None where nothing has a place."""
    placed = [(car, place) for car in cars if (place := car.location or homes.get(car.vehicle)) is not None]
    shown = [place for _, place in placed] + [(dealer.latitude, dealer.longitude) for dealer in dealers]
    if not shown:
        return None
    view = _view(shown)
    marks = [DealerMark(x=x, y=y, name=d.name) for d in dealers for x, y in [view.point((d.latitude, d.longitude))]]
    return WorldMap(
        land=_land(view),
        meridians=tuple((view.point((0.0, lon))[0], _degrees(lon, "E", "W")) for lon in _lines(view.west, view.east)),
        parallels=tuple((view.point((lat, 0.0))[1], _degrees(lat, "N", "S")) for lat in _lines(view.south, view.north)),
        cars=tuple(_dots(placed, view)),
        dealers=tuple(marks),
        unplaced=len(cars) - len(placed),
    )


def _view(places: Iterable[Place]) -> _View:
    latitudes, longitudes = zip(*places, strict=True)
    middle = (min(latitudes) + max(latitudes)) / 2
    squeeze = max(0.2, math.cos(math.radians(middle)))
    width = max(_LEAST_SPAN_DEG, (max(longitudes) - min(longitudes)) * squeeze) * (1 + 2 * _MARGIN)
    height = max(_LEAST_SPAN_DEG, max(latitudes) - min(latitudes)) * (1 + 2 * _MARGIN)
    scale = min(WIDTH / width, HEIGHT / height)
    centre = (min(longitudes) + max(longitudes)) / 2
    return _View(centre - WIDTH / (scale * squeeze) / 2, middle + HEIGHT / scale / 2, scale * squeeze, scale)


def _dots(placed: Sequence[tuple[VehicleSummary, Place]], view: _View) -> list[CarDot]:
    size = WIDTH / _CELLS
    cells: dict[tuple[int, int], list[tuple[VehicleSummary, tuple[float, float]]]] = defaultdict(list)
    for car, place in placed:
        x, y = view.point(place)
        cells[int(x // size), int(y // size)].append((car, (x, y)))
    dots = []
    for members in cells.values():
        xs, ys = zip(*(point for _, point in members), strict=True)
        urgency = max((car.urgency for car, _ in members if car.urgency is not None), default=None)
        radius = min(size * 0.72, 4.5 + 1.6 * math.sqrt(len(members)))
        dots.append(CarDot(x=sum(xs) / len(xs), y=sum(ys) / len(ys), radius=radius, cars=len(members), urgency=urgency))
    return sorted(dots, key=lambda dot: (-1 if dot.urgency is None else dot.urgency, dot.x, dot.y))


def _land(view: _View) -> str:
    """The rings within the view, clipped to a little more than it."""
    box = (view.west - 1, view.south - 1, view.east + 1, view.north + 1)
    parts = []
    for bounds, ring in _rings():
        if bounds[0] <= box[2] and bounds[2] >= box[0] and bounds[1] <= box[3] and bounds[3] >= box[1]:
            points = [view.point((lat, lon)) for lon, lat in clip(ring, box)]
            if len(points) >= 3:
                parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
    return "".join(parts)


def clip(ring: _Ring, box: tuple[float, float, float, float]) -> _Ring:
    """The part of a ring (longitude, latitude) within (west, south, east, north), by Sutherland and Hodgman's method."""
    for axis, limit, sign in ((0, box[0], 1), (0, box[2], -1), (1, box[1], 1), (1, box[3], -1)):
        kept: _Ring = []
        for before, point in zip(ring[-1:] + ring[:-1], ring, strict=True):
            inside, was_inside = sign * (point[axis] - limit) >= 0, sign * (before[axis] - limit) >= 0
            if inside is not was_inside:
                share = (limit - before[axis]) / (point[axis] - before[axis])
                kept.append((before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])))
            if inside:
                kept.append(point)
        ring = kept
    return ring


@cache
def _rings() -> list[tuple[tuple[float, float, float, float], _Ring]]:
    """(bounds, ring) of every piece of land."""
    found = []
    for flat in json.loads(files("web.pages").joinpath("land.json").read_text(encoding="ascii")):
        ring = [(lon / 100, lat / 100) for lon, lat in zip(flat[::2], flat[1::2], strict=True)]
        lons, lats = zip(*ring, strict=True)
        found.append(((min(lons), min(lats), max(lons), max(lats)), ring))
    return found


def _lines(low: float, high: float) -> list[int]:
    """Whole degrees for grid lines: at most about eight."""
    step = next((step for step in (1, 2, 5, 10, 20) if (high - low) / step <= 8), 45)
    return [degree for degree in range(math.ceil(low), math.floor(high) + 1) if degree % step == 0]


def _degrees(value: int, positive: str, negative: str) -> str:
    return f"{abs(value)}°{positive if value > 0 else negative if value < 0 else ''}"
