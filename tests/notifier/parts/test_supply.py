"""What replaces which part, and how long a part takes: read from tables, wrong ones refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import DataFileError
from notifier.parts.supply import DAY_NS, load_supply


def table(folder: Path, *rows: str) -> Path:
    file = folder / "table.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def test_a_part_may_be_replaced_by_its_successor_and_that_by_the_next(tmp_path: Path) -> None:
    supply = load_supply(table(tmp_path, "part,successor,source", "A,B,bulletin 1", "B,C,bulletin 2"))
    assert supply.acceptable("A") == ("A", "B", "C")
    assert supply.acceptable("C") == ("C",)


@pytest.mark.parametrize("rows", [("A,A,x",), ("A,B,x", "B,A,x"), ("B,C,x", "A,B,x", "C,A,x")])
def test_parts_that_would_replace_themselves_are_refused_with_the_line(rows: tuple[str, ...], tmp_path: Path) -> None:
    file = table(tmp_path, "part,successor,source", *rows)
    with pytest.raises(DataFileError, match=rf"table.csv:{len(rows) + 1}: a part would replace itself"):
        load_supply(file)


def test_a_part_with_two_successors_and_a_row_without_source_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"table.csv:3: part A stands on line 2 already"):
        load_supply(table(tmp_path, "part,successor,source", "A,B,x", "A,C,x"))
    with pytest.raises(DataFileError, match=r"table.csv:2: column source"):
        load_supply(table(tmp_path, "part,successor,source", "A,B,"))


def test_ones_own_lead_times_stand_over_the_shipped_ones(tmp_path: Path) -> None:
    shipped = load_supply()
    own = load_supply(None, table(tmp_path, "part,days,source", "PC-CELL-MODULE,1.5,contract", "*,2,contract"))
    assert shipped.lead_ns("PC-CELL-MODULE") > shipped.lead_ns("PC-THERMOSTAT") > 0
    assert (own.lead_ns("PC-CELL-MODULE"), own.lead_ns("PC-THERMOSTAT")) == (1.5 * DAY_NS, 2 * DAY_NS)
