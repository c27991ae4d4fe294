"""Backtests over the sample drives: the same alerts as a replay, however the work is shared out."""

import json
from dataclasses import replace
from functools import cache

import pytest

from app.backtest.backtest import backtest
from app.backtest.document import document
from app.fault_labels import read_labels
from domain.findings import SourceKind
from domain.fleet import DEVELOPMENT_KEY
from rules.pack import load_rules, shipped_packs
from tests.app.backtest.rule_packs import pack
from tests.app.test_bad_input import pitcall, refused
from tests.end_to_end.replays import SAMPLES, fleet, replayed

COOLING = next(file for file in shipped_packs() if file.stem == "cooling")
LABELS = SAMPLES / "labels.csv"


def run(manifest="manifest.csv", **words):
    choice = fleet(SAMPLES / manifest)
    words = {"rules": load_rules(), "progress": False, "jobs": 1} | words
    return backtest(vehicles=choice.vehicles, drives=choice.drives, **words)


def of(alerts):
    return sorted((alert.vehicle, alert.source.id, alert.source.version, alert.opened_ns, alert.state) for alert in alerts)


@cache
def of_a_replay():
    cases = replayed(fleet(SAMPLES / "manifest.csv")).cases
    return of(alert for case in cases for alert in case.alerts if alert.source.kind is SourceKind.RULE)


@cache
def judged():
    faults = read_labels(LABELS, DEVELOPMENT_KEY)
    sweeps = ("coolant_overheat.limit=109:125:8", "coolant_overheat.for=10:40:30")
    return run(against=load_rules(), faults=faults, sweeps=sweeps)


def test_the_alerts_are_those_of_a_replay():
    assert of_a_replay()
    assert of(judged().new.alerts) == of_a_replay()


def test_equal_sides_have_equal_figures_and_no_changes():
    done = judged()
    assert of(done.old.alerts) == of(done.new.alerts)
    told = document(done)
    assert told["changes"] == {"appeared": [], "disappeared": [], "moved": [], "unchanged": len(done.new.alerts)}
    assert told["old"] == {name: value for name, value in told["new"].items() if name != "alerts"}


def test_the_rules_find_every_fault_of_the_samples_and_raise_nothing_on_healthy_cars():
    told = document(judged())["new"]
    assert (told["faults"], told["found"], told["recall"]) == (6, 6, 1.0)
    assert told["false_alerts"] == 0
    assert set(told["by_kind"]) == {fault.kind for fault in read_labels(LABELS, DEVELOPMENT_KEY)}


def test_a_later_limit_and_a_longer_hold_make_a_longer_delay():
    limit, hold = document(judged())["sweeps"]
    delays = [point["delay_s"]["median"] for point in limit["points"]]
    assert delays == sorted(delays)
    assert delays[0] < delays[-1]
    first, second = (point["delay_s"]["median"] for point in hold["points"])
    assert second - first == pytest.approx(30.0, abs=0.2)


def test_a_rule_runs_the_same_alone_and_beside_its_variants():
    swept = next(point for point in judged().curves[0].points if point.value == 117)
    rule = next(rule for rule in load_rules([COOLING]) if rule.id == "coolant_overheat")
    alone = run(rules=[replace(rule, parameters={**rule.parameters, "limit": 117.0})])
    assert of(alone.new.alerts) == of(swept.figures.alerts)


def test_more_processes_change_nothing():
    words = {"rules": load_rules([COOLING]), "faults": read_labels(LABELS, DEVELOPMENT_KEY)}
    alone, shared = run("manifest_faulty.csv", **words), run("manifest_faulty.csv", jobs=2, **words)
    assert {**document(alone), "elapsed_s": 0} == {**document(shared), "elapsed_s": 0}


def test_stored_drives_give_the_alerts_of_their_recordings(tmp_path):
    history = tmp_path / "history"
    manifest = SAMPLES / "manifest_faulty.csv"
    assert pitcall("replay", "--manifest", manifest, "--history", history, "--json").returncode == 0
    vins = [line.split(",")[1] for line in LABELS.read_text(encoding="utf-8").splitlines()[1:]]
    words = [word for vin in vins for word in ("--vin", vin)]
    vehicles = ["--vehicles", SAMPLES / "vehicles.csv"]
    stored = pitcall("backtest", "--history", history, *words, *vehicles, "--rules", COOLING, "--labels", LABELS, "--json")
    recorded = pitcall("backtest", "--manifest", manifest, "--rules", COOLING, "--labels", LABELS, "--json")
    alerts = json.loads(recorded.stdout)["new"]["alerts"]
    before = ("backtest", "--history", history, *words[:2], "--rules", COOLING, "--to", "2000-01-01")
    assert "--from is not before --to" in refused(*before)
    assert alerts
    assert json.loads(stored.stdout)["new"]["alerts"] == alerts


