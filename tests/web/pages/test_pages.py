"""The pages as a browser gets them."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from domain.findings import AlertState, Text, Urgency
from domain.fleet import VaultEntry
from domain.live import FunnelCounts
from domain.records import Commit
from notifier.orders.service_levels import load_service_levels
from storage.memory_store import MemoryStore
from tests.web.report_examples import COOLANT, SECOND, SEDAN, at, overheating, series
from tests.web.serving import NOW_NS, ORDER, client, store, stranger
from web.pages import overview, words
from web.pages.attention import NextAction, StuckReason

PAGES = ("/", "/alerts", "/alerts/alert-overheat", "/alerts/none", "/sign-in")
TRANSPARENT = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Shown(HTMLParser):
    """Texts in one language, and every address that the page names; complains of tags that do not close."""

    def __init__(self, language):
        super().__init__()
        self.language, self.open, self.texts, self.addresses, self.attributes = language, [], [], [], []

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.attributes += known
        self.addresses += [known[name] for name in ("src", "href", "action") if name in known]
        if tag not in TRANSPARENT:
            self.open.append((tag, known.get("class", "")))

    def handle_startendtag(self, tag, attributes):
        self.attributes += dict(attributes)

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        other = "zh" if self.language == "en" else "en"
        if data.strip() and not any(kind == other or tag in ("script", "title") for tag, kind in self.open):
            self.texts.append(data.strip())


def shown(page, language="en"):
    parser = Shown(language)
    parser.feed(page)
    assert not parser.open
    return parser


def text(page, language="en"):
    return re.sub(r"\s+", " ", " ".join(shown(page, language).texts))


def test_the_first_screen_says_what_must_stop_and_what_comes_next():
    with client() as web:
        page = text(web.get("/").text)
    stop = page[page.index("Must stop now") : page.index("Data health")]
    assert "Engine overheating: coolant does not reach the radiator" in stop
    assert "Aurora A3 1.5T" in stop
    assert "open for 5 min" in stop  # 300 s on its clock until its last message, 12 s since
    assert "last data 12 s ago" in stop
    assert "Wait for the dealer's answer. Pudong Aurora Service Centre" in stop


def test_it_says_the_same_in_chinese():
    with client() as web:
        page = text(web.get("/").text, "zh")
    for words_ in ("须立即停车", "已持续 5 分钟", "12 秒前有数据", "等待经销商接单", "数据健康", "最新告警"):
        assert words_ in page
    assert not re.search(r"Must stop|Data health|Latest alerts", page)


def test_an_order_that_nobody_answers_is_listed_with_its_reason():
    served = store()
    offered = served.order(ORDER)
    assert served.change_order(replace(offered, version=2, updated_ns=at(600)), 1)
    with client(served) as web:
        page = text(web.get("/").text)
    late = page[page.index("Not accepted in time") : page.index("Where")]
    assert "dealer does not answer Pudong Aurora Service Centre" in late
    assert "16 min" in late
    assert "Call the dealer: no answer in time." in page
    assert "1 dealer does not answer" in page[page.index("Stuck") :]


def test_an_empty_service_says_what_to_do():
    with client(MemoryStore()) as web:
        page = text(web.get("/").text)
        assert "pitcall vehicles import" in page
        assert "pitcall serve" in page
        assert "No alerts yet" in page
        assert "No positions yet" in page
        assert "No alerts yet" in text(web.get("/alerts").text)


def test_an_alert_shows_evidence_causes_plan_order_and_its_timeline():
    served = store()
    with client(served) as web:
        web.post(f"/api/v1/orders/{ORDER}/transitions", json={"event": "accept"}, headers={"If-Match": "1"})
        page = text(web.get("/alerts/alert-overheat").text)
    for said in (
        "118.4 °C",
        "Thermostat stuck closed 58 %".replace(" %", "%"),
        "Replace the thermostat",
        "Measure the pump's delivery",
        "Pudong Aurora",
    ):
        assert said in page
    assert re.search(r"Order timeline order-5d20c1 offered version 1 accepted version 2", page)


def test_signals_around_the_alert_are_drawn_where_their_history_is_kept(tmp_path):
    from domain.signals import SignalBatch, SignalGroup
    from storage.history import SignalHistory

    time_ns, values = series()[SEDAN, COOLANT]
    count = len(time_ns)
    group = SignalGroup.of(
        message="ENGINE",
        bus="*",
        profile="p",
        names=("T",),
        paths=(COOLANT,),
        units=("celsius",),
        frame=np.arange(count),
        time_ns=time_ns,
        vehicle=np.zeros(count, np.int32),
        source=np.full(count, -1, np.int16),
        values=values[None, :],
        valid=np.ones((1, count), np.bool_),
        priority=np.zeros(1, np.uint8),
        stale_after_ns=np.full(1, SECOND),
    )
    with SignalHistory(tmp_path) as history:
        history.append(SignalBatch(vehicles=(SEDAN,), groups=(group,), anomalies={}, known_frames=count, unknown_frames=0))
    with client(history=tmp_path) as web:
        page = web.get("/alerts/alert-overheat").text
        assert page.count('<path class="line"') == 2  # wide and narrow
        assert "No signals are kept" not in page
    with client(history=tmp_path / "nothing") as web:
        assert "No signals are kept" in web.get("/alerts/alert-overheat").text


def test_the_button_acknowledges_and_then_is_gone():
    with client() as web:
        page = web.get("/alerts/alert-overheat").text
        assert 'action="/alerts/alert-overheat/acknowledge"' in page
        answer = web.post("/alerts/alert-overheat/acknowledge")
        assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/alert-overheat")
        page = web.get("/alerts/alert-overheat").text
        assert "Acknowledged: somebody is looking after it." in text(page)
        assert 'acknowledge"' not in page


def test_the_list_pages_through_all_alerts():
    served = store()
    hot = overheating()
    many = [replace(hot.alerts[0], id=f"alert-{n:03d}", opened_ns=at(n)) for n in range(70)]
    served.commit(Commit(cases=(replace(hot, alerts=tuple(many), orders=(), recommendations=()),)))
    with client(served) as web:
        first, second = web.get("/alerts").text, web.get("/alerts?offset=50").text
        found = [re.findall(r'href="/alerts/([\w-]+)"', page) for page in (first, second)]
        assert len(found[0]) == 50
        assert len(set(found[0] + found[1])) == 73
        assert "Older" in text(first)
        assert "Newer" in text(second)
        assert "alert-battery" not in web.get("/alerts?severity=critical").text


def test_an_unknown_alert_is_a_page_that_says_so():
    with client() as web:
        answer = web.get("/alerts/none")
        assert answer.status_code == 404
        assert "There is no such alert" in text(answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_nothing_of_another_machine_and_forbids_it(path):
    with client() as web:
        answer = web.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        found = shown(answer.text)
        assert all(address.startswith(("/", "#", "?")) for address in found.addresses), found.addresses
        assert "style" not in found.attributes  # the policy would drop it
        assert not [name for name in found.attributes if name.startswith("on")]
        assert "<style" not in answer.text
        assert not re.search(r"<script(?! src=)", answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_every_text_of_a_page_stands_in_both_languages(path):
    with client() as web:
        page = web.get(path).text
    assert page.count('<span class="en" lang="en">') == page.count('<span class="zh" lang="zh-Hans">') > 5
    assert re.search("[\u4e00-\u9fff]", text(page, "zh"))


def test_a_page_and_all_that_it_loads_is_small():
    with client() as web:
        page = web.get("/").text
        assets = {address for address in shown(page).addresses if address.startswith("/static/")}
        sizes = [len(web.get(address).content) for address in assets]
        assert len(sizes) >= 4
        assert len(page.encode()) + sum(sizes) < 200_000


def test_hostile_words_stay_words():
    served = store()
    served.register([(stranger(SEDAN), VaultEntry(vehicle=SEDAN, vin="X"))])
    hot = overheating()
    evil = Text(en="</title><script>alert(2)</script>", zh="<b onmouseover=alert(3)>")
    served.commit(Commit(cases=(replace(hot, alerts=(replace(hot.alerts[0], title=evil),), orders=()),)))
    with client(served) as web:
        for path in PAGES:
            page = web.get(path).text
            assert "<script>alert" not in page
            assert "<img" not in page
            assert "<b onmouseover" not in page


def test_everything_that_is_said_is_said_in_both_languages():
    for table in (words.LABELS, words.NEXT_ACTIONS, words.STUCK_REASONS):
        for key, said in table.items():
            assert said.en, key
            assert said.zh, key
            assert said.en.count("{}") == said.zh.count("{}"), key


def test_a_resolved_incident_stops_nobody():
    served = store(orders=False)
    hot = overheating()
    served.commit(
        Commit(cases=(replace(hot, orders=(), alerts=tuple(replace(a, state=AlertState.RESOLVED) for a in hot.alerts)),))
    )
    view = overview.gather(served, NOW_NS, 8.0, load_service_levels())
    assert view.stops == ()


def test_a_car_whose_incident_has_no_order_needs_a_call():
    view = overview.gather(store(orders=False), NOW_NS, 8.0, load_service_levels())
    assert [row.action for row in view.stops] == [NextAction.CALL_OWNER]
    assert view.late == ()


def test_the_longest_open_incident_comes_first_and_the_rest_is_counted():
    served = MemoryStore()
    hot = overheating()
    for number in range(9):
        name = f"{number:064x}"
        alert = replace(hot.alerts[0], id=f"alert-{number}", vehicle=name, opened_ns=at(60 * number))
        served.commit(Commit(cases=(replace(hot, vehicle=name, alerts=(alert,), recommendations=(), orders=()),)))
    view = overview.gather(served, NOW_NS, 8.0, load_service_levels())
    assert [row.alert.id for row in view.stops] == [f"alert-{number}" for number in range(6)]
    assert view.stops_left_out == 3
    assert view.stops[0].open_s == (NOW_NS - at(0)) / 1e9


def test_the_day_begins_at_local_midnight():
    served = store()
    assert overview.gather(served, NOW_NS, 8.0, load_service_levels()).funnel[0].count == 3
    tomorrow = NOW_NS + 8 * 3600 * SECOND  # 16:30 UTC, past midnight in China
    assert overview.gather(served, tomorrow, 8.0, load_service_levels()).funnel[0].count == 0
    assert overview.gather(served, tomorrow, 0.0, load_service_levels()).funnel[0].count == 3


def test_the_funnel_counts_service_and_rescue_alike():
    counts = FunnelCounts(
        alerts=9,
        incidents=7,
        orders=6,
        told=5,
        owners_told=4,
        reached=(("accepted", 2), ("assigned", 1), ("scheduled", 1), ("en_route", 1), ("closed", 1)),
    )
    steps = {step.label: step.count for step in overview.funnel_steps(counts)}
    assert steps == {
        "alerts": 9,
        "orders": 6,
        "owners_told": 4,
        "told": 5,
        "accepted": 3,
        "booked": 2,
        "repaired": 0,
        "confirmed": 1,
    }
    assert all(0 <= step.share <= 1 for step in overview.funnel_steps(counts))


def test_silent_cars_and_a_silent_pipeline_show():
    served = store()
    served.save_figures(
        {"decode_share": 0.42, "lag_s": 9.5, "frames": 1200, "connected": True, "reported_ns": NOW_NS - 90 * SECOND}
    )
    health = overview.gather(served, NOW_NS, 8.0, load_service_levels()).health
    assert (health.cars, health.reporting, health.silent) == (2, 1, 1)
    assert health.pipeline_age_s == 90
    with client(served) as web:
        page = web.get("/").text
    assert "The pipeline has not reported for 1 min." in text(page)
    assert "处理管道已 1 分钟 未上报" in text(page, "zh")
    assert page.count('class="warn"') == 3  # silent cars, decode share, lag


def test_a_rescue_on_its_way_is_what_the_operator_sees_of_a_car_with_two_orders():
    served = store()
    service = served.order(ORDER)
    rescue = replace(service, id="order-rescue", kind="rescue", state="en_route")
    hot = overheating()
    served.commit(Commit(cases=(replace(hot, orders=(service, replace(rescue, kind=type(service.kind).RESCUE))),)))
    (row,) = overview.gather(served, NOW_NS, 8.0, load_service_levels()).stops
    assert row.action is NextAction.AWAIT_ARRIVAL
    assert row.order.id == "order-rescue"


def test_reasons_are_counted_over_all_open_orders():
    served = store()
    manual = replace(served.order(ORDER), version=2, state="manual", choice=None)
    assert served.change_order(manual, 1)
    view = overview.gather(served, NOW_NS, 8.0, load_service_levels())
    assert view.stuck == ((StuckReason.NO_DEALER, 1),)
    assert view.late[0].order.recommendation.urgency is Urgency.STOP
