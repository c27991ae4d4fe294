"""`pitcall models list|train|evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.options import FILE, JSON
from app.output import print_json, say


@click.group()
def command() -> None:
    """Detectors: what is shipped, how good it is on fleets that it was not tuned on, and how to train it anew."""


@command.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List the shipped detectors with version and training data."""
    from models.artefact import load_artefact

    artefact = load_artefact()
    row = {"id": artefact.name, "version": artefact.version, "sha256": artefact.sha256, "training": artefact.training}
    if as_json:
        print_json([row])
        return
    click.echo(f"{artefact.name}  version {artefact.version}")
    for name, value in artefact.training.items():
        click.echo(f"  {name}: {value}")


@command.command()
@click.option("--out", type=FILE, required=True, help="Write the artefact (JSON) there.")
@click.option("--vehicles", default=24, show_default=True, type=click.IntRange(2), help="Simulated vehicles.")
@click.option("--trips", default=30, show_default=True, type=click.IntRange(2), help="Drives of each.")
@click.option("--seed", default=20260301, show_default=True, help="Of the fleet.")
def train(out: Path, vehicles: int, trips: int, seed: int) -> None:
    """Train the coolant detector on a simulated healthy fleet."""
    from app.simulated_trips import simulated_trips
    from models.artefact import save_artefact
    from models.training import train_coolant

    data = f"simulated petrol cars: {vehicles} vehicles of {trips} drives, seed {seed}, -15 to 38 °C, cold and warm starts"
    artefact = train_coolant(simulated_trips(seed, vehicles=vehicles, trips=trips), data=data)
    save_artefact(out, artefact)
    say(f"artefact {artefact.version} written to {out}")


@command.command()
@click.option("--vehicles", default=20, show_default=True, type=click.IntRange(2), help="Healthy ones, and as many faulty ones.")
@click.option("--trips", default=30, show_default=True, type=click.IntRange(2), help="Drives of each.")
@click.option("--fault-from", default=15, show_default=True, type=click.IntRange(1), help="Drive at which faults begin.")
@click.option("--seed", type=int, help="Of the fleets: one that nothing was tuned on.")
@click.option("--benchmark", type=click.Choice(["cmapss", "ai4i2020", "severson"]), help="A public data set instead of fleets.")
@click.option("--data", type=FILE, help="Folder with the benchmark's files.")
@click.option("--cv", is_flag=True, help="Cross-validate on the training part too.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1), help="Of the cross-validation.")
@JSON
def evaluate(
    vehicles: int,
    trips: int,
    fault_from: int,
    seed: int | None,
    benchmark: str | None,
    data: Path | None,
    cv: bool,
    seeds: int,
    as_json: bool,
) -> None:
    """Recall, false alarms and delay of the coolant detector on fresh simulated fleets (thermostat stuck open).

    With --benchmark, figures of models of a public data set (docs/guides/model-benchmarks.md).
    """
    if benchmark is None:
        if seed is None:
            raise click.UsageError("give --seed N for simulated fleets, or --benchmark NAME --data DIR")
        figures = _evaluate_coolant(vehicles, trips, fault_from, seed)
    else:
        from app.model_benchmarks import run_benchmark

        if data is None:
            raise click.UsageError("give --data DIR, the folder with the benchmark's files")
        figures = run_benchmark(benchmark, data, cv=cv, seeds=seeds)
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        click.echo(f"{name:40} {value}")


def _evaluate_coolant(vehicles: int, trips: int, fault_from: int, seed: int) -> dict[str, Any]:
    """Figures on fleets of a seed, healthy ones and ones with a thermostat stuck open."""
    from itertools import chain

    from app.simulated_trips import DAY_NS, simulated_trips, simulated_vin
    from domain.fleet import DEVELOPMENT_KEY, pseudonym
    from models.artefact import load_artefact
    from models.evaluate import evaluate_coolant
    from simulator.drive_spec import FIRST_START_NS

    fault = "thermostat_stuck_open"
    healthy = simulated_trips(seed, vehicles=vehicles, trips=trips)
    faulty = simulated_trips(seed + 1, vehicles=vehicles, trips=trips, fault=fault, faulty_from=fault_from)
    onset_ns = FIRST_START_NS + fault_from * DAY_NS
    onsets = {pseudonym(DEVELOPMENT_KEY, simulated_vin(seed + 1, n)): onset_ns for n in range(vehicles)}
    return evaluate_coolant(load_artefact(), chain(healthy, faulty), onsets)
