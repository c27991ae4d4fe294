"""`pitcall reminders`: care reminders of a database, and what a simulated fleet would get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json

if TYPE_CHECKING:
    from domain.care import CareState, Reminder
    from notifier.reminders.answers import Answered

PLANS = click.option("--plans", "folders", multiple=True, type=FILE, metavar="FOLDER", help="Further schedules (a maker's own).")


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from app.care_files import parse_day

    try:
        return None if value is None else parse_day(value)
    except ValueError as problem:
        raise click.BadParameter("write YYYY-MM-DD") from problem


@click.group()
def command() -> None:
    """Care reminders: what of each vehicle's maintenance plan is due when."""


@command.command("list")
@DATABASE
@click.option("--all", "ended_too", is_flag=True, help="Ended ones too.")
@JSON
def list_(database: str | None, ended_too: bool, as_json: bool) -> None:
    """List reminders, the latest opened first."""
    from app.settings import read_settings
    from app.stores import open_database
    from domain.care import ENDED_REMINDERS, ReminderState
    from notifier.reminders.documents import reminder_json

    wanted = None if ended_too else [state for state in ReminderState if state not in ENDED_REMINDERS]
    with open_database(database, read_settings()) as store:
        found = store.reminders(state=wanted)
    if as_json:
        print_json([reminder_json(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))


def _line(reminder: Reminder) -> str:
    from app.care_files import date_of

    forecast = reminder.forecast
    due = f"{date_of(forecast.day)} ({date_of(forecast.low)} to {date_of(forecast.high)})"
    return f"{reminder.id[:12]}  {reminder.vehicle[:12]}  {reminder.state:9} {100 * reminder.used:4.0f} %  {due}  {reminder.title.en}"


@command.command()
@click.argument("file", type=FILE)
@DATABASE
def enrol(file: Path, database: str | None) -> None:
    """Enrol vehicles from FILE (CSV: vin,date,odometer_km,first_used,use); who is enrolled already stays as he is."""
    from app.care_files import read_enrolments
    from app.settings import read_settings
    from app.stores import open_database

    settings = read_settings()
    enrolments = read_enrolments(file, settings.pseudonym_key)
    with open_database(database, settings) as store:
        store.enrol_care(enrolments)
    click.echo(f"{len(enrolments)} vehicles enrolled")


@command.command()
@click.argument("file", type=FILE)
@DATABASE
def usage(file: Path, database: str | None) -> None:
    """Add days of use from FILE (CSV: vin,date,distance_km,engine_h,…, one row a day and vehicle)."""
    from app.care_files import read_usage
    from app.settings import read_settings
    from app.stores import open_database

    settings = read_settings()
    days = read_usage(file, settings.pseudonym_key)
    with open_database(database, settings) as store:
        for vehicle, found in days.items():
            store.save_usage(vehicle, found)
    click.echo(f"{sum(map(len, days.values()))} days of {len(days)} vehicles imported")


@command.command()
@DATABASE
@click.option("--until", "until_day", required=True, callback=_day, metavar="DATE", help="The last whole day to look at.")
@PLANS
@JSON
def review(database: str | None, until_day: int, folders: tuple[Path, ...], as_json: bool) -> None:
    """Let days go by: open, move and end reminders, and order the visits they ask for (`pitcall serve` does it every night)."""
    from dataclasses import asdict

    from app.care import review_fleet
    from app.fault_knowledge import fault_knowledge, maintenance_plans
    from app.settings import read_settings
    from app.stores import open_database

    plans = maintenance_plans(fault_knowledge(), further=folders)
    with open_database(database, read_settings()) as store:
        tally = review_fleet(store, plans, until_day)
    if as_json:
        print_json(asdict(tally))
        return
    click.echo(f"{tally.vehicles} vehicles, {tally.reminders} reminders changed, {tally.orders} orders changed")
    if tally.without_schedule:
        click.echo(f"{tally.without_schedule} vehicles have no schedule: name their powertrain in the vehicle table", err=True)


@command.command()
@click.argument("reminder")
@click.option("--until", "until_day", required=True, callback=_day, metavar="DATE", help="When it comes back.")
@DATABASE
def snooze(reminder: str, until_day: int, database: str | None) -> None:
    """Put a reminder (its whole id) off until a day."""
    from notifier.reminders.answers import snooze as put_off

    _answer(reminder, database, lambda state: put_off(state, reminder, until_day))


@command.command()
@click.argument("reminder")
@DATABASE
def decline(reminder: str, database: str | None) -> None:
    """End a reminder (its whole id); its item is asked for again after a quarter of its interval."""
    from notifier.reminders.answers import decline as turn_down

    _answer(reminder, database, lambda state: turn_down(state, reminder))


def _answer(identifier: str, database: str | None, answer: Callable[[CareState], Answered]) -> None:
    from app.settings import read_settings
    from app.stores import open_database
    from domain.errors import InputError
    from notifier.reminders.answers import AnswerOutcome

    with open_database(database, read_settings()) as store:
        known = store.reminder(identifier)
        state = None if known is None else store.care_state(known.vehicle)
        if state is None:
            raise InputError(f"there is no reminder {identifier!r}", mend="see pitcall reminders list --json for the ids")
        answered = answer(state)
        if answered.outcome is AnswerOutcome.TOO_LONG:
            raise InputError("a reminder is put off by 1 to 90 days", mend="name a nearer day")
        if answered.outcome is AnswerOutcome.NOT_OPEN or answered.reminder is None:
            raise InputError("the reminder has ended", mend="see pitcall reminders list")
        if not store.change_care(state, answered.state, (answered.reminder,)):
            raise InputError("the reminder changed in the same moment", mend="do it again")
    click.echo(_line(answered.reminder))


@command.command()
@click.option("--vehicles", type=click.IntRange(1, 10_000), default=40, show_default=True, help="How many.")
@click.option("--years", type=click.FloatRange(0.1, 10), default=3.0, show_default=True, help="How long.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another one gives another fleet.")
@PLANS
@JSON
def simulate(vehicles: int, years: float, seed: int, folders: tuple[Path, ...], as_json: bool) -> None:
    """Reminders of a simulated fleet: what was missed or doubled, and how far the forecasts were off. Exit 1 where any was."""
    from app.fault_knowledge import fault_knowledge, maintenance_plans
    from app.reminder_simulation import simulate as live

    found = live(maintenance_plans(fault_knowledge(), further=folders), vehicles=vehicles, years=years, seed=seed)
    forecast = found["forecast"]
    if as_json:
        print_json(found)
    else:
        click.echo(
            f"{vehicles} vehicles, {found['days']} days: {found['reminders']} reminders, {found['completions']} completions"
        )
        click.echo("by " + ", ".join(f"{basis.replace('_', ' ')} {count}" for basis, count in found["by_basis"].items()))
        click.echo(f"missed {found['missed']}, doubled {found['doubled']}, for completed work {found['for_completed_work']}")
        if forecast["reached"] > 1:
            click.echo(
                f"forecast by use, {forecast['reached']} that came due: median error {forecast['median_error_days']:.1f} days, "
                f"90 % within {forecast['p90_error_days']:.1f}, {100 * forecast['within_interval']:.0f} % inside the 80 % interval"
            )
    if found["missed"] or found["doubled"] or found["for_completed_work"]:
        raise SystemExit(1)
