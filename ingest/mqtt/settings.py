"""How to reach a broker."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from domain.errors import InputError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """A broker and how much to take from it. Make one from a URL with `from_url`.

    The session is persistent (clean session off) under `client_id`: two receivers must not share it. MQTT 3.1.1 lets no client say
    how long the broker keeps a session; the broker's own configuration does.

    Attributes:
        host, port, tls: the listener. client_id: the session's name. topic_prefix: first levels of our own topics.
        topics: filters to subscribe to at QoS 1; empty means every kind below the prefix, in one filter, so that a vehicle's
            status cannot overtake its data.
        username, password: "" for none. ca_file: authorities trusted for `tls`, None for the system's.
        certificate_file, key_file: client certificate (PEM).
        keepalive_s: longest silence on the line. connect_timeout_s: for TCP, TLS and the broker's answer each.
        queue_messages, queue_bytes: what may wait in memory; reading from the socket stops above either.
        first_backoff_s, longest_backoff_s: waits between attempts to connect double from the one to the other.
    """

    host: str
    port: int = 1883
    tls: bool = False
    client_id: str = "pitcall"
    topic_prefix: str = "pitcall/v1"
    topics: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30
    connect_timeout_s: float = 10.0
    queue_messages: int = 20_000
    queue_bytes: int = 256 * 1024 * 1024
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 30.0

    @staticmethod
    def from_url(url: str, **others: Any) -> MqttSettings:
        """Settings from `mqtt://[user[:password]@]host[:port]` (or `mqtts://`) and any other attributes by name.

        Raises:
            InputError: not such an address.
        """
        mend = "write mqtt://HOST:PORT or mqtts://HOST:PORT"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            # without `from`: the cause would quote the address, which may hold a password
            raise InputError("the broker's address is not valid", mend=mend) from None
        if parts.scheme not in _PORTS or not host or parts.path.strip("/") or parts.query:
            raise InputError("the broker's address is not valid", mend=mend)
        given: dict[str, Any] = {
            "host": host,
            "port": port or _PORTS[parts.scheme],
            "tls": parts.scheme == "mqtts",
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
        }
        return MqttSettings(**{**given, **others})

    @property
    def place(self) -> str:
        """The broker without user and password, for log lines."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return self.topics or (f"{self.topic_prefix}/+/+",)

    def ssl_context(self) -> ssl.SSLContext | None:
        """What `tls` needs; None without it.

        Raises:
            InputError: a certificate or key file cannot be used.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
        except OSError as error:
            named = ", ".join(str(f) for f in (self.ca_file, self.certificate_file, self.key_file) if f is not None)
            mend = "give PEM files that belong together and can be read"
            raise InputError(f"certificate or key cannot be used ({error})", file=named or None, mend=mend) from error
        return context
