"""What care reminders stand on, in dictionaries; promises what `storage.sql_care.SqlCare` does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from domain.care import CareState, Completion, DayUsage, Enrolment, Reminder, ReminderState


class MemoryCare:
    """The care part of the store in memory."""

    def __init__(self) -> None:
        self._enrolments: dict[str, Enrolment] = {}
        self._usage: dict[str, dict[int, DayUsage]] = {}
        self._completions: dict[str, dict[str, Completion]] = {}
        self._care_states: dict[str, CareState] = {}
        self._reminders: dict[str, Reminder] = {}

    def enrol_care(self, enrolments: Iterable[Enrolment]) -> None:
        """Enrol vehicles, once: an enrolment that is there stays as it is."""
        for each in enrolments:
            self._enrolments.setdefault(each.vehicle, each)

    def enrolments(self) -> tuple[Enrolment, ...]:
        """All of them, by vehicle."""
        return tuple(self._enrolments[key] for key in sorted(self._enrolments))

    def save_usage(self, vehicle: str, days: Iterable[DayUsage]) -> None:
        """Add or replace whole days of one vehicle."""
        self._usage.setdefault(vehicle, {}).update({each.day: each for each in days})

    def usage(self, vehicle: str, after_day: int) -> Mapping[int, DayUsage]:
        """Days of one vehicle after this one, by day."""
        return {day: each for day, each in sorted(self._usage.get(vehicle, {}).items()) if day > after_day}

    def delete_usage(self, before_day: int) -> int:
        """Forget days before this one; gives how many."""
        old = [(vehicle, day) for vehicle, days in self._usage.items() for day in days if day < before_day]
        for vehicle, day in old:
            del self._usage[vehicle][day]
        return len(old)

    def save_completions(self, completions: Iterable[Completion]) -> None:
        """Note what was done; what is noted stays."""
        for each in completions:
            self._completions.setdefault(each.vehicle, {}).setdefault(each.id, each)

    def completions(self, vehicle: str, from_day: int) -> tuple[Completion, ...]:
        """What was done to one vehicle on or after a day, by (day, id)."""
        mine = [each for each in self._completions.get(vehicle, {}).values() if each.day >= from_day]
        return tuple(sorted(mine, key=lambda each: (each.day, each.id)))

    def care_state(self, vehicle: str) -> CareState | None:
        """The state of one vehicle's care."""
        return self._care_states.get(vehicle)

    def change_care(self, before: CareState | None, after: CareState, reminders: Iterable[Reminder]) -> bool:
        """Store a state with the reminders that changed, if what is stored is still `before`; False and nothing else where not."""
        if self._care_states.get(after.vehicle) != before:
            return False
        self._care_states[after.vehicle] = after
        self._reminders.update({each.id: each for each in reminders})
        return True

    def reminder(self, identifier: str) -> Reminder | None:
        """One reminder."""
        return self._reminders.get(identifier)

    def reminders(
        self,
        *,
        vehicle: str | None = None,
        state: Collection[ReminderState] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Reminder, ...]:
        """Reminders, the latest opened first."""
        found = [
            each
            for each in self._reminders.values()
            if (vehicle is None or each.vehicle == vehicle) and (state is None or each.state in state)
        ]
        found.sort(key=lambda each: (-each.opened_day, each.id))
        return tuple(found[offset:] if limit is None else found[offset : offset + limit])
