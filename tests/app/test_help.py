"""Help reads well and answers at once."""

import subprocess
import sys

import click
import pytest

from app.cli import COMMANDS, cli


def commands(group, context=None, words=()):
    context = context or click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, click.Context(command, parent=context), (*words, name))


@pytest.mark.parametrize(
    ("words", "command"), list(commands(cli)), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_says_what_it_is_for_and_what_its_options_do(words, command):
    assert command.help, words
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help or isinstance(parameter.type, click.Choice), (words, parameter.name)


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom app.cli import cli\ncli.main(['--help'], standalone_mode=False)\n"
        "print(sorted(set(sys.modules) & {'numpy', 'numba', 'pandas', 'sqlalchemy', 'cantools', 'sklearn', 'rich', 'pydantic'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("[]")
    for name in COMMANDS:
        assert name in result.stdout


def test_a_replay_imports_neither_scikit_learn_nor_pandas():
    """They serve training and notebooks; importing them would double the start."""
    code = "import sys\nimport app.replaying\nprint(sorted(set(sys.modules) & {'sklearn', 'pandas', 'asammdf', 'numba'}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
