"""A bar chart as SVG, written by hand: no drawing library is needed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_BAR, _GAP, _LEFT, _RIGHT, _TOP = 18, 26, 150, 90, 48
_WIDTH = 760
_COLOURS = ("#1f5fa8", "#5b9bd5", "#c55a11", "#7f7f7f", "#a5a5a5")


def bar_chart(title: str, unit: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Horizontal bars: `groups` is name -> contender -> value; every group has its bars below each other."""
    contenders = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    greatest = max((value for bars in groups.values() for value in bars.values()), default=1.0) or 1.0
    parts: list[str] = []
    y = _TOP
    for group, bars in groups.items():
        parts.append(_text(8, y + _BAR * len(bars) / 2 + 4, group, weight="bold"))
        for name, value in bars.items():
            width = (_WIDTH - _LEFT - _RIGHT) * value / greatest
            colour = _COLOURS[contenders.index(name) % len(_COLOURS)]
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{max(width, 1):.1f}" height="{_BAR - 3}" fill="{colour}"/>')
            parts.append(_text(_LEFT + width + 6, y + _BAR - 6, f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"))
            y += _BAR
        y += _GAP
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(8, 20, f"{title} ({unit})", weight="bold"),
        *_legend(contenders),
        *parts,
        "</svg>",
        "",
    ])  # fmt: skip


def _legend(contenders: Sequence[str]) -> list[str]:
    parts: list[str] = []
    x = 8.0
    for number, name in enumerate(contenders):
        parts.append(f'<rect x="{x:.0f}" y="28" width="10" height="10" fill="{_COLOURS[number % len(_COLOURS)]}"/>')
        parts.append(_text(x + 14, 37, name))
        x += 30 + 7 * len(name)
    return parts


def _text(x: float, y: float, words: str, *, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{escape(words)}</text>'
