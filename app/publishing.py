"""Recorded drives to a broker, as their car would have published them."""

from __future__ import annotations

import contextlib
import heapq
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from app.fleet import ManifestRow
from datafiles import read_csv
from domain.errors import InputError, LogFileError, PitcallError
from domain.fleet import pseudonym
from domain.frames import FrameBatch, concat_frames, empty_frames
from domain.ports import Jit, no_jit
from ingest.logs import ClockState, continuous_time, open_log
from ingest.mqtt.payloads import encode_frames
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.topics import Kind
from pipeline.replay import Drive

IN_FLIGHT = 2_000
"""Messages that may wait for their acknowledgement, over all vehicles; reading goes on when some are acknowledged."""
STALLED_AFTER_S = 60.0
OFFLINE = b'{"status":"offline"}'
_FIRST_CONNECTION_S = 10.0


class PublishError(PitcallError):
    """The broker took no more messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published, and acknowledged by the broker. `messages` counts status messages too."""

    drives: int
    frames: int
    messages: int
    elapsed_s: float

    def document(self) -> dict[str, Any]:
        """The `replay --to --json` document."""
        return {
            "drives": self.drives,
            "frames": self.frames,
            "messages": self.messages,
            "elapsed_s": round(self.elapsed_s, 6),
        }


OnPublish = Callable[[int, int], None]
"""Told (frames, messages) handed over so far, after each message."""


def device_vins(key: bytes, *, vin: str | None, manifest: Path | None) -> dict[str, str]:
    """Vehicle id -> VIN of the drives that a command line names. Only the device's side of the broker uses VINs.

    Raises:
        DataFileError: the manifest is not valid.
    """
    vins = [row.vin for _, row in read_csv(manifest, ManifestRow)] if manifest else [vin] if vin else []
    return {pseudonym(key, each): each for each in vins}


