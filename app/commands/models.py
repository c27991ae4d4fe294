"""`pitcall models list|train|evaluate|promote|rollback|explain|report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json, say
from app.progress import steps_bar

MODELS = click.option(
    "--models",
    "folder",
    type=FILE,
    default=Path("pitcall-data/models"),
    show_default=True,
    help="Folder of the registry's files.",
)
FEATURES = click.option("--features", type=FILE, help="Features of vehicles (Parquet; docs/guides/models.md).")
LABELS = click.option("--labels", type=FILE, help="Lives of components (CSV; docs/guides/models.md).")
COSTS = click.option("--costs", type=FILE, help="Components and what their failures cost (CSV).  [default: the shipped table]")
ACTOR = click.option("--actor", default="command line", show_default=True, help="Who does it, for the record.")
REASON = click.option("--reason", required=True, help="Why, for the record.")

BENCHMARKS = ["cmapss", "ai4i2020", "severson", "aps", "component_x", "carobd", "ev_field_pack"]


@click.group()
def command() -> None:
    """Detectors and failure risk: what there is, how good it is on vehicles that it has not seen, and how to train it anew."""


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List the shipped detectors, and the models of a database's registry, the active ones first."""
    from app.model_registry import version_json
    from app.settings import read_settings
    from app.stores import open_any
    from models.artefact import load_artefact

    artefact = load_artefact()
    with open_any(database, read_settings()) as store:
        versions = sorted(store.model_versions(), key=lambda each: (each.name, each.stage, -each.changes[0].time_ns))
    if as_json:
        row = {"id": artefact.name, "version": artefact.version, "sha256": artefact.sha256, "training": artefact.training}
        print_json([row, *(version_json(version) for version in versions)])
        return
    click.echo(f"{artefact.name}  version {artefact.version}")
    for name, value in artefact.training.items():
        click.echo(f"  {name}: {value}")
    for version in versions:
        told = dict(version.figures)
        shown = ", ".join(f"{name} {told[name]:.3f}" for name in ("auc", "recall", "precision", "brier_skill") if name in told)
        click.echo(f"{version.id}  {version.stage.value}  {shown}")


@command.command()
@click.option("--out", type=FILE, help="Write the coolant detector (JSON) there.")
@click.option("--vehicles", default=24, show_default=True, type=click.IntRange(2), help="Simulated vehicles.")
@click.option("--trips", default=30, show_default=True, type=click.IntRange(2), help="Drives of each.")
@click.option("--seed", default=20260301, show_default=True, help="Of the fleet, or of the risk model.")
@click.option("--component", help="Train the failure risk of this component instead, into the registry.")
@FEATURES
@LABELS
@COSTS
@MODELS
@ACTOR
@DATABASE
@JSON
def train(
    out: Path | None,
    vehicles: int,
    trips: int,
    seed: int,
    component: str | None,
    features: Path | None,
    labels: Path | None,
    costs: Path | None,
    folder: Path,
    actor: str,
    database: str | None,
    as_json: bool,
) -> None:
    """Train the coolant detector on a simulated healthy fleet, or a failure risk from features and lives into the registry, in shadow."""
    if component is None:
        if out is None:
            raise click.UsageError("give --out FILE for the coolant detector, or --component NAME for a failure risk")
        _train_coolant(out, vehicles, trips, seed)
        return
    if features is None or labels is None:
        raise click.UsageError("give --features FILE and --labels FILE")
    import time

    from app.model_registry import ModelRegistry, train_into, version_json
    from app.risk_files import hash_of, read_features, read_lives
    from app.settings import read_settings
    from app.stores import open_database
    from models.risk.training import RiskRecipe

    what = _component(component, costs)
    rows = read_features(features)
    lives = read_lives(labels, component, rows.vehicles)
    with open_database(database, read_settings()) as store:
        version, _ = train_into(
            ModelRegistry(store, folder),
            rows,
            lives,
            what,
            RiskRecipe(seed=seed),
            data=f"{features.name}, {labels.name}: {len(rows.vehicles)} vehicles, {int(lives.failed.sum())} failures",
            data_sha256=hash_of(features, labels),
            time_ns=time.time_ns(),
            actor=actor,
        )
    say(f"{version.id} is in shadow; `pitcall models promote {version.id}` makes it the champion")
    if as_json:
        print_json(version_json(version))
        return
    for name, value in version.figures:
        click.echo(f"{name:45} {value:.4g}")


def _train_coolant(out: Path, vehicles: int, trips: int, seed: int) -> None:
    from app.simulated_trips import simulated_trips
    from models.artefact import save_artefact
    from models.training import train_coolant

    data = f"simulated petrol cars: {vehicles} vehicles of {trips} drives, seed {seed}, -15 to 38 °C, cold and warm starts"
    artefact = train_coolant(simulated_trips(seed, vehicles=vehicles, trips=trips), data=data)
    save_artefact(out, artefact)
    say(f"artefact {artefact.version} written to {out}")


