"""What care reminders stand on: enrolments, daily use, completions, the state of each vehicle's care, and the reminders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, select

from domain.care import CareState, Completion, DayUsage, Enrolment, Reminder, ReminderState
from storage import schema
from storage.record_json import to_json
from storage.sql_base import SqlBase, first, insert_absent, parse, replace_rows, transaction


class SqlCare(SqlBase):
    """The care tables; each method is one transaction."""

    def enrol_care(self, enrolments: Iterable[Enrolment]) -> None:
        """Enrol vehicles, once: an enrolment that is there stays as it is."""
        rows = [{"vehicle": each.vehicle, "document": to_json(each)} for each in enrolments]
        with transaction(self._writes) as connection:
            insert_absent(connection, schema.care_enrolment, rows)

    def enrolments(self) -> tuple[Enrolment, ...]:
        """All of them, by vehicle."""
        return self._documents(schema.care_enrolment, Enrolment, order=(schema.care_enrolment.c.vehicle,))

    def save_usage(self, vehicle: str, days: Iterable[DayUsage]) -> None:
        """Add or replace whole days of one vehicle."""
        with transaction(self._writes) as connection:
            replace_rows(connection, schema.daily_usage, usage_rows((vehicle, each) for each in days))

    def usage(self, vehicle: str, after_day: int) -> Mapping[int, DayUsage]:
        """Days of one vehicle after this one, by day."""
        table = schema.daily_usage.c
        found = self._documents(schema.daily_usage, DayUsage, table.vehicle == vehicle, table.day > after_day, order=(table.day,))
        return {each.day: each for each in found}

    def delete_usage(self, before_day: int) -> int:
        """Forget days before this one; gives how many."""
        with transaction(self._writes) as connection:
            return connection.execute(delete(schema.daily_usage).where(schema.daily_usage.c.day < before_day)).rowcount

    def save_completions(self, completions: Iterable[Completion]) -> None:
        """Note what was done; what is noted stays."""
        rows = [{"id": each.id, "vehicle": each.vehicle, "day": each.day, "document": to_json(each)} for each in completions]
        with transaction(self._writes) as connection:
            insert_absent(connection, schema.care_completion, rows)

    def completions(self, vehicle: str, from_day: int) -> tuple[Completion, ...]:
        """What was done to one vehicle on or after a day, by (day, id)."""
        table = schema.care_completion.c
        where = (table.vehicle == vehicle, table.day >= from_day)
        return self._documents(schema.care_completion, Completion, *where, order=(table.day, table.id))

    def care_state(self, vehicle: str) -> CareState | None:
        """The state of one vehicle's care."""
        return first(self._documents(schema.care_state, CareState, schema.care_state.c.vehicle == vehicle))

    def change_care(self, before: CareState | None, after: CareState, reminders: Iterable[Reminder]) -> bool:
        """Store a state with the reminders that changed, if what is stored is still `before`; False and nothing else where not."""
        table = schema.care_state
        with transaction(self._writes) as connection:
            query = select(table.c.document).where(table.c.vehicle == after.vehicle).with_for_update()
            if connection.scalar(query) != (None if before is None else to_json(before)):
                return False
            replace_rows(connection, table, [{"vehicle": after.vehicle, "day": after.day, "document": to_json(after)}])
            replace_rows(connection, schema.reminder, [_row(each) for each in reminders])
        return True

    def reminder(self, identifier: str) -> Reminder | None:
        """One reminder."""
        return first(self._documents(schema.reminder, Reminder, schema.reminder.c.id == identifier))

    def reminders(
        self,
        *,
        vehicle: str | None = None,
        state: Collection[ReminderState] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Reminder, ...]:
        """Reminders, the latest opened first."""
        table = schema.reminder
        query = select(table.c.document).order_by(table.c.opened_day.desc(), table.c.id).limit(limit).offset(offset)
        if vehicle is not None:
            query = query.where(table.c.vehicle == vehicle)
        if state is not None:
            query = query.where(table.c.state.in_(sorted(state)))
        return parse(Reminder, self._fetch(query))


def usage_rows(days: Iterable[tuple[str, DayUsage]]) -> list[dict[str, object]]:
    """Rows of (vehicle, day of use); the last one of each day."""
    latest = {(vehicle, each.day): each for vehicle, each in days}
    return [{"vehicle": vehicle, "day": day, "document": to_json(each)} for (vehicle, day), each in latest.items()]


def _row(reminder: Reminder) -> dict[str, object]:
    return {
        "id": reminder.id,
        "vehicle": reminder.vehicle,
        "item": reminder.item,
        "state": reminder.state.value,
        "opened_day": reminder.opened_day,
        "document": to_json(reminder),
    }
