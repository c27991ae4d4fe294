"""What happens when."""

from __future__ import annotations

from app.operation.agenda import Agenda, Course


def test_courses_go_on_in_order_of_time_and_in_turn_at_the_same_time() -> None:
    agenda, seen = Agenda(100), list[tuple[int, str]]()

    def course(name: str, *waits: int) -> Course:
        for wait in waits:
            seen.append((agenda.clock(), name))
            yield wait
        seen.append((agenda.clock(), name))

    agenda.begin(course("a", 10, 20))
    agenda.begin(course("b", 10), 110)
    agenda.begin(course("late"), 50)
    agenda.run(131)
    assert seen == [(100, "a"), (100, "late"), (110, "b"), (110, "a"), (120, "b"), (130, "a")]
    assert agenda.clock() == 131


def test_work_is_done_over_and_over_until_the_end() -> None:
    agenda, seen = Agenda(0), list[int]()
    agenda.every(5, lambda: seen.append(agenda.clock()))
    agenda.run(11)
    agenda.run(16)
    assert seen == [0, 5, 10, 15]
