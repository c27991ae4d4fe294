"""Compiled kernels: numba where it works, plain Python where it does not, with identical values.

`import numba` takes half a second and a function is compiled at its first call, so both wait until a kernel runs.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

from domain.ports import F, Jit, no_jit


def cache_directory() -> Path | None:
    """A folder of this user's where compiled kernels and signal tables may be kept; None where nothing is writable."""
    chosen = os.environ.get("PITCALL_CACHE_DIR")
    candidates = [Path(chosen)] if chosen else [Path(platformdirs.user_cache_dir("pitcall"))]
    for folder in candidates:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


@functools.cache
def compiler() -> Jit:
    """The jit that stages get: numba's, or `no_jit` where PITCALL_KERNELS=python or numba cannot be imported."""
    return no_jit if os.environ.get("PITCALL_KERNELS") == "python" else lazy_jit


def lazy_jit(function: F, /) -> F:
    """Compile at the first call, once per process and function."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return _compiled(function)(*args)

    return call  # type: ignore[return-value]  # the wrapper has the wrapped function's signature


@functools.cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    cache = cache_directory()
    if cache is not None:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(cache / "numba"))
    try:
        import numba
    except ImportError:
        return function
    # without a writable folder cache=True fails at definition ("no locator available"): compile anew in each process
    compiled: Callable[..., Any] = numba.njit(nogil=True, cache=cache is not None)(function)
    return compiled
