"""`pitcall campaigns segments|list|preview|send`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json
from domain.errors import InputError


@click.group()
def command() -> None:
    """Invitations to owners by what they have had done (docs/guides/owners.md)."""


@command.command()
@DATABASE
@JSON
def segments(database: str | None, as_json: bool) -> None:
    """Count the vehicles in each segment by recency, frequency and money of their visits."""
    import time

    from app.settings import read_settings
    from app.stores import open_database
    from domain.campaigns import Segment
    from web.campaigns import scored

    with open_database(database, read_settings()) as store:
        counts = Counter(each.segment for each in scored(store, time.time_ns()))
    found = {segment.value: counts[segment] for segment in Segment}
    if as_json:
        print_json({"segments": found})
        return
    for name, count in found.items():
        click.echo(f"{name:10} {count}")


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List campaigns, newest first; they are drafted by the API."""
    from app.settings import read_settings
    from app.stores import open_database
    from domain.campaigns import Campaign

    with open_database(database, read_settings()) as store:
        found = store.papers(Campaign, newest_first=True)
    if as_json:
        print_json({"campaigns": [{"id": each.id, "title": each.title.en, "state": each.state.value} for each in found]})
        return
    for each in found:
        click.echo(f"{each.id}  {each.state:5}  {each.title.en}")


@command.command()
@click.argument("identifier", metavar="ID")
@DATABASE
@JSON
def preview(identifier: str, database: str | None, as_json: bool) -> None:
    """Tell whom a campaign would invite now, how many not and why."""
    import time

    from app.settings import read_settings
    from app.stores import open_database
    from domain.campaigns import Campaign
    from web.campaigns import previewed

    with open_database(database, read_settings()) as store:
        campaign = store.paper(Campaign, identifier)
        if campaign is None:
            raise _unknown(identifier)
        selection = previewed(store, campaign, time.time_ns())
    if as_json:
        print_json({"preview": selection.mark, "counts": dict(selection.counts), "vehicles": list(selection.vehicles)})
        return
    click.echo(f"preview {selection.mark}")
    for why, count in selection.counts:
        click.echo(f"{why:12} {count}")


@command.command()
@click.argument("identifier", metavar="ID")
@click.option("--preview", "mark", required=True, help="The mark of the preview that was looked at.")
@click.option("--config", type=FILE, metavar="FILE", help="Settings of the service: by which ways owners are told.")
@DATABASE
def send(identifier: str, mark: str, config: Path | None, database: str | None) -> None:
    """Invite whom the preview showed. The messages go out with the service's next pushes, not in quiet hours."""
    from app.settings_file import load_settings
    from app.stores import open_database
    from app.web_process import owners_of
    from domain.campaigns import Campaign
    from notifier.owners.offers import SHIPPED, load_offers
    from web.campaigns import send as send_campaign

    settings = load_settings(config)
    with open_database(database or settings.database_url, settings.common) as store:
        campaign = store.paper(Campaign, identifier)
        if campaign is None:
            raise _unknown(identifier)
        benefits = load_offers(settings.owners.benefits or SHIPPED)
        sent = send_campaign(store, campaign, mark, owners_of(settings), benefits)
    for outcome, count in sent.counts:
        click.echo(f"{outcome:12} {count}")


def _unknown(identifier: str) -> InputError:
    return InputError(f"there is no campaign {identifier!r}", mend="pitcall campaigns list names them")
