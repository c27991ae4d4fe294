"""The part of a receiver that does not depend on the MQTT client behind it: its thread, reconnection, back-pressure and state."""

from __future__ import annotations

import contextlib
import logging
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from domain.errors import InputError
from domain.messages import RawMessage
from ingest.mqtt.inbox import Inbox, Publish
from ingest.mqtt.settings import MqttSettings

_LOG = logging.getLogger(__name__)
_TICK_S = 0.5
_FLUSH_S = 1.0


class LinkError(Exception):
    """The connection cannot go on; the words name neither user nor password."""


class Link(Protocol):
    """One connection to a broker, driven by the receiver's thread alone; nothing blocks but `open`."""

    @property
    def ready(self) -> bool:
        """The broker has accepted us and the subscription stands."""
        ...

    @property
    def has_output(self) -> bool:
        """Bytes wait for `write`."""
        ...

    def open(self) -> socket.socket:
        """Connect and begin the conversation; OSError where that fails."""

    def read(self) -> list[Publish]:
        """What has come; LinkError or OSError where the connection is over."""

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Queue acknowledgements for `write`."""

    def write(self) -> None:
        """Send what the socket takes."""

    def keep_alive(self, *, reading: bool) -> None:
        """Ping where due; LinkError where the broker has been silent too long although we were reading."""

    def close(self) -> None:
        """End the conversation, keeping the session."""


class NetworkReceiver:
    """`domain.messages.Receiver` over a `Link`; see `PahoReceiver` and `SocketReceiver`.

    Where the broker refuses us or is away, `connected` is false and `last_error` says why, in words without secrets; attempts go on,
    with waits that double and vary by chance, so that many clients do not return in step. Each reason is logged once until we are in.
    """

    def __init__(self, settings: MqttSettings, new_link: Callable[[], Link], *, clock_ns: Callable[[], int]) -> None:
        self._settings, self._new_link = settings, new_link
        self._waker: socket.socket | None = None
        self._wake_input: socket.socket | None = None
        self._inbox = Inbox(messages=settings.queue_messages, octets=settings.queue_bytes, clock_ns=clock_ns, on_room=self._wake)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._connected = False
        self._told: set[str] = set()
        self.last_error = ""

    def start(self) -> None:
        """Connect (and go on trying, with back-off) and subscribe."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._waker, self._wake_input = _socket_pair()
        self._inbox.open()
        self._thread = threading.Thread(target=self._run, name=f"mqtt {self._settings.client_id}", daemon=True)
        self._thread.start()

    def take(self, limit: int, timeout_s: float) -> list[RawMessage]:
        """Up to `limit` messages in order of arrival; waits at most `timeout_s` for the first."""
        return self._inbox.take(limit, timeout_s)

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """Let the broker forget these; tokens of an earlier connection are ignored."""
        self._inbox.acknowledge(tokens)
        self._wake()

    def stop(self) -> None:
        """Send the last acknowledgements and disconnect, keeping the session at the broker."""
        self._stopping.set()
        self._inbox.close()
        self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for end in (self._waker, self._wake_input):
            if end is not None:
                end.close()
        self._waker = self._wake_input = None

    @property
    def connected(self) -> bool:
        """The broker has accepted us and the subscription stands."""
        return self._connected

    @property
    def queued(self) -> int:
        """Messages received and not yet taken."""
        return len(self._inbox)

    def _wake(self) -> None:
        wake_input = self._wake_input
        if wake_input is not None:
            with contextlib.suppress(OSError):  # full: it is awake or about to be; closed: it has stopped
                wake_input.send(b"\0")

    def _run(self) -> None:
        """The thread: connection after connection until stopped."""
        backoff = Backoff(self._settings.first_backoff_s, self._settings.longest_backoff_s)
        while not self._stopping.is_set():
            try:
                self._serve_one(backoff)
            except (LinkError, OSError, InputError) as error:
                self._report(_words(error))
            finally:
                self._connected = False
                self._inbox.connection_lost()
            self._stopping.wait(0 if self._stopping.is_set() else backoff.next_s())

    def _serve_one(self, backoff: Backoff) -> None:
        """One connection, from its opening to its loss or our stop."""
        link, waker = self._new_link(), self._waker
        if waker is None:
            return
        selector = selectors.DefaultSelector()
        try:
            line = link.open()
            selector.register(waker, selectors.EVENT_READ)
            deadline = time.monotonic() + self._settings.connect_timeout_s
            while not self._stopping.is_set():
                self._step(link, line, waker, selector)
                if link.ready and not self._connected:
                    self._connected, self.last_error = True, ""
                    backoff.reset()
                    self._told.clear()
                    _LOG.info("receiving from %s", self._settings.place)
                if not link.ready and time.monotonic() > deadline:
                    raise LinkError("the broker does not answer")
            self._flush(link)
        finally:
            selector.close()
            link.close()

    def _step(self, link: Link, line: socket.socket, waker: socket.socket, selector: selectors.BaseSelector) -> None:
        """Wait for something to do and do it once."""
        link.acknowledge(self._inbox.packets_to_acknowledge())
        reading = self._inbox.has_room
        decrypted = getattr(line, "pending", lambda: 0)() if reading else 0
        events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if link.has_output else 0)
        if events:
            selector.register(line, events)
        ready = {key.fileobj: mask for key, mask in selector.select(0 if decrypted else _TICK_S)}
        if events:
            selector.unregister(line)
        if waker in ready:
            waker.recv(4096)
        if ready.get(line, 0) & selectors.EVENT_WRITE:
            link.write()
        if decrypted or ready.get(line, 0) & selectors.EVENT_READ:
            self._inbox.put(link.read())
        link.keep_alive(reading=reading)

    def _flush(self, link: Link) -> None:
        """Send the last acknowledgements, for a second at most."""
        link.acknowledge(self._inbox.packets_to_acknowledge())
        deadline = time.monotonic() + _FLUSH_S
        while link.ready and link.has_output and time.monotonic() < deadline:
            link.write()
            time.sleep(0.001)

    def _report(self, words: str) -> None:
        self.last_error = words
        if words not in self._told:
            self._told.add(words)
            _LOG.warning("not receiving from %s: %s; trying again", self._settings.place, words)


class Backoff:
    """Waits that double from attempt to attempt, each shortened by up to a half by chance."""

    def __init__(self, first_s: float, longest_s: float, chance: Callable[[], float] = random.random) -> None:
        self._first_s, self._longest_s, self._chance = first_s, longest_s, chance
        self._next_s = first_s

    def next_s(self) -> float:
        """How long to wait now."""
        wait = self._next_s
        self._next_s = min(2 * wait, self._longest_s)
        return wait * (1 - self._chance() / 2)

    def reset(self) -> None:
        """Begin again: an attempt has succeeded."""
        self._next_s = self._first_s


def _words(error: Exception) -> str:
    """Why, in one line."""
    if isinstance(error, TimeoutError):
        return "the broker does not answer"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).replace("\n", " ")


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    first, second = socket.socketpair()
    first.setblocking(False)
    second.setblocking(False)
    return first, second
