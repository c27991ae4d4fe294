"""Links for owners open one thing, for a while, and only as they were made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.owners import LinkPurpose, LinkState, OwnerLink
from notifier.owners.links import LONGEST_NS, LinkSigner, LinkVerdict, judge_link, new_link

NOW = 1_800_000_000_000_000_000
SIGNER = LinkSigner(b"secret")


def _link(purpose: LinkPurpose = LinkPurpose.QUOTE, order: str = "o1", version: int = 2) -> OwnerLink:
    return new_link(purpose, vehicle="v1", order=order, version=version, now_ns=NOW)


def _verdict(token: str, link: OwnerLink | None, now_ns: int = NOW) -> LinkVerdict:
    return judge_link(SIGNER.claim(token), link, now_ns)


def test_a_token_opens_its_link_until_it_ends_three_days_later_at_most() -> None:
    link = _link()
    assert _verdict(SIGNER.token(link), link) is LinkVerdict.GOOD
    assert _verdict(SIGNER.token(link), link, link.due_ns - 1) is LinkVerdict.GOOD
    assert _verdict(SIGNER.token(link), link, link.due_ns) is LinkVerdict.EXPIRED
    assert link.due_ns - NOW <= LONGEST_NS
    assert new_link(link.purpose, vehicle="v1", order="o1", version=2, now_ns=NOW, lasts_ns=10**18).due_ns == link.due_ns


def test_a_used_link_still_shows_and_a_revoked_one_does_not() -> None:
    used, revoked = (replace(_link(), state=state) for state in (LinkState.USED, LinkState.REVOKED))
    assert _verdict(SIGNER.token(used), used) is LinkVerdict.USED
    assert _verdict(SIGNER.token(revoked), revoked) is LinkVerdict.REVOKED
    assert [verdict.shows for verdict in LinkVerdict] == [True, True, False, False, False]


def test_a_token_of_another_key_or_without_a_row_opens_nothing() -> None:
    link = _link()
    assert _verdict(LinkSigner(b"other").token(link), link) is LinkVerdict.INVALID
    assert _verdict(SIGNER.token(link), None) is LinkVerdict.INVALID
    for other in (replace(link, order="o2"), replace(link, purpose=LinkPurpose.RATE), replace(link, version=3)):
        assert _verdict(SIGNER.token(link), other) is LinkVerdict.INVALID
        assert _verdict(SIGNER.token(other), link) is LinkVerdict.INVALID


def test_the_signature_is_hmac_sha256_over_the_payload() -> None:
    payload, _, signature = SIGNER.token(_link()).partition(".")
    key = hmac.digest(b"secret", b"pitcall owner links 1", "sha256")
    assert base64.urlsafe_b64decode(signature + "=") == hmac.digest(key, payload.encode(), hashlib.sha256)
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert said == [_link().id, "quote", "o1", 2, _link().due_ns // 10**9]


@given(position=st.integers(0, 400), character=st.characters(codec="utf-8"))
def test_no_altered_token_opens_anything(position: int, character: str) -> None:
    link = _link()
    token = SIGNER.token(link)
    place = position % len(token)
    altered = token[:place] + character + token[place + 1 :]
    assert altered == token or _verdict(altered, link) is LinkVerdict.INVALID


@given(text=st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert SIGNER.claim(text) is None
