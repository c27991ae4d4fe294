"""`pitcall replay`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.options import DBC, FILE, JSON, START
from app.output import print_json, say


@click.command()
@click.argument("logs", nargs=-1, type=FILE)
@click.option("--vin", help="VIN of the car that LOG… are drives of.")
@click.option("--manifest", type=FILE, help="CSV of drives: log,vin,profile,start (paths relative to it).")
@click.option("--profile", help="Vehicle profile: generic, obd2, j1939, or a YAML file.  [default: generic]")
@DBC
@START
@click.option("--vehicles", "vehicle_table", type=FILE, help="Vehicle table (CSV).  [default: vehicles.csv beside the manifest]")
@click.option("--dealers", "dealer_table", type=FILE, help="Dealer table (CSV).  [default: dealers.csv beside the manifest]")
@click.option("--baselines", type=FILE, help="The detectors' baselines of each car's earlier drives.")
@click.option(
    "--database", metavar="URL", help="Keep everything there; a stopped replay goes on where it was.  [default: memory]"
)
@click.option("--history", type=FILE, help="Append the decoded signals to the Parquet history in this folder.")
@click.option("--speed", default="max", show_default=True, type=click.Choice(["max"]), help="How fast to replay.")
@click.option("--report", type=FILE, help="Write one self-contained HTML page.")
@JSON
@click.option("--batch-frames", default=262_144, show_default=True, type=click.IntRange(1), help="Frames per step and commit.")
def command(
    logs: tuple[Path, ...],
    vin: str | None,
    manifest: Path | None,
    profile: str | None,
    dbc: tuple[tuple[str, Path], ...],
    start_ns: int | None,
    vehicle_table: Path | None,
    dealer_table: Path | None,
    baselines: Path | None,
    database: str | None,
    history: Path | None,
    speed: str,  # noqa: ARG001  # one value so far; part of the contract
    report: Path | None,
    as_json: bool,
    batch_frames: int,
) -> None:
    """Recorded drives -> alerts, recommendations with plan and urgency, orders with a chosen dealer.

    Give LOG… with --vin, or a --manifest. Without a profile a drive gets generic OBD-II and J1939 decoding.

    \b
    pitcall replay --manifest sample_can_logs/manifest_faulty.csv --report report.html
    pitcall replay drive.log.gz --vin LPCTEST0000000001 --profile my_car.yaml --json
    """  # noqa: D301  # \b is click's mark for a block that is not to be wrapped
    from app.fleet import choose_fleet
    from app.replaying import replay_drives
    from app.settings import read_settings
    from app.stores import open_any
    from app.summary import print_summary

    settings = read_settings()
    choice = choose_fleet(
        logs,
        key=settings.pseudonym_key,
        vin=vin,
        manifest=manifest,
        profile=profile,
        start_ns=start_ns,
        vehicle_table=vehicle_table,
        dealer_table=dealer_table,
    )
    with open_any(database, settings) as store:
        replayed = replay_drives(
            choice,
            store,
            extra_dbc=dbc,
            baselines=baselines,
            with_series=report is not None,
            history=history,
            batch_frames=batch_frames,
            progress=sys.stderr.isatty() and not as_json,
        )
    if report is not None:
        from app.reporting import write_report

        write_report(report, replayed)
        say(f"report written to {report}")
    if as_json:
        print_json(replayed.document())
    else:
        print_summary(replayed)
