"""Patterns of `line_steps` as tables of numbers, which `line_kernel.scan_lines` runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.logs.line_steps import MAX_STAMP_NS, Op, Pattern, Step


@dataclass(frozen=True, slots=True)
class Program:
    """Patterns as the kernel takes them: steps (op, three arguments, whether a gap comes before), where each pattern begins, and
    the literal bytes.
    """

    steps: NDArray[np.int64]
    starts: NDArray[np.int64]
    literals: NDArray[np.uint8]


@lru_cache(maxsize=64)
def compile_patterns(patterns: tuple[Pattern, ...]) -> Program:
    """The patterns as tables; a gap before a step becomes part of it."""
    literals = bytearray()
    rows: list[list[int]] = []
    starts = [0]
    for pattern in patterns:
        joined = _joined_gaps(pattern)
        places = [place - sum(joined[:place]) for place in range(len(pattern) + 1)]
        for place, step in enumerate(pattern):
            if joined[place]:
                continue
            row = [int(step.op)]
            for argument in step.arguments:
                if isinstance(argument, bytes):
                    row += [len(literals), len(argument)]
                    literals += argument
                else:
                    row.append(int(argument))
            if step.op == Op.STAMP:
                row.append(MAX_STAMP_NS // row[1])  # the kernel need not divide
            if step.op == Op.OPTIONAL:
                row[1] = places[place + 1 + row[1]] - places[place] - 1
            rows.append(row + [0] * (4 - len(row)) + [int(place > 0 and joined[place - 1])])
        starts.append(len(rows))
    return Program(
        steps=np.array(rows, np.int64).reshape(-1, 5),
        starts=np.array(starts, np.int64),
        literals=np.frombuffer(bytes(literals) or b"\0", np.uint8),
    )


def _joined_gaps(pattern: Pattern) -> list[bool]:
    """Which steps are gaps that can be part of the next step: not the last of an optional group."""
    last = {place + int(step.arguments[0]) for place, step in enumerate(pattern) if step.op == Op.OPTIONAL}
    return [
        step == Step(Op.GAP, (1,)) and place not in last and place + 1 < len(pattern) and pattern[place + 1].op != Op.GAP
        for place, step in enumerate(pattern)
    ]
