import pydantic
import pytest

from datafiles import read_csv
from domain.errors import DataFileError


class Row(pydantic.BaseModel):
    name: str
    bays: int = 2


def write(folder, text):
    file = folder / "dealers.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_rows_come_with_their_line_and_empty_cells_take_the_default(tmp_path):
    rows = read_csv(write(tmp_path, "name,bays\na,\nb,5\n"), Row)
    assert [(line, row.name, row.bays) for line, row in rows] == [(2, "a", 2), (3, "b", 5)]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    assert read_csv(write(tmp_path, "\ufeffname\na\n"), Row)[0][1].name == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,bayz\na,1\n", r":1: unknown column 'bayz'; columns are name, bays"),
        ("name,bays\na,many\n", r":2: column bays: .*; correct the cell"),
        ("name,bays\n,1\n", r":2: column name: .*; fill the cell"),
        ("name,bays\na,1,2\n", r":2: more cells than columns"),
        (b"name\n\xff\xfe\n", r"is not UTF-8"),
    ],
)
def test_mistakes_are_named_with_line_and_mend(tmp_path, text, message):
    with pytest.raises(DataFileError, match=message):
        read_csv(write(tmp_path, text), Row)


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(DataFileError, match="cannot be read"):
        read_csv(tmp_path / "none.csv", Row)
