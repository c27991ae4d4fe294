from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

from domain.findings import AlertState, Evidence, Severity, SourceKind, Text, Urgency
from domain.records import VehicleCase
from notifier.dealers.dealer_needs import Rejection
from notifier.orders.order_states import OrderState
from tests.web import report_examples as examples
from web.report import render_report, words

VOID = {"meta", "link", "br", "wbr"}


class Page(HTMLParser):
    """The page's elements, its visible words in one language, and whether its tags are balanced."""

    def __init__(self, html: str, language: str = "en") -> None:
        super().__init__()
        self.hidden = {"en": "zh", "zh": "en"}[language]
        self.stack: list[tuple[str, bool]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.stack == [], "tags are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        unseen = self.hidden in (found.get("class") or "").split() or tag in ("script", "style", "title")
        if tag not in VOID:
            self.stack.append((tag, unseen or any(hidden for _, hidden in self.stack)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop()[0] == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(hidden for _, hidden in self.stack):
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def faulty() -> str:
    return render_report(examples.faulty())


@pytest.mark.parametrize("name", ["faulty", "healthy", "undecoded"])
def test_the_page_asks_no_server_for_anything(name: str) -> None:
    html = render_report(getattr(examples, name)())
    for tag, found in Page(html).elements:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in found
        assert (found.get("href") or "#").startswith(("#", "data:,"))
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html


def test_all_that_is_known_of_an_incident_is_in_the_page(faulty: str) -> None:
    text = Page(faulty).text
    for expected in (
        *("STOP · P0", "Engine is overheating", "a7c31f0e", "Aurora A3 1.5T", "coolant_overheat", "Coolant stood above 115 °C"),
        *("118.4 °C", "> 115 °C", "10 s", "2026-03-01 08:21:34 – 08:21:44", "P0217", "confirmed, MIL on"),
        *(
            "Thermostat stuck closed",
            "58%",
            "Compare both radiator hoses",
            "10",
            "Replace the thermostat",
            "1.4",
            "COOL-THERM-01",
            "168.00",
        ),
        *("Above 115 °C the cylinder head warps", "Stop where it is safe", "do not drive"),
        *("Pudong Aurora Service Centre", "6.38 km", "has the thermostat in stock", "too far 11", "flat-bed truck", "682.00 CNY"),
        "2026-03-01 18:00–19:00",  # 10:00 UTC at a dealer eight hours ahead
        *("1,204,331", "25 min 00 s", "aurora_a3", "generic"),
    ):
        assert expected in text, expected


def test_it_says_the_same_in_chinese(faulty: str) -> None:
    text = Page(faulty, "zh").text
    for expected in (
        "回放报告",
        "立即停车 · P0",
        "发动机过热",
        "节温器卡滞在关闭位置",
        "请在安全处停车熄火",
        "平板拖车",
        "浦东奥罗拉服务中心",
        "25 分 00 秒",
    ):
        assert expected in text
    for english in ("Alerts", "Engine is overheating", "Threshold", "offered", "rule ", "critical", "Thermostat"):
        assert english not in text


def test_every_text_stands_there_in_both_languages(faulty: str) -> None:
    languages = Counter(
        language
        for _, found in Page(faulty).elements
        for language in (found.get("class") or "").split()
        if language in ("en", "zh")
    )
    assert languages["en"] == languages["zh"] > 100


def test_alerts_are_listed_most_urgent_first(faulty: str) -> None:
    listing = faulty[faulty.index("<tbody>") : faulty.index("</tbody>")]
    assert re.findall(r'class="badge (\w+)"', listing) == ["STOP", "TODAY", "MONITOR"]
    assert listing.index("Engine is overheating") < listing.index("Engine coolant over temperature")


def test_each_alert_links_to_its_incident(faulty: str) -> None:
    page = Page(faulty)
    targets = {found["id"] for _, found in page.elements if "id" in found}
    links = [found["href"] for tag, found in page.elements if tag == "a"]
    assert len(links) == 3
    assert {str(link).removeprefix("#") for link in links} <= targets


def test_plots_are_well_formed_and_show_threshold_window_and_unit(faulty: str) -> None:
    plots = [ET.fromstring(svg) for svg in re.findall(r"<svg viewBox=\"0 0 \d+ 220\".*?</svg>", faulty, re.DOTALL)]
    assert len(plots) == 6  # coolant, speed, battery; for a screen and for a phone
    for plot in plots:
        classes = {element.get("class") for element in plot}
        assert {"window", "threshold", "line", "axis", "grid", "tick"} <= classes
    words_of_first = ["".join(element.itertext()) for element in plots[0]]
    assert {"Coolant temperature, °C", "冷却液温度，°C", "> 115 °C", "2026-03-01 UTC", "08:10:00"} <= set(words_of_first)


def test_an_alert_without_samples_has_no_plot() -> None:
    assert 'class="plot"' not in render_report(dataclasses.replace(examples.faulty(), series={}))


def test_a_signal_is_drawn_again_in_its_incident_only_with_another_threshold() -> None:
    case = examples.overheating()
    evidence = case.alerts[0].evidence[0]
    for threshold, plots in ((None, 2), (110.0, 3)):
        second = dataclasses.replace(case.alerts[1], evidence=(dataclasses.replace(evidence, threshold=threshold),))
        again = dataclasses.replace(case, alerts=(case.alerts[0], second))
        assert render_report(dataclasses.replace(examples.faulty(), cases=(again,))).count('class="plot"') == plots


def test_an_open_alert_is_shaded_to_the_end_and_a_resolved_one_to_its_own() -> None:
    case = examples.overheating()
    right_edges = []
    for state in (AlertState.OPEN, AlertState.RESOLVED):
        one = dataclasses.replace(case.alerts[0], state=state, updated_ns=examples.at(1350))
        html = render_report(dataclasses.replace(examples.faulty(), cases=(dataclasses.replace(case, alerts=(one,)),)))
        x, width = re.search(r'class="window" x="([\d.]+)" y="26" width="([\d.]+)"', html).groups()  # type: ignore[union-attr]
        right_edges.append(float(x) + float(width))
    assert right_edges[0] == pytest.approx(906, abs=0.2)
    assert right_edges[1] == pytest.approx(56 + 850 * 1350 / 1499, abs=0.5)


def test_columns_that_no_evidence_fills_are_left_out() -> None:
    case = examples.overheating()
    frozen = Evidence(kind="freeze_frame", signal=examples.SPEED, value=64.0, unit="km/h")
    second = dataclasses.replace(case.alerts[1], evidence=(frozen,))
    text = Page(render_report(dataclasses.replace(examples.faulty(), cases=(dataclasses.replace(case, alerts=(second,)),)))).text
    assert "Measured Vehicle speed" in text
    assert "Held for" not in text


def test_codes_and_lamps_are_remarks_rather_than_figures() -> None:
    case = examples.overheating()
    reported = (
        Evidence(kind="dtc", signal="SPN110/FMI0", value=3.0, unit="occurrences", note="active, control unit 0"),
        Evidence(kind="lamp", signal="red_stop", value=1.0, note="on"),
    )
    second = dataclasses.replace(case.alerts[1], evidence=reported)
    html = render_report(dataclasses.replace(examples.faulty(), cases=(dataclasses.replace(case, alerts=(second,)),)))
    assert "SPN110/FMI0 — active, control unit 0 · Occurrences 3 Red stop lamp — on" in Page(html).text
    assert "红色停车灯 — 点亮" in Page(html, "zh").text
    assert "Measured" not in Page(html).text


def test_the_days_of_the_drives_are_named() -> None:
    first = examples.drives()[0]
    later = dataclasses.replace(
        first, start_ns=first.start_ns + 3 * 86_400 * examples.SECOND, end_ns=first.end_ns + 3 * 86_400 * examples.SECOND
    )
    assert (
        "Replay report 2026-03-01 – 2026-03-04 "
        in Page(render_report(dataclasses.replace(examples.healthy(), drives=(later, first)))).text
    )
    assert "Replay report 2026-03-01 中文" in Page(render_report(dataclasses.replace(examples.healthy(), drives=(first,)))).text


def test_samples_without_any_value_are_no_trouble() -> None:
    times, values = examples.series()[(examples.SEDAN, examples.COOLANT)]
    nothing = {
        (examples.SEDAN, examples.COOLANT): (times, np.full(len(values), np.nan)),
        (examples.SEDAN, examples.SPEED): (times[:0], values[:0]),
    }
    html = render_report(dataclasses.replace(examples.faulty(), series=nothing))
    assert html.count('class="plot"') == 1
    assert "nan" not in html.lower().replace("maintenance", "")


def test_hostile_text_stays_text() -> None:
    bad = "<script>alert(1)</script>&\"'"
    case = examples.overheating()
    alerts = tuple(
        dataclasses.replace(alert, title=Text(en=bad, zh=bad), explanation=Text(en=bad, zh="好")) for alert in case.alerts
    )
    evil = dataclasses.replace(case, alerts=alerts)
    drives = tuple(dataclasses.replace(drive, log=bad) for drive in examples.drives())
    html = render_report(dataclasses.replace(examples.faulty(), cases=(evil,), generated_from=bad, drives=drives))
    assert "<script>alert" not in html
    assert bad in Page(html).text


def test_nothing_found_says_what_was_checked() -> None:
    page = Page(render_report(examples.healthy()))
    assert "Nothing found 14 rules, 1 detector and 1,210 trouble codes were checked against 3,322,770 signal samples" in page.text
    assert "Nothing could be checked" not in page.text
    assert "未发现异常 已用 14 条规则" in Page(render_report(examples.healthy()), "zh").text


def test_a_drive_that_could_not_be_decoded_is_not_called_healthy() -> None:
    text = Page(render_report(examples.undecoded())).text
    assert "Nothing found" not in text
    assert "Nothing could be checked" in text
    assert "unknown.log" in text
    assert "+0:00:00" in text  # an undated recording


def test_merged_incidents_are_shown_as_one() -> None:
    case = examples.overheating()
    explained = dataclasses.replace(case.alerts[1], incident_id="incident-code")
    alone = dataclasses.replace(
        case.recommendations[0], incident_id="incident-code", title=Text(en="Only the code", zh="仅故障码")
    )
    main = dataclasses.replace(case.recommendations[0], merges=("incident-code",))
    apart = dataclasses.replace(case, alerts=(case.alerts[0], explained), recommendations=(alone, case.recommendations[0]))
    merged = dataclasses.replace(apart, recommendations=(alone, main))
    assert render_report(dataclasses.replace(examples.faulty(), cases=(apart,))).count("<article") == 2
    html = render_report(dataclasses.replace(examples.faulty(), cases=(merged,)))
    assert html.count("<article") == 1
    assert "Only the code" not in html


def test_an_order_for_two_incidents_is_shown_once_and_named_again() -> None:
    case = examples.overheating()
    other = dataclasses.replace(case.alerts[1], incident_id="incident-code")
    order = dataclasses.replace(case.orders[0], incidents=("incident-cooling", "incident-code"))
    both = dataclasses.replace(case, alerts=(case.alerts[0], other), orders=(order,))
    text = Page(render_report(dataclasses.replace(examples.faulty(), cases=(both,)))).text
    assert text.count("Service order order-5d20c1") == 1
    assert "Answered by the order shown above: order-5d20c1" in text


def test_alerts_without_recommendation_or_known_vehicle_are_shown() -> None:
    case = VehicleCase(vehicle=examples.SEDAN, alerts=examples.overheating().alerts)
    text = Page(render_report(dataclasses.replace(examples.faulty(), cases=(case,), vehicles=(), dealers=()))).text
    assert "a7c31f0e" in text
    assert "Engine is overheating" in text


def test_an_order_without_a_dealer_says_so() -> None:
    case = examples.overheating()
    unplaced = dataclasses.replace(case, orders=(dataclasses.replace(case.orders[0], choice=None, state="manual", slots=()),))
    text = Page(render_report(dataclasses.replace(examples.faulty(), cases=(unplaced,)))).text
    assert "No dealer is able to take it" in text


def test_long_recordings_make_no_heavy_page() -> None:
    times = examples.START + np.arange(600_000, dtype=np.int64) * 2_500_000
    values = np.random.default_rng(1).normal(90, 5, len(times))
    html = render_report(dataclasses.replace(examples.faulty(), series={(examples.SEDAN, examples.COOLANT): (times, values)}))
    assert len(html) < 200_000


def test_the_same_replay_gives_the_same_page(faulty: str) -> None:
    assert render_report(examples.faulty()) == faulty


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (words.URGENCIES, [urgency.name for urgency in Urgency]),
        (words.SEVERITIES, [severity.value for severity in Severity]),
        (words.ALERT_STATES, [state.value for state in AlertState]),
        (words.SOURCE_KINDS, [kind.value for kind in SourceKind]),
        (words.ORDER_STATES, [state.value for state in OrderState]),
        (words.REJECTIONS, [rejection.value for rejection in Rejection]),
    ],
)
def test_every_word_of_a_record_is_known_in_both_languages(table: dict[str, Text], keys: list[str]) -> None:
    assert set(table) == set(keys)
    assert all(re.search(r"[\u4e00-\u9fff]", text.zh) for text in table.values())
