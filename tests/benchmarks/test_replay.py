"""The benchmark of replay compares two things that find the same."""

from __future__ import annotations

from pathlib import Path

from app.bench_replay import run
from rules.pack import shipped_packs
from tests.rules.making import rule_dict, write_pack

RPM, SPEED, VOLTAGE = "CombustionEngine.Speed", "Vehicle.Speed", "LowVoltageBattery.CurrentVoltage"
CONDITIONS = {
    "mean": f"mean({RPM}, 10 s) > 1500",
    "std": f"std({RPM}, 10 s) > 200",
    "slope": f"slope({SPEED}, 5 s) > 1",
    "lowest": f"min({VOLTAGE}, 20 s) < 12",
    "highest": f"max({SPEED}, 300 m) > 40",
    "rate": f"rate({SPEED}, 6 s) > 0.5",
    "share": f"share({SPEED} > 30, trip) > 0.3",
    "count": f"count({RPM} > 1200, 30 s) >= 2",
    "percentile": f"percentile({RPM}, 80, 1 min, 0, 6000) > 1800",
    "engine_time": f"mean({SPEED}, 1 engine_min) > 20",
    "sequence": f"seq({SPEED} > 30, {SPEED} < 5, 60 s)",
    "drives": f"cycles({SPEED} > 30, 2, 3)",
    "absence": f"absent({SPEED}, 100 s)",
    "hour": f"local_hour(8) > 8.1 and {SPEED} > 10",
    "code": 'dtc("P030?") or dtc("P0217")',
    "either": f"not ({SPEED} < 20 or {VOLTAGE} < 13) and abs({SPEED} - 40) / 2 < 6",
}


def test_the_loop_finds_what_replay_finds_by_shipped_and_by_made_rules(tmp_path: Path) -> None:
    changes = [{"id": name, "when": when, "for": "0 s", "parameters": {}} for name, when in CONDITIONS.items()]
    changes += [
        {"id": "held", "gate": f"{RPM} > 1400", "when": f"{SPEED} > 20", "for": "30 s", "gate_closed": "hold", "parameters": {}},
        {
            "id": "kept",
            "when": f"{SPEED} > 20",
            "for": "2 s",
            "keep_firing_for": "20 s",
            "min_interval": "90 s",
            "parameters": {},
        },
        {"id": "edge", "when": f"{RPM} > 500", "for": "1 s", "trigger": "edge", "on_gap": "unknown", "parameters": {}},
        {"id": "often", "when": f"{SPEED} > 20", "for": "2 s", "min_rate": "3 Hz", "on_gap": "reset", "parameters": {}},
    ]
    told = {"explanation": {"en": "It is so.", "zh": "如此。"}}
    pack = write_pack(tmp_path, *(rule_dict(**told, **change) for change in changes))
    figures = run(rounds=1, minutes=3, rate=1, rule_paths=[pack, *shipped_packs()])
    assert figures["rules"] > len(changes) + 80
    assert figures["findings"] > 100
    assert figures["differing_findings"] == figures["rules_not_in_loop"] == 0
    assert figures["vs_loop"] > 1