def publish_drives(
    drives: Sequence[Drive],
    url: str,
    *,
    vins: Mapping[str, str],
    speed: float | None = None,
    batch_frames: int = 100,
    retime: bool = False,
    on_progress: OnPublish | None = None,
    jit: Jit = no_jit,
) -> Published:
    """Publish the drives at QoS 1 and wait until the broker has acknowledged every message.

    Every vehicle is a client of its own. All start at once; a vehicle's drives follow each other without a pause. A drive's boot
    session is the time of its first frame and its messages count from 0, so that whoever receives them can drop doubles. What was
    not acknowledged when the connection broke is sent again under the same number, as often as needed.

    Args:
        url: mqtt[s]://[user:password@]host[:port]. vins: vehicle id -> VIN, which stands in the topic.
        speed: times as fast as recorded, None = as fast as the broker takes it. batch_frames: frames per message.
        retime: the first frame of each vehicle becomes now; all distances stay as recorded (at a speed above 1 its clock runs
            ahead of ours).

    Raises:
        InputError: no such broker, refused there, or a recording that cannot be read. PublishError: nothing was acknowledged
            for a minute.
    """
    settings = MqttSettings.from_url(url)
    of_vehicle: dict[str, list[Drive]] = {}
    for drive in drives:
        of_vehicle.setdefault(drive.vehicle.id, []).append(drive)
    window = _Window(settings.place)
    began = time.monotonic()
    now_ns = time.time_ns() if retime else None
    frames = messages = 0
    with contextlib.ExitStack() as stack:
        clients = {vehicle: stack.enter_context(_client(settings, number, window)) for number, vehicle in enumerate(of_vehicle)}
        ways = [
            _Way(clients[vehicle], vins[vehicle], _messages(own, batch_frames=batch_frames, now_ns=now_ns, jit=jit))
            for vehicle, own in of_vehicle.items()
        ]
        for way, message in _in_time_order(ways):
            if speed is not None:
                time.sleep(max(0.0, began + message.due_s / speed - time.monotonic()))
            window.enter()
            way.client.publish(f"{settings.topic_prefix}/{way.vin}/{message.kind}", message.payload, qos=1)
            frames, messages = frames + message.frames, messages + 1
            if on_progress:
                on_progress(frames, messages)
        window.drain()
    return Published(drives=len(drives), frames=frames, messages=messages, elapsed_s=time.monotonic() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """One publish. `due_s`: when its last frame was recorded, after the vehicle's first."""

    due_s: float
    kind: Kind
    payload: bytes
    frames: int


@dataclass(frozen=True, slots=True)
class _Way:
    """A vehicle's client and what it is to send."""

    client: paho.Client
    vin: str
    messages: Iterator[_Message]


def _in_time_order(ways: Sequence[_Way]) -> Iterator[tuple[_Way, _Message]]:
    """The messages of all vehicles as they fall due, each vehicle's in its order."""
    heads = ((number, next(way.messages, None)) for number, way in enumerate(ways))
    waiting = [(head.due_s, number, head) for number, head in heads if head is not None]
    heapq.heapify(waiting)
    while waiting:
        _, number, message = waiting[0]
        yield ways[number], message
        following = next(ways[number].messages, None)
        if following is None:
            heapq.heappop(waiting)
        else:
            heapq.heapreplace(waiting, (following.due_s, number, following))


def _messages(drives: Sequence[Drive], *, batch_frames: int, now_ns: int | None, jit: Jit) -> Iterator[_Message]:
    """A vehicle's drives cut into messages; at its end the vehicle says that it goes offline."""
    due_s = 0.0
    shift_ns: int | None = None
    for drive in drives:
        began_s = due_s
        first_ns: int | None = None
        for sequence, part in enumerate(_cut(_recorded(drive, jit), batch_frames)):
            recorded_ns = int(part.time_ns[0])
            if shift_ns is None:
                shift_ns = 0 if now_ns is None else now_ns - recorded_ns
            if first_ns is None:
                first_ns = recorded_ns
            due_s = max(due_s, began_s + (int(part.time_ns[-1]) - first_ns) / 1e9)
            frames = replace(part, time_ns=part.time_ns + shift_ns)
            try:
                payload = encode_frames(frames, boot_session=first_ns + shift_ns, sequence=sequence)
            except ValueError as problem:
                raise LogFileError(f"its frames fit no message ({problem})", file=drive.log) from problem
            yield _Message(due_s=due_s, kind=Kind.CAN, payload=payload, frames=len(frames))
    yield _Message(due_s=due_s, kind=Kind.STATUS, payload=OFFLINE, frames=0)


def _recorded(drive: Drive, jit: Jit) -> Iterator[FrameBatch]:
    """A drive's frames, their clock made continuous as for a replay."""
    clock = ClockState()
    for logged in open_log(drive.log, vehicle=drive.vehicle.id, start_ns=drive.start_ns, jit=jit):
        time_ns, clock = continuous_time(logged.time_ns, clock)
        yield replace(logged, time_ns=time_ns)


def _cut(batches: Iterable[FrameBatch], size: int) -> Iterator[FrameBatch]:
    """The same frames in batches of this size; the last one holds the rest."""
    rest = empty_frames()
    for batch in batches:
        frames = concat_frames([rest, batch])
        whole = len(frames) - len(frames) % size
        for start in range(0, whole, size):
            yield frames.take(slice(start, start + size))
        rest = frames.take(slice(whole, None))
    if len(rest):
        yield rest


class _Window:
    """Counts messages on their way, over all clients."""

    def __init__(self, place: str) -> None:
        self._place, self._on_the_way, self._changed = place, 0, threading.Condition()

    def enter(self) -> None:
        """Wait until another message may be sent."""
        self._wait_for(IN_FLIGHT - 1)
        with self._changed:
            self._on_the_way += 1

    def drain(self) -> None:
        """Wait until all are acknowledged."""
        self._wait_for(0)

    def acknowledged(self, *_: object) -> None:
        """One more has arrived (paho's `on_publish`, in a network thread)."""
        with self._changed:
            self._on_the_way -= 1
            self._changed.notify()

    def _wait_for(self, at_most: int) -> None:
        with self._changed:
            while self._on_the_way > at_most:
                before = self._on_the_way
                if not self._changed.wait(STALLED_AFTER_S) and self._on_the_way >= before:
                    raise PublishError(f"{self._place} has acknowledged nothing for {STALLED_AFTER_S:g} s")


@contextlib.contextmanager
def _client(settings: MqttSettings, number: int, window: _Window) -> Iterator[paho.Client]:
    """A connected client that reconnects by itself and then repeats what was not acknowledged."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"pitcall-replay-{os.getpid()}-{number}")
    client.max_inflight_messages_set(IN_FLIGHT)
    client.reconnect_delay_set(min_delay=1, max_delay=5)
    if settings.username:
        client.username_pw_set(settings.username, settings.password)
    context = settings.ssl_context()
    if context is not None:
        client.tls_set_context(context)
    answered = threading.Event()
    refusals: list[str] = []

    def on_connect(_client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            refusals.append(str(reason))
        answered.set()

    client.on_connect, client.on_publish = on_connect, window.acknowledged
    try:
        client.connect(settings.host, settings.port, keepalive=settings.keepalive_s)
    except OSError as problem:
        what = f"no broker answers at {settings.place} ({problem.strerror or problem})"
        raise InputError(what, mend="start one (pitcall broker), or check the address") from problem
    client.loop_start()
    try:
        if not answered.wait(_FIRST_CONNECTION_S) or refusals:
            reason = refusals[0] if refusals else "no answer"
            raise InputError(f"{settings.place} refused the connection ({reason})", mend="check user, password and certificates")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
