from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Text
from web.report.plot import Plot, decimate, draw, tick_labels, value_ticks, view_range

SECOND = 1_000_000_000


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=300),
    columns=st.integers(1, 50),
    step=st.integers(1, SECOND),
)
def test_the_extremes_of_every_column_survive(values: list[float], columns: int, step: int) -> None:
    time_ns, array = np.arange(len(values), dtype=np.int64) * step, np.array(values)
    chosen, run = decimate(time_ns, array, columns)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert np.isfinite(array[chosen]).all()
    finite = np.flatnonzero(np.isfinite(array))
    if len(finite) == 0:
        assert len(chosen) == 0
        return
    first, last = time_ns[finite[0]], time_ns[finite[-1]]
    column = [min(columns - 1, int((time_ns[n] - first) / max(1, last - first) * columns)) for n in finite]
    for one in set(column):
        whole = [values[n] for n, c in zip(finite, column, strict=True) if c == one]
        kept = [values[n] for n in chosen if n in set(finite[[k for k, c in enumerate(column) if c == one]])]
        assert (min(kept), max(kept)) == (min(whole), max(whole))
    breaks = np.count_nonzero(np.diff(finite) > 1)
    assert len(chosen) <= 4 * (columns + breaks)
    assert run.tolist() == sorted(run.tolist())


def test_one_spike_in_a_million_samples_is_drawn() -> None:
    values = np.zeros(1_000_000)
    values[654_321] = 400.0
    chosen, _ = decimate(np.arange(1_000_000, dtype=np.int64), values, 800)
    assert 654_321 in chosen
    assert len(chosen) <= 3200


@pytest.mark.parametrize("gap", ["nan", "pause"])
def test_a_gap_breaks_the_line(gap: str) -> None:
    time_ns, values = np.arange(100, dtype=np.int64) * SECOND, np.arange(100.0)
    if gap == "nan":
        values[50] = np.nan
    else:
        time_ns[50:] += 100 * SECOND
    _, run = decimate(time_ns, values, 20)
    assert set(run.tolist()) == {0, 1}
    assert line_of(plot(time_ns, values)).count("M") == 2


def plot(time_ns: np.ndarray, values: np.ndarray, **more: object) -> ET.Element:
    drawn = Plot(
        time_ns=time_ns,
        values=values,
        start_ns=int(time_ns[0]),
        end_ns=int(time_ns[-1]) + 1,
        name=Text(en="Signal <1>", zh="信号"),
        **more,
    )  # type: ignore[arg-type]
    return ET.fromstring(draw(drawn, width=400, height=200))


def line_of(svg: ET.Element) -> str:
    (line,) = [element.get("d") or "" for element in svg if element.get("class") == "line"]
    return line


def points_of(svg: ET.Element) -> list[tuple[float, float]]:
    """The corners of the line, from its absolute and relative path commands."""
    x = y = 0.0
    points = []
    for command, numbers in re.findall(r"([Mlhv])([^Mlhv]*)", line_of(svg)):
        figures = [float(figure) for figure in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)]
        if command == "M":
            x, y = figures
        elif command == "l":
            x, y = x + figures[0], y + figures[1]
        else:
            x, y = (x + figures[0], y) if command == "h" else (x, y + figures[0])
        points.append((x, y))
    return points


def test_no_rounding_adds_up_along_a_long_line() -> None:
    values = np.sin(np.arange(5000) / 97.3) * 40
    points = points_of(plot(np.arange(5000, dtype=np.int64) * SECOND, values))
    low, high = -40 * 1.16, 40 * 1.16
    assert points[-1][0] == pytest.approx(386, abs=0.1)
    assert points[-1][1] == pytest.approx(170 - (values[-1] - low) / (high - low) * 144, abs=0.1)


def test_higher_values_are_drawn_higher_and_later_ones_further_right() -> None:
    points = points_of(plot(np.arange(9, dtype=np.int64) * SECOND, np.arange(9.0)))
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_the_line_and_its_threshold_stay_within_the_frame() -> None:
    svg = plot(
        np.arange(9, dtype=np.int64) * SECOND, np.arange(9.0), threshold=50.0, comparison=">", window=(-10 * SECOND, 99 * SECOND)
    )
    (threshold,) = [
        float(re.findall(r"M56 ([\d.]+)H", element.get("d") or "")[0]) for element in svg if element.get("class") == "threshold"
    ]
    line = [y for _, y in points_of(svg)]
    assert 26 <= threshold < min(line)
    assert max(line) <= 170
    (window,) = [element for element in svg if element.get("class") == "window"]
    assert float(window.get("x") or 0) == 56
    assert float(window.get("width") or 0) == 400 - 56 - 14


def test_a_switch_is_drawn_in_steps() -> None:
    assert re.fullmatch(
        r"M[\d. ]+h0(h[\d.]+v[-\d.]+)+",
        line_of(plot(np.arange(6, dtype=np.int64) * SECOND, np.array([0, 0, 1, 1, 0, 0.0]), stepped=True)),
    )


@pytest.mark.parametrize("values", [[7.0], [0.0, 0.0, 0.0], [1e-12, 2e-12], [-3e8, 3e8], [np.nan, np.nan], [1e15, 1e15 + 1]])
def test_odd_values_are_drawn_without_trouble(values: list[float]) -> None:
    svg = plot(np.arange(len(values), dtype=np.int64) * SECOND, np.array(values))
    assert "nan" not in ET.tostring(svg, encoding="unicode").lower()


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6), count=st.integers(2, 8))
def test_ticks_are_round_even_and_within_the_range(low: float, width: float, count: int) -> None:
    ticks = value_ticks(low, low + width, count)
    assert 1 <= len(ticks) <= 2 * count + 1
    assert all(low - 1e-6 * width <= tick <= low + width * 1.000001 for tick in ticks)
    steps = np.diff(ticks)
    if len(steps):
        assert np.allclose(steps, steps[0], rtol=1e-6)
        mantissa = steps[0] / 10.0 ** np.floor(np.log10(steps[0] * 1.0000001))
        assert min(abs(mantissa - np.array([1, 2, 5, 10]))) < 1e-3


@given(low=st.floats(-1e6, 1e6), width=st.floats(0.1, 1e6), count=st.integers(2, 8))
def test_every_tick_has_a_label_of_its_own(low: float, width: float, count: int) -> None:
    labels = tick_labels(value_ticks(low, low + width, count))
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([-0.5, 0.0, 0.5], ["−0.5", "0.0", "0.5"]),
        ([1000.0, 1000.2], ["1,000.0", "1,000.2"]),
        ([0.0, 500.0], ["0", "500"]),
        ([4e7, 6e7], ["4e+07", "6e+07"]),
    ],
)
def test_tick_labels_have_the_decimals_of_their_step(ticks: list[float], labels: list[str]) -> None:
    assert tick_labels(ticks) == labels


def test_a_short_recording_is_shown_whole_and_a_long_one_around_its_alert() -> None:
    def shown(length_s: int, window_s: tuple[int, int]) -> tuple[int, int]:
        times = np.arange(0, length_s + 1, dtype=np.int64) * SECOND
        start, end = view_range((times, np.zeros(len(times))), (window_s[0] * SECOND, window_s[1] * SECOND))
        return start // SECOND, end // SECOND

    assert shown(1500, (700, 710)) == (0, 1500)
    assert shown(36_000, (18_000, 18_010)) == (17_700, 18_310)
    assert shown(36_000, (18_000, 20_000)) == (15_000, 23_000)
    assert shown(36_000, (10, 20)) == (0, 320)
    assert shown(0, (0, 0)) == (-1, 1)
