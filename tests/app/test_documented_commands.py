"""Commands that the guides tell to type exist, with the options that they are given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from app.cli import cli

ROOT = Path(__file__).resolve().parents[2]
LINES = sorted(
    {
        (page.name, line.strip())
        for page in (ROOT / "docs" / "guides").glob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.match(r" {4,}pitcall [a-z]", line) and not re.search(r"\S\|\S", line)  # a|b is a synopsis
    }
)


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_of_a_guide_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(re.split(r"#| [>|] ", line, maxsplit=1)[0].rstrip("\\"))[1:]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and (found := command.get_command(context, words[0])) is not None:
        command, words = found, words[1:]
    assert not isinstance(command, click.Group) or command.invoke_without_command or not words, (page, line)
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    asked = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
    assert asked <= known, (page, line)
