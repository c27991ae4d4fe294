"""The replay report: one self-contained HTML page."""

from web.report.model import DriveSummary, ReplayReport
from web.report.page import render_report
from web.report.view import IncidentView, arrange

__all__ = ["DriveSummary", "IncidentView", "ReplayReport", "arrange", "render_report"]
