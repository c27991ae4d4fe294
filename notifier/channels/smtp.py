"""E-mail, for operations, dealers and owners."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent
from notifier.channels.addresses import Address, AddressOf
from notifier.channels.wording import worded

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        security: "starttls" (nothing is sent where the server does not offer it), "tls" from the first byte, or "none".
        username, password: "" for none. sender: address in From. context: for TLS, None = the system's authorities.
    """

    host: str
    port: int
    sender: str
    security: str = "starttls"
    username: str = ""
    password: str = ""
    context: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S


class EmailChannel:
    """Sends an event as text and HTML, worded in its reader's language; delivered means that the server has taken it.

    `Message-ID` is the event's id, by which mailboxes know a repeated mail again. Addresses do not appear in errors.

    Args:
        server: where it is handed in. address_of: of an event's recipient. name: as events name it.
    """

    def __init__(self, server: MailServer, address_of: AddressOf, *, name: str = "email") -> None:
        self.name = name
        self._server, self._address_of = server, address_of

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
        """Send the mail; `attempt_ns` (wall time) is its date.

        Raises:
            DeliveryError: it was not taken.
        """
        address = self._address_of(event, dealer)
        if address is None or not address.to:
            raise DeliveryError("the recipient has no e-mail address")
        try:
            self._send(self._mail(event, address, attempt_ns))
        except smtplib.SMTPRecipientsRefused as problem:
            codes = sorted({str(code) for code, _ in problem.recipients.values()})
            raise DeliveryError(f"the mail server refused the recipient ({', '.join(codes)})") from problem
        except smtplib.SMTPResponseException as problem:
            raise DeliveryError(f"the mail server answered {problem.smtp_code}") from problem
        except smtplib.SMTPNotSupportedError as problem:
            raise DeliveryError("the mail server does not offer what the settings ask for (STARTTLS, login)") from problem
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            raise DeliveryError(f"the mail server could not be used ({type(problem).__name__})") from problem

    def _mail(self, event: OutboxEvent, address: Address, attempt_ns: int) -> EmailMessage:
        words = worded(event, address.language, address.answer_at)
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = words.subject, self._server.sender, address.to
        mail["Message-ID"] = f"<{event.id}@pitcall>"
        mail["Date"] = format_datetime(datetime.fromtimestamp(attempt_ns // 1_000_000_000, tz=UTC))
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(words.text)
        mail.add_alternative(words.html, subtype="html")
        return mail

    def _send(self, mail: EmailMessage) -> None:
        server = self._server
        context = server.context or ssl.create_default_context()
        if server.security == "tls":
            opened: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=context)
        else:
            opened = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
        with opened as connection:
            if server.security == "starttls":
                connection.starttls(context=context)
            if server.username:
                connection.login(server.username, server.password)
            connection.send_message(mail)
