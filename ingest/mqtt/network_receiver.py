"""The part of a receiver that does not depend on the MQTT client behind it: its thread, reconnection, back-pressure and state."""

from __future__ import annotations

import contextlib
import logging
import random
import selectors
import socket
import ssl
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
_HANG_UP_S = 0.5


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
    `connections` counts the times we got in.
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
        self.connections = 0

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
            except Exception:  # noqa: BLE001  a thread that died silently would be worse than any error of ours
                self.last_error = "internal error"
                _LOG.exception("not receiving from %s; trying again", self._settings.place)
            finally:
                self._connected = False
                self._inbox.connection_lost()
            self._stopping.wait(0 if self._stopping.is_set() else backoff.next_s())

    def _serve_one(self, backoff: Backoff) -> None:
        """One connection, from its opening to its loss or our stop."""
        link, waker = self._new_link(), self._waker
        if waker is None:
            return
        watch: LineWatch | None = None
        try:
            watch = LineWatch(link.open(), waker)
            deadline = time.monotonic() + self._settings.connect_timeout_s
            while not self._stopping.is_set():
                self._step(link, watch)
                if link.ready and not self._connected:
                    self._connected, self.last_error = True, ""
                    self.connections += 1
                    backoff.reset()
                    self._told.clear()
                    _LOG.info("receiving from %s", self._settings.place)
                if not link.ready and time.monotonic() > deadline:
                    raise LinkError("the broker does not answer")
            self._flush(link)
        finally:
            if watch is not None:
                watch.close()
            link.close()

    def _step(self, link: Link, watch: LineWatch) -> None:
        """Wait for something to do and do it once."""
        link.acknowledge(self._inbox.packets_to_acknowledge())
        reading = self._inbox.has_room
        readable, writable = watch.wait(
            reading=reading, writing=link.has_output, timeout_s=min(_TICK_S, self._settings.keepalive_s / 4)
        )
        if writable:
            link.write()
        if readable:
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


class LineWatch:
    """Waits for a socket or for the waker, whichever is first."""

    def __init__(self, line: socket.socket, waker: socket.socket) -> None:
        self._line, self._waker = line, waker
        self._events = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(waker, selectors.EVENT_READ)

    def wait(self, *, reading: bool, writing: bool, timeout_s: float) -> tuple[bool, bool]:
        """(something can be read, something can be written); TLS may hold bytes that the socket shows no longer."""
        self._watch_for((selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0))
        held = reading and isinstance(self._line, ssl.SSLSocket) and self._line.pending() > 0
        ready = {key.fileobj: events for key, events in self._selector.select(0 if held else timeout_s)}
        if self._waker in ready:
            self._waker.recv(4096)
        events = ready.get(self._line, 0)
        return held or bool(events & selectors.EVENT_READ), bool(events & selectors.EVENT_WRITE)

    def _watch_for(self, events: int) -> None:
        if events == self._events:
            return
        if not events:
            self._selector.unregister(self._line)
        elif self._events:
            self._selector.modify(self._line, events)
        else:
            self._selector.register(self._line, events)
        self._events = events

    def close(self) -> None:
        """Wait for nothing any more; the sockets stay open."""
        self._selector.close()


def hang_up(line: socket.socket) -> None:
    """Close so that the other side still gets what was sent: closing a socket with unread input resets the connection, and the
    broker would lose our last acknowledgements. It has `_HANG_UP_S` to close its end.
    """
    deadline = time.monotonic() + _HANG_UP_S
    try:
        line.shutdown(socket.SHUT_WR)
        while (left_s := deadline - time.monotonic()) > 0:
            line.settimeout(left_s)
            if not line.recv(1 << 16):
                break
    except OSError:
        pass  # it is closed anyway
    finally:
        line.close()


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
