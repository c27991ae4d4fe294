"""`pitcall replay`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import COHORTS, DBC, FILE, JSON, OVERRIDES, RULES, START
from app.output import print_json, say

if TYPE_CHECKING:  # imported when it is called, so that help answers at once
    from app.fleet import FleetChoice
    from app.rule_files import RuleFiles
    from pipeline.replay import Drive


def _speed(_ctx: click.Context, _param: click.Parameter, value: str) -> float | None:
    """None for max."""
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise click.BadParameter("write a number above 0, such as 1 or 10, or max")
    return speed


@click.command()
@click.argument("logs", nargs=-1, type=FILE)
@click.option("--vin", help="VIN of the car that LOG… are drives of.")
@click.option("--manifest", type=FILE, help="CSV of drives: log,vin,profile,start (paths relative to it).")
@click.option("--profile", help="Vehicle profile: generic, obd2, j1939, gbt32960, hj1239, or a YAML file.  [default: generic]")
@DBC
@START
@click.option("--vehicles", "vehicle_table", type=FILE, help="Vehicle table (CSV).  [default: vehicles.csv beside the manifest]")
@click.option("--dealers", "dealer_table", type=FILE, help="Dealer table (CSV).  [default: dealers.csv beside the manifest]")
@click.option("--baselines", type=FILE, help="The detectors' baselines of each car's earlier drives.")
@RULES
@OVERRIDES
@COHORTS
@click.option(
    "--database", metavar="URL", help="Keep everything there; a stopped replay goes on where it was.  [default: memory]"
)
@click.option("--history", type=FILE, help="Append the decoded signals to the Parquet history in this folder.")
@click.option("--to", metavar="URL", help="Only publish the drives to this MQTT broker, as their car would: mqtt://HOST:PORT.")
@click.option(
    "--speed", default="max", show_default=True, callback=_speed, metavar="X|max", help="With --to: times as fast as recorded."
)
@click.option("--retime", is_flag=True, help="With --to: the first frame of each car becomes now.")
@click.option("--alert", metavar="ID", help="Reproduce this alert of the --database from the recordings of its car, in memory.")
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
    rule_paths: tuple[Path, ...],
    overrides: Path | None,
    cohorts: Path | None,
    database: str | None,
    history: Path | None,
    to: str | None,
    speed: float | None,
    retime: bool,
    alert: str | None,
    report: Path | None,
    as_json: bool,
    batch_frames: int,
) -> None:
    """Recorded drives -> alerts, recommendations with plan and urgency, orders with a chosen dealer.

    Give LOG… with --vin, or a --manifest. Without a profile a drive gets generic OBD-II and J1939 decoding.

    \b
    pitcall replay --manifest sample_can_logs/manifest_faulty.csv --report report.html
    pitcall replay drive.log.gz --vin LPCTEST0000000001 --profile my_car.yaml --json
    pitcall replay --manifest sample_can_logs/manifest_faulty.csv --to mqtt://127.0.0.1:1883 --speed 10
    """  # noqa: D301  # \b is click's mark for a block that is not to be wrapped
    from app.fleet import choose_fleet
    from app.replaying import replay_drives
    from app.rule_files import RuleFiles
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
    if to is not None:
        _publish(
            choice.drives,
            to,
            device_vins=(vin, manifest),
            key=settings.pseudonym_key,
            speed=speed,
            retime=retime,
            as_json=as_json,
        )
        return
    rule_files = RuleFiles(paths=rule_paths or None, overrides=overrides, cohorts=cohorts, key=settings.pseudonym_key)
    if alert is not None:
        _reproduce(
            alert,
            choice,
            database,
            dbc=dbc,
            baselines=baselines,
            rule_files=rule_files,
            batch_frames=batch_frames,
            as_json=as_json,
        )
        return
    if speed is not None or retime:
        raise click.UsageError("--speed and --retime are for publishing: give --to too")
    with open_any(database, settings) as store:
        replayed = replay_drives(
            choice,
            store,
            extra_dbc=dbc,
            baselines=baselines,
            rule_files=rule_files,
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


def _reproduce(
    alert: str,
    choice: FleetChoice,
    database: str | None,
    *,
    dbc: tuple[tuple[str, Path], ...],
    baselines: Path | None,
    rule_files: RuleFiles,
    batch_frames: int,
    as_json: bool,
) -> None:
    """Exit 0 where the alert is found again as it was, 1 where it is not."""
    from app.alert_replay import replay_alert
    from app.settings import read_settings
    from app.stores import open_any
    from domain.errors import InputError

    settings = read_settings()
    if not (database or settings.database_url):
        raise click.UsageError("--alert needs the --database that holds it")
    with open_any(database or settings.database_url, settings) as store:
        stored = store.alert(alert)
    if stored is None:
        raise InputError(f"there is no alert {alert!r} in the database", mend="take an id from the alerts page or the API")
    done = replay_alert(stored, choice, extra_dbc=dbc, baselines=baselines, rule_files=rule_files, batch_frames=batch_frames)
    if as_json:
        print_json(done.document())
    elif done.replayed is None:
        say("not found again: the recordings, rules or profile are not those of then")
    else:
        say(
            f"found again: {stored.title.en}" + (f"; differs in {', '.join(done.differing)}" if done.differing else ", unchanged")
        )
    if done.replayed is None or done.differing:
        sys.exit(1)


def _publish(
    drives: Sequence[Drive],
    url: str,
    *,
    device_vins: tuple[str | None, Path | None],
    key: bytes,
    speed: float | None,
    retime: bool,
    as_json: bool,
) -> None:
    from app.kernels import compiler
    from app.publishing import device_vins as vins_of
    from app.publishing import publish_drives

    vin, manifest = device_vins
    with _progress_line(shown=sys.stderr.isatty() and not as_json) as show:
        published = publish_drives(
            drives,
            url,
            vins=vins_of(key, vin=vin, manifest=manifest),
            speed=speed,
            retime=retime,
            on_progress=show,
            jit=compiler(),
        )
    if as_json:
        print_json(published.document())
        return
    say(
        f"published {published.drives} drives: {published.frames:,} frames in {published.messages:,} messages, all acknowledged, "
        f"in {published.elapsed_s:.1f} s; whoever subscribes there evaluates them"
    )


@contextlib.contextmanager
def _progress_line(*, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A line on stderr that says how much has been published."""
    if not shown:
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("publishing") as line:

        def show(frames: int, messages: int) -> None:
            if messages % 100 == 0:
                line.update(f"published {frames:,} frames in {messages:,} messages")

        yield show
