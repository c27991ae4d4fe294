"""`pitcall demo`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.options import JSON
from app.output import print_json, say


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data/demo"), show_default=True, help="Folder for what it makes."
)
@JSON
def command(data: Path, as_json: bool) -> None:
    """Replay the sample drives of a small fleet, healthy and faulty, and write what was found as a page."""
    from app.fleet import choose_fleet
    from app.replaying import replay_drives
    from app.reporting import write_report
    from app.settings import read_settings
    from app.summary import print_summary
    from domain.errors import InputError
    from storage.memory_store import MemoryStore

    samples = Path(__file__).resolve().parents[2] / "sample_can_logs"
    if not samples.is_dir():
        raise InputError(
            "the sample recordings are not there", file=samples, mend="run it from a checkout, or `pitcall simulate`"
        )
    say("Replaying the sample drives: petrol cars, electric cars and a truck; some are healthy, some are about to fail ...")
    choice = choose_fleet(
        [],
        key=read_settings().pseudonym_key,
        vin=None,
        manifest=samples / "manifest.csv",
        profile=None,
        start_ns=None,
        vehicle_table=None,
        dealer_table=None,
    )
    with MemoryStore() as store:
        replayed = replay_drives(choice, store, with_series=True, progress=sys.stderr.isatty() and not as_json)
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InputError(
            f"cannot be made ({problem.strerror})", file=data, mend="name a writable folder with --data"
        ) from problem
    report = data / "report.html"
    write_report(report, replayed)
    if as_json:
        print_json(replayed.document())
        return
    print_summary(replayed)
    click.echo(f"\nThe whole story, with plots: open {report.resolve()} in a browser.")
