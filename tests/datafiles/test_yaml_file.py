from pathlib import Path

import pydantic
import pytest

from datafiles import load_yaml, parse_yaml, validate
from domain.errors import DataFileError, RuleError

FILE = Path("pack.yaml")


class Item(pydantic.BaseModel, extra="forbid"):
    severity: str
    limit: float = 0.0


def test_every_value_knows_its_line():
    document = parse_yaml("items:\n  - severity: low\n  - severity: high\n    limit: 3\n", FILE)
    assert document.line("items", 1, "limit") == 4
    assert document.line("items", 1) == 3
    assert document.line("items", 1, "not there") == 3


def test_a_misspelt_key_is_named_with_line_and_the_nearest_key():
    document = parse_yaml("items:\n  - severity: low\n  - severitty: high\n", FILE)
    with pytest.raises(RuleError) as caught:
        validate(Item, document, "items", 1, error=RuleError)
    assert str(caught.value).startswith("pack.yaml:3: ")
    document = parse_yaml("severity: a\nlimitt: 1\n", FILE)
    with pytest.raises(DataFileError, match=r"pack.yaml:2: limitt: .*; did you mean 'limit'\?"):
        validate(Item, document)


def test_a_missing_key_asks_to_add_it():
    with pytest.raises(DataFileError, match=r"pack.yaml:1: severity: Field required; add it"):
        validate(Item, parse_yaml("limit: 2\n", FILE))


@pytest.mark.parametrize(("text", "line"), [("a: [1\nb: 2\n", 2), ("a: 1\na: 2\n", 2), ("a:\n\t- 1\n", 2), ("a: *nobody\n", 1)])
def test_broken_yaml_is_named_with_its_line(text, line):
    with pytest.raises(DataFileError, match=f"pack.yaml:{line}: "):
        parse_yaml(text, FILE)


def test_unreadable_files_say_so(tmp_path):
    with pytest.raises(DataFileError, match="cannot be read"):
        load_yaml(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9\n")
    with pytest.raises(DataFileError, match="is not UTF-8"):
        load_yaml(tmp_path / "latin.yaml")
    (tmp_path / "control.yaml").write_bytes(b"name: \x01\n")
    with pytest.raises(DataFileError, match="is not valid YAML"):
        load_yaml(tmp_path / "control.yaml")
