"""`pitcall keys add|list|revoke`."""

from __future__ import annotations

import click

from app.options import DATABASE, JSON
from app.output import print_json

SCOPES = ("analyst", "operations", "integration", "admin", "read", "orders")
PARTIES = ("dealer:", "owner:")


@click.group()
def command() -> None:
    """The API keys of a database. A running service takes changes at once."""


def _scopes(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [value for value in values if value not in SCOPES]
    parties = [value for value in unknown if value.startswith(PARTIES) and not value.endswith(":")]
    if len(unknown) > len(parties):
        raise click.BadParameter("write analyst, operations, integration, admin, dealer:ID or owner:VEHICLE")
    if parties and len(values) > 1:
        raise click.BadParameter(f"{parties[0]} stands alone: it allows these orders and nothing else")
    return tuple(dict.fromkeys(values))


@command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    callback=_scopes,
    help="analyst (reads; also: read), operations (also acknowledges and moves orders; also: orders), integration (reads, and keeps dealers, "
    "owners and consents), admin, dealer:ID or owner:VEHICLE (those orders only). May be repeated.",
)
@DATABASE
@JSON
def add(name: str, scopes: tuple[str, ...], database: str | None, as_json: bool) -> None:
    """Make a key for NAME (a person, program or dealer) and show it, once: only its hash is stored."""
    import secrets
    import time

    from app.settings import read_settings
    from app.stores import open_database
    from domain.errors import InputError
    from domain.live import ApiKey
    from web.api.access import DEALER_SCOPE, OWNER_SCOPE, key_hash

    key = f"pitcall_{secrets.token_urlsafe(32)}"
    made = ApiKey(hash=key_hash(key), name=name, scopes=scopes, created_ns=time.time_ns())
    with open_database(database, read_settings()) as store:
        kind, _, party = scopes[0].partition(":")
        if f"{kind}:" == DEALER_SCOPE and party not in {each.id for each in store.dealers()}:
            raise InputError(f"there is no dealer {party!r}", mend="import the dealer table first: pitcall dealers import")
        if f"{kind}:" == OWNER_SCOPE and store.vehicle(party) is None:
            raise InputError(
                "there is no vehicle of this pseudonym", mend="import the vehicle table first: pitcall vehicles import"
            )
        store.save_api_key(made)
    if as_json:
        print_json({"key": key, "id": made.hash[:12], "name": name, "scopes": list(scopes)})
        return
    click.echo(key)
    click.echo("Keep it now: it is not shown again. Clients send it as X-API-Key.", err=True)


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List the keys by name: id, scopes, when they were made."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.push.messages import rfc3339

    with open_database(database, read_settings()) as store:
        keys = store.api_keys()
    if as_json:
        print_json(
            [
                {"id": key.hash[:12], "name": key.name, "scopes": list(key.scopes), "created": rfc3339(key.created_ns)}
                for key in keys
            ]
        )
        return
    for key in keys:
        click.echo(f"{key.hash[:12]}  {rfc3339(key.created_ns)}  {','.join(key.scopes):20} {key.name}")


@command.command("revoke")
@click.argument("key_id", metavar="ID")
@DATABASE
def revoke(key_id: str, database: str | None) -> None:
    """Revoke the key of this ID (as `list` shows it)."""
    from app.settings import read_settings
    from app.stores import open_database
    from domain.errors import InputError

    with open_database(database, read_settings()) as store:
        found = [key for key in store.api_keys() if len(key_id) >= 6 and key.hash.startswith(key_id)]
        if len(found) != 1:
            raise InputError(f"{len(found)} keys have the id {key_id!r}", mend="copy an id from pitcall keys list")
        store.revoke(found[0].hash)
    click.echo(f"revoked: {found[0].name}")
