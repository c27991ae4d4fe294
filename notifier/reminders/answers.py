"""What people do with a reminder: put it off, or decline it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.care import CareState, Reminder, ReminderReason, ReminderState
from notifier.identity import reminder_id
from notifier.reminders.lifecycle import DECLINED_QUIET_DAYS, DECLINED_USED
from notifier.reminders.wear import declined

LONGEST_SNOOZE_DAYS = 90


class AnswerOutcome(StrEnum):
    """What became of an answer."""

    CHANGED = "changed"
    NOT_OPEN = "not_open"
    """There is no such open reminder (any more)."""
    TOO_LONG = "too_long"
    """Put off by more than `LONGEST_SNOOZE_DAYS`, or not into the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The state and the reminder afterwards (as they were unless the outcome is CHANGED)."""

    outcome: AnswerOutcome
    state: CareState
    reminder: Reminder | None = None


def snooze(state: CareState, reminder: str, until_day: int) -> Answered:
    """Put a reminder off until a day; it then comes back as far on as it has become."""
    known = _find(state, reminder)
    if known is None:
        return Answered(outcome=AnswerOutcome.NOT_OPEN, state=state)
    if not 0 < until_day - state.day <= LONGEST_SNOOZE_DAYS:
        return Answered(outcome=AnswerOutcome.TOO_LONG, state=state, reminder=known)
    after = replace(
        known,
        state=ReminderState.SNOOZED,
        reason=ReminderReason.PERSON,
        snoozed_until=until_day,
        changed_day=state.day,
    )
    others = tuple(after if each.id == reminder else each for each in state.reminders)
    return Answered(outcome=AnswerOutcome.CHANGED, state=replace(state, reminders=others), reminder=after)


def decline(state: CareState, reminder: str) -> Answered:
    """End a reminder; its item is asked for again after a quarter of its interval, a campaign not at all."""
    known = _find(state, reminder)
    if known is None:
        return Answered(outcome=AnswerOutcome.NOT_OPEN, state=state)
    after = replace(known, state=ReminderState.DECLINED, reason=ReminderReason.PERSON, changed_day=state.day, snoozed_until=None)
    rest = tuple(each for each in state.reminders if each.id != reminder)
    items, settled = [], state.settled
    found = False
    for care in state.items:
        mine = reminder_id(state.vehicle, care.item, str(care.cycle)) == reminder
        found = found or mine
        items.append(declined(care, state.day, at_most=DECLINED_USED, quiet_days=DECLINED_QUIET_DAYS) if mine else care)
    if not found:
        settled = tuple(sorted({*settled, reminder}))
    after_state = replace(state, reminders=rest, items=tuple(items), settled=settled)
    return Answered(outcome=AnswerOutcome.CHANGED, state=after_state, reminder=after)


def _find(state: CareState, reminder: str) -> Reminder | None:
    return next((each for each in state.reminders if each.id == reminder), None)
