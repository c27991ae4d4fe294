"""The worked backtest of the guide: its one command gives its figures, and the worse rule is shown to be worse."""

import json
import re
import shlex

import pytest

from rules.pack import load_rules
from tests.app.test_bad_input import pitcall
from tests.end_to_end.replays import ROOT

GUIDE = (ROOT / "docs" / "guides" / "backtest.md").read_text(encoding="utf-8")
EAGER = ROOT / "docs" / "guides" / "backtest" / "eager.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("guide")


def words(name: str, folder) -> list[str]:
    """Of the guide's own command, from the repository's root, with its folder of drives put elsewhere."""
    line = next(
        line
        for line in GUIDE.replace("\\\n", " ").splitlines()
        if f"pitcall {name}" in line and "drives" in line and "&&" in line
    )
    command = next(part for part in line.split("&&") if part.strip().startswith(f"pitcall {name}"))
    return [word.replace("backtest_drives", str(folder / "drives")) for word in shlex.split(command)[1:]]


@pytest.fixture(scope="module")
def told(folder):
    before = pitcall(*words("simulate", folder))
    assert before.returncode == 0, before.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("COLUMNS", "110")
        shown = pitcall(*words("backtest", folder))
        document = pitcall(*words("backtest", folder), "--json")
    assert shown.returncode == document.returncode == 0, shown.stderr
    return shown.stdout, json.loads(document.stdout)


def test_the_command_of_the_guide_prints_what_the_guide_shows(told):
    block = GUIDE.split("```text\n")[1].split("```")[0]
    shown = re.sub(r" in [\d.]+ s$", "", told[0], flags=re.MULTILINE)
    lines = [line.rstrip() for line in shown.splitlines()]
    for line in block.splitlines():
        assert line.rstrip() in lines, line


def test_the_eager_rule_is_worse_in_all_but_haste(told):
    old, new = told[1]["old"], told[1]["new"]
    assert old["recall"] == 1.0
    assert new["recall"] < old["recall"]
    assert new["precision"] < 0.5 < old["precision"]
    assert new["false_alarms_per_1000_vehicle_days"] > 100 > old["false_alarms_per_1000_vehicle_days"]
    assert new["delay_s"]["median"] < old["delay_s"]["median"]


def test_the_curve_shows_where_false_alarms_end_and_what_waiting_costs(told):
    limit = told[1]["sweeps"][0]["points"]
    false = [point["false_alerts"] for point in limit]
    assert false == sorted(false, reverse=True)
    assert false[0] > 0 == false[1]
    delays = [point["delay_s"]["median"] for point in limit[1:]]
    assert delays == sorted(delays)
    assert delays[0] < delays[-1]


def test_the_eager_rule_is_the_shipped_one_but_for_its_numbers():
    (eager,) = load_rules([EAGER])
    shipped = next(rule for rule in load_rules() if rule.id == eager.id)
    assert eager.conditions == shipped.conditions
    assert eager.parameters != shipped.parameters
