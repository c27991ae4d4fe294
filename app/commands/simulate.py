"""`pitcall simulate`."""

from __future__ import annotations

from pathlib import Path

import click

from app.options import FILE, JSON
from app.output import print_json
from app.progress import steps_bar


@click.group(invoke_without_command=True)
@click.option("--out", type=FILE, default=Path("simulated"), show_default=True, help="Folder to write to.")
@click.option("--vehicles", default=1, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--powertrain", default="mixed", show_default=True, type=click.Choice(["petrol", "ev", "truck", "mixed"]))
@click.option("--fault", "faults", multiple=True, help="A fault to develop; several are dealt out in turn.  [default: none]")
@click.option("--healthy", is_flag=True, help="A healthy vehicle follows each faulty one.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--minutes", default=20.0, show_default=True, type=click.FloatRange(3, 600), help="Length of a drive.")
@click.option("--samples", type=FILE, help="Make the sample recordings anew in this folder, and nothing else.")
@click.pass_context
def command(
    context: click.Context,
    out: Path,
    vehicles: int,
    powertrain: str,
    faults: tuple[str, ...],
    healthy: bool,
    seed: int,
    minutes: float,
    samples: Path | None,
) -> None:
    """Vehicles with physics and developing faults -> candump logs, manifest, vehicle and dealer tables, DBCs, profiles.

    Faults: thermostat_stuck_open, overheating, weak_12v_battery, misfire (petrol); ev_cell_imbalance (ev); red_stop_lamp (truck).
    labels.csv tells which fault began when: it is for evaluation, pitcall itself never reads it.
    """
    if context.invoked_subcommand is not None:
        return
    from simulator.fleet import simulate_to_folder
    from simulator.write_samples import write_samples

    if samples is not None:
        write_samples(samples)
        click.echo(f"sample recordings written to {samples}")
        return
    drives = simulate_to_folder(
        out=out, vehicles=vehicles, powertrain=powertrain, faults=faults, seed=seed, minutes=minutes, healthy=healthy
    )
    frames = sum(len(drive.frames) for drive in drives)
    click.echo(f"{len(drives)} drives, {frames:,} frames written to {out}")
    click.echo(f"next: pitcall replay --manifest {out / 'manifest.csv'}")


def _batch(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, float, float], ...]:
    found = []
    for value in values:
        component, _, rest = value.partition(":")
        share, _, hazard = rest.partition(":")
        try:
            found.append((component, float(share or 0.02), float(hazard or 20.0)))
        except ValueError as problem:
            raise click.BadParameter("write COMPONENT[:SHARE[:HAZARD]], such as battery_12v:0.02:20") from problem
    return tuple(found)


def _days(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in value.split(",")) if value else ()
    except ValueError as problem:
        raise click.BadParameter("write days of the run, such as 3,200") from problem


@command.command()
@click.option("--cars", default=100, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1), help="How long, from 1 January 2025.")
@click.option("--seed", default=1, show_default=True, help="0 to 8999 for development, 9000 to 9999 for evaluation.")
@click.option("--set", "parameters", default="development", show_default=True, type=click.Choice(["development", "evaluation"]))
@click.option("--bad-batch", "bad_batches", multiple=True, callback=_batch, metavar="COMPONENT[:SHARE[:HAZARD]]", help="A supplier lot that fails more often; share and times default to 0.02 and 20.")  # fmt: skip
@click.option("--can-days", callback=_days, metavar="DAY,DAY", help="Days of which CAN frames are written too, 0 = the first.")
@click.option("--can-cars", default=10, show_default=True, type=click.IntRange(1), help="Of how many cars.")
@click.option("--out", type=FILE, default=Path("fleet_year"), show_default=True, help="Folder to write to.")
def year(
    cars: int,
    days: int,
    seed: int,
    parameters: str,
    bad_batches: tuple[tuple[str, float, float], ...],
    can_days: tuple[int, ...],
    can_cars: int,
    out: Path,
) -> None:
    """A fleet over months with faults that develop -> samples by month (Parquet), vehicles.csv and the truth.

    faults.csv, services.csv and breakdowns.csv are for evaluation, pitcall itself never reads them (docs/guides/fleet-year.md).
    """
    from app.fleet_year_files import write_year
    from simulator.life import BadBatch, plan_fleet_year

    batches = [BadBatch(component=component, share=share, hazard=hazard) for component, share, hazard in bad_batches]
    fleet = plan_fleet_year(cars=cars, days=days, seed=seed, parameters=parameters, bad_batches=batches)
    with steps_bar(cars, "cars") as told:
        samples = write_year(fleet, out, can_days=can_days, can_cars=can_cars, told=told)
    click.echo(f"{samples:,} samples of {cars} cars over {days} days written to {out}")


@command.command()
@click.option("--cars", default=5000, show_default=True, type=click.IntRange(1, 20_000), help="How many.")
@click.option("--dealers", default=120, show_default=True, type=click.IntRange(1, 2000), help="How many workshops and partners.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(7, 366), help="How long, from 1 January 2026.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same year.")
@JSON
def operation(cars: int, dealers: int, days: int, seed: int, as_json: bool) -> None:
    """A year of operation in minutes: orders, dealers, parts, owners and pushes by the service's own functions; exit 1 if one got stuck
    and nobody can say why.

    What breaks how often and how people behave are tables in simulator/operation; nothing of it is measured (docs/guides/operation-year.md).
    """
    from app.operation.year import OperationYear, YearPlan
    from app.settings import read_settings
    from notifier.kpis.observations import Kpi
    from notifier.kpis.sentences import shown

    year = OperationYear(YearPlan(cars=cars, dealers=dealers, days=days, seed=seed), read_settings())
    with steps_bar(days, "days") as told:
        document = year.run(told)
    if as_json:
        print_json(document)
    else:
        click.echo(
            f"{sum(document['orders'].values()):,} orders of {cars:,} cars at {dealers} dealers in {days} days, {document['cpu_s']:g} s"
        )
        click.echo("; ".join(f"{count:,} {state}" for state, count in document["orders"].items()))
        for name, figure in document["kpis"]["total"].items():
            click.echo(f"{name:22} {shown(Kpi(name), figure['value']):>10}  ({figure['count']:,} cases)")
        for each in document["stuck"]:
            click.echo(
                f"stuck: {each['order'][:12]} {each['state']} for {each['days']:g} days: {each['reason'] or 'nobody knows why'}"
            )
    if document["stuck_without_reason"]:
        raise SystemExit(1)
