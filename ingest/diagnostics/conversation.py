"""What the diagnostics stage carries of one vehicle: messages and freeze frames under way, names, and what testers asked."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ingest.diagnostics.freeze_frame import FreezeFrameCollector
from ingest.diagnostics.j1939_names import AddressBook
from ingest.transport.payloads import VehicleTransport

ANSWER_WITHIN_NS = 5_000_000_000
"""P2* of ISO 14229-2: an answer belongs to a request of at most this age."""
MAX_REQUESTS = 64
MAX_FORMATS = 256

Asked = tuple[str, int, int]
"""(bus, service, detail): of UDS service 19 the report, of a J1939 clear the parameter group, else -1."""


class Conversation:
    """The state of one vehicle."""

    __slots__ = ("asked", "formats", "freeze", "names", "transport")

    def __init__(self, pgns: frozenset[int]) -> None:
        self.transport = VehicleTransport(pgns)
        self.freeze = FreezeFrameCollector()
        self.names = AddressBook()
        self.formats: dict[tuple[str, int], int] = {}
        """(bus, answering id) -> UDS code format that the ECU told."""
        self.asked: dict[Asked, tuple[int, int]] = {}
        """Request -> (time, its parameter: the status mask or the group of codes)."""

    @property
    def is_idle(self) -> bool:
        """There is nothing to carry."""
        return self.transport.is_idle and not (self.freeze.gatherings or self.names.claims or self.formats or self.asked)

    def ask(self, asked: Asked, time_ns: int, parameter: int) -> None:
        """Note a request."""
        self.asked.pop(asked, None)
        while len(self.asked) >= MAX_REQUESTS:
            del self.asked[min(self.asked, key=lambda key: (self.asked[key][0], key))]
        self.asked[asked] = (time_ns, parameter)

    def answered(self, asked: Asked, time_ns: int) -> int | None:
        """The parameter of the request that an answer at this time belongs to; None where none was heard."""
        since_ns, parameter = self.asked.get(asked, (0, None))
        return parameter if parameter is not None and time_ns - since_ns <= ANSWER_WITHIN_NS else None

    def wait_longer(self, bus: str, service: int, time_ns: int) -> None:
        """An ECU asks for more time: the requests of this service that still wait are as good as new."""
        for asked, (since_ns, parameter) in self.asked.items():
            if asked[:2] == (bus, service) and time_ns - since_ns <= ANSWER_WITHIN_NS:
                self.asked[asked] = (time_ns, parameter)

    def note_format(self, bus: str, can_id: int, code_format: int) -> None:
        """The ECU told the format of its codes; that of SAE J2012 is what is taken without being told."""
        self.formats.pop((bus, can_id), None)
        if code_format:
            while len(self.formats) >= MAX_FORMATS:
                del self.formats[min(self.formats)]
            self.formats[bus, can_id] = code_format

    def expire(self, time_ns: int, anomalies: Counter[str]) -> None:
        """Give up what has been silent for too long, so that a vehicle at rest keeps little state."""
        self.transport.expire(time_ns, anomalies)
        for asked in [key for key, (since_ns, _) in self.asked.items() if time_ns - since_ns > ANSWER_WITHIN_NS]:
            del self.asked[asked]

    def dump(self) -> list[Any]:
        """Plain values for `load`."""
        formats = [[*key, value] for key, value in self.formats.items()]
        asked = [[*key, *value] for key, value in self.asked.items()]
        return [self.transport.dump(), self.freeze.dump(), self.names.dump(), formats, asked]

    def load(self, parts: list[Any]) -> None:
        """Set from what `dump` gave."""
        transport, freeze, names, formats, asked = parts
        self.transport.load(transport)
        self.freeze.load(freeze)
        self.names.load(names)
        self.formats = {(bus, can_id): value for bus, can_id, value in formats}
        self.asked = {(bus, service, detail): (time_ns, value) for bus, service, detail, time_ns, value in asked}
