"""Draws one signal as SVG: axes with units, threshold, shaded alert window. Colours come from the page's style sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from domain.findings import Text
from web.report import formats
from web.report.model import Series
from web.report.svg_text import svg_text
from web.report.words import LABELS

_SECOND = 1_000_000_000
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 26, 30
_TIME_STEPS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What to draw.

    Attributes:
        time_ns, values: the samples (NaN draws a gap). start_ns, end_ns: what part of them, both ends shown.
        name: of the signal. unit: VSS unit name. stepped: the value holds until the next sample (switches).
        threshold: drawn as a line, labelled with `comparison`. window: (start, end) to shade.
    """

    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    start_ns: int
    end_ns: int
    name: Text
    unit: str = ""
    stepped: bool = False
    threshold: float | None = None
    comparison: str = ""
    window: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The drawing area and its two scales."""

    width: int
    height: int
    start_ns: int
    end_ns: int
    low: float
    high: float

    @property
    def right(self) -> int:
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        return self.height - _BOTTOM

    def x(self, time_ns: NDArray[np.int64] | int) -> NDArray[np.float64]:
        share = (np.asarray(time_ns, np.int64) - self.start_ns) / (self.end_ns - self.start_ns)
        return np.asarray(_LEFT + np.clip(share, 0.0, 1.0) * (self.right - _LEFT))

    def y(self, value: NDArray[np.float64] | float) -> NDArray[np.float64]:
        share = (np.asarray(value) - self.low) / (self.high - self.low)
        return np.asarray(self.bottom - share * (self.bottom - _TOP))


def draw(plot: Plot, *, width: int, height: int) -> str:
    """The plot as an SVG element of this size; spikes survive however many samples there are."""
    inside = (plot.time_ns >= plot.start_ns) & (plot.time_ns <= plot.end_ns)
    time_ns, values = plot.time_ns[inside], plot.values[inside]
    low, high = _value_range(values, plot.threshold)
    frame = _Frame(width=width, height=height, start_ns=plot.start_ns, end_ns=plot.end_ns, low=low, high=high)
    unit = formats.unit(plot.unit)
    heading = Text(en=f"{plot.name.en}{f', {unit}' if unit else ''}", zh=f"{plot.name.zh}{f'，{unit}' if unit else ''}")
    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(heading.en)} · {escape(heading.zh)}">',
        _window(plot, frame),
        _value_axis(frame),
        _time_axis(frame),
        svg_text(0, 14, heading, "name"),
        f'<path class="line" d="{_path(time_ns, values, frame, stepped=plot.stepped)}"/>',
        _threshold(plot, frame),
        "</svg>",
    ]
    return "".join(parts)


def view_range(series: Series, window: tuple[int, int]) -> tuple[int, int]:
    """What part of a recording to show around an alert: all of a short one, else the window with context on both sides."""
    first, last = int(series[0][0]), int(series[0][-1])
    start, end = max(first, window[0]), min(last, max(window))
    margin = max(300 * _SECOND, (end - start) * 3 // 2)
    shown = (first, last) if last - first <= 6 * margin else (max(first, start - margin), min(last, end + margin))
    return shown if shown[1] > shown[0] else (shown[0] - _SECOND, shown[0] + _SECOND)


def decimate(time_ns: NDArray[np.int64], values: NDArray[np.float64], columns: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Which samples to draw in so many pixel columns: first, lowest, highest and last of each; and the run that each belongs to.

    A new run begins after NaN, or where samples pause for much longer than they usually do.
    """
    kept = np.flatnonzero(np.isfinite(values))
    if len(kept) == 0:
        return kept, np.empty(0, np.int64)
    time_ns, values = time_ns[kept], values[kept]
    steps = np.diff(time_ns)
    pause_ns = max(5 * _SECOND, 20 * int(np.median(steps))) if len(steps) else 0
    run = np.concatenate(([0], np.cumsum((steps > pause_ns) | (np.diff(kept) > 1))))
    span = max(1, int(time_ns[-1] - time_ns[0]))
    cell = run * columns + np.minimum(((time_ns - time_ns[0]) / span * columns).astype(np.int64), columns - 1)
    by_value = np.lexsort((values, cell))
    edge = np.concatenate(([True], np.diff(cell) != 0))
    first, last = np.flatnonzero(edge), np.flatnonzero(np.concatenate((edge[1:], [True])))
    chosen = np.unique(np.concatenate((first, last, by_value[first], by_value[last])))
    return kept[chosen], run[chosen]