def test_a_rule_without_its_signals_is_said_not_to_have_been_judged(tmp_path):
    log = SAMPLES / "healthy_ev_mixed.log.gz"
    result = pitcall("backtest", log, "--vin", "LTESTEVH4T0000003", "--rules", pack(tmp_path / "hot.yaml"))
    assert result.returncode == 0
    assert "1 of 1 rules were never judged" in result.stdout
    assert "1 vehicles have no records of what the rules read" in result.stdout


def test_figures_of_one_car_are_heeded_on_that_car(tmp_path):
    overrides = tmp_path / "overrides.yaml"
    overrides.write_text("- {rule: hot, vin: LTESTPTR9T0000005, parameters: {limit: 119}, source: test}\n", encoding="utf-8")
    words = ("backtest", "--manifest", SAMPLES / "manifest_faulty.csv", "--rules", pack(tmp_path / "hot.yaml"), "--json")
    (plain,) = json.loads(pitcall(*words).stdout)["new"]["alerts"]
    (later,) = json.loads(pitcall(*words, "--overrides", overrides).stdout)["new"]["alerts"]
    assert later["opened"] > plain["opened"]
    (tried,) = json.loads(pitcall(*words, "--overrides", overrides, "--sweep", "hot.limit=110:110:1").stdout)["sweeps"]
    assert tried["points"][0]["alert_count"] == 1
    overrides.write_text("- {rule: hit, parameters: {limit: 119}, source: test}\n", encoding="utf-8")
    assert "overrides.yaml:1: column 4: no rule 'hit'" in refused(*words, "--overrides", overrides)


def test_the_report_is_written_and_where_it_cannot_be_that_is_told(tmp_path):
    words = (
        "backtest",
        "--manifest",
        SAMPLES / "manifest_faulty.csv",
        "--rules",
        pack(tmp_path / "hot.yaml"),
        "--labels",
        LABELS,
    )
    sweep = ("--sweep", "hot.limit=90:120:10")
    result = pitcall(*words, *sweep, "--report", tmp_path / "report.html")
    assert result.returncode == 0
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "hot.limit" in html
    assert "raises and clears at once" in html
    assert "cannot be written" in refused(*words, "--report", tmp_path)


def test_a_shadow_rule_that_goes_live_appears_in_the_changes(tmp_path):
    new = pack(tmp_path / "new.yaml", status="active")
    old = pack(tmp_path / "old.yaml", status="shadow")
    words = ("backtest", "--manifest", SAMPLES / "manifest_faulty.csv", "--rules")
    goes_live = json.loads(pitcall(*words, new, "--against", old, "--json").stdout)
    assert [alert["rule"] for alert in goes_live["changes"]["appeared"]] == ["hot"]
    (row,) = goes_live["rules"]
    assert (row["old"]["status"], row["old"]["raises"], row["old"]["alert_count"]) == ("shadow", False, 1)
    assert (row["new"]["status"], row["new"]["raises"], row["new"]["alert_count"]) == ("active", True, 1)
    stays = json.loads(pitcall(*words, old, "--against", old, "--json").stdout)
    assert stays["changes"] == {"appeared": [], "disappeared": [], "moved": [], "unchanged": 0}
    assert (stays["new"]["alert_count"], stays["rules"][0]["new"]["alert_count"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--rules", "{pack}"), "which drives?; give logs with --vin, or --manifest FILE.csv"),
        (("--rules", "{pack}", "--history", "{folder}"), "holds no signal history; name the folder"),
        (("--rules", "{retired}", "--manifest", "{manifest}"), "there is no rule to run; give a pack"),
        (("--rules", "{missing}", "--manifest", "{manifest}"), "missing.yaml: cannot be read"),
        (("--rules", "{pack}", "--labels", "{missing}", "--manifest", "{manifest}"), "missing.yaml: cannot be read"),
        (("--rules", "{pack}", "--only", "hut", "--manifest", "{manifest}"), "--only hut: there is no such rule; is it hot?"),
        (("--rules", "{pack}", "--sweep", "hot.x=1:2:1", "--manifest", "{manifest}"), "hot.yaml:2: --sweep hot.x=1:2:1"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(tmp_path, words, told):
    places = {
        "pack": pack(tmp_path / "hot.yaml"),
        "retired": pack(tmp_path / "retired.yaml", status="retired"),
        "missing": tmp_path / "missing.yaml",
        "folder": tmp_path,
        "manifest": SAMPLES / "manifest_faulty.csv",
    }
    assert told in refused("backtest", *(word.format(**places) for word in words))
