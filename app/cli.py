"""The command line: `pitcall COMMAND`.

Commands are imported when they are called, so that help answers at once. Exit status: 0 done, 1 a check failed,
2 bad input or usage, with one line that names file, line and mend.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from domain.errors import PitcallError

COMMANDS = {
    "demo": ("app.commands.demo", "The whole job, live: simulated cars, broker, service, dealers and a dashboard."),
    "serve": ("app.commands.serve", "The live service: a broker in, alerts and orders out, API and pages."),
    "replay": ("app.commands.replay", "Recorded drives -> alerts, recommendations, orders, a report."),
    "backtest": ("app.commands.backtest", "Rules on recorded or stored drives: what they would raise, and how right."),
    "decode": ("app.commands.decode", "A recording -> signals, with every anomaly counted."),
    "doctor": ("app.commands.doctor", "What would be decoded from a recording, and what would decode more of it."),
    "dtc": ("app.commands.dtc", "Trouble codes: read them from a recording, explain them."),
    "rules": ("app.commands.rules", "Check, test and list the rules."),
    "knowledge": ("app.commands.knowledge", "Check the fault knowledge."),
    "vehicles": ("app.commands.vehicles", "Import the vehicle table into a database."),
    "dealers": ("app.commands.dealers", "Import the dealer table into a database."),
    "keys": ("app.commands.keys", "API keys of a database: add, list, revoke."),
    "orders": ("app.commands.orders", "List the service and rescue orders of a database."),
    "parts": ("app.commands.parts", "Parts: stock, what is kept for orders, what will be needed."),
    "dispatch": ("app.commands.dispatch", "Place orders that can wait together: what that changes and gains."),
    "reminders": ("app.commands.reminders", "Care reminders: list, review, answer, simulate."),
    "campaigns": ("app.commands.campaigns", "Invite owners by segments of their visits."),
    "push": ("app.commands.push", "Deliver what waits in the outbox of a database."),
    "dead-letters": ("app.commands.dead_letters", "List, show and replay what could not be used."),
    "models": ("app.commands.models", "Train, evaluate and list the detectors."),
    "emerging": ("app.commands.emerging", "Causes that come more often in one group of vehicles."),
    "simulate": ("app.commands.simulate", "Vehicles with physics and developing faults -> CAN logs."),
    "broker": ("app.commands.broker", "The embedded MQTT broker alone."),
    "bench": ("app.commands.bench", "Ratio benchmarks against named peers."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands in the order of the way of the data."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and give the command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pitcall", prog_name="pitcall")
def cli() -> None:
    """Telemetry says a car is about to fail; pitcall calls it in before it does.

    CAN signals and trouble codes are decoded, judged by rules, detectors and fault knowledge, and turned into alerts,
    recommendations and service orders for the nearest dealer that can do the work.
    """


def main() -> None:
    """Run the command line; turn our errors into one line and exit status 2."""
    try:
        cli.main(standalone_mode=True)
    except PitcallError as error:
        click.echo(f"pitcall: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # the reader of our output (head, less) has gone: that is no error, but stdout must not be flushed again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
