"""The pages in a real browser: nothing from elsewhere, no overflow, live, both languages, both themes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.browser.chromium import CHROMIUM, page
from tests.web.api.test_stream import server
from tests.web.serving import ORDER, store
from web.api.access import key_hash

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
PATHS = (
    "/",
    "/alerts",
    "/alerts/alert-overheat",
    "/alerts/none",
    "/reminders",
    "/vehicles/none",
    "/kpis",
    "/tickets",
    "/rescues",
    "/emerging",
)
AXE = os.environ.get("AXE_CORE", "")
"""Path of axe.min.js (npm package axe-core), where accessibility is to be judged."""


@pytest.fixture(scope="module")
def browser():
    with page() as opened:
        yield opened


@pytest.fixture
def served():
    return store()


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_the_screen_ask_nobody_else_and_do_not_complain(browser, served, width):
    browser.requested.clear()
    browser.complaints.clear()
    browser.resize(width, 900)
    with server(served) as base:
        for path in PATHS:
            for language in ("en", "zh"):
                browser.go(f"{base}{path}?lang={language}")
                assert browser.run("document.documentElement.scrollWidth <= innerWidth"), (path, language)
                assert browser.run("document.documentElement.dataset.lang") == language
        browser.ask("Page.navigate", url="about:blank")
    assert browser.requested
    assert all(url.startswith((base, "about:")) for url in browser.requested), browser.requested
    assert [text for text in browser.complaints if "404" not in text] == []


@pytest.mark.parametrize("width", [1440, 390])
def test_the_dealer_portal_fits_the_screen_with_everything_unfolded(browser, served, width):
    order = served.order(ORDER)
    browser.complaints.clear()
    browser.resize(width, 900)
    with server(served, open_access=False, api_keys={key_hash("own"): ("dealer:SH-014",)}) as base:
        browser.go(f"{base}/sign-in?lang=en")
        browser.run("document.getElementById('key').value = 'own'; document.querySelector('form.sign-in').submit()")
        browser.wait_for("location.pathname === '/dealer' && document.readyState === 'complete'")
        assert served.change_order(replace(order, state="diagnosing", version=order.version + 1), order.version)
        for language in ("en", "zh"):
            browser.go(f"{base}/dealer?lang={language}")
            browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert browser.run("document.documentElement.scrollWidth <= innerWidth"), language
        browser.run("document.querySelector('form[action$=quote] button').click()")
        browser.wait_for("location.pathname === '/dealer' && /· (quoted|已报价)/.test(document.body.innerText)")
        browser.ask("Page.navigate", url="about:blank")
    assert browser.complaints == []
    assert served.order(ORDER).state == "quoted"


def test_a_change_shows_by_itself(browser, served):
    browser.resize(1440, 900)
    with server(served) as base:
        browser.go(f"{base}/?lang=en")
        browser.wait_for("document.getElementById('status').dataset.state === 'open'")
        assert "not acknowledged" in browser.run("document.getElementById('now').innerText")
        served.acknowledge_alert("alert-overheat")
        browser.wait_for("!document.getElementById('now').innerText.includes('not acknowledged')")
        browser.ask("Page.navigate", url="about:blank")


def test_the_button_acknowledges(browser, served):
    with server(served) as base:
        browser.go(f"{base}/alerts/alert-overheat?lang=en")
        browser.run("document.querySelector('#actions button').click()")
        browser.wait_for("document.getElementById('actions')?.innerText.includes('somebody is looking after it')")
        browser.ask("Page.navigate", url="about:blank")
    assert served.alert("alert-overheat").state == "acknowledged"


def test_language_and_theme_are_remembered(browser, served):
    with server(served) as base:
        browser.go(f"{base}/?lang=en&theme=light")
        browser.run("document.getElementById('language').click(); document.getElementById('theme').click()")
        browser.go(f"{base}/alerts")
        assert browser.run("[document.documentElement.dataset.lang, document.documentElement.dataset.theme]") == ["zh", "dark"]
        assert browser.run("document.title") == "全部告警 · pitcall"
        browser.ask("Page.navigate", url="about:blank")


@pytest.mark.skipif(not AXE, reason="AXE_CORE does not name axe.min.js")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_of_a_reader(browser, served, theme):
    browser.resize(1440, 900)
    with server(served) as base:
        for path in PATHS:
            browser.go(f"{base}{path}?lang=en&theme={theme}")
            browser.run(Path(AXE).read_text(encoding="utf-8") + ";0")
            found = browser.run("axe.run().then(r => r.violations.map(v => v.impact + ' ' + v.id + ' ' + v.nodes[0].target))")
            assert [each for each in found if each.startswith(("serious", "critical"))] == [], path
        browser.ask("Page.navigate", url="about:blank")
