"""What an operator sees and does on an alert's page: holds, silences, verdicts, evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.findings import AlertState
from domain.live import ApiKey
from domain.records import Commit
from domain.silences import AlertLabel, Verdict
from domain.standing import Resolution, Review, Standing
from storage.memory_store import MemoryStore
from tests.web.pages.test_pages import shown, text
from tests.web.report_examples import SEDAN
from tests.web.serving import NOW_NS, client, store
from web.api.access import key_hash
from web.pages import desk_words

ALERT = "alert-overheat"
PAGE = f"/alerts/{ALERT}"
HOUR_NS = 3_600_000_000_000
FORM = {"content-type": "application/x-www-form-urlencoded"}


def standing(served: MemoryStore, **changes: object) -> MemoryStore:
    """The store with the alert standing so."""
    case = served.case(SEDAN)
    alerts = tuple(
        replace(alert, standing=replace(Standing(), **changes)) if alert.id == ALERT else alert  # type: ignore[arg-type]
        for alert in case.alerts
    )
    served.commit(Commit(cases=(replace(case, alerts=alerts),)))
    return served


def page_of(served: MemoryStore, language: str = "en") -> str:
    with client(served) as web:
        return text(web.get(PAGE).text, language)


def test_an_operator_silences_what_he_chooses_for_as_long_as_he_chooses() -> None:
    served = store()
    for scope, expected in (
        ("alert", {"vehicle": SEDAN, "source": served.alert(ALERT).source.id, "model": ""}),  # type: ignore[union-attr]
        ("vehicle", {"vehicle": SEDAN, "source": "", "model": ""}),
        ("model", {"vehicle": "", "model": "A3 1.5T"}),
    ):
        before = set(served.silences())
        with client(served) as web:
            answer = web.post(f"{PAGE}/silence", content=f"scope={scope}&hours=8&reason=test+drive+%26+wash", headers=FORM)
            assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
        (made,) = set(served.silences()) - before
        assert {name: getattr(made, name) for name in expected} == expected
        assert (made.ends_ns - NOW_NS, made.author, made.reason) == (8 * HOUR_NS, "operator", "test drive & wash")
        assert made.matches(served.alert(ALERT))  # type: ignore[arg-type]
    said = page_of(served)
    assert said.count("Silenced until") == 3
    assert "test drive & wash" in said


def test_a_silence_is_ended_from_the_page() -> None:
    served = store()
    with client(served) as web:
        web.post(f"{PAGE}/silence", content="scope=vehicle&hours=1&reason=towing", headers=FORM)
        (silence,) = served.silences()
        assert web.post(f"{PAGE}/silences/{silence.id}/end").status_code == 303
        assert "Silenced until" not in text(web.get(PAGE).text)
        assert web.post(f"{PAGE}/silences/none/end").status_code == 404
    assert served.silences()[0].ended_by == "operator"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("silence", "scope=alert&hours=8"),
        ("silence", "scope=alert&hours=9&reason=x"),
        ("silence", "scope=all&hours=8&reason=x"),
        ("silence", f"scope=alert&hours=8&reason={'x' * 501}"),
        ("label", "verdict=perhaps"),
        ("label", ""),
        ("label", "%ff=%00&verdict"),
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(path: str, content: str) -> None:
    served = store()
    with client(served) as web:
        assert web.post(f"{PAGE}/{path}", content=content, headers=FORM).status_code == 422
        assert web.post(f"/alerts/none/{path}", content="scope=alert&hours=8&reason=x&verdict=confirmed").status_code == 404
    assert (served.silences(), served.labels()) == ((), ())


def test_verdicts_are_kept_and_shown_latest_first() -> None:
    served = store()
    served.label_alert(
        AlertLabel(alert=ALERT, verdict=Verdict.CONFIRMED, author="anna", note="seen steam", created_ns=NOW_NS - HOUR_NS)
    )
    with client(served) as web:
        assert (
            web.post(f"{PAGE}/label", content="verdict=false_alarm&note=%3Cb%3Esensor%3C%2Fb%3E", headers=FORM).status_code == 303
        )
        page = web.get(PAGE).text
    assert [label.verdict for label in served.labels(ALERT)] == [Verdict.CONFIRMED, Verdict.FALSE_ALARM]
    assert "<b>sensor</b>" not in page
    said = text(page)
    assert said.index("sensor") < said.index("seen steam")


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({}, "Nothing holds this alert back", "未被抑制"),
        ({"inhibited_by": "alert-x", "inhibition": "supply"}, "another alert explains it", "由其他告警引起"),
        ({"silenced_by": "some"}, "Held back: silenced", "已静默"),
        ({"unconfirmed": True}, "seen in more drives first", "待确认"),
        ({"flapping": True}, "It comes and goes", "反复出现"),
        ({"review": Review.OLD_DATA}, "Its data was old", "数据到达时已陈旧"),
    ],
)
def test_the_page_says_why_an_alert_starts_nothing(changes: dict[str, object], english: str, chinese: str) -> None:
    served = standing(store(), **changes)
    assert english in page_of(served)
    assert chinese in page_of(served, "zh")


def test_a_resolved_alert_says_how_it_ended_and_takes_no_silence() -> None:
    served = store()
    case = served.case(SEDAN)
    over = replace(case.alerts[0], state=AlertState.RESOLVED, standing=Standing(resolution=Resolution.RECOVERED))
    served.commit(Commit(cases=(replace(case, alerts=(over, *case.alerts[1:])),)))
    with client(served) as web:
        page = web.get(f"/alerts/{over.id}").text
    assert "the recovery was measured" in text(page)
    assert f"/alerts/{over.id}/silence" not in shown(page).addresses
    assert f"/alerts/{over.id}/label" in shown(page).addresses


def test_the_evidence_pack_is_told_and_linked() -> None:
    served = store()
    with client(served) as web:
        page = web.get(PAGE).text
        assert f"/api/v1{PAGE}/evidence" in shown(page).addresses
        assert web.get(f"/api/v1{PAGE}/evidence").json()["alert"] == ALERT
    said = text(page)
    assert "Window of the recording" in said
    assert f"pitcall replay --alert {ALERT}" in said


def test_a_reader_sees_no_forms_and_may_not_use_them() -> None:
    served = store()
    served.save_api_key(ApiKey(hash=key_hash("reading"), name="reader", scopes=("read",), created_ns=0))
    with client(served, keys={}) as web:
        web.post("/sign-in", content="key=reading")
        page = web.get(PAGE).text
        assert not any(address.startswith(PAGE) for address in shown(page).addresses)
        assert "take a key with the scope" in text(page)
        assert web.post(f"{PAGE}/silence", content="scope=alert&hours=8&reason=x", headers=FORM).status_code == 403
        assert web.post(f"{PAGE}/label", content="verdict=confirmed", headers=FORM).status_code == 403
    assert (served.silences(), served.labels()) == ((), ())


def test_another_site_cannot_make_a_browser_use_the_forms() -> None:
    served = store()
    with client(served) as web:
        foreign = {**FORM, "origin": "https://evil.example"}
        assert web.post(f"{PAGE}/silence", content="scope=alert&hours=8&reason=x", headers=foreign).status_code == 403
    assert served.silences() == ()


def test_every_word_of_the_desk_is_there_in_both_languages() -> None:
    for table in (
        desk_words.LABELS,
        desk_words.HOLDS,
        desk_words.REMARKS,
        desk_words.SCOPES,
        desk_words.HOURS,
        desk_words.VERDICTS,
    ):
        assert all(word.en and word.zh for word in table.values())
