"""The display's words: a table in two languages that people can release, complete and without links."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import DataFileError
from notifier.rescue.wording import NEEDED, SHIPPED, DriverAnswer, load_wording


def test_every_event_has_words_in_both_languages_and_the_narrowest_group_wins() -> None:
    wording = load_wording()
    for event in NEEDED:
        text = wording.notice(event, "").text
        assert text.en
        assert any("\u4e00" <= sign <= "\u9fff" for sign in text.zh)
    assert wording.notice("propose", "ev.battery/cell").id == "safety.ev"
    assert wording.notice("propose", "chassis.brake/pads").id == "safety.brake"
    assert wording.notice("propose", "evasion").id == wording.notice("propose", "engine.cooling/pump").id == "safety"
    assert set(wording.answers) == set(DriverAnswer)


def test_what_to_do_comes_before_the_question() -> None:
    wording = load_wording()
    for (event, _), notice in wording.notices.items():
        if event == "propose":
            assert notice.text.en.endswith("Do you need roadside help?")
            assert notice.text.zh.endswith("您需要道路救援吗？")
            assert "safe" in notice.text.en


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("safety,propose,ev,Look at https://x.example,看,s,today", "links"),
        ("safety,propose,,Again,再次,s,today", "has words for this group already"),
        ("maybe,answer,,Maybe,也许,s,today", "answer 'maybe' is not known"),
        ("x,unheard,,Words,词,s,today", "'unheard'"),
        ("x,propose,gas,Words,词,s,", "column reviewed"),
    ],
)
def test_a_row_that_must_not_be_shown_is_refused_with_its_line(line: str, wrong: str, tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    file = tmp_path / "wording.csv"
    file.write_text(text + line + "\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=wrong) as problem:
        load_wording(file)
    assert f"wording.csv:{text.count(chr(10)) + 1}:" in str(problem.value)


def test_a_table_that_lacks_words_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wording.csv"
    rows = [row for row in SHIPPED.read_text(encoding="utf-8").splitlines() if not row.startswith("no_help,")]
    file.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(DataFileError, match="no words for 'no_help'"):
        load_wording(file)
