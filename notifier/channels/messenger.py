"""Messengers and SMS gateways (WeCom, DingTalk, Feishu, Twilio and over a hundred more) by the Apprise library."""

from __future__ import annotations

import json

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent
from notifier.channels.addresses import AddressOf
from notifier.channels.wording import worded

TIMEOUT_S = 20.0
_SERIOUS = frozenset({"P0", "critical"})


class AppriseChannel:
    """Sends an event's words to a messenger's URL as Apprise writes it (`wecombot://…`, `dingtalk://…`); neither appears in errors.

    Apprise says whether a service took a message, not why: the attempt's error is brief.

    Args:
        address_of: the URL for an event's recipient. timeout_s: for the whole attempt. name: as events name it.
    """

    def __init__(self, address_of: AddressOf, *, timeout_s: float = TIMEOUT_S, name: str = "apprise") -> None:
        self.name = name
        self._address_of, self._timeout_s = address_of, timeout_s

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:  # noqa: ARG002 - the port's signature
        """Send the message.

        Raises:
            DeliveryError: it was not taken.
        """
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType  # a third of a second to import

        address = self._address_of(event, dealer)
        if address is None or not address.to:
            raise DeliveryError("the recipient has no messenger")
        words = worded(event, address.language, address.answer_at)
        messenger = Apprise(asset=AppriseAsset(app_id="pitcall", app_desc="pitcall", plugin_paths=[], async_mode=False))
        if not messenger.add(address.to):
            raise DeliveryError("the messenger's URL is not one that Apprise knows")
        kind = NotifyType.WARNING if _is_serious(event) else NotifyType.INFO
        taken = messenger.notify(
            words.text, title=words.subject, notify_type=kind, body_format=NotifyFormat.TEXT, timeout=self._timeout_s
        )
        if not taken:
            raise DeliveryError("the messenger did not take it")


def _is_serious(event: OutboxEvent) -> bool:
    data = json.loads(event.body).get("data", {})
    return bool(_SERIOUS & {data.get("priority"), data.get("severity")})
