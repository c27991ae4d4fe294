"""A dictionary that also finds its values by a word that each of them bears."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Generic, TypeVar

V = TypeVar("V")


class Grouped(Generic[V]):
    """Values by key, and by the word that `word_of` gives of each (the state of an order …).

    A value that is put in the place of another may bear another word.
    """

    def __init__(self, word_of: Callable[[V], str]) -> None:
        self._word_of = word_of
        self._all: dict[str, V] = {}
        self._groups: dict[str, dict[str, V]] = {}

    def put(self, key: str, value: V) -> None:
        """Add or replace."""
        word, before = self._word_of(value), self._all.get(key)
        if before is not None and self._word_of(before) != word:
            del self._groups[self._word_of(before)][key]
        self._all[key] = value
        self._groups.setdefault(word, {})[key] = value

    def get(self, key: str) -> V | None:
        """The value, None where there is none."""
        return self._all.get(key)

    def values(self, words: str | Collection[str] | None = None) -> Iterable[V]:
        """All of them, or those that bear one of these words."""
        if words is None:
            return self._all.values()
        wanted = (words,) if isinstance(words, str) else words
        return [value for word in wanted for value in self._groups.get(str(word), {}).values()]

    def __getitem__(self, key: str) -> V:
        return self._all[key]

    def __contains__(self, key: object) -> bool:
        return key in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
