"""E-mail against a real SMTP server on this machine."""

from __future__ import annotations

import datetime as dt
import email
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domain.errors import DeliveryError
from notifier.channels.addresses import Address
from notifier.channels.smtp import EmailChannel, MailServer
from tests.notifier.channels.test_wording import order_event

ATTEMPT_NS = 1_790_000_000 * 10**9
TO = "duty@example.com"


class Mailbox:
    """Takes mail, except for refused addresses."""

    def __init__(self, refuses: str = "") -> None:
        self.mails: list[tuple[str, list[str], Any]] = []
        self._refuses = refuses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self._refuses:
            return self._refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, mail))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return file


class AnyPort(Controller):
    """At a free port, which it knows when it listens."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    controller = AnyPort(mailbox, hostname="127.0.0.1", port=0, ready_timeout=10, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def channel(port: int, *, to: str = TO, language: str = "zh", **options: Any) -> EmailChannel:
    made = {"host": "localhost", "port": port, "sender": "pitcall@example.com", "security": "none", "timeout_s": 5.0} | options
    return EmailChannel(MailServer(**made), lambda _event, _dealer: Address(to=to, language=language))


def test_a_mail_comes_as_text_and_html_in_the_readers_language() -> None:
    mailbox = Mailbox()
    with server(mailbox) as port:
        channel(port).deliver(order_event(), None, ATTEMPT_NS)
    ((sender, recipients, mail),) = mailbox.mails
    assert (sender, recipients) == ("pitcall@example.com", [TO])
    assert "新工单" in mail["Subject"]
    assert mail["Message-ID"] == f"<{order_event().id}@pitcall>"
    assert mail["Date"].datetime.timestamp() == ATTEMPT_NS / 1e9
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "计划作业" in text
    assert html.lstrip().startswith("<!doctype html>")


def test_a_mail_goes_over_starttls_with_a_login(certificate: Path) -> None:
    mailbox, theirs = Mailbox(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate)
    logins: list[bytes] = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        logins.append(data.password)
        return AuthResult(success=data.password == b"right", handled=False)

    options = {"tls_context": theirs, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
    ours = ssl.create_default_context(cafile=certificate)
    with server(mailbox, **options) as port:
        secure = {"security": "starttls", "context": ours, "username": "pitcall"}
        channel(port, password="right", **secure).deliver(order_event(), None, ATTEMPT_NS)
        with pytest.raises(DeliveryError, match="answered 535"):
            channel(port, password="wrong", **secure).deliver(order_event(), None, ATTEMPT_NS)
        with pytest.raises(DeliveryError, match="SSLCertVerificationError"):
            channel(port, **(secure | {"context": None})).deliver(order_event(), None, ATTEMPT_NS)
    assert len(mailbox.mails) == 1
    assert logins[0] == b"right"


def test_nothing_is_sent_where_starttls_is_not_offered() -> None:
    mailbox = Mailbox()
    with server(mailbox) as port, pytest.raises(DeliveryError, match="does not offer"):
        channel(port, security="starttls").deliver(order_event(), None, ATTEMPT_NS)
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("refuses", "words"), [("550 no such user", "refused the recipient (550)"), ("451 later", "refused the recipient (451)")]
)
def test_a_refused_recipient_is_told_without_the_address(refuses: str, words: str) -> None:
    with server(Mailbox(refuses)) as port, pytest.raises(DeliveryError) as refused:
        channel(port).deliver(order_event(), None, ATTEMPT_NS)
    assert refused.value.what.endswith(words)
    assert TO not in str(refused.value)


def test_a_server_that_is_away_is_a_delivery_error() -> None:
    with pytest.raises(DeliveryError, match="could not be used"):
        channel(1).deliver(order_event(), None, ATTEMPT_NS)


def test_a_recipient_without_an_address_is_a_delivery_error() -> None:
    with pytest.raises(DeliveryError, match="no e-mail address"):
        channel(1, to="").deliver(order_event(), None, ATTEMPT_NS)


@pytest.mark.parametrize("to", ["a@b\r\nBcc: c@d", "not an address"])
def test_an_odd_address_is_a_delivery_error(to: str) -> None:
    with server(Mailbox(refuses="553 no")) as port, pytest.raises(DeliveryError):
        channel(port, to=to).deliver(replace(order_event(), id="x"), None, ATTEMPT_NS)
