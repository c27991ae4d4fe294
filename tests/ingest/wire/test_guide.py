"""The guide shows what the code reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ingest.wire.names import NO_NAMES
from ingest.wire.sources import Source
from ingest.wire.table import FORMATS
from ingest.wire.topic_pattern import TopicPattern
from tests.ingest.wire.examples import NOW, SECOND, examples
from tests.ingest.wire.reading import parse, raw, rows_of, sources_of

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "wire-formats.md").read_text(encoding="utf-8")
BINARY = {"fleetwise", "arrow", "gbt32960"}


def test_every_format_has_its_heading_with_its_usual_topic() -> None:
    headings = [line for line in GUIDE.splitlines() if line.startswith("### ")]
    assert [
        each for each in FORMATS.values() if not any(f"`{each.name}`" in h and f"`{each.topic}`" in h for h in headings)
    ] == []


def test_the_guide_shows_every_example_that_is_text() -> None:
    blocks = {block.strip() for block in re.findall(r"^```\w*\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)}
    texts = {each.payload.decode().strip() for each in examples() if each.source.format.name not in BINARY}
    assert texts - blocks == set()


def test_the_worked_example_of_a_new_format_works(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    table = re.search(r"```csv\n(.*?)```", GUIDE, re.DOTALL)
    assert code is not None
    assert table is not None
    names = tmp_path / "tank.csv"
    names.write_text(table[1], encoding="utf-8")
    made: dict[str, Any] = {}
    exec(code[1], made)  # the guide's own words
    tank = made["TankSender"]()
    source = Source(format=tank, pattern=TopicPattern.parse(tank.topic), names=NO_NAMES.extended(names))
    document = [{"at": NOW // SECOND, "litres_per_hour": 3.5}, {"at": "soon", "litres_per_hour": 4}]
    parsed = parse(sources_of(source), raw("tanks/dev", json.dumps(document).encode()))
    assert rows_of(parsed.frames) == [("sample", NOW, "Vehicle.Powertrain.CombustionEngine.FuelRate", 3.5)]
    assert [(letter.reason, letter.position) for letter in parsed.dead_letters] == [("bad_item", 1)]
