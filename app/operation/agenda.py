"""What happens when, in simulated time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

Course = Iterator[int]
"""Somebody's doings: each value is how long (ns) until they go on."""


class Agenda:
    """Lets courses go on in order of time; those due at once go on in the order in which they were noted.

    Args:
        now_ns: when it begins.
    """

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self._waiting: list[tuple[int, int, Course]] = []
        self._noted = 0
        self.done = 0

    def clock(self) -> int:
        """The simulated wall time."""
        return self._now_ns

    def begin(self, course: Course, at_ns: int | None = None) -> None:
        """Note a course that begins then, or now; never in the past."""
        self._noted += 1
        heapq.heappush(self._waiting, (max(self._now_ns, at_ns or 0), self._noted, course))

    def every(self, period_ns: int, work: Callable[[], None]) -> None:
        """Work that is done over and over, from now on."""

        def course() -> Course:
            while True:
                work()
                yield period_ns

        self.begin(course())

    def run(self, until_ns: int) -> None:
        """Until then (excluded)."""
        while self._waiting and self._waiting[0][0] < until_ns:
            self._now_ns, _, course = heapq.heappop(self._waiting)
            self.done += 1
            wait_ns = next(course, None)
            if wait_ns is not None:
                self.begin(course, self._now_ns + max(0, wait_ns))
        self._now_ns = until_ns
