"""`pitcall rules check|test|list|explain|new|schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from app.options import COHORTS, JSON, OVERRIDES
from app.output import print_json, say

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """Check, test and list the rules (the shipped packs, or those at PATH…)."""


@command.command()
@_PATHS
@OVERRIDES
@COHORTS
@JSON
def check(paths: tuple[Path, ...], overrides: Path | None, cohorts: Path | None, as_json: bool) -> None:
    """Find every mistake in the rules: unknown signals, units, translations, contradictions.

    Exit status 1 where there is one; each is named with file, line and mend.
    """
    from rules.check import check as check_rules
    from rules.pack import load_rules

    problems = check_rules(paths or None, overrides=overrides, cohorts=cohorts)
    if as_json:
        print_json([{"file": str(p.file), "line": p.line, "problem": p.what, "mend": p.mend} for p in problems])
    else:
        for problem in problems:
            say(str(problem))
        if not problems:
            click.echo(f"{len(load_rules(paths or None))} rules, no mistakes")
    sys.exit(1 if problems else 0)


@command.command()
@_PATHS
@OVERRIDES
@JSON
def test(paths: tuple[Path, ...], overrides: Path | None, as_json: bool) -> None:
    """Run the tests that stand beside the rules (tests/*.yaml)."""
    from rules.rule_tests import run_tests

    results = run_tests(paths or None, overrides=overrides)
    failed = [result for result in results if not result.passed]
    if as_json:
        print_json([{"rule": r.rule, "name": r.name, "passed": r.passed, "detail": r.detail} for r in results])
    else:
        for result in failed:
            say(f"{result.rule}: {result.name}: {result.detail}")
        click.echo(f"{len(results) - len(failed)} of {len(results)} rule tests passed")
    sys.exit(1 if failed else 0)


@command.command("list")
@_PATHS
@click.option("--database", metavar="URL", help="Tell how often each shadow rule would have raised in the service there.")
@JSON
def list_(paths: tuple[Path, ...], database: str | None, as_json: bool) -> None:
    """List the rules with version, status, system and severity."""
    from rules.pack import list_rules, load_rules

    rows: list[dict[str, Any]] = [*list_rules(load_rules(paths or None))]
    if database is not None:
        shadow = _shadow_counts(database)
        rows = [row | {"shadow": shadow.get(row["id"], {}) if row["status"] == "shadow" else None} for row in rows]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        would = f"  would have raised {row['shadow'].get('raised', 0):,} times" if row.get("shadow") is not None else ""
        click.echo(f"{row['id']:32} {row['severity']:9} {row['system']:24} {row['status']:8} version {row['version']}{would}")


def _shadow_counts(database: str) -> dict[str, dict[str, int]]:
    """Rule -> "raised" or "cleared" -> how often, since the pipeline process began."""
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        counts: dict[str, dict[str, int]] = store.figures().get("shadow") or {}
    return counts


@command.command()
@click.argument("rule_id", metavar="ID")
@_PATHS
@JSON
def explain(rule_id: str, paths: tuple[Path, ...], as_json: bool) -> None:
    """Tell what a rule reads and when it raises and clears, with whole names and figures."""
    from domain.errors import InputError
    from rules.pack import load_rules
    from rules.scaffold import explain as told

    rule = next((rule for rule in load_rules(paths or None) if rule.id == rule_id), None)
    if rule is None:
        raise InputError(f"no rule {rule_id!r}", mend="pitcall rules list shows them")
    facts = told(rule)
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if value not in (None, 0.0, [], {}):
            click.echo(f"{name:18} {', '.join(map(str, value)) if isinstance(value, list) else value}")


@command.command()
@click.argument("rule_id", metavar="ID")
@click.option("--from-pattern", "pattern", help="Id of a root-cause pattern whose measured values become the condition.")
def new(rule_id: str, pattern: str | None) -> None:
    """Print a new rule to fill in; it starts as a shadow rule, which raises nothing."""
    from app.rule_drafts import draft

    click.echo(draft(rule_id, pattern), nl=False)


@command.command()
def schema() -> None:
    """Print the JSON Schema of rule packs, for editors."""
    from rules.scaffold import pack_schema

    print_json(pack_schema())
