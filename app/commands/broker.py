"""`pitcall broker`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

import click

from app.options import FILE
from app.output import say


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=1883, show_default=True, type=click.IntRange(0, 65_535), help="MQTT port; 0 = any free one.")
@click.option("--data", default="data/broker", show_default=True, type=FILE, help="Folder of the messages and the log.")
@click.option("--user", default="", envvar="PITCALL_MQTT_USER", help="Clients must log in so.  [env: PITCALL_MQTT_USER]")
@click.option("--password", default="", envvar="PITCALL_MQTT_PASSWORD", help="Better given as PITCALL_MQTT_PASSWORD.")
@click.option("--tls-certificate", type=FILE, help="PEM file; MQTT over TLS.")
@click.option("--tls-key", type=FILE, help="PEM file of its key.")
@click.option("--tls-client-ca", type=FILE, help="PEM file; clients need a certificate of this authority.")
@click.option(
    "--sync-always", is_flag=True, help="Sync every message to the medium: a power cut loses none; a tenth of the speed."
)
@click.option(
    "--monitoring-port", type=click.IntRange(1, 65_535), help="The server's HTTP monitoring on 127.0.0.1.  [default: none]"
)
def command(
    host: str,
    port: int,
    data: Path,
    user: str,
    password: str,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    sync_always: bool,
    monitoring_port: int | None,
) -> None:
    """The embedded MQTT broker alone, in the foreground, until Ctrl-C; its messages stay in --data.

    \b
    pitcall broker
    pitcall broker --port 0 --data /var/lib/pitcall/broker
    """  # noqa: D301  # \b is click's mark for a block that is not to be wrapped
    from app.broker import EmbeddedBroker, TlsFiles

    if (tls_certificate is None) != (tls_key is None) or (tls_client_ca and not tls_key):
        raise click.UsageError("TLS needs both --tls-certificate and --tls-key")
    if bool(user) != bool(password):
        raise click.UsageError("a user needs a password, and a password a user")
    tls = TlsFiles(certificate=tls_certificate, key=tls_key, client_ca=tls_client_ca) if tls_certificate and tls_key else None
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell starts its background commands with SIGINT ignored
        signal.signal(ending, _interrupt)
    broker = EmbeddedBroker(
        data,
        host=host,
        port=port,
        user=user,
        password=password,
        tls=tls,
        sync_always=sync_always,
        monitoring_port=monitoring_port,
    )
    try:
        with broker:
            say(f"broker ready at {broker.url}, data and log in {data} (Ctrl-C ends it)")
            status = broker.wait()
            say(f"the broker ended by itself with status {status}; see {broker.log}")
            sys.exit(1)
    except KeyboardInterrupt:
        say("broker stopped")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Either signal ends us as Ctrl-C does."""
    raise KeyboardInterrupt
