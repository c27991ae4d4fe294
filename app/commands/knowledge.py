"""`pitcall knowledge check`."""

from __future__ import annotations

import click

from app.options import JSON
from app.output import print_json


@click.group()
def command() -> None:
    """The fault knowledge: codes, patterns, operations, parts."""


@command.command()
@JSON
def check(as_json: bool) -> None:
    """Validate every entry and reference, and count what there is.

    A broken entry is named with file, line and mend, and the exit status is 2.
    """
    from dtc_knowledge.check import check as check_knowledge
    from dtc_knowledge.graph import load_knowledge

    figures = check_knowledge(load_knowledge())
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name.replace('_', ' '):22} {shown}")
