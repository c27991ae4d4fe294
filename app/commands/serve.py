"""`pitcall serve`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.options import FILE


@click.command()
@click.option("--config", type=FILE, metavar="FILE", help="Settings (see pitcall.example.toml); the environment wins over them.")
@click.option(
    "--only", type=click.Choice(["pipeline", "web"]), help="Run one of the two processes, for a supervisor of your own."
)
@click.option("--supervised", is_flag=True, hidden=True, help="Stop when standard input closes.")
def command(config: Path | None, only: str | None, supervised: bool) -> None:
    """Run the live service: messages from a broker in, alerts and orders out, an API and pages beside it.

    Two processes are started and kept running: `pipeline` and `web`. They meet in the database only. SIGTERM or Ctrl-C ends them
    in good order. Logs are JSON lines on stderr.
    """
    from app.serve import run_role, serve
    from app.settings_file import load_settings

    settings = load_settings(config)
    sys.exit(run_role(only, settings, supervised=supervised) if only else serve(settings, config))
