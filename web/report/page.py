"""Renders the report."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Template
from markupsafe import Markup

from web.report import formats
from web.report.markup import environment
from web.report.model import DriveSummary, ReplayReport
from web.report.view import arrange


def render_report(report: ReplayReport) -> str:
    """The report as one HTML page that needs nothing else: styles, scripts and plots are in it, and it asks no server for anything.

    English and Chinese are both in the page, as are light and dark; it opens in the reader's.
    """
    return _template().render(view=arrange(report))


def days(drives: tuple[DriveSummary, ...]) -> str:
    """The day of the drives, or their first and last; "" where they are undated."""
    said = sorted({formats.day(time_ns) for drive in drives for time_ns in (drive.start_ns, drive.end_ns)} - {""})
    return " – ".join(dict.fromkeys((said[0], said[-1]))) if said else ""


def inlined() -> dict[str, Markup]:
    """Style and script of a page that stands alone."""
    parts = {"style": "style.css", "script": "report/report.js"}
    return {name: Markup(files("web").joinpath(file).read_text(encoding="utf-8")) for name, file in parts.items()}  # noqa: S704 - files of ours


@cache
def _template() -> Template:
    return environment().get_template("report/report.html.j2", globals=inlined() | {"days": days})
