"""Every store keeps what owners agreed to alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.consents import Consent, ConsentBasis, ConsentChannel, Purpose
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY, OTHER_CAR

GIVEN = Consent(
    vehicle=CAR,
    purpose=Purpose.SERVICE,
    channel=ConsentChannel.ORDER,
    given=True,
    time_ns=5,
    until_ns=99,
    basis=ConsentBasis.CONTRACT,
    by="agent",
)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
def test_statements_are_added_and_none_is_ever_changed(kind: str, tmp_path: Path) -> None:
    withdrawn = replace(GIVEN, given=False, time_ns=9, until_ns=None)
    by_mail = replace(GIVEN, channel=ConsentChannel.EMAIL)
    other = replace(GIVEN, vehicle=OTHER_CAR)
    with MemoryStore() if kind == "memory" else open_store(fresh_url(kind, tmp_path), key=KEY) as store:
        assert store.consents(CAR) == ()
        store.add_consents([withdrawn, GIVEN, other])
        store.add_consents([by_mail, replace(GIVEN, by="somebody else")])
        assert store.consents(CAR) == (by_mail, GIVEN, withdrawn)
        assert store.consents(OTHER_CAR) == (other,)
