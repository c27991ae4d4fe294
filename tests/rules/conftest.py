"""The compiled kernel, built once for all tests of the rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import pytest


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return numba.njit(nogil=True, cache=False)(function)  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def jit() -> Callable[..., Any]:
    return _compiled
