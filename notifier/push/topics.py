"""MQTT topics on which alerts and orders go out, below a prefix (`pitcall/v1`): `alerts/{severity}/{vehicle}`, `orders/{priority}/{vehicle}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOPICS: Mapping[str, tuple[str, str]] = {"alert": ("alerts", "severity"), "order": ("orders", "priority")}
"""First word of an event type -> (first level, member of the data that is the second level)."""
_NOT_IN_A_LEVEL = frozenset("/+#\x00")


def topic_of(event_type: str, data: Mapping[str, Any], prefix: str) -> str:
    """The topic of an event. Four levels and more below the root, so no subscription to vehicles' topics (`{prefix}/+/+`) takes it.

    Raises:
        ValueError: there is no topic for such an event, or a word of it cannot be a level.
    """
    first, member = TOPICS.get(event_type.partition(".")[0], ("", ""))
    vehicle = data.get("vehicle")
    words = [str(data.get(member, "")), str(vehicle.get("id", "") if isinstance(vehicle, Mapping) else vehicle or "")]
    if not first or any(not word or _NOT_IN_A_LEVEL & set(word) for word in words):
        raise ValueError(f"there is no topic for {event_type!r}")
    return "/".join((prefix, first, *words))
