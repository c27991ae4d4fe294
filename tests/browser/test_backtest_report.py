"""The backtest report in a real browser: nothing from elsewhere, no overflow, no complaint, both languages and themes."""

from __future__ import annotations

import pytest

from tests.browser.chromium import CHROMIUM, page
from tests.web.test_report_backtest import report
from web.report import render_backtest

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_report_fits_the_screen_and_asks_nobody(tmp_path, width):
    file = tmp_path / "report.html"
    file.write_text(render_backtest(report()), encoding="utf-8")
    with page() as browser:
        browser.resize(width, 900)
        for language, theme in (("en", "light"), ("zh", "dark")):
            url = f"{file.as_uri()}?lang={language}&theme={theme}"
            browser.go(url)
            assert browser.run("document.documentElement.scrollWidth <= innerWidth"), language
            assert browser.run("document.documentElement.dataset.lang") == language
            assert browser.run("document.documentElement.dataset.theme") == theme
            assert browser.run(
                "[...document.querySelectorAll('.charts svg')].every((svg) => svg.getBoundingClientRect().width > 200)"
            )
        assert browser.complaints == []
        assert all(asked.startswith(("file:", "data:")) for asked in browser.requested)
