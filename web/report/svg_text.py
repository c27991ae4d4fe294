"""Words in drawings, in both languages."""

from __future__ import annotations

from html import escape

from domain.findings import Text


def svg_text(x: float, y: float, text: Text, style: str, *, anchor: str = "start") -> str:
    """The text in both languages, of which the page shows one."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    if text.en == text.zh:
        return f'<text class="{style}" {place}>{escape(text.en)}</text>'
    return "".join(
        f'<text class="{style} {language}" lang="{language}" {place}>{escape(words)}</text>'
        for language, words in (("en", text.en), ("zh", text.zh))
    )
