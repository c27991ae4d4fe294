"""How many pools the C library keeps for freed memory."""

from __future__ import annotations

import contextlib
import ctypes

M_ARENA_MAX = -8
"""`mallopt`'s number for it (malloc.h of glibc)."""


def share_arenas(most: int = 2) -> None:
    """Let threads share few arenas.

    The network thread allocates what the pipeline's thread frees. With glibc's default of eight arenas a core, what is free in one
    arena serves nobody in another, and the process grows slowly for as long as it runs. Other C libraries need no such setting.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, most)
