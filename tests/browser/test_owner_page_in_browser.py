"""The owner's page in a real browser: it fits a phone, asks nobody else, and takes an answer without any script of its own."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.chromium import CHROMIUM, page
from tests.web.api.test_stream import server
from tests.web.pages.test_owner_page import ORDER, WAY, calm, give_quote, link, move
from tests.web.serving import store

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_a_quote_is_answered_on_a_phone_in_both_languages() -> None:
    served = calm(store())
    with page() as browser, server(served) as base, httpx.Client(base_url=base, trust_env=False) as web:
        move(web, *WAY)
        give_quote(web)
        path = link(web, "quote")
        for width in (1440, 390):
            browser.resize(width, 900)
            for language, theme in (("zh", "dark"), ("en", "light")):
                browser.go(f"{base}{path}?lang={language}&theme={theme}")
                assert browser.run("document.documentElement.scrollWidth <= innerWidth"), (width, language)
                assert browser.run("document.querySelector('.owner form button').getBoundingClientRect().height >= 44")
        browser.run("document.querySelectorAll('input[value=yes]').forEach((each) => { each.checked = true; })")
        browser.run("document.querySelector('.owner form button').click()")
        browser.wait_for("document.body.innerText.includes('You agreed to')")
        assert browser.complaints == []
        assert all(url.startswith((base, "about:")) for url in browser.requested)
    order = served.order(ORDER)
    assert order is not None
    assert order.state == "approved"
