"""The page of key figures."""

from __future__ import annotations

from tests.web.api.test_kpis_api import worked
from tests.web.serving import client, store


def test_it_shows_figures_with_cases_and_how_right_the_sources_were():
    with client(worked()) as web:
        page = web.get("/kpis").text
    assert "Acceptance time" in page
    assert "接单时长" in page
    assert "1 cases" in page
    assert page.count("<svg viewBox") >= 3
    assert "Confirmed" in page


def test_without_history_it_says_what_figures_are_made_of():
    with client(store(orders=False)) as web:
        page = web.get("/kpis").text
    assert "No figures yet" in page
    assert "No repair has been reported yet." in page
