"""The routing policy: what the shipped file says, how regions inherit, and what a bad file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import DataFileError
from domain.findings import Urgency
from notifier.dealers.routing_policy import PLAIN_ROUTING, SHIPPED, Step, load_routing_policy


def test_the_shipped_policy_asks_the_owner_s_workshop_first_and_anybody_last_in_every_region() -> None:
    policy = load_routing_policy()
    assert all(region.steps[0] is Step.OWNER_CHOICE and region.steps[-1] is Step.NEAREST for region in policy.regions.values())
    assert policy.of("").limits == PLAIN_ROUTING.policy.of("").limits


def test_a_region_says_only_what_differs_and_an_unknown_one_has_the_policy_above_it(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    more = """
  - region: cn/xizang
    source: sparse
    limits: {SOON: {reach_km: [300, 900]}}
    worth: {load: 7}
"""
    file.write_text(SHIPPED.read_text(encoding="utf-8") + more, encoding="utf-8")
    policy = load_routing_policy(file)
    sparse, country = policy.of("cn/xizang/ali"), policy.of("cn/hubei")
    assert sparse.limits[Urgency.SOON].reach_km == (300, 900)
    assert sparse.limits[Urgency.SOON].horizon_h == country.limits[Urgency.SOON].horizon_h
    assert (sparse.worth.load, sparse.worth.franchised) == (7, country.worth.franchised)
    assert policy.of("mars/olympus") == policy.of("")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("region: eu", "region: EU", "region"),
        ("region: eu", "region: cn", "wrong place"),
        ("detour: 1.3", "detour: 0.5", "detour"),
        ("nearest]", "selling]", "end with 'nearest'"),
        ("reach_km: [80, 200, 400]", "reach_km: [200, 80]", "must widen"),
        ("worth: {preferred: 25", "worth: {prefered: 25", "did you mean 'preferred'"),
        ("regions:", "region:", "a list 'regions'"),
    ],
)
def test_a_bad_policy_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_routing_policy(file)
    assert words in str(caught.value)
    assert caught.value.line
