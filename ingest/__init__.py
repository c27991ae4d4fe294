"""MQTT messages and log files -> frames -> signals and trouble codes.

For notebooks: `ingest.decode_log(path, dbc=…)` gives a table of signals, `ingest.decode_log_pieces` piece by piece (docs/guides/notebooks.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.notebook import decode_log, decode_log_pieces

__all__ = ["decode_log", "decode_log_pieces"]


def __getattr__(name: str) -> Callable[..., object]:
    """The functions for notebooks, imported when they are asked for: pandas takes a while."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ingest import notebook

    function: Callable[..., object] = getattr(notebook, name)
    return function
