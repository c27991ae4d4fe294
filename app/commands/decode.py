"""`pitcall decode`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.options import DBC, FILE, JSON, START
from app.output import print_json, say
from domain.errors import InputError


@click.command()
@click.argument("logs", nargs=-1, required=True, type=FILE)
@DBC
@START
@click.option("--profile", help="Decode with this vehicle profile too: generic, obd2, j1939, gbt32960, hj1239, or a YAML file.")
@click.option("--strict", is_flag=True, help="Decode exactly what cantools decodes, instead of all that can be told.")
@click.option("--out", type=FILE, help="Write the signals to FILE.parquet or FILE.csv (long form).")
@click.option(
    "--frames-out", type=FILE, help="Write the frames to FILE.parquet, in python-can's columns; it can be decoded again."
)
@JSON
def command(
    logs: tuple[Path, ...],
    dbc: tuple[tuple[str, Path], ...],
    start_ns: int | None,
    profile: str | None,
    strict: bool,
    out: Path | None,
    frames_out: Path | None,
    as_json: bool,
) -> None:
    """A recording -> signals, with every anomaly counted.

    Without --dbc and --profile, OBD-II and J1939 are decoded by the built-in definitions.
    """
    from app.decoding import decode_logs

    if out is not None and out.suffix not in {".parquet", ".csv"}:
        raise InputError(f"cannot tell the form of {out.name}", mend="name a file that ends in .parquet or .csv")
    if frames_out is not None and frames_out.suffix != ".parquet":
        raise InputError(f"cannot write frames to {frames_out.name}", mend="name a file that ends in .parquet")
    document = decode_logs(
        logs, dbc=dbc, profile=profile, start_ns=start_ns, strict=strict, out=out, frames_out=frames_out, say=say
    )
    for what, file in (("signals", out), ("frames", frames_out)):
        if file is not None:
            say(f"{what} written to {file}")
    if as_json:
        print_json(document)
    else:
        _print(document)


def _print(document: dict[str, Any]) -> None:
    counts = ("frames", "decoded_frames", "unknown_frames", "error_frames", "remote_frames")
    click.echo(", ".join(f"{document[name]:,} {name.replace('_', ' ')}" for name in counts))
    for name, count in sorted(document["anomalies"].items()):
        click.echo(f"  {count:>9,}  {name.replace('_', ' ')}")
    for kind, count in document["mended"].items():
        click.echo(f"  {count:>9,}  mended in the description files: {kind.replace('_', ' ')}")
    if document["signals"]:
        width = min(60, max(map(len, document["signals"])))
        click.echo(f"{'signal':{width}} {'count':>10} {'min':>12} {'mean':>12} {'max':>12}  unit")
    for name, figures in document["signals"].items():
        numbers = [f"{figures[key]:12.5g}" if figures[key] is not None else f"{'-':>12}" for key in ("min", "mean", "max")]
        click.echo(f"{name:{width}} {figures['count']:>10,} {' '.join(numbers)}  {figures['unit']}")
