"""The life of versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from domain.model_versions import Lineage, ModelStage, ModelVersion
from models.registry.stages import champion, promoted, registered, rolled_back

LINEAGE = Lineage(data="d", data_sha256="0", features=("a",), features_version="1", code="1", seed=1, trained_until_ns=0)


def version(number: int) -> ModelVersion:
    return registered("risk.battery", f"{number:064x}"[::-1], LINEAGE, {"brier": 0.1}, time_ns=number, actor="a")


def promote(versions: tuple[ModelVersion, ...], number: int, time_ns: int) -> tuple[ModelVersion, ...]:
    return promoted(versions, versions[number].id, time_ns=time_ns, actor="a", reason="r")


def test_a_new_version_is_in_shadow_and_a_promoted_one_retires_the_champion() -> None:
    versions = (version(1), version(2))
    assert {each.stage for each in versions} == {ModelStage.SHADOW}
    assert champion(versions) is None
    versions = promote(promote(versions, 0, 10), 1, 20)
    assert [each.stage for each in versions] == [ModelStage.RETIRED, ModelStage.ACTIVE]
    assert versions[0].changes[-1].reason == f"followed by {versions[1].id}"


def test_rolling_back_goes_back_one_promotion_at_a_time() -> None:
    versions = (version(1), version(2), version(3))
    for number in range(3):
        versions = promote(versions, number, 10 * (number + 1))
    back = rolled_back(versions, time_ns=40, actor="a", reason="too many false alarms")
    assert champion(back) is back[1]
    further = rolled_back(back, time_ns=50, actor="a", reason="still")
    assert champion(further) is further[0]
    assert further[2].changes[-1].reason == "too many false alarms"
    with pytest.raises(InputError, match="no version was active before"):
        rolled_back(further, time_ns=60, actor="a", reason="r")


def test_what_was_rolled_back_can_be_promoted_again_and_rolled_back_again() -> None:
    versions = promote(promote((version(1), version(2)), 0, 10), 1, 20)
    versions = rolled_back(versions, time_ns=30, actor="a", reason="r")
    versions = promote(versions, 1, 40)
    versions = rolled_back(versions, time_ns=50, actor="a", reason="r")
    assert champion(versions) is versions[0]


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=12))
def test_there_is_never_more_than_one_champion_and_no_history_is_lost(steps: list[tuple[bool, int]]) -> None:
    versions = tuple(version(number) for number in range(1, 5))
    for time_ns, (back, number) in enumerate(steps, start=100):
        before = versions
        try:
            versions = (
                rolled_back(versions, time_ns=time_ns, actor="a", reason="r") if back else promote(versions, number, time_ns)
            )
        except InputError:
            continue
        assert sum(each.stage is ModelStage.ACTIVE for each in versions) == 1
        assert all(new.changes[: len(old.changes)] == old.changes for old, new in zip(before, versions, strict=True))


def test_unknown_and_ambiguous_ids_are_refused() -> None:
    with pytest.raises(InputError, match="there is no version x"):
        promoted((version(1),), "x", time_ns=1, actor="a", reason="r")
    with pytest.raises(InputError, match="2 versions begin with risk"):
        promoted((version(1), version(2)), "risk", time_ns=1, actor="a", reason="r")
