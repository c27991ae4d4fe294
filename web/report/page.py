"""Renders the report."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from jinja2 import BaseLoader, Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from domain.findings import Text
from domain.vss import catalogue
from web.report import formats, words
from web.report.model import DriveSummary, ReplayReport
from web.report.view import arrange


def render_report(report: ReplayReport) -> str:
    """The report as one HTML page that needs nothing else: styles, scripts and plots are in it, and it asks no server for anything.

    English and Chinese are both in the page, as are light and dark; it opens in the reader's.
    """
    return _template().render(view=arrange(report))


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


def days(drives: tuple[DriveSummary, ...]) -> str:
    """The day of the drives, or their first and last; "" where they are undated."""
    said = sorted({formats.day(time_ns) for drive in drives for time_ns in (drive.start_ns, drive.end_ns)} - {""})
    return " – ".join(dict.fromkeys((said[0], said[-1]))) if said else ""


def breakable(name: str) -> Markup:
    """A technical name that may be wrapped after its separators."""
    return Markup("<wbr>").join(re.split(r"(?<=[_./-])(?=[^_./-])", name))


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, loader=BaseLoader(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "both": both,
        "breakable": breakable,
        "comparison": formats.comparison,
        "count": lambda value: f"{value:,}",
        "duration": lambda seconds: both(formats.duration(seconds)),
        "markup": Markup,
        "number": formats.number,
        "signal": lambda path: both(signal_name(path)),
        "time": formats.time,
        "unit": formats.unit,
    }
    environment.globals |= {
        "days": days,
        "label": label,
        "quantity": formats.quantity,
        "span": formats.span,
        "script": Markup(_resource("report.js")),  # noqa: S704 - a file of ours
        "style": Markup(_resource("report.css")),  # noqa: S704 - a file of ours
        "word": lambda table, key: both(words.word(table, key)),
        "words": words,
    }
    return environment.from_string(_resource("report.html.j2"))


def _resource(name: str) -> str:
    return files("web").joinpath("report", name).read_text(encoding="utf-8")
