"""The fleet as its own process: every car is an ordinary MQTT client with a connection, a client id and a will of its own.

Time is accelerated: a second of ours is `speed` seconds of the cars'. One thread serves all connections; drives are simulated by a
process beside it. Where the broker does not keep up, the cars' time stands still until it does.
"""

from __future__ import annotations

import heapq
import json
import queue
import selectors
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from app.demo.cars import SECOND_NS, Car, parks_s, plan_cars, sets_off_s
from app.demo.children import Parent
from app.demo.drives import DriveMaker, EncodedDrive
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.topics import Kind

OFFLINE, ONLINE = json.dumps({"status": "offline"}), json.dumps({"status": "online"})
MOST_IN_FLIGHT = 4_000
"""Messages without acknowledgement, over all cars, at which the cars' time stands still."""
MESSAGE_WALL_S = 0.2
"""Data of so much of our time goes into one message, but never less than a second of the car's."""
FIRST_WALL_S = 2.0
"""Drives that begin within so much of our time are simulated before the fleet sets off."""
REPORT_S = 0.5
CONNECT_TIMEOUT_S = 30.0


def window_s(speed: float) -> float:
    """Seconds of the car's data in one message."""
    return max(1.0, round(speed * MESSAGE_WALL_S, 1))


class _CarClient:
    """A car's connection; paho keeps and repeats what was not acknowledged."""

    def __init__(self, car: Car, settings: MqttSettings, selector: selectors.BaseSelector) -> None:
        self.car, self._selector, self._topic = car, selector, f"{settings.topic_prefix}/{car.vin}/"
        self.connected, self.in_flight, self._retry_at = False, 0, 0.0
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"car-{car.vin}")
        client.max_inflight_messages_set(1_000)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        client.will_set(self._topic + Kind.STATUS, OFFLINE, qos=1)
        client.on_message = self._on_message
        client.on_connect, client.on_disconnect, client.on_publish = self._on_connect, self._on_disconnect, self._on_publish
        client.on_socket_open, client.on_socket_close = self._on_open, self._on_close
        client.connect(settings.host, settings.port, keepalive=60)

    def publish(self, kind: Kind, payload: bytes | str) -> None:
        """Send at QoS 1; paho queues it where the line is busy or down."""
        self.in_flight += 1
        self._client.publish(self._topic + kind, payload, qos=1)

    def readable(self) -> None:
        """The socket has something to say."""
        self._client.loop_read()

    def housekeeping(self, now: float) -> None:
        """Write what waits, keep the line alive, reconnect where it broke."""
        if self._client.socket() is None:
            if now >= self._retry_at:
                self._retry_at = now + 1.0
                self._reconnect()
            return
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()

    def disconnect(self) -> None:
        """End the connection in order, so that the will is not sent."""
        self._client.disconnect()

    def _reconnect(self) -> None:
        try:
            self._client.reconnect()
        except OSError:
            return  # the broker is away: tried again in a second

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        self.connected = not reason.is_failure
        self._client.subscribe(f"{self._topic}hmi/notice", qos=1)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        """What the display shows: a driver who is asked whether help is needed says yes."""
        told = json.loads(message.payload)["data"]
        if not told["answers"]:
            return
        place = {"lat": self.car.latitude, "lon": self.car.longitude, "precision_m": 10}
        answer = {"order_id": told["order_id"], "answer": "help", "location": place}
        self.in_flight += 1
        self._client.publish(f"{self._topic}hmi/answer", json.dumps(answer), qos=1)

    def _on_disconnect(self, *_: object) -> None:
        self.connected = False

    def _on_publish(self, *_: object) -> None:
        self.in_flight -= 1

    def _on_open(self, _client: object, _data: object, sock: Any) -> None:
        self._selector.register(sock, selectors.EVENT_READ, self)

    def _on_close(self, _client: object, _data: object, sock: Any) -> None:
        try:
            self._selector.unregister(sock)
        except (KeyError, ValueError):
            return  # it was closed before it was open


