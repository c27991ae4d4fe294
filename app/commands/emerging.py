"""`pitcall emerging list|review|backtest`."""

from __future__ import annotations

import click

from app.options import DATABASE, JSON
from app.output import print_json, say


@click.group()
def command() -> None:
    """Root causes that come more often in one group of vehicles than in others of the same model and age."""


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List the cases of a database, the latest first."""
    from app.settings import read_settings
    from app.stores import open_database
    from web.api.emerging import case_json

    with open_database(database, read_settings()) as store:
        cases = store.emerging_cases()
    if as_json:
        print_json([case_json(case) for case in cases])
        return
    for case in cases:
        group = ", ".join(f"{name} {value}" for name, value in case.group)
        click.echo(
            f"{case.id[:12]}  {case.state.value:6} {case.title.en}: {len(case.vehicles)} of {case.at_risk} with {group}, "
            f"{case.ratio[1]:.1f} times as often ({case.ratio[0]:.1f} to {case.ratio[2]:.1f})"
        )


@command.command()
@DATABASE
def review(database: str | None) -> None:
    """Look for new cases now; `serve` does it every night."""
    import time

    from app.emerging import review_emerging
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        new = review_emerging(store, time.time_ns())
    say(f"{len(new)} new cases")


@command.command()
@click.option("--fleets", default=10, show_default=True, type=click.IntRange(1, 500), help="With a bad lot, and as many without.")
@click.option("--cars", default=1000, show_default=True, type=click.IntRange(50), help="Of each fleet.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(30), help="Length.")
@click.option("--seed", default=9000, show_default=True, help="0 to 8999 for development, 9000 to 9999 for evaluation.")
@click.option("--set", "parameters", default="evaluation", show_default=True, type=click.Choice(["development", "evaluation"]))
@click.option("--component", default="battery_12v", show_default=True, help="Part of the bad lot.")
@click.option("--share", default=0.02, show_default=True, type=click.FloatRange(0.0, 0.5), help="Of the cars that have it.")
@click.option("--hazard", default=20.0, show_default=True, type=click.FloatRange(1.0), help="Times as often as other lots.")
@JSON
def backtest(
    fleets: int,
    cars: int,
    days: int,
    seed: int,
    parameters: str,
    component: str,
    share: float,
    hazard: float,
    as_json: bool,
) -> None:
    """How early bad lots of simulated fleets are raised, and how many cases are false (docs/guides/emerging-issues.md)."""
    from app.emerging_backtest import backtest as run
    from simulator.life import BadBatch

    batch = BadBatch(component=component, share=share, hazard=hazard)
    figures = run(fleets=fleets, cars=cars, days=days, seed=seed, parameters=parameters, batch=batch)
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        click.echo(f"{name:30} {value}")
