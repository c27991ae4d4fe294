"""`pitcall knowledge check`."""

from __future__ import annotations

from pathlib import Path

import click

from app.options import JSON, KNOWLEDGE
from app.output import print_json


@click.group()
def command() -> None:
    """The fault knowledge: codes, patterns, operations, parts, maintenance plans."""


@command.command()
@KNOWLEDGE
@JSON
def check(extra: Path | None, as_json: bool) -> None:
    """Validate every entry and reference, and count what there is.

    A broken entry is named with file, line and mend, and the exit status is 2.
    """
    from app.fault_knowledge import fault_knowledge, maintenance_plans
    from dtc_knowledge.check import check as check_knowledge
    from dtc_knowledge.maintenance import count

    knowledge = fault_knowledge(extra)
    figures = check_knowledge(knowledge) | count(maintenance_plans(knowledge, extra))
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name.replace('_', ' '):22} {shown}")


@command.command()
@click.option(
    "--format", "form", type=click.Choice(["jsonld", "ttl", "dot"]), default="jsonld", show_default=True, help="Format."
)
@click.option("--pattern", default="", metavar="ID", help="With dot: draw only this pattern and what it touches.")
@KNOWLEDGE
def export(form: str, pattern: str, extra: Path | None) -> None:
    """Print the fault graph as JSON-LD, as Turtle (RDF), or as a picture for Graphviz."""
    from app.fault_knowledge import fault_knowledge
    from domain.errors import InputError
    from dtc_knowledge.export import to_dot, to_jsonld, to_turtle
    from dtc_knowledge.graph import fault_graph

    knowledge = fault_knowledge(extra)
    if pattern and pattern not in knowledge.files.patterns:
        raise InputError(f"unknown pattern {pattern!r}", mend="see `pitcall knowledge export --format dot` for the ids")
    graph = fault_graph(knowledge.codes, knowledge.files)
    click.echo({"jsonld": to_jsonld, "ttl": to_turtle}[form](graph) if form != "dot" else to_dot(graph, pattern), nl=False)


@command.command()
@KNOWLEDGE
@JSON
def confusion(extra: Path | None, as_json: bool) -> None:
    """Judge every pattern by cases made from it: full, one code missing, another fault beside it, consequences beside it."""
    from app.fault_knowledge import fault_knowledge
    from dtc_knowledge.cases import confusion as judge

    table = judge(fault_knowledge(extra))
    if as_json:
        print_json(table)
        return
    click.echo("| cases | made | true pattern leads | share |\n|---|---|---|---|")
    for kind, row in table.items():
        click.echo(f"| {kind.replace('_', ' ')} | {row['cases']} | {row['right']} | {row['share']:.1%} |")
    click.echo("\n| cases | true pattern | leads instead |\n|---|---|---|")
    for kind, row in table.items():
        for pair in row["confused"]:
            click.echo(f"| {kind.replace('_', ' ')} | {pair['true']} | {pair['leading'] or 'none'} |")
