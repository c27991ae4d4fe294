"""The vehicle's own display: released words first, then what the driver may answer. Nothing that is old, and never a link."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent
from notifier.push.messages import text_json
from notifier.rescue.notices import CHANNEL
from notifier.rescue.wording import ASKS, Wording


class DisplayChannel:
    """Delivers notices of rescues to the vehicles that they are for.

    Args:
        publish: (vehicle, payload) -> sent, or raises DeliveryError. fresh_ns: a question about older data is not asked: the vehicle
            may be elsewhere, or repaired; an agent asks instead.
    """

    name = CHANNEL

    def __init__(self, publish: Callable[[str, bytes], None], wording: Wording, *, fresh_ns: int) -> None:
        self._publish, self._wording, self._fresh_ns = publish, wording, fresh_ns

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:  # noqa: ARG002 - the port's signature
        """Put the notice into words and send it.

        Raises:
            DeliveryError: the vehicle's broker did not take it; `void` where it is too old to be shown.
        """
        told = json.loads(event.body)
        data_ns = told["data"].pop("data_ns")
        if data_ns is not None and attempt_ns - data_ns > self._fresh_ns:
            raise DeliveryError("the data is too old to ask a driver about: an agent asks", void=True)
        self._publish(event.recipient, json.dumps(self._in_words(told), ensure_ascii=False, separators=(",", ":")).encode())

    def _in_words(self, told: dict[str, Any]) -> dict[str, Any]:
        data = told["data"]
        notice = self._wording.notice(data["event"], data["group_key"])
        answers = self._wording.answers.items() if data["event"] == ASKS else ()
        data |= {
            "notice": {"id": notice.id, "text": text_json(notice.text)},
            "answers": [{"id": answer.value, "text": text_json(text)} for answer, text in answers],
            "emergency_call": False,
        }
        return told
