"""What shadow rules would have raised, counted in live operation and shown in the list of rules, the API and the metrics."""

import json
from dataclasses import replace

from app.composition import build_line, load_profiles
from app.line_tally import LineTally
from app.metrics import render_metrics
from app.rule_files import RuleFiles
from app.settings import read_settings
from app.stores import open_database
from domain.ports import no_jit
from ingest.logs import open_log
from rules.pack import load_rules
from rules.rule import RuleStatus
from storage.memory_store import MemoryStore
from tests.app.backtest.rule_packs import pack
from tests.app.test_bad_input import pitcall
from tests.end_to_end.replays import SAMPLES, fleet
from tests.web.serving import client


def test_what_a_shadow_rule_finds_is_counted_and_raises_nothing(tmp_path):
    tally = LineTally()
    choice = fleet(SAMPLES / "manifest_faulty.csv")
    drive = next(drive for drive in choice.drives if "overheating" in drive.log.name)
    parts = build_line(
        [drive.vehicle],
        profiles=load_profiles([drive.vehicle]),
        rule_files=RuleFiles(paths=(pack(tmp_path / "hot.yaml", status="shadow"),)),
        on_shadow=tally.note_shadow,
    )
    pushed = [parts.line.push(frames) for frames in open_log(drive.log, vehicle=drive.vehicle.id, jit=no_jit)]
    pushed.append(parts.line.close(drive.vehicle.id))
    assert tally.figures()["shadow"]["hot"]["raised"] == 1
    assert not any(finding.source.id == "hot" for each in pushed for finding in each.findings)


def test_the_list_of_rules_tells_how_often(tmp_path):
    rules, url = pack(tmp_path / "hot.yaml", status="shadow"), f"sqlite:///{tmp_path / 'pitcall.sqlite3'}"
    with open_database(url, read_settings()) as store:
        store.save_figures({"shadow": {"hot": {"raised": 3, "cleared": 2}}})
    (row,) = json.loads(pitcall("rules", "list", rules, "--database", url, "--json").stdout)
    assert row["shadow"] == {"raised": 3, "cleared": 2}
    assert "would have raised 3 times" in pitcall("rules", "list", rules, "--database", url).stdout
    assert "would have" not in pitcall("rules", "list", rules).stdout


def test_the_api_and_the_metrics_tell_how_often(tmp_path):
    store = MemoryStore()
    store.save_figures({"shadow": {"hot": {"raised": 3}}})
    (rule,) = load_rules([pack(tmp_path / "hot.yaml", status="shadow")])
    with client(store, rules=lambda: (rule, replace(rule, id="live", status=RuleStatus.ACTIVE))) as web:
        listed = web.get("/api/v1/rules").json()["rules"]
    assert [each["shadow"] for each in listed] == [{"raised": 3, "cleared": 0}, None]
    assert 'pitcall_shadow_raised{rule="hot"} 3.0' in render_metrics(store, 5)
