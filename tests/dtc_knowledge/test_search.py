"""Finding codes by their words."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from app.commands.dtc import command
from domain.errors import InputError
from dtc_knowledge.code_files import load_codes
from dtc_knowledge.search import SearchIndex, entries

CODES = load_codes()
INDEX = SearchIndex(entries(CODES))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("coolant temperature sensor circuit low", "P0117"),
        ("coolent temprature sensor circuit low", "P0117"),
        ("冷却液温度传感器电路电压低", "P0117"),
        ("cylinder 3 misfire", "P0303"),
        ("3 缸失火", "P0303"),
        ("水温传感器 2 电压低", "P2184"),
        ("scr conversion below threshold", "P20EE"),
        ("insulation alarm", "GB11"),
        ("绝缘报警", "GB11"),
        ("engine oil pressure", "SPN100"),
        ("尿素箱液位", "SPN1761"),
        ("bus off", ":88"),
        ("received network data in error", "FMI19"),
    ],
)
def test_words_find_the_code_among_the_first_five(text: str, code: str) -> None:
    found = [hit.entry.code for hit in INDEX.search(text, 5)]
    assert code in found, found


def test_the_beginning_of_a_code_lists_what_begins_so() -> None:
    assert [hit.entry.code for hit in INDEX.search("p030", 4)] == ["P0300", "P0301", "P0302", "P0303"]
    assert [hit.entry.code for hit in INDEX.search("SPN110", 1)] == ["SPN110"]


def test_every_name_finds_itself_first() -> None:
    for entry in INDEX.entries[::97]:
        for words in (entry.title.en, entry.title.zh):
            best = INDEX.search(words, 15)
            assert entry.title in [hit.entry.title for hit in best], words


@pytest.mark.parametrize("text", ["", "  ", "???", "zzzzqqq"])
def test_nothing_is_found_for_nothing(text: str) -> None:
    assert INDEX.search(text) == []


@given(st.text(max_size=60), st.integers(min_value=1, max_value=30))
def test_any_text_is_answered_in_order_and_within_the_limit(text: str, limit: int) -> None:
    hits = INDEX.search(text, limit)
    scores = [hit.score for hit in hits]
    assert len(hits) <= limit
    assert all(0 < score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


def test_building_and_asking_is_quick() -> None:
    start = time.process_time()
    SearchIndex(entries(CODES)).search("oxygen sensor heater")
    assert time.process_time() - start < 2.0  # measured 0.1 s


def test_the_command_answers_in_the_language_of_the_question() -> None:
    result = CliRunner().invoke(command, ["search", "氧传感器加热", "--json", "--limit", "3"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["lang"], len(document["found"])) == (0, "zh", 3)
    assert all("氧传感器" in hit["title"] for hit in document["found"])
    assert CliRunner().invoke(command, ["search", "zzzzqqq"]).exit_code == 1


def test_the_command_finds_a_makers_code_where_the_maker_is_named(tmp_path: Path) -> None:
    row = "P1345,Cam phaser noisy,相位器异响,engine.timing,phaser,low,NEXT,Acme manual\n"
    tables = tmp_path / "codes" / "makers"
    tables.mkdir(parents=True)
    (tables / "acme.csv").write_text("code,en,zh,system,component,severity,urgency,source\n" + row, "utf-8")
    runner, folder = CliRunner(), str(tmp_path)
    assert "P1345" in runner.invoke(command, ["search", "phaser noisy", "--maker", "acme", "--knowledge", folder]).stdout
    assert "P1345" not in runner.invoke(command, ["search", "phaser noisy", "--knowledge", folder]).stdout
    explained = runner.invoke(command, ["explain", "P1345", "--maker", "acme", "--knowledge", folder, "--json"])
    assert json.loads(explained.stdout)["codes"][0]["title"] == "Cam phaser noisy"
    unknown = runner.invoke(command, ["search", "x", "--maker", "nobody"])
    assert isinstance(unknown.exception, InputError)
    assert "nobody" in str(unknown.exception)
