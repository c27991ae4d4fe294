"""What the fault knowledge says of recordings: the answers as pages, and the codes that it has no name for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.fleet import FleetChoice
from app.replaying import replay_drives
from app.trouble_codes import read_codes
from domain.findings import AlertState
from domain.fleet import Vehicle
from dtc_knowledge.cases import confusion
from dtc_knowledge.code_table import CodeCatalogue, is_maker_code
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.evidence import alert_codes
from dtc_knowledge.explain import explain
from dtc_knowledge.explain_text import explain_text
from pipeline.replay import Drive
from storage.memory_store import MemoryStore

INTRODUCTION = """\
# Diagnoses

How the fault knowledge answers, as the program prints it: `pitcall knowledge diagnoses LOG… > docs/diagnoses.md`. The recordings are public ones that
the tests read where they are present; none of them lies in the repository, and none of these answers is confirmed by a repair.

## Made cases: does the true pattern lead?
`pitcall knowledge confusion` makes cases from every pattern: a trigger with its supporting codes, the same with one code missing, the same with a pending
code of another fault of the system beside it, and a trigger with codes that are its consequences. They show that the patterns do not stand in each
other's way; they do not show that the patterns are true. For that, `tests/dtc_knowledge/data/independent_cases.yaml` holds cases from published
practice, written before the patterns were read.
"""


def diagnoses(logs: Sequence[Path], knowledge: FaultKnowledge, lang: str) -> Iterator[str]:
    """The lines of the write-up: the confusion table, then every recording with the page of each of its incidents.

    Raises:
        InputError: a recording cannot be read.
    """
    yield INTRODUCTION
    yield from confusion_table(confusion(knowledge))
    for log in logs:
        yield f"\n## {log.parent.name}: {log.name}\n" if log.parent.name else f"\n## {log.name}\n"
        yield from _recording(log, knowledge, lang)


def confusion_table(table: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The confusion table in Markdown."""
    yield "| cases | made | true pattern leads | share |\n|---|---|---|---|"
    for kind, row in table.items():
        yield f"| {kind.replace('_', ' ')} | {row['cases']} | {row['right']} | {row['share']:.1%} |"
    yield "\n| cases | true pattern | leads instead |\n|---|---|---|"
    for kind, row in table.items():
        for pair in row["confused"]:
            yield f"| {kind.replace('_', ' ')} | {pair['true']} | {pair['leading'] or 'none'} |"


def _recording(log: Path, knowledge: FaultKnowledge, lang: str) -> Iterator[str]:
    vehicle = Vehicle(id="recorded")
    choice = FleetChoice(drives=(Drive(log=log, vehicle=vehicle),), registered=(), dealers=())
    ended = replay_drives(choice, MemoryStore()).cases[0]
    # as it stood while the faults were there
    case = replace(ended, alerts=tuple(replace(alert, state=AlertState.OPEN) for alert in ended.alerts))
    over = {a.incident_id for a in ended.alerts} - {a.incident_id for a in ended.alerts if a.state is not AlertState.RESOLVED}
    answered = {merged: item.title for item in case.recommendations for merged in item.merges}
    count = 0
    for incident in dict.fromkeys(alert.incident_id for alert in case.alerts):
        codes = [code for alert in case.alerts if alert.incident_id == incident for code in alert_codes(alert)]
        if incident in answered:
            title = answered[incident].zh if lang == "zh" else answered[incident].en
            yield f"{', '.join(codes)}: answered with “{title}”.\n"
            continue
        count += 1
        document = explain(knowledge, (), {}, lang, vehicle=vehicle, case=case, incident=incident)
        yield f"```\n{explain_text({**document, 'vehicle': None}, lang)}```\n"
        if incident in over:
            yield "No longer reported at the end of the recording.\n"
    if not count:
        yield "No fault is reported, and no rule finds one."


def unnamed_codes(logs: Sequence[Path], stored: Iterable[str], codes: CodeCatalogue) -> list[dict[str, Any]]:
    """Codes met that no table names, the most often met first: how often, in how many recordings, and what is known of each.

    Args:
        logs: recordings; a code counts once for every control unit that reports it. stored: codes of alerts in a database.

    Raises:
        InputError: a recording cannot be read.
    """
    times: Counter[str] = Counter(stored)
    places: Counter[str] = Counter()
    for log in logs:
        met = {(line["code"], line["source"]) for line in read_codes([log], start_ns=None) if line["code"] is not None}
        times.update(code for code, _ in met)
        places.update({code for code, _ in met})
    found = []
    for code, count in sorted(times.items(), key=lambda item: (-item[1], item[0])):
        info = codes.lookup(code)
        if not info.known:
            words = {"en": info.title.en, "zh": info.title.zh}
            found.append(
                {"code": code, "times": count, "recordings": places[code], "maker_specific": is_maker_code(code), **words}
            )
    return found
