"""The replay report: one self-contained HTML page."""

from web.report.model import DriveSummary, ReplayReport
from web.report.page import render_report

__all__ = ["DriveSummary", "ReplayReport", "render_report"]