def _component(name: str, costs: Path | None) -> Any:
    """The component of this name.

    Raises:
        InputError: the table does not name it.
    """
    from domain.errors import InputError
    from models.risk.components import SHIPPED, load_components

    known = load_components(costs or SHIPPED)
    if name not in known:
        raise InputError(f"there is no component {name}", mend=f"known are {', '.join(known)}")
    return known[name]


@command.command("fleet-features")
@click.option("--cars", default=300, show_default=True, type=click.IntRange(1), help="Simulated cars.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(30), help="How long.")
@click.option("--seed", default=1, show_default=True, help="0 to 8999 for development, 9000 to 9999 for evaluation.")
@click.option("--set", "parameters", default="development", show_default=True, type=click.Choice(["development", "evaluation"]))
@click.option("--out", type=FILE, required=True, help="Folder for features.parquet and lives.csv.")
def features_of_a_fleet(cars: int, days: int, seed: int, parameters: str, out: Path) -> None:
    """Features and lives of a simulated fleet, by the trip detectors' own code, for `train --component`."""
    from app.fleet_year_features import write_features
    from app.kernels import compiler
    from app.progress import steps_bar
    from simulator.life import plan_fleet_year

    year = plan_fleet_year(cars=cars, days=days, seed=seed, parameters=parameters)
    with steps_bar(cars, "cars") as told:
        rows = write_features(year, out, jit=compiler(), told=told)
    say(f"{rows:,} rows of {cars} cars written to {out}")


@command.command()
@click.argument("identifier", metavar="ID")
@REASON
@ACTOR
@DATABASE
@MODELS
def promote(identifier: str, reason: str, actor: str, database: str | None, folder: Path) -> None:
    """Make a version the champion; the one of before retires. ID may be cut short."""
    import time

    from app.model_registry import ModelRegistry
    from app.settings import read_settings
    from app.stores import open_database
    from models.registry.stages import promoted

    with open_database(database, read_settings()) as store:
        registry = ModelRegistry(store, folder)
        version = registry.find(identifier)
        registry.hazard(version)  # what cannot be read is never made champion
        now_ns = time.time_ns()
        registry.change(version.name, lambda known: promoted(known, version.id, time_ns=now_ns, actor=actor, reason=reason))
    say(f"{version.id} is active")


@command.command()
@click.argument("name", metavar="NAME")
@REASON
@ACTOR
@DATABASE
@MODELS
def rollback(name: str, reason: str, actor: str, database: str | None, folder: Path) -> None:
    """Put the champion before in the place of the present one; NAME is that of the model, such as risk.battery_12v."""
    import time

    from app.model_registry import ModelRegistry
    from app.settings import read_settings
    from app.stores import open_database
    from models.registry.stages import champion, rolled_back

    with open_database(database, read_settings()) as store:
        registry, now_ns = ModelRegistry(store, folder), time.time_ns()
        after = registry.change(name, lambda known: rolled_back(known, time_ns=now_ns, actor=actor, reason=reason))
    now = champion(after)
    say(f"{now.id if now else 'no version'} is active")


@command.command()
@click.argument("identifier", metavar="ID")
@click.option("--vehicle", required=True, help="Vehicle of the features file.")
@FEATURES
@COSTS
@DATABASE
@MODELS
@JSON
def explain(
    identifier: str,
    vehicle: str,
    features: Path | None,
    costs: Path | None,
    database: str | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Why a model gives a vehicle the risk that it gives, by the latest features: contributions that sum to the score."""
    from dataclasses import asdict

    from app.model_registry import ModelRegistry, component_of
    from app.risk_scoring import explain_vehicle
    from app.settings import read_settings
    from app.stores import open_database
    from models.risk.components import SHIPPED, load_components

    if features is None:
        raise click.UsageError("give --features FILE")
    with open_database(database, read_settings()) as store:
        registry = ModelRegistry(store, folder)
        version = registry.find(identifier)
        found = explain_vehicle(registry, version, component_of(version, load_components(costs or SHIPPED)), features, vehicle)
    if as_json:
        print_json(asdict(found))
        return
    click.echo(
        f"probability {found.probability:.3f} within {found.horizon_days} days; score {found.score:+.3f} = {found.base:+.3f}"
    )
    for each in found.contributions:
        value = "unknown" if each.value is None else f"{each.value:.4g}"
        click.echo(f"  {each.contribution:+.3f}  {each.feature} ({value})")
    for reason in found.reasons:
        click.echo(f"{reason.en} / {reason.zh}")


@command.command()
@click.argument("identifier", metavar="ID")
@click.option("--out", type=FILE, help="Write the card there instead of printing it.")
@COSTS
@DATABASE
@MODELS
def report(identifier: str, out: Path | None, costs: Path | None, database: str | None, folder: Path) -> None:
    """Print the card of a model (Markdown): data, figures, limits, life, and reports in service."""
    from app.model_registry import ModelRegistry, card_of
    from app.settings import read_settings
    from app.stores import open_database
    from models.risk.components import SHIPPED, load_components

    with open_database(database, read_settings()) as store:
        registry = ModelRegistry(store, folder)
        card = card_of(registry, registry.find(identifier), load_components(costs or SHIPPED))
    if out is None:
        click.echo(card, nl=False)
        return
    out.write_text(card, encoding="utf-8")
    say(f"card written to {out}")


@command.command()
@click.argument("samples", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, required=True, help="Write the table (Parquet) there.")
@JSON
def features(samples: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Write what each trip says to each detector, from files of samples in order of time (`pitcall simulate year`)."""
    from app.kernels import compiler
    from models.trip.feature_table import trip_features
    from models.trip.stage import TripDetectors
    from storage.feature_file import FeatureFile
    from storage.sample_file import read_samples

    stage, rows = TripDetectors(jit=compiler()), 0
    with FeatureFile(out) as file:
        for path in samples:
            for batch in read_samples(path):
                table = trip_features(stage, batch)
                file.write(table)
                rows += len(table)
    if as_json:
        print_json({"rows": rows, "features": [each.id for each in stage.detectors]})
        return
    say(f"{rows} rows written to {out}")


@command.command()
@click.option("--vehicles", default=20, show_default=True, type=click.IntRange(2), help="Healthy ones, and as many faulty ones.")
@click.option("--trips", default=30, show_default=True, type=click.IntRange(2), help="Drives of each.")
@click.option("--fault-from", default=15, show_default=True, type=click.IntRange(1), help="Drive at which faults begin.")
@click.option("--seed", type=int, help="Of the fleets: one that nothing was tuned on.")
@click.option("--benchmark", type=click.Choice(BENCHMARKS), help="A public data set instead of fleets.")
@click.option("--data", type=FILE, help="Folder with the benchmark's files.")
@click.option("--cv", is_flag=True, help="Cross-validate on the training part too.")
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="Of the cross-validation; with --fleet, fleets from --seed on.",
)
@click.option("--fleet", is_flag=True, help="Rules, models and both on fleets over months, by family of faults.")
@click.option("--cars", default=200, show_default=True, type=click.IntRange(1), help="Of each fleet.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1), help="Of each fleet.")
@click.option(
    "--set",
    "parameters",
    default="development",
    show_default=True,
    type=click.Choice(["development", "evaluation"]),
    help="Fault parameters of the fleets.",
)
@click.option("--model", "identifier", metavar="ID", help="A version of the registry, on --features and --labels.")
@FEATURES
@LABELS
@COSTS
@MODELS
@DATABASE
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
    fleet: bool,
    cars: int,
    days: int,
    parameters: str,
    identifier: str | None,
    features: Path | None,
    labels: Path | None,
    costs: Path | None,
    folder: Path,
    database: str | None,
    as_json: bool,
) -> None:
    """Recall, false alarms and delay of the coolant detector on fresh simulated fleets (thermostat stuck open).

    With --benchmark, figures of models of a public data set (docs/guides/model-benchmarks.md). With --model, those of a failure risk on
    given features and lives, after the time until which it was trained. With --fleet, rules and detectors on simulated fleets over months
    (docs/guides/fleet-evaluation.md).
    """
    if fleet:
        if seed is None:
            raise click.UsageError("give --seed N, the first of --seeds fleets")
        _evaluate_fleet(range(seed, seed + seeds), cars, days, parameters, as_json)
        return
    if identifier is not None:
        if features is None or labels is None:
            raise click.UsageError("give --features FILE and --labels FILE")
        figures = _evaluate_risk(identifier, features, labels, costs, folder, database)
    elif benchmark is None:
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


def _evaluate_fleet(seeds: range, cars: int, days: int, parameters: str, as_json: bool) -> None:
    """Figures of rules, models and both, as JSON or as tables."""
    from app.fleet_alerts import fleet_alerts
    from app.fleet_figures import evaluate_fleets, tables
    from simulator.life import plan_fleet_year

    years = [plan_fleet_year(cars=cars, days=days, seed=seed, parameters=parameters) for seed in seeds]
    with steps_bar(cars * len(years), "cars") as told:
        document = evaluate_fleets(
            (year, fleet_alerts(year, told=told, before=cars * number)) for number, year in enumerate(years)
        )
    if as_json:
        print_json({"set": parameters, "seeds": list(seeds), "cars": cars, "days": days} | document)
        return
    click.echo(tables(document))


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


def _evaluate_risk(
    identifier: str, features: Path, labels: Path, costs: Path | None, folder: Path, database: str | None
) -> dict[str, Any]:
    """Figures of a registered model on the vehicles of these files that it was not trained on."""
    from app.model_registry import ModelRegistry, component_of, evaluate_version
    from app.risk_files import read_features, read_lives
    from app.settings import read_settings
    from app.stores import open_database
    from models.risk.components import SHIPPED, load_components

    with open_database(database, read_settings()) as store:
        registry = ModelRegistry(store, folder)
        version = registry.find(identifier)
        component = component_of(version, load_components(costs or SHIPPED))
        rows = read_features(features)
        return evaluate_version(registry, version, component, rows, read_lives(labels, component.id, rows.vehicles))
