"""The tables for notebooks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ingest
from app.decoding import decode_logs
from app.kernels import lazy_jit
from domain.errors import InputError

SAMPLES = Path(__file__).parents[2] / "sample_can_logs"
DRIVE = SAMPLES / "faulty_petrol_weak_battery.log.gz"
DBC = SAMPLES / "dbc" / "petrol.dbc"


def test_the_table_has_the_values_that_the_command_summarises() -> None:
    table = ingest.decode_log(DRIVE, dbc=DBC, jit=lazy_jit)
    summary = decode_logs([DRIVE], dbc=[("*", DBC)], profile=None, start_ns=None, strict=False)
    found = table.groupby(["message", "signal"], observed=True)["value"].agg(["count", "min", "max"])
    assert {
        f"{message}.{signal}": tuple(row) for (message, signal), row in zip(found.index, found.to_numpy().tolist(), strict=True)
    } == {name: (figures["count"], figures["min"], figures["max"]) for name, figures in summary["signals"].items()}
    assert str(table["time"].dtype) == "datetime64[ns, UTC]"
    assert table.attrs["anomalies"] == summary["anomalies"]


def test_signals_are_chosen_by_name_by_message_or_by_vss_path() -> None:
    by_name = ingest.decode_log(DRIVE, dbc={"can0": DBC}, signals=["EngineSpeed"], jit=lazy_jit)
    by_message = ingest.decode_log(DRIVE, dbc=[DBC], signals=["ENGINE_1.EngineSpeed"], jit=lazy_jit)
    assert set(by_name["signal"]) == {"EngineSpeed"}
    assert by_name["value"].tolist() == by_message["value"].tolist()
    profile = str(SAMPLES / "profiles" / "demo_petrol.yaml")
    by_path = ingest.decode_log(DRIVE, profile=profile, signals=["Vehicle.Powertrain.CombustionEngine.Speed"], jit=lazy_jit)
    on_the_bus = by_path[by_path["message"] == "ENGINE_1"]  # a scan tool asked for it too
    assert on_the_bus["value"].tolist() == by_name["value"].tolist()
    assert set(by_path["path"]) == {"Vehicle.Powertrain.CombustionEngine.Speed"}


def test_pieces_are_the_table_cut() -> None:
    pieces = list(ingest.decode_log_pieces(DRIVE, dbc=DBC, signals=["EngineSpeed"], batch_frames=5000, jit=lazy_jit))
    whole = ingest.decode_log(DRIVE, dbc=DBC, signals=["EngineSpeed"], jit=lazy_jit)
    assert len(pieces) > 2
    assert all(list(piece["unit"].cat.categories) == ["rpm"] for piece in (*pieces, whole))
    assert [value for piece in pieces for value in piece["value"]] == whole["value"].tolist()


@pytest.mark.parametrize(("choice", "words"), [({"signals": ["Nothing"]}, "no signal Nothing"), ({"start": "soon"}, "no time")])
def test_mistakes_are_one_line(choice: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ingest.decode_log(DRIVE, dbc=DBC, jit=lazy_jit, **choice)


def test_importing_the_package_imports_no_pandas() -> None:
    words = "import ingest, sys; assert not {'pandas', 'numpy', 'numba'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", words], check=True, cwd=SAMPLES.parent)
