"""The line to the vehicles' displays: notices out on PREFIX/{vin}/hmi/notice, answers in on PREFIX/{vin}/hmi/answer.

An answer is acknowledged to the broker when what it led to is stored, so one that a crash interrupts comes again; doing it again
changes nothing. What is no answer is kept as a dead letter.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.sources import pseudonyms
from domain.errors import DeliveryError, StorageError
from domain.messages import RawMessage
from domain.records import Commit, DeadLetter
from domain.rescue import ConfirmedBy
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from notifier.channels.display import DisplayChannel
from notifier.channels.mqtt import MqttChannel
from notifier.dealers.routing_policy import Routing
from notifier.rescue.answers import DisplayAnswer, read_answer
from notifier.rescue.confirming import ConfirmOutcome
from notifier.rescue.helping import DRIVER, Word, ask_agent, end_call, send_help
from notifier.rescue.notices import ANSWER, NOTICE
from notifier.rescue.wording import DriverAnswer, Wording

if TYPE_CHECKING:
    from storage.sql_store import SqlStore

log = logging.getLogger(__name__)

TAKEN_AT_ONCE = 100
AGAIN_AFTER_S = 1.0


def display_channel(
    mqtt: MqttChannel, prefix: str, vin_of: Callable[[str], str], wording: Wording, *, fresh_ns: int
) -> DisplayChannel:
    """The channel of vehicles' displays, over the connection of the MQTT channel. `vin_of`: pseudonym -> VIN, "" where it is not known."""

    def publish(vehicle: str, payload: bytes) -> None:
        vin = vin_of(vehicle)
        if not vin:
            raise DeliveryError("the vehicle's identity is not in the vault", void=True)
        mqtt.publish(f"{prefix}/{vin}/{NOTICE}", payload)

    return DisplayChannel(publish, wording, fresh_ns=fresh_ns)


def answers_settings(settings: MqttSettings) -> MqttSettings:
    """How the answers are received: by a session of their own, which the broker keeps while we are away."""
    return replace(settings, client_id=f"{settings.client_id}-hmi", topics=(f"{settings.topic_prefix}/+/{ANSWER}",))


class AnswerDesk:
    """A thread that takes drivers' answers and does what they say.

    Args:
        store: used by this thread too. fresh_ns: see `notifier.rescue.confirming.confirm`.
    """

    def __init__(self, settings: MqttSettings, store: SqlStore, *, key: bytes, routing: Routing, fresh_ns: int) -> None:
        self._receiver = PahoReceiver(answers_settings(settings))
        self._store, self._routing, self._fresh_ns = store, routing, fresh_ns
        self._pseudonym_of = pseudonyms(key)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._receiver.start()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the answer at hand."""
        self._stopping.set()
        self._thread.join(timeout_s)
        self._receiver.stop()

    def take(self, message: RawMessage) -> None:
        """Do what one message says.

        Raises:
            StorageError: the database failed: the message is to be taken again.
        """
        answer = read_answer(message.payload)
        vehicle = self._pseudonym_of(message.topic.rsplit("/", 3)[1])
        order = self._store.order(answer.order_id) if answer else None
        if answer is None or order is None or order.vehicle != vehicle or message.retained:
            self._keep(message, vehicle, "no answer to anything that this vehicle was asked")
            return
        self._do(answer)

    def _do(self, answer: DisplayAnswer) -> None:
        now_ns, store = time.time_ns(), self._store
        outcome = None
        late = answer.age_ns(now_ns) > self._fresh_ns
        if answer.answer is DriverAnswer.HELP and not late:
            word = Word(by=ConfirmedBy.DRIVER, said=answer.said, replacement=answer.replacement)
            outcome, _ = send_help(store, answer.order_id, word, now_ns=now_ns, fresh_ns=self._fresh_ns, routing=self._routing)
        elif answer.answer is DriverAnswer.NO_HELP:
            end_call(store, answer.order_id, actor=DRIVER, reason="the driver needs no help", now_ns=now_ns)
        order = store.order(answer.order_id)
        if order is not None and late:
            text = "The answer of a stopped vehicle's driver came late: ask whether help is needed."
            ask_agent(store, order, "late_answer", text, now_ns=now_ns, due_ns=now_ns)
        elif order is not None and answer.answer is DriverAnswer.CALL_ME:
            ask_agent(store, order, "call_me", "The driver of a stopped vehicle asks to be rung.", now_ns=now_ns, due_ns=now_ns)
        if order is not None and outcome is ConfirmOutcome.POSITION_UNKNOWN:
            text = "The driver of a stopped vehicle needs help, and its place is not known: ask where it is."
            ask_agent(store, order, "position", text, now_ns=now_ns, due_ns=now_ns)
        log.info("a driver has answered", extra={"fields": {"answer": answer.answer.value, "outcome": outcome and outcome.value}})

    def _keep(self, message: RawMessage, vehicle: str, detail: str) -> None:
        digest = hashlib.sha256(vehicle.encode() + b"\0" + message.payload).hexdigest()[:32]
        letter = DeadLetter(
            id=f"hmi-{digest}",
            origin="hmi/answer",
            position=0,
            reason="malformed_answer",
            detail=detail,
            content=message.payload,
            vehicle=vehicle,
        )
        self._store.commit(Commit(dead_letters=(letter,)))

    def _run(self) -> None:
        waiting: list[RawMessage] = []
        while not self._stopping.is_set():
            try:
                waiting = waiting or list(self._receiver.take(TAKEN_AT_ONCE, 0.2))
                while waiting:
                    self.take(waiting[0])
                    self._receiver.acknowledge((waiting.pop(0).token,))
            except StorageError as problem:
                log.warning("a driver's answer waits for the database: %s", problem)
                self._stopping.wait(AGAIN_AFTER_S)
            except Exception:  # one strange answer must not end them all
                log.exception("a driver's answer could not be dealt with")
                waiting = waiting[1:]
