"""`pitcall vehicles import|consents`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from app.options import DATABASE, FILE, JSON
from domain.consents import ConsentChannel, Purpose


@click.group()
def command() -> None:
    """The vehicle table of a database."""


@command.command("import")
@click.argument("file", type=FILE)
@DATABASE
def import_(file: Path, database: str | None) -> None:
    """Add or replace vehicles and their owners from FILE (CSV).

    Profiles named by file are taken relative to FILE. VINs and owners go to the vault table; everywhere else a vehicle is its keyed pseudonym.
    """
    from app.fleet import profile_in
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.dealers.fleet_files import read_vehicles

    settings = read_settings()
    vehicles = [
        (replace(vehicle, profile=profile_in(vehicle.profile, file.resolve().parent)), entry)
        for vehicle, entry in read_vehicles(file, settings.pseudonym_key)
    ]
    with open_database(database, settings) as store:
        store.register(vehicles)
    click.echo(f"{len(vehicles)} vehicles imported")


@command.command()
@click.argument("vehicle", metavar="VIN|ID")
@click.option("--give", type=click.Choice([purpose.value for purpose in Purpose]), help="State a consent for this purpose.")
@click.option(
    "--withdraw", type=click.Choice([purpose.value for purpose in Purpose]), help="State that there is none (any more)."
)
@click.option(
    "--channel",
    type=click.Choice([channel.value for channel in ConsentChannel]),
    default=ConsentChannel.ORDER.value,
    show_default=True,
    help="order = act without asking first; others: by which way the owner may be addressed.",
)
@click.option("--by", default="owner", show_default=True, help="Who states it; no personal data.")
@DATABASE
@JSON
def consents(
    vehicle: str, give: str | None, withdraw: str | None, channel: str, by: str, database: str | None, as_json: bool
) -> None:
    """Tell what the owner of a vehicle has agreed to, or state it.

    A vehicle without any statement is run by a fleet's operator, who agrees to all.
    """
    import time
    from dataclasses import asdict

    from app.output import print_json
    from app.settings import read_settings
    from app.stores import open_database
    from domain.consents import Consent
    from domain.errors import InputError
    from domain.fleet import pseudonym
    from notifier.push.messages import rfc3339

    settings = read_settings()
    with open_database(database, settings) as store:
        identifier = vehicle if store.vehicle(vehicle) else pseudonym(settings.pseudonym_key, vehicle)
        if store.vehicle(identifier) is None:
            raise InputError(f"there is no vehicle {vehicle}", mend="`pitcall vehicles import` makes vehicles known")
        store.add_consents(
            Consent(
                vehicle=identifier,
                purpose=Purpose(purpose),
                channel=ConsentChannel(channel),
                given=given,
                time_ns=time.time_ns(),
                by=by,
            )
            for purpose, given in ((give, True), (withdraw, False))
            if purpose
        )
        stated = store.consents(identifier)
    if as_json:
        print_json([asdict(each) | {"time": rfc3339(each.time_ns)} for each in stated])
        return
    for each in stated:
        click.echo(
            f"{rfc3339(each.time_ns)[:19]}Z  {each.purpose:12} {each.channel:10} {'given' if each.given else 'not given':9} by {each.by}"
        )
    if not stated:
        click.echo("nobody has stated anything: the vehicle is run by a fleet's operator, who agrees to all")
