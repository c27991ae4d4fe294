"""Draws curves over a number as SVG: axes, several lines with a legend, a marked place. Colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from domain.findings import Text
from web.report.plot import tick_labels, value_ticks
from web.report.svg_text import svg_text

WIDTH, HEIGHT = 470, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 44, 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve: points (x, y) in order of x; y None leaves a gap. `stepped`: y holds until the next point. `dots`: each point is shown."""

    name: Text
    points: tuple[tuple[float, float | None], ...]
    stepped: bool = False
    dots: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw.

    Attributes:
        title, across: what it shows, and along which axis (with unit). lines: at most four, told apart by colour and dashes.
        marked: a place on the x axis to point out, with `marked_name`. top: upper end of the y axis, None = by the values;
            bottom: its lower end.
        percent: y values are fractions, shown as percent.
    """

    title: Text
    across: Text
    lines: tuple[Line, ...]
    marked: float | None = None
    marked_name: Text | None = None
    top: float | None = None
    bottom: float = 0.0
    percent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Data to pixels."""

    low: float
    high: float
    bottom: float
    top: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.low) / (self.high - self.low) * (WIDTH - _RIGHT - _LEFT)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self.bottom) / (self.top - self.bottom) * (HEIGHT - _BOTTOM - _TOP)


def draw_chart(chart: Chart) -> str:
    """The chart as an SVG element; every point tells its numbers to the pointer."""
    scale = _scale(chart)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title.en)} · {escape(chart.title.zh)}">',
        svg_text(0, 14, chart.title, "name"),
        *_legend(chart),
        *_axes(chart, scale),
        *_mark(chart, scale),
        *(part for number, line in enumerate(chart.lines) for part in _line(line, number, chart, scale)),
        "</svg>",
    ]
    return "".join(parts)


def _scale(chart: Chart) -> _Scale:
    xs = [x for line in chart.lines for x, _ in line.points] + ([] if chart.marked is None else [chart.marked])
    ys = [y for line in chart.lines for _, y in line.points if y is not None and math.isfinite(y)]
    low, high = (min(xs), max(xs)) if xs else (0.0, 1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    top = chart.top if chart.top is not None else 1.1 * max(ys, default=0.0)
    return _Scale(low=low, high=high, bottom=chart.bottom, top=top if top > chart.bottom else chart.bottom + 1.0)


def _axes(chart: Chart, scale: _Scale) -> list[str]:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    ups = value_ticks(scale.bottom, scale.top, 4)
    names = [f"{tick:.0%}" for tick in ups] if chart.percent else tick_labels(ups)
    for tick, name in zip(ups, names, strict=True):
        y = scale.y(tick)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {bottom}H{right}"/>')
    across = value_ticks(scale.low, scale.high, 6)
    for tick, name in zip(across, tick_labels(across), strict=True):
        x = scale.x(tick)
        parts.append(f'<path class="axis" d="M{x:.1f} {bottom}v4"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{name}</text>')
    parts.append(svg_text((_LEFT + right) / 2, HEIGHT - 6, chart.across, "tick", anchor="middle"))
    return parts


def _legend(chart: Chart) -> list[str]:
    """Names of the lines, where there are several."""
    if len(chart.lines) < 2:
        return []
    parts, x = [], 0.0
    for number, line in enumerate(chart.lines):
        parts.append(f'<path class="line line-{number}" d="M{x:.0f} 28h18"/>')
        parts.append(svg_text(x + 24, 32, line.name, "tick"))
        x += 44 + 6.6 * max(len(line.name.en), 2 * len(line.name.zh))
    return parts


def _mark(chart: Chart, scale: _Scale) -> list[str]:
    if chart.marked is None:
        return []
    x = scale.x(chart.marked)
    anchor = "end" if x > WIDTH / 2 else "start"
    name = (
        ""
        if chart.marked_name is None
        else svg_text(x - 6 if anchor == "end" else x + 6, _TOP + 10, chart.marked_name, "tick", anchor=anchor)
    )
    return [f'<path class="mark" d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>{name}']


def _line(line: Line, number: int, chart: Chart, scale: _Scale) -> list[str]:
    commands: list[str] = []
    dots = []
    joined = False
    for x, y in line.points:
        if y is None or not math.isfinite(y):
            joined = False
            continue
        px, py = f"{scale.x(x):.1f}", f"{scale.y(min(y, scale.top)):.1f}"
        commands.append(f"M{px} {py}" if not joined else f"H{px}V{py}" if line.stepped else f"L{px} {py}")
        joined = True
        if line.dots:
            said = f"{x:g}: {y:.1%}" if chart.percent else f"{x:g}: {y:,.4g}"
            dots.append(f'<circle class="dot line-{number}" cx="{px}" cy="{py}" r="3.5"><title>{escape(said)}</title></circle>')
    return [f'<path class="line line-{number}" d="{"".join(commands)}"/>', *dots] if commands else []


def share_within(values: Sequence[float], of: int, *, until: float) -> tuple[tuple[float, float | None], ...]:
    """Points of a step line: the share of `of` cases whose value is at most x, up to x = `until`."""
    steps = [(value, number / of) for number, value in enumerate(sorted(values), 1)] if of else []
    start = min([0.0, *values])
    return ((start, 0.0), *steps, (max([until, *values]), len(steps) / of if of else 0.0))


def share_beyond(values: Sequence[float], of: int) -> tuple[tuple[float, float | None], ...]:
    """Points of a step line: the share of `of` cases whose value is at least x, from x = 0 on."""
    ordered = sorted(values)
    if not ordered or not of:
        return ()
    falls = [(value, (len(ordered) - number) / of) for number, value in enumerate(ordered, 1)]
    return ((min(0.0, ordered[0]), len(ordered) / of), *falls)
