"""Texts as markup, and the template environment that the report and the live pages share."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from domain.findings import Text
from domain.vss import catalogue
from web.report import formats, words


def both(text: Text) -> Markup:
    """The text in both languages, of which the style sheet shows one."""
    if text.en == text.zh:
        return escape(text.en)
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-Hans">{}</span>').format(text.en, text.zh)


def label(key: str) -> Markup:
    """A word of the page itself."""
    return both(words.LABELS[key])


def signal_name(path: str) -> Text:
    """A VSS path by its name, anything else as it is."""
    known = catalogue().get(path)
    return known.name if known else Text(en=path, zh=path)


def breakable(name: str) -> Markup:
    """A technical name that may be wrapped after its separators."""
    return Markup("<wbr>").join(re.split(r"(?<=[_./-])(?=[^_./-])", name))


@cache
def environment() -> Environment:
    """Templates of this package by their path in it (`report/incident.html.j2`), everything escaped."""
    made = Environment(
        autoescape=True,
        loader=PackageLoader("web", package_path=""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "both": both,
        "breakable": breakable,
        "comparison": formats.comparison,
        "count": lambda value: f"{value:,}",
        "duration": lambda seconds: both(formats.duration(seconds)),
        "markup": Markup,
        "note": lambda text: both(words.note(text)),
        "number": formats.number,
        "signal": lambda path: both(signal_name(path)),
        "time": formats.time,
        "unit": formats.unit,
    }
    made.globals |= {
        "label": label,
        "quantity": formats.quantity,
        "span": formats.span,
        "word": lambda table, key: both(words.word(table, key)),
        "words": words,
    }
    return made
