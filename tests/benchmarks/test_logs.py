from __future__ import annotations

import pytest

from app.kernels import lazy_jit
from benchmarks.logs import FORMATS, run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def test_every_format_gives_the_values_of_python_can_and_cantools() -> None:
    document = run(frames=4000, rounds=1, jit=lazy_jit)
    assert document.keys() == FORMATS.keys()
    read = {name: figures for name, figures in document.items() if figures["vs_python_can"] is not None}
    assert {"candump", "blf", "mf4"} <= read.keys()
    for name, figures in read.items():
        assert figures["differing_values"] == 0, name
        assert figures["compared_values"] > 1500, name
        assert figures["frames"] == 4000, name
        assert figures["vs_python_can"] > 1, name
