"""Errors pass from one process to another as they are."""

import pickle
from pathlib import Path

import pytest

from domain.errors import DataFileError, InputError, PitcallError, RuleError


@pytest.mark.parametrize("kind", [InputError, RuleError, DataFileError])
def test_an_error_of_another_process_says_the_same(kind):
    error = kind("is wrong", file=Path("pack.yaml"), line=7, mend="mend it")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error) == "pack.yaml:7: is wrong; mend it"
    assert isinstance(again, PitcallError)
