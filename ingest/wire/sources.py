"""Where foreign messages come from: topic pattern -> format, names and vehicles; and the reading of one message, come what may."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.messages import RawMessage
from domain.records import DeadLetter
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.wire.envelope import Envelope, ReadMessage
from ingest.wire.joining import MessageRows
from ingest.wire.names import NameTable, shipped_names
from ingest.wire.rows import DATA_ERRORS, Rows, words_of
from ingest.wire.table import FORMATS
from ingest.wire.topic_pattern import TopicPattern
from ingest.wire.wire_format import DeviceClock, WireFormat, WireMessage

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_REGISTER = "register it: column device of the vehicle table"
_CLOCKS = 1 << 17
_REMEMBERED = 1 << 16
_MOST_ODDITIES = 10_000

Resolve = Callable[[str], str | None]
"""Pseudonym of a device id -> the vehicle it is registered with, None where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One `[[sources]]` of the settings.

    Attributes:
        devices: device id -> VIN, as the settings say; the vehicle table knows more. buses: bus name as sent -> name in the profiles.
        trust_vin: where the device is not registered, the VIN that its messages tell is believed.
    """

    format: WireFormat
    pattern: TopicPattern
    names: NameTable
    signals: Mapping[int, str] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    buses: Mapping[str, str] = field(default_factory=dict)
    trust_vin: bool = False

    @property
    def origin(self) -> str:
        """Format and filter: how dead letters name the source, without anything of a vehicle."""
        return f"{self.format.name} {self.pattern.filter}"


def source_of(format_name: str, topic: str = "", **others: Any) -> Source:
    """A source with the format's own topic and names where none are given.

    Raises:
        KeyError: no such format. ValueError: the topic is no pattern.
    """
    known = FORMATS[format_name]
    given = {"names": shipped_names(format_name), **others}
    return Source(format=known, pattern=TopicPattern.parse(topic or known.topic), **given)


def own_sources(prefix: str) -> tuple[Source, ...]:
    """The topics of our own that are no CAN frames."""
    return tuple(source_of(name, f"{prefix}/{{vin}}/{name}") for name in ("signals", "dtc"))


FoundSource = tuple[int, dict[str, str]]
"""(number of the source, fields of the topic)."""


class Sources:
    """Reads foreign messages; carries the devices' clocks and what was received lately (decision 0013).

    Args:
        sources: the first whose pattern matches a topic reads it.
        pseudonym_of: pseudonym of a VIN or a device id; the last to see either.
        vehicle_of_device: asked for what the settings do not name.
    """

    def __init__(
        self, sources: Iterable[Source], *, pseudonym_of: Callable[[str], str], vehicle_of_device: Resolve = lambda _: None
    ) -> None:
        self._sources = tuple(sources)
        self._pseudonym_of, self._resolve = pseudonym_of, vehicle_of_device
        self._named = {pseudonym_of(device): pseudonym_of(vin) for each in self._sources for device, vin in each.devices.items()}
        self._clocks: OrderedDict[tuple[int, str], DeviceClock] = OrderedDict()
        self._received: OrderedDict[bytes, int] = OrderedDict()
        self._oddities: Counter[tuple[str, str, str]] = Counter()

    def take_oddities(self) -> Counter[tuple[str, str, str]]:
        """(format, kind, name) -> count since the last call, of what was passed over or used with a doubt."""
        taken, self._oddities = self._oddities, Counter()
        return taken

    @property
    def filters(self) -> tuple[str, ...]:
        """Topic filters of all sources."""
        return tuple(each.pattern.filter for each in self._sources)

    def find(self, topic: str) -> FoundSource | None:
        """Who reads the topic, None where no source does."""
        for number, source in enumerate(self._sources):
            fields = source.pattern.match(topic)
            if fields is not None:
                return number, fields
        return None

    def read(self, message: RawMessage, number: int, fields: Mapping[str, str]) -> ReadMessage:
        """One message of a source; nothing raises."""
        source = self._sources[number]
        envelope = Envelope(
            origin=source.origin,
            fields={key: value for key, value in fields.items() if key not in ("vin", "device")},
            device=self._pseudonym_of(fields["device"]) if "device" in fields else "",
            vehicle=self._pseudonym_of(fields["vin"]) if "vin" in fields else "",
            payload=message.payload,
            received_ns=message.received_ns,
        )
        if self._again(message):
            self._odd(source.format.name, "repeated_message")
            return ReadMessage(envelope=envelope)
        if message.retained and not source.format.has_own_time:
            self._odd(source.format.name, "retained_message")
            return ReadMessage(envelope=envelope)
        return self._read(number, envelope, message.token, None)

    def read_again(self, letter: DeadLetter) -> ReadMessage | None:
        """The message of a dead letter read once more; None where the letter holds none, or its source is not there any more."""
        number = next((n for n, each in enumerate(self._sources) if each.origin == letter.origin), None)
        kept = Envelope.open(letter)
        return None if number is None or kept is None else self._read(number, kept[0], 0, kept[1])

    def _read(self, number: int, envelope: Envelope, token: int, only: frozenset[int] | None) -> ReadMessage:
        source = self._sources[number]
        rows = Rows(source.format.name, source.buses)
        try:
            vehicle = self._known_vehicle(source, envelope)
            self._fill(number, envelope, only, rows)
            vehicle = vehicle or self._told_vehicle(source, rows)
        except RefusedMessageError as error:
            return ReadMessage(envelope=envelope, letter=envelope.closed(error.reason, error.detail))
        for (kind, name), count in rows.oddities.items():
            self._odd(source.format.name, kind, name, count)
        letter = envelope.of_items(rows.refused, vehicle) if rows.refused else None
        usable = len(rows) > 0 or rows.sequence >= 0
        kept = MessageRows(vehicle, envelope.received_ns, token, rows) if usable else None
        return ReadMessage(envelope=envelope, rows=kept, letter=letter)

    def _fill(self, number: int, envelope: Envelope, only: frozenset[int] | None, rows: Rows) -> None:
        """Let the format read; whatever it says of a payload that is none of its own becomes a refusal."""
        source = self._sources[number]
        wire = WireMessage(
            fields=envelope.fields,
            payload=envelope.payload,
            received_ns=envelope.received_ns,
            names=source.names,
            clock=self._clock(number, envelope.device or envelope.vehicle),
            signals=source.signals,
            only=only,
        )
        try:
            source.format.read(wire, rows)
        except RefusedMessageError:
            raise
        except DATA_ERRORS as error:
            raise RefusedMessageError(Reason.UNKNOWN_PAYLOAD, words_of(error)) from error

    def _known_vehicle(self, source: Source, envelope: Envelope) -> str:
        """The vehicle that the topic tells, "" where only the payload can; looked for before the payload costs anything."""
        if len(envelope.payload) > MAX_MESSAGE_BYTES:
            raise RefusedMessageError(Reason.OVERSIZED, f"{len(envelope.payload)} bytes")
        found = envelope.vehicle or (self._vehicle(envelope.device) if envelope.device else None)
        if envelope.device and not found and not source.trust_vin:
            raise RefusedMessageError(Reason.UNKNOWN_DEVICE, _REGISTER)
        return found or ""

    def _told_vehicle(self, source: Source, rows: Rows) -> str:
        """Identity from the payload, where the topic has none that is known."""
        found = self._vehicle(self._pseudonym_of(rows.device)) if rows.device else None
        if found is None and source.trust_vin and rows.vin:
            found = self._pseudonym_of(rows.vin)
        if found is None:
            raise RefusedMessageError(Reason.UNKNOWN_DEVICE, _REGISTER)
        return found

    def _vehicle(self, device: str) -> str | None:
        return self._named.get(device) or self._resolve(device)

    def _clock(self, source: int, device: str) -> DeviceClock:
        key = (source, device)
        clock = self._clocks.setdefault(key, DeviceClock())
        self._clocks.move_to_end(key)
        if len(self._clocks) > _CLOCKS:
            self._clocks.popitem(last=False)
        return clock

    def _again(self, message: RawMessage) -> bool:
        """A repetition by the broker of what was received lately. Devices do say the same twice: the broker's mark is needed."""
        digest = hashlib.blake2b(message.topic.encode() + b"\0" + message.payload, digest_size=16).digest()
        if message.redelivered and self._received.get(digest, message.token) != message.token:
            return True
        self._received[digest] = message.token
        self._received.move_to_end(digest)
        if len(self._received) > _REMEMBERED:
            self._received.popitem(last=False)
        return False

    def _odd(self, format_name: str, kind: str, name: str = "", count: int = 1) -> None:
        key = (format_name, kind, name)
        if key not in self._oddities and len(self._oddities) >= _MOST_ODDITIES:
            key = (format_name, kind, "")
        self._oddities[key] += count
