"""A coarse map of cars and dealers as SVG, drawn without any other machine: coast lines only, no borders.

The outlines are Natural Earth's (public domain) in `land.json`, a replaceable file: rings of longitude and latitude in
hundredths of a degree, flat.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from domain.findings import Text, Urgency
from domain.fleet import Dealer
from domain.live import VehicleSummary

WIDE, NARROW = (720, 480), (340, 300)
"""Sizes (width, height) for a screen and for a phone: figures keep their size in both."""
_CELL = 28.0
"""Cars that share a cell of this size are drawn as one circle: a map for an overview need not follow anybody."""
_LARGEST = 19.0
_DEALER = 7.0
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

    width: int
    height: int
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
    width: int
    height: int

    @property
    def east(self) -> float:
        return self.west + self.width / self.scale_x

    @property
    def south(self) -> float:
        return self.north - self.height / self.scale_y

    def point(self, place: Place) -> tuple[float, float]:
        return (place[1] - self.west) * self.scale_x, (self.north - place[0]) * self.scale_y


def draw_map(
    cars: Sequence[VehicleSummary], homes: dict[str, Place], dealers: Sequence[Dealer], size: tuple[int, int] = WIDE
) -> WorldMap | None:
    """Cars where they were last heard of (else at home) and dealers, in a view that holds them all; None where nothing has a place."""
    placed = [(car, place) for car in cars if (place := car.location or homes.get(car.vehicle)) is not None]
    shown = [place for _, place in placed] + [(dealer.latitude, dealer.longitude) for dealer in dealers]
    if not shown:
        return None
    view = _view(shown, *size)
    dots = _dots(placed, view)
    return WorldMap(
        width=size[0],
        height=size[1],
        land=_land(view),
        meridians=tuple((view.point((0.0, lon))[0], _degrees(lon, "E", "W")) for lon in _lines(view.west, view.east)),
        parallels=tuple((view.point((lat, 0.0))[1], _degrees(lat, "N", "S")) for lat in _lines(view.south, view.north)),
        cars=tuple(dots),
        dealers=tuple(_beside(view.point((d.latitude, d.longitude)), d.name, dots) for d in dealers),
        unplaced=len(cars) - len(placed),
    )


def _view(places: Iterable[Place], width: int, height: int) -> _View:
    latitudes, longitudes = zip(*places, strict=True)
    middle = (min(latitudes) + max(latitudes)) / 2
    squeeze = max(0.2, math.cos(math.radians(middle)))
    span_x = max(_LEAST_SPAN_DEG, (max(longitudes) - min(longitudes)) * squeeze) * (1 + 2 * _MARGIN)
    span_y = max(_LEAST_SPAN_DEG, max(latitudes) - min(latitudes)) * (1 + 2 * _MARGIN)
    scale = min(width / span_x, height / span_y)
    centre = (min(longitudes) + max(longitudes)) / 2
    west, north = centre - width / (scale * squeeze) / 2, middle + height / scale / 2
    return _View(west, north, scale * squeeze, scale, width, height)


def _dots(placed: Sequence[tuple[VehicleSummary, Place]], view: _View) -> list[CarDot]:
    """One dot for each cell that holds cars; dots that would overlap are joined. The most urgent come last, on top."""
    cells: dict[tuple[int, int], CarDot] = {}
    for car, place in placed:
        x, y = view.point(place)
        cell = int(x // _CELL), int(y // _CELL)
        dot = _dot(x, y, 1, car.urgency)
        cells[cell] = _joined(cells[cell], dot) if cell in cells else dot
    dots: list[CarDot] = []
    for dot in cells.values():
        while (other := next((each for each in dots if _overlap(each, dot)), None)) is not None:
            dots.remove(other)
            dot = _joined(dot, other)
        dots.append(dot)
    return sorted(dots, key=lambda dot: (-1 if dot.urgency is None else dot.urgency, dot.x, dot.y))


def _dot(x: float, y: float, cars: int, urgency: Urgency | None) -> CarDot:
    return CarDot(x=x, y=y, radius=min(_LARGEST, 5.0 + 1.5 * math.sqrt(cars)), cars=cars, urgency=urgency)


def _joined(a: CarDot, b: CarDot) -> CarDot:
    cars = a.cars + b.cars
    urgency = max((each.urgency for each in (a, b) if each.urgency is not None), default=None)
    return _dot((a.x * a.cars + b.x * b.cars) / cars, (a.y * a.cars + b.y * b.cars) / cars, cars, urgency)


def _overlap(a: CarDot, b: CarDot) -> bool:
    return math.hypot(a.x - b.x, a.y - b.y) < a.radius + b.radius


def _beside(point: tuple[float, float], name: Text, dots: Sequence[CarDot]) -> DealerMark:
    """A dealer's mark, moved to the rim of the circle of cars that would hide it."""
    x, y = point
    for dot in dots:
        away, reach = math.hypot(x - dot.x, y - dot.y), dot.radius + _DEALER
        if away < reach:
            turn = math.atan2(y - dot.y, x - dot.x) if away > 1 else -math.pi / 4
            return DealerMark(x=dot.x + reach * math.cos(turn), y=dot.y + reach * math.sin(turn), name=name)
    return DealerMark(x=x, y=y, name=name)


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
