"""The contract of a wire format: what a device publishes -> rows that pass the line like CAN frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ingest.wire.names import NameTable
from ingest.wire.rows import Rows

T = TypeVar("T")

SECOND_NS = 1_000_000_000
_TOLERANCE_NS = 5 * SECOND_NS


@dataclass(slots=True)
class DeviceClock:
    """Carried per device: turns a counter that wraps (`ts` modulo a minute) into event time with the help of arrival.

    The first stamp is anchored at its arrival. Later ones keep the device's own distances as long as they agree with their arrival
    to five seconds; where they do not (a restart, a long gap, drift) the clock is anchored anew. It never goes back.
    """

    stamp_ns: int = 0
    time_ns: int = -1

    def unwrap(self, stamp_ns: int, wrap_ns: int, received_ns: int) -> int:
        """Event time of a stamp in [0, wrap_ns)."""
        passed = (stamp_ns - self.stamp_ns) % wrap_ns
        turns = (received_ns - self.time_ns - passed + wrap_ns // 2) // wrap_ns
        time_ns = self.time_ns + passed + max(0, turns) * wrap_ns
        if self.time_ns < 0 or abs(time_ns - received_ns) > _TOLERANCE_NS:
            time_ns = max(received_ns, self.time_ns)
        self.stamp_ns, self.time_ns = stamp_ns, time_ns
        return time_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage:
    """One publish as a format sees it.

    Attributes:
        fields: what the topic pattern's places stood for (`{metric#}`), without vehicle and device.
        payload: as received, at most 8 MiB. received_ns: arrival, wall time.
        names: the device's names -> VSS paths, shipped and the user's. clock: carried per device.
        signals: signal number -> name, for formats that send numbers (FleetWise); the numbers mean nothing without it.
        only: on a replay of a dead letter the places (`items`) that could not be used then; None for all.
    """

    fields: Mapping[str, str]
    payload: bytes
    received_ns: int
    names: NameTable
    clock: DeviceClock = field(default_factory=DeviceClock)
    signals: Mapping[int, str] = field(default_factory=dict)
    only: frozenset[int] | None = None

    def items(self, things: Iterable[T], start: int = 0) -> Iterator[tuple[int, T]]:
        """(place, thing) of the things to read. Places of one message must be distinct: a second list begins at `start`."""
        for place, thing in enumerate(things, start):
            if self.only is None or place in self.only:
                yield place, thing


class WireFormat(Protocol):
    """One format.

    Attributes:
        name: word in the settings, and the bus name of its values and reports.
        topic: the pattern that its devices use by default.
        has_own_time: its messages say when they were made; where they do not, a retained message is of unknown age and not used.
    """

    name: str
    topic: str
    has_own_time: bool

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Put what the message says into `rows`; pure but for `message.clock`.

        Each item is read under `rows.item(place)`, which keeps a bad one as refused and lets the others pass.

        Raises:
            RefusedMessageError: the message as a whole cannot be used. ValueError, LookupError, TypeError, ArithmeticError: the same.
        """
