"""The channels of the live service, as its settings say."""

from __future__ import annotations

import os
import ssl
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from app.car_display import display_channel
from app.settings_file import EmailSection, ServiceSettings
from domain.consents import ConsentChannel
from domain.fleet import Dealer, VaultEntry
from domain.notices import vehicle_of_recipient
from domain.owners import Owner
from domain.ports import Channel
from domain.records import OutboxEvent
from notifier.channels.addresses import Address, AddressOf
from notifier.channels.log_file import LogFileChannel
from notifier.channels.messenger import AppriseChannel
from notifier.channels.mqtt import MqttChannel
from notifier.channels.smtp import EmailChannel, MailServer
from notifier.channels.webhook import WebhookChannel
from notifier.rescue.wording import SHIPPED, load_wording

BY_HAND = "pushes.jsonl"
"""File in the data folder for pushes that a person sees to."""
PHONE = "{phone}"
"""Stands in a gateway's URL for the owner's telephone number."""


class AddressBook(Protocol):
    """What addresses are looked up in."""

    def vault_entry(self, vehicle: str) -> VaultEntry | None:
        """The personal data of one vehicle."""

    def paper(self, kind: type[Owner], identifier: str) -> Owner | None:
        """How an owner wants to be addressed."""


def open_channels(
    settings: ServiceSettings, store: AddressBook, stack: ExitStack, *, number: int = 0, hand_list: Path | None = None
) -> dict[str, Channel]:
    """All channels by name, for one worker; `stack` closes them.

    Without a mail server, what would go by e-mail is written to the file for people.

    Args:
        number: of the worker, so that no two share a broker connection's name.
        hand_list: the file for people, None = the one in the data folder.
    """
    common, broker = settings.common, settings.mqtt
    webhook = WebhookChannel(
        lambda name: common.secrets[name],
        allow_private=common.allow_private_endpoints,
        timeout_s=settings.delivery.timeout_s,
    )
    mqtt = MqttChannel(
        broker.host,
        broker.port,
        prefix=broker.topic_prefix,
        client_id=f"{broker.client_id}-push-{os.getpid()}-{number}",
        username=broker.username,
        password=broker.password,
        context=broker.ssl_context(),
    )
    address_of, by_hand = address_book(settings, store), hand_list or settings.data.folder / BY_HAND
    stack.enter_context(closing(webhook))
    stack.enter_context(closing(mqtt))
    email = EmailChannel(_mail_server(settings.email), address_of) if settings.email.host else None
    display = display_channel(
        mqtt,
        broker.topic_prefix,
        lambda vehicle: vault.vin if (vault := store.vault_entry(vehicle)) else "",
        load_wording(settings.rescue.wording or SHIPPED),
        fresh_ns=settings.rescue.fresh_ns,
    )
    channels: tuple[Channel, ...] = (
        webhook,
        mqtt,
        display,
        email or LogFileChannel(by_hand, name="email"),
        AppriseChannel(address_of),
        LogFileChannel(by_hand),
    )
    return {channel.name: channel for channel in channels}


def address_book(settings: ServiceSettings, store: AddressBook) -> AddressOf:
    """Addresses of routes from the settings, of dealers from their table, of owners from the vault."""
    secrets = settings.common.secrets
    routes = {section.route.recipient: section.route for section in settings.routes}

    def look_up(event: OutboxEvent, dealer: Dealer | None) -> Address | None:
        route = routes.get(event.recipient)
        if route is not None:
            return Address(to=secrets[route.to] if route.channel == "apprise" else route.to, language=route.language)
        if dealer is not None:
            return Address(to=dealer.email, answer_at=f"{settings.public_url}/dealer")
        vehicle = vehicle_of_recipient(event.recipient)
        return None if vehicle is None else _owner(settings, store, event, vehicle)

    return look_up


def ways_to_owners(settings: ServiceSettings) -> dict[ConsentChannel, str]:
    """Channels by which owners can be told, by what they agree to."""
    ways = {ConsentChannel.EMAIL: "email"} if settings.email.host else {}
    return {**ways, ConsentChannel.SMS: "apprise"} if settings.owners.gateway else ways


def _owner(settings: ServiceSettings, store: AddressBook, event: OutboxEvent, vehicle: str) -> Address | None:
    vault = store.vault_entry(vehicle)
    if vault is None:
        return None
    wishes, to = store.paper(Owner, vehicle) or Owner(vehicle=vehicle), vault.owner_email
    if event.channel == "apprise":
        number = quote(vault.owner_phone.replace(" ", ""), safe="+")
        to = settings.common.secrets[settings.owners.gateway].replace(PHONE, number) if number else ""
    return Address(to=to, language=wishes.language)


def _mail_server(email: EmailSection) -> MailServer:
    return MailServer(
        host=email.host,
        port=email.port,
        sender=email.sender,
        security=email.security,
        username=email.username,
        password=email.password.get_secret_value(),
        context=ssl.create_default_context(cafile=email.ca_file) if email.ca_file else None,
    )
