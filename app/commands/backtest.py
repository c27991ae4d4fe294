"""`pitcall backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import COHORTS, DBC, FILE, JSON, OVERRIDES, START
from app.output import print_json, say

if TYPE_CHECKING:  # imported when it is called, so that help answers at once
    from app.backtest.stored import StoredSpan
    from domain.fleet import Vehicle
    from pipeline.replay import Drive


def _time(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from app.fleet import parse_start

    try:
        return None if value is None else parse_start(value)
    except ValueError as problem:
        raise click.BadParameter("write RFC 3339, such as 2026-05-01T08:00:00Z, or seconds since 1970") from problem


@click.command()
@click.argument("logs", nargs=-1, type=FILE)
@click.option("--rules", "rules", multiple=True, type=FILE, required=True, help="Packs to be tried, or folders of them.")
@click.option("--against", multiple=True, type=FILE, help="Packs to compare with, such as those of today.")
@click.option("--only", "only_rules", multiple=True, metavar="RULE", help="No rules but these, on both sides.")
@OVERRIDES
@COHORTS
@click.option("--labels", type=FILE, help="CSV of known faults: vin, kind or group_key, onset[, end].")
@click.option(
    "--sweep", "sweeps", multiple=True, metavar="RULE.NUMBER=FROM:TO:STEP", help="Try a parameter, or `for`, over a range."
)
@click.option("--vin", "vins", multiple=True, help="VIN of the car that LOG… are drives of; with --history several.")
@click.option("--manifest", type=FILE, help="CSV of drives: log,vin,profile,start (paths relative to it).")
@click.option("--history", type=FILE, help="Stored drives: the Parquet history in this folder.")
@click.option("--from", "from_ns", callback=_time, metavar="TIME", help="With --history: first event time.  [default: all]")
@click.option("--to", "to_ns", callback=_time, metavar="TIME", help="With --history: event time before which it ends.")
@click.option("--profile", help="Vehicle profile: generic, obd2, j1939, gbt32960, hj1239, or a YAML file.  [default: generic]")
@DBC
@START
@click.option("--vehicles", "vehicle_table", type=FILE, help="Vehicle table (CSV).  [default: vehicles.csv beside the manifest]")
@click.option("--report", type=FILE, help="Write one self-contained HTML page with plots.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes to share the cars among.  [default: as many as are of use]")
@JSON
def command(
    logs: tuple[Path, ...],
    rules: tuple[Path, ...],
    against: tuple[Path, ...],
    only_rules: tuple[str, ...],
    overrides: Path | None,
    cohorts: Path | None,
    labels: Path | None,
    sweeps: tuple[str, ...],
    vins: tuple[str, ...],
    manifest: Path | None,
    history: Path | None,
    from_ns: int | None,
    to_ns: int | None,
    profile: str | None,
    dbc: tuple[tuple[str, Path], ...],
    start_ns: int | None,
    vehicle_table: Path | None,
    report: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Try rules on recorded or stored drives before they go live.

    Which alerts appear, disappear and move against the rules of today; with labels recall, precision, false alarms and lead time.
    Drafts and shadow rules of --rules run as if they were active, unless --against holds the very same ones.

    \b
    pitcall backtest --manifest drives.csv --rules new.yaml --against rules/packs --labels labels.csv --report backtest.html
    pitcall backtest drive.log.gz --vin LPCTEST0000000001 --rules new.yaml --sweep coolant_overheat.for=0s:30s:5s --json
    pitcall backtest --history history --vin LPCTEST0000000001 --from 2026-03-01 --to 2026-04-01 --rules new.yaml
    """  # noqa: D301  # \b is click's mark for a block that is not to be wrapped
    from app.backtest.backtest import backtest
    from app.backtest.document import document
    from app.backtest.terminal import print_backtest
    from app.fault_labels import read_labels
    from app.fleet import choose_fleet, choose_vehicles
    from app.settings import read_settings
    from rules.cohorts import NO_COHORTS, load_cohorts
    from rules.overrides import NO_OVERRIDES, load_overrides
    from rules.pack import load_rules

    key = read_settings().pseudonym_key
    vehicles: tuple[Vehicle, ...]
    drives: tuple[Drive, ...] = ()
    span = None
    if history is not None:
        if logs or manifest:
            raise click.UsageError("give either recordings or --history")
        span = _span(history, from_ns, to_ns)
        vehicles = choose_vehicles(vins, key=key, profile=profile, vehicle_table=vehicle_table)
    else:
        if from_ns is not None or to_ns is not None or len(vins) > 1:
            raise click.UsageError("--from, --to and several --vin are for --history")
        choice = choose_fleet(
            logs,
            key=key,
            vin=vins[0] if vins else None,
            manifest=manifest,
            profile=profile,
            start_ns=start_ns,
            vehicle_table=vehicle_table,
            dealer_table=None,
        )
        vehicles, drives = choice.vehicles, choice.drives
    tried, standing = load_rules(rules), load_rules(against) if against else ()
    done = backtest(
        vehicles=vehicles,
        drives=drives,
        rules=tried,
        against=standing if against else None,
        only_rules=only_rules,
        overrides=load_overrides(overrides, (*standing, *tried), key) if overrides else NO_OVERRIDES,
        cohorts=load_cohorts(cohorts) if cohorts else NO_COHORTS,
        faults=None if labels is None else read_labels(labels, key),
        sweeps=sweeps,
        span=span,
        extra_dbc=dbc,
        jobs=jobs,
        progress=False if as_json else None,
    )
    if report is not None:
        from app.backtest.report import write_report

        write_report(report, done)
        say(f"report written to {report}")
    if as_json:
        print_json(document(done))
    else:
        print_backtest(done)


def _span(folder: Path, from_ns: int | None, to_ns: int | None) -> StoredSpan:
    from app.backtest.stored import StoredSpan, stored_days
    from domain.errors import InputError

    days = stored_days(folder)
    if days is None:
        raise InputError("holds no signal history", file=folder, mend="name the folder that replay --history or serve writes to")
    start_ns, end_ns = days[0] if from_ns is None else from_ns, days[1] if to_ns is None else to_ns
    if start_ns >= end_ns:
        raise InputError(
            "--from is not before --to",
            mend="the history there begins and ends on the days of its folders; leave both out for all",
        )
    return StoredSpan(folder=folder, start_ns=start_ns, end_ns=end_ns)
