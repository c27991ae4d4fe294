"""`pitcall dtc read|explain|search`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from app.options import DATABASE, FILE, JSON, KNOWLEDGE, LANG, START
from app.output import print_json, say

MAKER = click.option("--maker", default="", metavar="NAME", help="Name codes of the maker's own range by its table.")


@click.group()
def command() -> None:
    """Trouble codes: read them from a recording, explain them."""


@command.command()
@click.argument("logs", nargs=-1, required=True, type=FILE)
@START
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, one per reported code.")
@click.option("--changes", is_flag=True, help="Only what changes: a code that is reported again alike is left out.")
@click.option("--all", "every_message", is_flag=True, help="Messages without codes too: empty lists, readiness, tests, clears.")
def read(logs: tuple[Path, ...], start_ns: int | None, as_json: bool, changes: bool, every_message: bool) -> None:
    """Read every diagnostic message in a recording.

    OBD-II services 01 to 0A and UDS services 19 and 14 over ISO-TP (with or without the tester's requests), and J1939
    diagnostic messages in single frames or by transport protocol.
    """
    from app.trouble_codes import read_codes

    seen: set[str] = set()
    others: Counter[str] = Counter()
    count = 0
    for line in read_codes(logs, start_ns=start_ns, every_message=every_message, seen=others):
        count += 1
        alike = json.dumps({name: value for name, value in line.items() if name != "time"}, sort_keys=True)
        if changes and alike in seen:
            continue
        seen.add(alike)
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False, allow_nan=False))
        else:
            click.echo(_words(line))
    say(f"{count} {'messages and' if every_message else 'reported'} codes, {len(seen)} of them different")
    if others:
        say("also heard: " + ", ".join(f"{kind} {number}" for kind, number in sorted(others.items())))


def _words(line: dict[str, Any]) -> str:
    """A line of `read` for people."""
    lamps = " ".join(f"{name}={state}" for name, state in (line["lamps"] or {}).items() if state == "on")
    occurrence = "" if line["occurrence"] is None else f"  seen {line['occurrence']}x"
    code = "-" if line["code"] is None else line["code"] + (f"-{line['ftb']}" if line["ftb"] else "")
    words = f"{line['time']}  {line['bus']:6} {line['protocol']:6} source {line['source']:<10} {code:16}"
    return f"{words} {line['state'] or line['list']}{occurrence}  {lamps}".rstrip()


@command.command()
@click.argument("codes", nargs=-1)
@click.option("--signal", "signals", multiple=True, metavar="VSS=VALUE", help="A measured value, such as Vehicle.Speed=80.")
@click.option("--pending", multiple=True, metavar="CODE", help="A code that is pending, not confirmed.")
@click.option("--history", multiple=True, metavar="CODE", help="A code that is stored as history, not active.")
@click.option("--absent", multiple=True, metavar="CODE", help="A code that is not there although its test has run to the end.")
@click.option("--vin", help="The car: its model, mileage and what else is open on it count. Without CODE: its own open codes.")
@DATABASE
@LANG
@MAKER
@click.option("--model", default="", metavar="NAME", help="The car's model, where no --vin names a car.")
@click.option(
    "--powertrain",
    type=click.Choice(["petrol", "diesel", "hybrid", "ev", "truck"]),
    help="What drives it.  [default: what the codes speak of]",
)
@click.option("--km", type=click.FloatRange(0), help="Its mileage.")
@KNOWLEDGE
@JSON
def explain(
    codes: tuple[str, ...],
    signals: tuple[str, ...],
    pending: tuple[str, ...],
    history: tuple[str, ...],
    absent: tuple[str, ...],
    vin: str | None,
    database: str | None,
    lang: str,
    maker: str,
    model: str,
    powertrain: str | None,
    km: float | None,
    extra: Path | None,
    as_json: bool,
) -> None:
    """Explain trouble codes together: likely causes, checks, plan, parts, how soon, whether to drive.

    CODE is P0301, P0301-00, SPN100/FMI1 …; several codes are explained as one incident.
    """
    from app.fault_knowledge import fault_knowledge, of_maker, stored_case
    from domain.fleet import Vehicle
    from dtc_knowledge.evidence import Standing
    from dtc_knowledge.explain import explain as explain_codes
    from dtc_knowledge.explain_text import explain_text

    if not (codes or signals or pending or history or vin):
        raise click.UsageError("name a CODE, a --signal or a --vin")
    knowledge = fault_knowledge(extra)
    if maker:
        knowledge = of_maker(knowledge, maker)
    held = dict.fromkeys(pending, Standing.PENDING) | dict.fromkeys(history, Standing.HISTORY)
    by_hand = Vehicle(id="", brand=maker, model=model, powertrain=powertrain or "", odometer_km=km)
    vehicle, case, knowledge = stored_case(vin, database, knowledge) if vin else (by_hand, None, knowledge)
    document = explain_codes(knowledge, [*codes, *held], _values(signals), lang, absent, held=held, vehicle=vehicle, case=case)
    if as_json:
        print_json(document)
    else:
        click.echo(explain_text(document, lang), nl=False)


def _values(signals: tuple[str, ...]) -> dict[str, float]:
    """VSS path -> value of the --signal words."""
    from domain.errors import InputError

    values: dict[str, float] = {}
    for word in signals:
        path, sign, value = word.partition("=")
        try:
            values[path] = float(value)
        except ValueError as problem:
            raise InputError(f"--signal {word!r} is no VSS=VALUE", mend="write --signal Vehicle.Speed=80") from problem
        if not sign or path not in _catalogue():
            raise InputError(f"unknown signal {path!r}", mend=_nearest(path))
    return values


@command.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of the text; that of the question if left out.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many at most.")
@MAKER
@KNOWLEDGE
@JSON
def search(words: tuple[str, ...], lang: str | None, limit: int, maker: str, extra: Path | None, as_json: bool) -> None:
    """Find trouble codes, J1939 parameters and GB/T 32960 alarms by their words, English or Chinese.

    Misspellings are forgiven; a code or the beginning of one lists what begins so. The exit status is 1 where nothing is found.
    """
    from app.fault_knowledge import fault_knowledge, of_maker
    from dtc_knowledge.search import search_document

    text = " ".join(words)
    knowledge = fault_knowledge(extra)
    if maker:
        knowledge = of_maker(knowledge, maker)
    document = search_document(knowledge.codes, text, lang or ("en" if text.isascii() else "zh"), limit)
    if as_json:
        print_json(document)
    else:
        for hit in document["found"]:
            system = f"  [{hit['system']}]" if hit["system"] else ""
            click.echo(f"{hit['code']:8} {hit['title']}{system}")
    if not document["found"]:
        say(f"nothing is named like {text!r}")
        raise SystemExit(1)


def _catalogue() -> dict[str, object]:
    from domain.vss import catalogue

    return dict(catalogue())


def _nearest(path: str) -> str:
    import difflib

    near = difflib.get_close_matches(path, _catalogue(), n=1, cutoff=0.4)
    return f"did you mean {near[0]}?" if near else "use a path of the VSS catalogue"
