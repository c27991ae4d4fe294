"""Reports of replays and backtests: self-contained HTML pages."""

from web.report.backtest_page import render_backtest
from web.report.model import DriveSummary, ReplayReport
from web.report.page import render_report
from web.report.view import IncidentView, arrange

__all__ = ["DriveSummary", "IncidentView", "ReplayReport", "arrange", "render_backtest", "render_report"]
