"""Recordings -> frame batches. A new format is one file beside `candump.py` and one line in `open_log.FORMATS`."""

from ingest.logs.clock import ClockState, continuous_time
from ingest.logs.log_file import LogFile
from ingest.logs.open_log import open_log

__all__ = ["ClockState", "LogFile", "continuous_time", "open_log"]
