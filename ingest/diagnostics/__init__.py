"""Diagnostic messages to one fault record: OBD-II and UDS over ISO-TP, J1939 diagnostic messages, reports of devices."""

from ingest.diagnostics.as_json import report_lines
from ingest.diagnostics.reader import DiagnosticsReader

__all__ = ["DiagnosticsReader", "report_lines"]
