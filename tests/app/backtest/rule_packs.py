"""Packs that tests write."""

from __future__ import annotations

from pathlib import Path

RULE = """
- id: hot
  version: 1
  status: {status}
  system: engine.cooling
  component: coolant
  severity: high
  urgency: TODAY
  gate: CombustionEngine.Speed > 400 rpm
  when: EngineCoolant.Temperature >= limit
  clear_when: EngineCoolant.Temperature < clear
  for: {hold}
  parameters:
    limit: {{value: {limit}, unit: celsius}}
    clear: {{value: {clear}, unit: celsius}}
  title: {{en: Hot, zh: 过热}}
  explanation: {{en: "{{duration_s:.0f}} s", zh: "{{duration_s:.0f}} 秒"}}
  source: [test]
  owner: tests
"""


def pack(file: Path, *, status: str = "active", limit: float = 110, clear: float = 100, hold: str = "10 s") -> Path:
    file.write_text(RULE.format(status=status, limit=limit, clear=clear, hold=hold), encoding="utf-8")
    return file
