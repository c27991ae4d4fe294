"""Placing many orders at once: the least way and waiting over all of them, by min-cost flow over dealers, days and capacity."""

from notifier.dispatch.flow import place
from notifier.dispatch.problem import NEVER, NOWHERE, Kind, Placement, PlacementProblem

__all__ = ["NEVER", "NOWHERE", "Kind", "Placement", "PlacementProblem", "place"]
