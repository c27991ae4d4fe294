"""`pitcall doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.options import DBC, FILE, JSON, START
from app.output import print_json, say


@click.command()
@click.argument("logs", nargs=-1, type=FILE)
@DBC
@START
@click.option("--profile", help="Decode with this vehicle profile: generic, obd2, j1939, or a YAML file.")
@click.option("--candidates", type=FILE, metavar="FOLDER", help="A folder of DBC files that might fit better.")
@JSON
def command(
    logs: tuple[Path, ...],
    dbc: tuple[tuple[str, Path], ...],
    start_ns: int | None,
    profile: str | None,
    candidates: Path | None,
    as_json: bool,
) -> None:
    """What would be decoded from recordings, and what would decode more of them.

    Per bus: how much is known, which identifiers are not, and which built-in definitions or DBC files (--candidates) fit
    better. Without recordings: whether this machine has what pitcall can use.
    """
    from app.doctor import examine

    def told(done: int, total: int) -> None:
        if done == total or done % 20 == 0:
            say(f"looked at {done} of {total} signal databases")

    document = examine(logs, dbc=dbc, profile=profile, candidates=candidates, start_ns=start_ns, on_candidate=told)
    if as_json:
        print_json(document)
    else:
        _print(document)


def _print(document: dict[str, Any]) -> None:
    for log in document["logs"]:
        span = "" if log["first_time_s"] is None else f" over {log['last_time_s'] - log['first_time_s']:,.1f} s"
        click.echo(f"{log['log']}: {log['frames']:,} frames{span}")
        for kind, count in log["anomalies"].items():
            click.echo(f"  {count:>9,}  {kind.replace('_', ' ')}")
        for bus, found in log["buses"].items():
            _print_bus(bus, found)
        for suggestion in log["suggestions"]:
            click.echo(f"  -> {suggestion['words']}" + (f": {suggestion['option']}" if suggestion["option"] else ""))
    here = document["environment"]
    click.echo(
        f"this machine: kernels {here['kernels']}, cache {here['cache'] or 'none (nothing is writable)'}, "
        f"MF4 {_yes(here['mf4'])}, PostgreSQL {_yes(here['postgresql'])}"
    )


def _print_bus(bus: str, found: dict[str, Any]) -> None:
    click.echo(
        f"  bus {bus}: {found['known_share']:.1%} of {found['frames']:,} frames known "
        f"({found['known_ids']} of {found['ids']} identifiers; right length {found['fitting_share']:.1%})"
    )
    for unknown in found["unknown"]:
        shortest, longest = unknown["length"]
        length = str(shortest) if shortest == longest else f"{shortest}-{longest}"
        group = f", PGN {unknown['pgn']}" if "pgn" in unknown else ""
        click.echo(f"    unknown {unknown['id']}: {unknown['frames']:,} frames of {length} bytes, {unknown['looks_like']}{group}")


def _yes(there: bool) -> str:
    return "can be read" if there else "not installed"
