"""Writes what an author begins with: a new rule, the JSON Schema of packs, and the reading of a rule in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pydantic

from domain.findings import Text
from rules.expression import Signal, render, walk
from rules.functions import features_in
from rules.pack import RuleModel
from rules.rule import NANOSECONDS, Rule


def pack_schema() -> dict[str, Any]:
    """The JSON Schema of a pack, for editors; expressions are checked by `pitcall rules check` alone."""
    schema = pydantic.TypeAdapter(list[RuleModel]).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pitcall rule pack", **schema}


def new_rule(rule_id: str, *, when: str, title: Text, system: str, shown: str, sources: Sequence[str]) -> str:
    """A pack with one shadow rule, to be filled in. `shown` is an expression that the texts show."""
    quoted = [json.dumps(text, ensure_ascii=False) for text in (when, title.en, title.zh)]
    lines = [
        f"- id: {rule_id}",
        "  version: 1",
        "  status: shadow                  # runs and is counted, raises nothing",
        f"  system: {system}",
        "  severity: medium                # critical, high, medium, low, info",
        "  urgency: SOON                   # STOP, TODAY, SOON, NEXT, MONITOR",
        f"  when: {quoted[0]}",
        "  for: 10 s",
        "  min_rate: 0.2 Hz                # abstains where a signal comes less often",
        f"  title: {{en: {quoted[1]}, zh: {quoted[2]}}}",
        "  explanation:",
        f'    en: "{{{shown}}} for {{duration_s:.0f}} s."',
        f'    zh: "{{{shown}}}，持续 {{duration_s:.0f}} 秒。"',
        f"  source: {json.dumps(list(sources), ensure_ascii=False)}",
        "  owner: nobody yet",
    ]
    return "\n".join(lines) + "\n"


def explain(rule: Rule) -> dict[str, Any]:
    """What a rule does, as `rules explain` tells it: conditions in full names, with the figures put in."""
    gate = None if rule.gate is None else render(rule.gate)
    nodes = (*rule.conditions, *rule.shown_nodes)
    return {
        "id": rule.id,
        "version": rule.full_version,
        "status": rule.status.value,
        "title": {"en": rule.title.en, "zh": rule.title.zh},
        "file": None if rule.file is None else f"{rule.file}:{rule.line}",
        "system": rule.system,
        "severity": rule.severity.value,
        "urgency": rule.urgency.name,
        "gate": gate,
        "when": render(rule.when),
        "for_s": _seconds(rule.hold_ns),
        "clear_when": render(rule.clearing),
        "clear_for_s": _seconds(rule.clear_hold_ns),
        "keep_firing_for_s": _seconds(rule.keep_firing_ns),
        "min_interval_s": _seconds(rule.min_interval_ns),
        "min_rate_hz": rule.min_rate_hz or None,
        "on_gap": rule.on_gap.value,
        "gate_closed": rule.gate_closed.value,
        "trigger": rule.trigger.value,
        "parameters": dict(rule.parameters),
        "signals": sorted({item.path for node in nodes for item in walk(node) if isinstance(item, Signal)}),
        "functions": list(dict.fromkeys(render(call) for node in nodes for call in features_in(node))),
        "powertrains": list(rule.applies_to),
        "codes": list(rule.codes),
        "sources": list(rule.sources),
        "owner": rule.owner,
    }


def _seconds(time_ns: int) -> float:
    return time_ns / NANOSECONDS["s"]
