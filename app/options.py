"""Words that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
DATABASE = click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://…  [default: PITCALL_DATABASE_URL]")

LANG = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the text.")
KNOWLEDGE = click.option(
    "--knowledge",
    "extra",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A maker's own codes, patterns, plans and prices.  [default: PITCALL_KNOWLEDGE_FOLDER]",
)


def _dbc(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, Path], ...]:
    return tuple(split_dbc(value) for value in values)


def split_dbc(value: str) -> tuple[str, Path]:
    """(bus, file) of a [BUS=]FILE word; bus "*" where none is named, or where the whole word is a file."""
    bus, sign, file = value.partition("=")
    return ("*", Path(value)) if not sign or Path(value).exists() else (bus, Path(file))


def _start(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from app.fleet import parse_start

    try:
        return parse_start(value) if value else None
    except ValueError as problem:
        raise click.BadParameter("write RFC 3339, such as 2026-05-01T08:00:00Z, or seconds since 1970") from problem


DBC = click.option(
    "--dbc", "dbc", multiple=True, callback=_dbc, metavar="[BUS=]FILE", help="A signal database, for one bus or for all."
)
START = click.option(
    "--start", "start_ns", callback=_start, metavar="TIME", help="Time of stamp 0, for logs without absolute time."
)
RULES = click.option(
    "--rules", "rule_paths", multiple=True, type=FILE, help="A rule pack, file or folder.  [default: the shipped ones]"
)
OVERRIDES = click.option(
    "--overrides", type=FILE, help="Parameters by fleet, model and vehicle that stand for the rules' own (YAML)."
)
COHORTS = click.option("--cohorts", type=FILE, help="What is usual for each model: quantiles of signals (CSV).")