def _path(time_ns: NDArray[np.int64], values: NDArray[np.float64], frame: _Frame, *, stepped: bool) -> str:
    """Path commands relative to the point before (they are shorter), from positions rounded to tenths, so that no error adds up."""
    chosen, run = decimate(time_ns, values, frame.right - _LEFT)
    xs = np.rint(frame.x(time_ns[chosen]) * 10).astype(np.int64).tolist()
    ys = np.rint(frame.y(values[chosen]) * 10).astype(np.int64).tolist()
    commands: list[str] = []
    for number, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if number == 0 or run[number] != run[number - 1]:
            commands.append(f"M{x / 10:g} {y / 10:g}h0")  # a zero-length line: a lone sample shows as a dot
        else:
            dx, dy = (x - xs[number - 1]) / 10, (y - ys[number - 1]) / 10
            commands.append(f"h{dx:g}v{dy:g}" if stepped else f"l{dx:g} {dy:g}")
    return "".join(commands).replace(" -", "-")


def _value_range(values: NDArray[np.float64], threshold: float | None) -> tuple[float, float]:
    shown = [*values[np.isfinite(values)].tolist(), *([threshold] if threshold is not None and math.isfinite(threshold) else [])]
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - max(0.5, abs(low) * 0.05), high + max(0.5, abs(high) * 0.05)
    margin = 0.08 * (high - low)
    return low - margin, high + margin


def _window(plot: Plot, frame: _Frame) -> str:
    if plot.window is None:
        return ""
    left, right = (float(frame.x(edge)) for edge in plot.window)
    width = max(2.0, right - left)
    label = svg_text(left + 5, frame.bottom - 7, LABELS["alert_window"], "window-name") if width > 40 else ""
    return f'<rect class="window" x="{left:.1f}" y="{_TOP}" width="{width:.1f}" height="{frame.bottom - _TOP}"/>{label}'


def _threshold(plot: Plot, frame: _Frame) -> str:
    if plot.threshold is None or not math.isfinite(plot.threshold):
        return ""
    y = float(frame.y(plot.threshold))
    label = escape(f"{formats.comparison(plot.comparison)} {formats.quantity(plot.threshold, plot.unit)}".strip())
    above = y - 5 if y > _TOP + 18 else y + 14
    return (
        f'<path class="threshold" d="M{_LEFT} {y:.1f}H{frame.right}"/>'
        f'<text class="threshold-name" x="{_LEFT + 6}" y="{above:.1f}">{label}</text>'
    )


def _value_axis(frame: _Frame) -> str:
    parts = []
    ticks = value_ticks(frame.low, frame.high, (frame.bottom - _TOP) // 32)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        y = float(frame.y(tick))
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{frame.right}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return "".join(parts)


def value_ticks(low: float, high: float, count: int) -> list[float]:
    """Round figures between two values, about so many."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * factor for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / rough)))
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(n * step, digits) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def tick_labels(ticks: list[float]) -> list[str]:
    """The figures with as many decimals as tell neighbours apart."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    if step < 1e-4 or max(map(abs, ticks), default=0.0) >= 1e7:
        return [f"{tick:.6g}".replace("-", "−") for tick in ticks]
    decimals = max(0, -math.floor(math.log10(step * 1.001)))
    return [f"{tick:,.{decimals}f}".replace("-", "−") for tick in ticks]


def _time_axis(frame: _Frame) -> str:
    span_s = (frame.end_ns - frame.start_ns) / _SECOND
    room = max(2, (frame.right - _LEFT) // 96)
    step_s = next((step for step in _TIME_STEPS_S if span_s / step <= room), span_s)
    step, decimals = max(1, int(step_s * _SECOND)), max(0, -math.floor(math.log10(step_s))) if step_s < 1 else 0
    parts = [f'<path class="axis" d="M{_LEFT} {frame.bottom}H{frame.right}"/>']
    for tick in range(-(-frame.start_ns // step) * step, frame.end_ns + 1, step):
        x = float(frame.x(tick))
        parts.append(f'<path class="axis" d="M{x:.1f} {frame.bottom}v4"/>')
        if _LEFT + 18 < x < frame.right - 18:
            parts.append(
                f'<text class="tick" x="{x:.1f}" y="{frame.bottom + 17}" text-anchor="middle">{formats.clock(tick, decimals)}</text>'
            )
    basis = f"{formats.day(frame.start_ns)} UTC" if formats.is_dated(frame.start_ns) else ""
    label = Text(en=basis, zh=basis) if basis else LABELS["elapsed_axis"]
    return "".join(parts) + svg_text(frame.right, 14, label, "tick", anchor="end")
