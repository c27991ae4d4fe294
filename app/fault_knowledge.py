"""The fault knowledge as the settings name it: the shipped one, and what a maker adds in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from app.settings import read_settings
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.graph import load_knowledge


def fault_knowledge(extra: Path | None = None) -> FaultKnowledge:
    """The shipped knowledge with that of `extra`, or else of PITCALL_KNOWLEDGE, for the region PITCALL_REGION."""
    settings = read_settings()
    return load_knowledge(extra=extra or settings.knowledge, region=settings.region)
