"""Topic patterns of the settings: `wican/{device}/can/rx`, `ovms/{user}/{device}/metric/{metric#}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLACE = re.compile(r"\{([a-z_]+)(#?)\}")
_LONGEST_FIELD = 256


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """Levels of a topic: a word, `+` (any), `{name}` (any, told to the format), at the end `#` or `{name#}` (all that follow).

    `{vin}` is the vehicle's VIN, `{device}` a device id that is registered with a vehicle; one of them may stand in it.
    """

    levels: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> TopicPattern:
        """The pattern of a settings word.

        Raises:
            ValueError: an empty level, a misplaced wildcard, or a name twice.
        """
        levels = tuple(text.split("/"))
        names: list[str] = []
        for place, level in enumerate(levels):
            found = _PLACE.fullmatch(level)
            if found is not None:
                names.append(found[1])
            many = level == "#" or (found is not None and found[2] == "#")
            if not level or (found is None and level not in ("+", "#") and re.search(r"[{}+#\0]", level)):
                raise ValueError(f"level {level!r} is neither a word, +, # nor {{name}}")
            if many and place != len(levels) - 1:
                raise ValueError("# may stand at the end only")
        if len(set(names)) != len(names):
            raise ValueError("a name stands in it twice")
        if {"vin", "device"} <= set(names):
            raise ValueError("give {vin} or {device}, not both")
        return TopicPattern(levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """Name -> what stands there; None where the topic is another."""
        parts = topic.split("/")
        fields: dict[str, str] = {}
        for place, level in enumerate(self.levels):
            found = _PLACE.fullmatch(level)
            if level == "#" or (found is not None and found[2]):
                rest = "/".join(parts[place:])
                if place >= len(parts) or len(rest) > _LONGEST_FIELD:
                    return None
                if found is not None:
                    fields[found[1]] = rest
                return fields
            if place >= len(parts) or (found is None and level not in ("+", parts[place])):
                return None
            if found is not None:
                if not parts[place] or len(parts[place]) > _LONGEST_FIELD or not parts[place].isprintable():
                    return None
                fields[found[1]] = parts[place]
        return fields if len(parts) == len(self.levels) else None

    @property
    def filter(self) -> str:
        """As an MQTT topic filter; fit for logs and dead letters, since every name is a wildcard there."""
        return "/".join(
            level if (found := _PLACE.fullmatch(level)) is None else "#" if found[2] else "+" for level in self.levels
        )


def subscriptions(prefix: str, patterns: Sequence[str]) -> tuple[str, ...]:
    """Filters for our own topics below `prefix` and for these patterns, without those that another covers.

    Brokers may deliver a message once for each filter that matches it.
    """
    distinct = list(dict.fromkeys([f"{prefix}/+/+", *(TopicPattern.parse(each).filter for each in patterns)]))
    return tuple(one for one in distinct if not any(other != one and _covers(other, one) for other in distinct))


def _covers(wide: str, narrow: str) -> bool:
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    if wide_levels[0] in ("+", "#") and narrow.startswith("$"):
        return False
    for place, level in enumerate(wide_levels):
        if level == "#":
            return True
        if place >= len(narrow_levels) or narrow_levels[place] == "#" or (level != "+" and level != narrow_levels[place]):
            return False
    return len(wide_levels) == len(narrow_levels)
