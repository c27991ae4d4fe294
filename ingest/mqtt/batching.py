"""From raw messages of many vehicles to one batch: nothing here fails, what cannot be used becomes a dead letter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.frames import FrameBatch, empty_frames
from domain.messages import RawMessage
from domain.records import DeadLetter
from ingest.mqtt.frame_columns import FrameColumns, Reason, RefusedMessageError
from ingest.mqtt.json_frames import binary_of_json, read_json
from ingest.mqtt.payloads import MAGIC
from ingest.mqtt.topics import DEFAULT_PREFIX, Kind, anonymous, read_topic
from ingest.wire.envelope import KEPT_BYTES, ReadMessage
from ingest.wire.joining import RowJoin, merge_in_order
from ingest.wire.sources import MAX_MESSAGE_BYTES, FoundSource, Sources, own_sources

_LONGEST_STATUS = 64 * 1024


class StatusEvent(NamedTuple):
    """A vehicle says (or the broker says for it, by its last will) that it is on or off the line."""

    vehicle: str
    online: bool
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessages:
    """What a batch of messages said.

    Attributes:
        frames: frames of all vehicles in order of arrival. Its message table has one row per usable message (`position` is the token,
            `sequence` -1 where none was given), also for a message that has a sequence number but no frames.
        dead_letters: messages that could not be used, or not wholly. dead_letter_tokens: of those of which nothing could be used, in
            the same order; to be acknowledged when the letters are stored.
        statuses: in order of arrival.
        nothing_tokens: tokens of messages that carried nothing; they can be acknowledged at once.
    """

    frames: FrameBatch
    dead_letters: tuple[DeadLetter, ...] = ()
    dead_letter_tokens: tuple[int, ...] = ()
    statuses: tuple[StatusEvent, ...] = ()
    nothing_tokens: tuple[int, ...] = ()


def parse_messages(
    messages: Sequence[RawMessage],
    *,
    pseudonym_of: Callable[[str], str],
    topic_prefix: str = DEFAULT_PREFIX,
    sources: Sources | None = None,
) -> ParsedMessages:
    """What these messages say, in their order; `pseudonym_of` gives a VIN's pseudonym and is the last to see the VIN.

    `sources` reads what is none of our own frame messages; it carries the devices' clocks from call to call.
    """
    reader = _Reader(
        pseudonym_of,
        topic_prefix,
        sources if sources is not None else Sources(own_sources(topic_prefix), pseudonym_of=pseudonym_of),
    )
    refused: dict[int, RefusedMessageError] = {}
    while True:
        rows = reader.read(messages, refused)
        if not len(reader.columns):
            frames = empty_frames()
            break
        joined = reader.columns.join()
        wrong = joined.refused()
        if not wrong:
            frames = joined.batch()
            break
        # rare, and so simple rather than quick: begin again without the messages that hold a bad frame
        refused |= {rows[row]: error for row, error in wrong.items()}
    foreign, partly = reader.foreign_frames(frames.buses)
    letters = {place: reader.letter(messages[place], error) for place, error in refused.items()} | reader.foreign_letters
    places = sorted(letters)
    return ParsedMessages(
        frames=merge_in_order(frames, foreign),
        dead_letters=tuple(letters[place] for place in places),
        dead_letter_tokens=tuple(messages[place].token for place in places if place not in partly),
        statuses=tuple(reader.statuses),
        nothing_tokens=tuple(reader.nothing),
    )


class _Reader:
    """One pass over the messages."""

    def __init__(self, pseudonym_of: Callable[[str], str], prefix: str, sources: Sources) -> None:
        self._pseudonym_of, self._prefix, self._sources = pseudonym_of, prefix, sources
        self._topics: dict[str, tuple[str, str] | None] = {}
        self._found: dict[str, FoundSource | None] = {}
        self._foreign: dict[int, ReadMessage] = {}
        self.foreign_letters: dict[int, DeadLetter] = {}
        self.columns = FrameColumns()
        self.statuses: list[StatusEvent] = []
        self.nothing: list[int] = []

    def read(self, messages: Sequence[RawMessage], refused: dict[int, RefusedMessageError]) -> list[int]:
        """Fill columns, statuses, nothing and `refused` from the messages not yet refused; gives each row's place in `messages`."""
        self.columns, self.statuses, self.nothing = FrameColumns(), [], []
        rows: list[int] = []
        for place, message in enumerate(messages):
            if place in refused:
                continue
            try:
                if self._reads_foreign(place, message):
                    continue
                vehicle, kind = self._topic(message.topic)
                if kind == Kind.CAN:
                    if self._frames(vehicle, message):
                        rows.append(place)
                    else:
                        self.nothing.append(message.token)
                else:
                    self.statuses.append(StatusEvent(vehicle, _online(message.payload), message.token))
            except RefusedMessageError as error:
                refused[place] = error
        return rows

    def _reads_foreign(self, place: int, message: RawMessage) -> bool:
        """Whether a source reads this message. It is read once, however often the frame messages are."""
        if place in self._foreign:
            if self._foreign[place].is_nothing:
                self.nothing.append(message.token)
            return True
        topic = message.topic
        if topic not in self._found:
            name = read_topic(topic, self._prefix)
            own = name is not None and name.kind in (Kind.CAN, Kind.STATUS)
            self._found[topic] = None if own else self._sources.find(topic)
        found = self._found[topic]
        if found is None:
            return False
        self._foreign[place] = read = self._sources.read(message, *found)
        if read.is_nothing:
            self.nothing.append(message.token)
        return True

    def foreign_frames(self, buses: Sequence[str]) -> tuple[FrameBatch, set[int]]:
        """Rows of the foreign messages, their letters put into `foreign_letters`; the places that have a letter and rows too."""
        join, partly = RowJoin(buses), set()
        for place, read in sorted(self._foreign.items()):
            if read.letter is not None:
                self.foreign_letters[place] = read.letter
            if read.rows is None:
                continue
            try:
                join.add(read.rows)
            except RefusedMessageError as error:
                self.foreign_letters[place] = read.refused(error)
            else:
                partly.update([place] if read.letter is not None else [])
        return join.batch(), partly

    def _topic(self, topic: str) -> tuple[str, str]:
        """(pseudonym, kind) of a topic that we can read."""
        if topic not in self._topics:
            name = read_topic(topic, self._prefix)
            self._topics[topic] = None if name is None else (self._pseudonym_of(name.vin), name.kind)
        found = self._topics[topic]
        if found is None:
            raise RefusedMessageError(Reason.FOREIGN_TOPIC, f"not {self._prefix}/VIN/KIND")
        if found[1] not in (Kind.CAN, Kind.STATUS):
            raise RefusedMessageError(Reason.UNSUPPORTED_KIND, f"only {', '.join(Kind)} can be read")
        return found

    def _frames(self, vehicle: str, message: RawMessage) -> bool:
        payload = message.payload
        if len(payload) > MAX_MESSAGE_BYTES:
            raise RefusedMessageError(Reason.OVERSIZED, f"{len(payload)} bytes")
        if payload[:4] != MAGIC:
            if payload.lstrip()[:1] != b"{":
                raise RefusedMessageError(Reason.UNKNOWN_PAYLOAD, "neither a binary frame batch nor a JSON object")
            payload = binary_of_json(payload)
        return self.columns.add(vehicle, message, payload)

    def letter(self, message: RawMessage, error: RefusedMessageError) -> DeadLetter:
        """The record of a refused message; the same message gives the same id."""
        topic = self._topics.get(message.topic)
        origin, vehicle = anonymous(message.topic, self._prefix), topic[0] if topic else ""
        identity = hashlib.sha256(f"{origin}\0{vehicle}\0".encode() + message.payload).hexdigest()[:32]
        cut = f"; the first {KEPT_BYTES} bytes of {len(message.payload)} are kept" if len(message.payload) > KEPT_BYTES else ""
        return DeadLetter(
            id=identity,
            origin=origin,
            position=0,
            reason=error.reason,
            detail=error.detail + cut,
            content=message.payload[:KEPT_BYTES],
            vehicle=vehicle,
        )


def _online(payload: bytes) -> bool:
    """What a status message says."""
    document = read_json(payload) if len(payload) <= _LONGEST_STATUS else None
    status = document.get("status") if isinstance(document, dict) else None
    if status not in ("online", "offline"):
        raise RefusedMessageError(Reason.BAD_STATUS, 'not {"status": "online"} or {"status": "offline"}')
    return bool(status == "online")
