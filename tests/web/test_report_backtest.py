"""The page of a backtest: self-contained, in both languages, and with every figure in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from domain.findings import Text
from tests.web.test_report_page import Page
from web.report import render_backtest
from web.report.backtest_model import (
    BacktestReport,
    ChangeRow,
    Judged,
    RuleFigures,
    RuleSide,
    SideFigures,
    SweepReport,
    SweepValueRow,
)

SECOND = 1_000_000_000
START = 1_772_409_600 * SECOND
HOT = Text(en="Engine <b>hot</b>", zh="发动机过热")


def judged(found=3, *, false=2, delays=(10.0, 20.0, 75.0), leads=(400.0, 500.0)) -> SideFigures:
    return SideFigures(
        alerts=9,
        judged=Judged(
            faults=4,
            found=found,
            recall=found / 4,
            precision=0.625,
            false_alarms=false,
            false_per_1000_days=false * 50.0,
            other=1,
            delays_s=delays,
            leads_s=leads,
        ),
    )


def report() -> BacktestReport:
    rule = RuleFigures(
        id="hot_rule",
        title=HOT,
        is_changed=True,
        vehicles=17,
        old=RuleSide(status="shadow", is_silent=True, figures=judged()),
        new=RuleSide(status="active", is_silent=False, figures=judged()),
    )
    sweep = SweepReport(
        rule="hot_rule",
        title=HOT,
        parameter="limit",
        unit="",
        present=110.0,
        rows=(
            SweepValueRow(value=90.0, figures=None, problem=Text(en="raises and clears at once", zh="同时成立")),
            SweepValueRow(value=110.0, figures=judged()),
            SweepValueRow(value=120.0, figures=judged(2)),
        ),
    )
    return BacktestReport(
        drives=40,
        vehicles=20,
        vehicle_days=21,
        records=1_234_567,
        notes=(Text(en="2 labels do not count", zh="2 条标注不计"),),
        new=judged(3),
        old=judged(4, false=0, delays=(50.0, 60.0, 70.0, 80.0)),
        changes=(
            ChangeRow(vehicle="a7c31f0e99", rule="hot_rule", title=HOT, old_ns=None, new_ns=START),
            ChangeRow(vehicle="a7c31f0e99", rule="hot_rule", title=HOT, old_ns=START + 5 * SECOND, new_ns=None),
            ChangeRow(vehicle="b7c31f0e99", rule="hot_rule", title=HOT, old_ns=START, new_ns=START + 90 * SECOND),
        ),
        unchanged=6,
        rules=(rule,),
        quiet_rules=83,
        sweeps=(sweep,),
        elapsed_s=3.2,
    )


@pytest.fixture(scope="module")
def html() -> str:
    return render_backtest(report())


def test_the_page_asks_no_server_for_anything(html):
    for tag, found in Page(html).elements:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in found
        assert (found.get("href") or "#").startswith(("#", "data:,"))
    assert "http:" not in html
    assert "https:" not in html


def test_every_figure_stands_in_it(html):
    text = Page(html).text
    for expected in (
        *("1,234,567", "2 labels do not count", "75 %", "62.5 %", "100.0", "20 s", "7 min 30 s"),
        *("appears", "disappears", "1 min 30 s later", "2026-03-02 00:00:05", "6 alerts stay as they are"),
        *("shadow → active", "(9)", "3 / 4", "83 other rules", "raises and clears at once", "120"),
    ):
        assert expected in text, expected


def test_what_got_worse_and_better_is_said(html):
    text = Page(html).text
    assert "Faults found 4 3 worse Recall 100 % 75 % worse" in text
    assert "False alarms 0 2 worse" in text
    assert "Median delay after onset 1 min 05 s 20 s better" in text


def test_it_says_the_same_in_chinese(html):
    text = Page(html, "zh").text
    for expected in ("规则回测报告", "误报数", "推迟 1 分 30 秒", "影子 → 生效", "同时成立", "发动机过热"):
        assert expected in text
    for english in ("Alerts", "Vehicle", "appears", "worse", "Recall", "shadow", "found"):
        assert english not in text


def test_every_text_stands_there_in_both_languages(html):
    languages = Counter(
        language
        for _, found in Page(html).elements
        for language in (found.get("class") or "").split()
        if language in ("en", "zh")
    )
    assert languages["en"] == languages["zh"] > 80


def test_hostile_text_stays_text(html):
    assert "<b>hot" not in html


def test_without_labels_and_an_old_side_nothing_is_claimed_of_them():
    plain = SideFigures(alerts=3, judged=None)
    side = RuleSide(status="draft", is_silent=False, figures=plain)
    shown = replace(
        report(),
        new=plain,
        old=None,
        changes=(),
        rules=(replace(report().rules[0], old=None, new=side),),
        sweeps=(replace(report().sweeps[0], rows=(SweepValueRow(value=110.0, figures=plain),)),),
    )
    text = Page(render_backtest(shown)).text
    for claim in ("Recall", "Precision", "False", "worse", "What changes", "Today"):
        assert claim not in text
    assert "draft" in text
