"""The bar over the bytes of files."""

import io
import re

from rich.console import Console

from app.progress import bytes_bar


def test_files_that_are_read_at_the_same_time_add_up(tmp_path, monkeypatch):
    files = [tmp_path / name for name in ("a.log", "b.log")]
    for file in files:
        file.write_bytes(bytes(1000))
    shown = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(file=shown, force_terminal=True, width=80))
    with bytes_bar(files, shown=True) as on_bytes:
        on_bytes(1, 600)
        on_bytes(0, 200)
        on_bytes(1, 1000)
    assert re.findall(r"([\d.]+)/([\d.]+) kB", shown.getvalue())[-1] == ("1.2", "2.0")


def test_without_a_terminal_nothing_is_shown(tmp_path, capsys):
    with bytes_bar([tmp_path / "missing.log"], shown=False) as on_bytes:
        on_bytes(0, 5)
    assert capsys.readouterr().err == ""
