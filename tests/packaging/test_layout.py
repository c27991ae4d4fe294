"""The flat package names must resolve to this checkout, whatever a dependency may install."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.mark.parametrize("name", PACKAGES)
def test_each_flat_package_resolves_inside_the_repository(name):
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == ROOT / name / "__init__.py"


def test_every_package_folder_is_packaged_checked_and_layered():
    folders = sorted(p.parent.name for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests")
    tool = PROJECT["tool"]
    assert sorted(PACKAGES) == sorted(tool["mypy"]["packages"]) == sorted(tool["importlinter"]["root_packages"]) == folders
    layers = [name for layer in tool["importlinter"]["contracts"][0]["layers"] for name in layer.split(" | ")]
    assert sorted(layers) == folders


def test_the_lock_pins_every_dependency_by_version_and_hash_and_names_no_index():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index-url" not in lock
    entries = lock.replace("\\\n", "").splitlines()
    pinned = [line for line in entries if line and not line.startswith("#")]
    assert all("==" in line and "--hash=sha256:" in line for line in pinned)
    assert not any(line.startswith("rules==") for line in pinned)


def test_every_tests_folder_is_a_package():
    folders = {p.parent for p in (ROOT / "tests").rglob("test_*.py")}
    assert [str(f) for f in sorted(folders) if not (f / "__init__.py").exists()] == []
