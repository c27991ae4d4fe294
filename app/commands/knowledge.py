"""`pitcall knowledge check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.options import DATABASE, FILE, JSON, KNOWLEDGE, LANG
from app.output import print_json, say


@click.group()
def command() -> None:
    """The fault knowledge: codes, patterns, operations, parts, maintenance plans."""


@command.command()
@KNOWLEDGE
@JSON
def check(extra: Path | None, as_json: bool) -> None:
    """Validate every entry and reference, and count what there is.

    A broken entry is named with file, line and mend, and the exit status is 2. It is 1 where a translation or a source is missing,
    or patterns explain each other in a ring.
    """
    from app.fault_knowledge import fault_knowledge, maintenance_plans
    from dtc_knowledge.check import check as check_knowledge
    from dtc_knowledge.maintenance import count

    knowledge = fault_knowledge(extra)
    figures = check_knowledge(knowledge) | count(maintenance_plans(knowledge, extra))
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            click.echo(f"{name.replace('_', ' '):22} {_shown(value)}")
    if figures["missing_translations"] or figures["unsourced_edges"] or figures["cycles"]:
        raise SystemExit(1)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {key: f"({_shown(each)})" if isinstance(each, dict) else each for key, each in value.items()}
        return ", ".join(f"{key} {each}" for key, each in inner.items()) or "none"
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else value


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
    from app.diagnosing import confusion_table
    from app.fault_knowledge import fault_knowledge
    from dtc_knowledge.cases import confusion as judge

    table = judge(fault_knowledge(extra))
    if as_json:
        print_json(table)
        return
    for line in confusion_table(table):
        click.echo(line)


@command.command()
@click.argument("logs", nargs=-1, type=FILE)
@LANG
@KNOWLEDGE
def diagnoses(logs: tuple[Path, ...], lang: str, extra: Path | None) -> None:
    """Write up in Markdown how recordings are diagnosed: top cause, rejected faults, evidence, what is unknown."""
    from app.diagnosing import diagnoses as write_up
    from app.fault_knowledge import fault_knowledge

    for line in write_up(logs, fault_knowledge(extra), lang):
        click.echo(line)


@command.command()
@click.argument("logs", nargs=-1, type=FILE)
@DATABASE
@KNOWLEDGE
@JSON
def unnamed(logs: tuple[Path, ...], database: str | None, extra: Path | None, as_json: bool) -> None:
    """List the codes met that no table names: in recordings, and in the alerts of a database."""
    from app.diagnosing import unnamed_codes
    from app.fault_knowledge import fault_knowledge
    from app.settings import read_settings
    from app.stores import open_any

    if not logs and not (database or read_settings().database_url):
        raise click.UsageError("name recordings or a --database")
    with open_any(database, read_settings()) as store:
        stored = [code for alert in store.alerts() for code in alert.codes]
    found = unnamed_codes(logs, stored, fault_knowledge(extra).codes)
    if as_json:
        print_json(found)
        return
    for row in found:
        click.echo(f"{row['code']:16} {row['times']:6}  {row['en']}")
    say(f"{len(found)} codes without a name")


@command.command()
@DATABASE
@click.option("--source", default="repairs", show_default=True, metavar="ID", help="The source that the rows name.")
def outcomes(database: str | None, source: str) -> None:
    """Print what repairs found, from the outcomes that workshops reported, as an `outcomes.csv` of a knowledge folder.

    `pitcall serve` and `replay` count the outcomes of their own database by themselves.
    """
    import csv
    import sys

    from app.settings import read_settings
    from app.stores import open_database
    from domain.repairs import cause_counts

    with open_database(database, read_settings()) as store:
        counts = cause_counts(store.outcomes())
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["pattern", "cause", "repairs", "source"])
    table.writerows([pattern, cause, repairs, source] for (pattern, cause), repairs in counts.items())
