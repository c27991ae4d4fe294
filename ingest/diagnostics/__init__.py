"""Diagnostic messages to trouble codes: OBD-II services 02, 03, 07 and 0A on CAN, and J1939 DM1."""

from ingest.diagnostics.as_json import report_lines
from ingest.diagnostics.reader import DiagnosticsReader

__all__ = ["DiagnosticsReader", "report_lines"]