class _Fleet:
    """All cars and the schedule of what they send."""

    def __init__(self, plan: Mapping[str, Any], parent: Parent) -> None:
        self._parent, self._speed, self._epoch_ns = parent, float(plan["speed"]), int(plan["epoch_ns"])
        self._cars = plan_cars(plan["cars"], plan["faults"])
        self._selector = selectors.DefaultSelector()
        settings = MqttSettings.from_url(plan["broker"], **plan["access"])
        self._drives: queue.SimpleQueue[EncodedDrive] = queue.SimpleQueue()
        self._maker = DriveMaker(
            cars=plan["cars"],
            faults=plan["faults"],
            window_s=window_s(self._speed),
            log=Path(plan["log"]),
            on_drive=self._drives.put,
        )
        for car in sorted(self._cars, key=sets_off_s):
            self._ask(car, 0, sets_off_s(car))
        self._clients = [_CarClient(car, settings, self._selector) for car in self._cars]
        self._due: list[tuple[float, int, int, EncodedDrive]] = []
        self._messages = self._frames = self._driving = 0
        self._behind_s = 0.0

    def connect(self) -> None:
        """Wait until the broker has accepted every car, and the drives that begin at once are at hand."""
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        first = sum(sets_off_s(car) <= FIRST_WALL_S * self._speed for car in self._cars)
        while time.monotonic() < deadline and not self._parent.over.is_set():
            if self._drives.qsize() >= first and all(client.connected for client in self._clients):
                return
            self._serve(0.05)

    def drive(self) -> None:
        """Publish until the parent wants an end."""
        time_s, before, report_at, tidy_at = 0.0, time.monotonic(), 0.0, 0.0
        tidying: deque[_CarClient] = deque(self._clients)
        while not self._parent.over.is_set():
            now = time.monotonic()
            if sum(client.in_flight for client in self._clients) < MOST_IN_FLIGHT:
                time_s += (now - before) * self._speed
            else:
                self._behind_s += now - before
            before = now
            self._take_drives(time_s)
            self._publish_until(time_s)
            if now >= tidy_at:
                tidy_at = now + 0.02
                for _ in range(max(1, len(tidying) // 10)):
                    tidying[0].housekeeping(now)
                    tidying.rotate(-1)
            if now >= report_at:
                report_at = now + REPORT_S
                self._report(time_s)
            wait_s = (self._due[0][0] - time_s) / self._speed if self._due else 0.02
            self._serve(min(max(wait_s, 0.0), 0.02))
        self._report(time_s)

    def close(self) -> None:
        """Disconnect all cars and end the simulation."""
        self._maker.stop()
        for client in self._clients:
            client.disconnect()
        self._selector.close()

    def _ask(self, car: Car, ordinal: int, start_s: float) -> None:
        self._maker.ask(car.number, ordinal, self._epoch_ns + round(start_s * SECOND_NS))

    def _take_drives(self, time_s: float) -> None:
        """Drives that are ready: the next message of each goes onto the schedule, not before the drive's own start."""
        while not self._drives.empty():
            drive = self._drives.get()
            for kind, onset_ns in drive.labels:
                self._parent.report(label={"car": drive.car, "kind": kind, "onset_ns": onset_ns})
            start_s = max(time_s, (drive.start_ns - self._epoch_ns) / SECOND_NS)
            heapq.heappush(self._due, (start_s + drive.due_s[0], drive.car, 0, drive))

    def _publish_until(self, time_s: float) -> None:
        while self._due and self._due[0][0] <= time_s:
            due_s, number, index, drive = heapq.heappop(self._due)
            client = self._clients[number]
            if index == 0:
                client.publish(Kind.STATUS, ONLINE)
                self._driving += 1
            client.publish(Kind.CAN, drive.payloads[index])
            self._messages += 1
            self._frames += drive.frames[index]
            if index + 1 < len(drive.payloads):
                following = due_s + drive.due_s[index + 1] - drive.due_s[index]
                heapq.heappush(self._due, (following, number, index + 1, drive))
                continue
            client.publish(Kind.STATUS, OFFLINE)
            self._driving -= 1
            if client.car.fault is None:  # the others wait for the workshop
                self._ask(client.car, drive.ordinal + 1, due_s + parks_s(client.car, drive.ordinal))

    def _serve(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            key.data.readable()

    def _report(self, time_s: float) -> None:
        self._parent.report(
            progress={
                "time_s": time_s,
                "messages": self._messages,
                "frames": self._frames,
                "driving": self._driving,
                "connected": sum(client.connected for client in self._clients),
                "in_flight": sum(client.in_flight for client in self._clients),
                "behind_s": self._behind_s,
            }
        )


def main() -> None:
    """Connect, say so, wait for "go", drive until the parent ends us."""
    parent = Parent()
    commands: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    parent.listen(commands.put)
    fleet = _Fleet(parent.configuration, parent)
    try:
        fleet.connect()
        parent.report(ready=True)
        while commands.empty() and not parent.over.wait(0.05):
            pass
        fleet.drive()
    finally:
        fleet.close()


if __name__ == "__main__":
    main()
