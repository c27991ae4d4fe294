"""JSON on stdout, words on stderr."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import click


def print_json(document: Any) -> None:
    """One JSON document on stdout; NaN and infinities become null."""
    click.echo(json.dumps(_finite(document), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None, allow_nan=False))


def say(words: str) -> None:
    """A line for people, on stderr."""
    click.echo(words, err=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
