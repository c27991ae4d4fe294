"""Stamps of damaged lines, of any size, among those that are added up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.logs.timeline import StampKind, Timeline


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-(10**40), 10**40)), max_size=5))
def test_no_skipped_stamp_is_too_large_to_go_on(skipped: list[tuple[int, int]]) -> None:
    timeline = Timeline(kind=StampKind.SINCE_LAST)
    for _ in range(3):
        assert len(timeline.place(np.array([1, 2, 3], np.int64), skipped)) == 3


def test_skipped_stamps_count_towards_those_after_them() -> None:
    timeline = Timeline(kind=StampKind.SINCE_LAST)
    assert timeline.place(np.array([1, 2, 3], np.int64), [(1, 10), (1, 20), (3, 5)]).tolist() == [1, 33, 36]
    assert timeline.place(np.array([1], np.int64)).tolist() == [42]
