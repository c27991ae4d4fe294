"""Topics of our own: `pitcall/v1/{vin}/{kind}`. VINs go no further than this module's callers: they are mapped at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_PREFIX = "pitcall/v1"
_LONGEST_VIN = 64


class Kind(StrEnum):
    """The last level of a topic. Signals and trouble codes as devices decode them themselves have their place but no reader yet."""

    CAN = "can"
    STATUS = "status"
    SIGNALS = "signals"
    DTC = "dtc"


@dataclass(frozen=True, slots=True)
class TopicName:
    """A topic of ours, taken apart. `kind` is as sent; it need not be a `Kind`."""

    vin: str
    kind: str


def read_topic(topic: str, prefix: str = DEFAULT_PREFIX) -> TopicName | None:
    """The vehicle and kind of a topic, None where it is not ours."""
    if not topic.startswith(prefix) or topic[len(prefix) : len(prefix) + 1] != "/":
        return None
    vin, slash, kind = topic[len(prefix) + 1 :].partition("/")
    if not slash or not vin or not kind or "/" in kind or len(vin) > _LONGEST_VIN or not vin.isprintable():
        return None
    return TopicName(vin, kind)


def anonymous(topic: str, prefix: str = DEFAULT_PREFIX) -> str:
    """The topic with every level that might name a vehicle as `+`: fit for dead letters and logs."""
    known = {*prefix.split("/"), *Kind}
    return "/".join(level if level in known else "+" for level in topic.split("/", 8)[:8])
