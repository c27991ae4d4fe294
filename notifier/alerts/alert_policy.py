"""The policy of alerts: inhibition, flapping and confirmation as validated data (`alert_policy.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from datafiles import load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Alert, Severity, SourceKind, Text

SHIPPED = Path(__file__).with_name("alert_policy.yaml")
SECOND_NS = 1_000_000_000


class While(StrEnum):
    """How long a parent holds its child back."""

    PARENT_OPEN = "parent_open"
    SAME_DRIVE = "same_drive"
    """As long as the drive lasts in which the parent was raised, resolved or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMatcher:
    """Alerts that match in everything that is given; patterns with `*` and `?`. A code pattern asks for any of the codes."""

    kinds: tuple[SourceKind, ...] = ()
    sources: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()

    def matches(self, alert: Alert) -> bool:
        """Whether this alert is meant."""
        return (
            (not self.kinds or alert.source.kind in self.kinds)
            and (not self.severities or alert.severity in self.severities)
            and _any_matches(self.sources, (alert.source.id,))
            and _any_matches(self.groups, (alert.group_key,))
            and _any_matches(self.codes, alert.codes)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """A parent holds a child of the same vehicle back. same_group: only of its own group key."""

    id: str
    parent: AlertMatcher
    child: AlertMatcher
    lasts: While
    same_group: bool
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Alerts of these sources start orders once they were raised in `drives` of the last `of` drives."""

    sources: tuple[str, ...]
    drives: int
    of: int

    def asks(self, source_id: str) -> bool:
        """Whether it concerns this source."""
        return _any_matches(self.sources, (source_id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping:
    """The alert that is the `raises`-th of its source within the time flaps; it resolves after `quiet_ns` without another raise."""

    raises: int
    within_ns: int
    quiet_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """All of it; the plain one holds nothing back.

    Attributes:
        stale_after_ns: data that came so long after its event time makes an alert ask a person; None = never.
    """

    inhibitions: tuple[Inhibition, ...] = ()
    flapping: Flapping | None = None
    confirmations: tuple[Confirmation, ...] = ()
    stale_after_ns: int | None = None


PLAIN = AlertPolicy()


def _any_matches(patterns: tuple[str, ...], values: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(value, pattern) for pattern in patterns for value in values)


Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Text(_Entry):
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class _Matcher(_Entry):
    kinds: list[SourceKind] = []
    sources: list[str] = []
    codes: list[str] = []
    groups: list[str] = []
    severities: list[Severity] = []


class _Inhibition(_Entry):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    parent: _Matcher
    child: _Matcher
    lasts: While = Field(alias="while")
    same_group: bool = False
    reason: _Text
    source: str = Field(min_length=1)


class _Flapping(_Entry):
    raises: int = Field(ge=2, le=16)
    within_s: float = Field(gt=0, le=30 * 86_400)
    quiet_s: float = Field(gt=0, le=30 * 86_400)


class _Confirmation(_Entry):
    sources: Words
    drives: int = Field(ge=2, le=16)
    of: int = Field(ge=2, le=64)
    source: str = Field(min_length=1)


class _Policy(_Entry):
    inhibitions: list[_Inhibition] = []
    flapping: _Flapping | None = None
    confirmation: list[_Confirmation] = []


def load_alert_policy(file: Path = SHIPPED, *, stale_after_ns: int | None = None) -> AlertPolicy:
    """Read a policy.

    Raises:
        DataFileError: not valid; names file and line.
    """
    document = load_yaml(file)
    read = validate(_Policy, document)
    seen: set[str] = set()
    for number, entry in enumerate(read.inhibitions):
        line = document.line("inhibitions", number)
        if entry.id in seen:
            raise DataFileError(f"inhibition {entry.id!r} stands here twice", file=file, line=line, mend="rename one of them")
        seen.add(entry.id)
        for side, matcher in (("parent", entry.parent), ("child", entry.child)):
            if matcher == _Matcher():
                mend = "give kinds, sources, codes, groups or severities"
                raise DataFileError(f"the {side} of {entry.id!r} matches every alert", file=file, line=line, mend=mend)
    for number, asked in enumerate(read.confirmation):
        if asked.drives > asked.of:
            line = document.line("confirmation", number)
            raise DataFileError(f"{asked.drives} of {asked.of} drives can never be", file=file, line=line, mend="raise `of`")
    flapping = read.flapping
    return AlertPolicy(
        inhibitions=tuple(_inhibition(entry) for entry in read.inhibitions),
        flapping=None
        if flapping is None
        else Flapping(
            raises=flapping.raises,
            within_ns=round(flapping.within_s * SECOND_NS),
            quiet_ns=round(flapping.quiet_s * SECOND_NS),
        ),
        confirmations=tuple(
            Confirmation(sources=tuple(asked.sources), drives=asked.drives, of=asked.of) for asked in read.confirmation
        ),
        stale_after_ns=stale_after_ns,
    )


def _inhibition(entry: _Inhibition) -> Inhibition:
    return Inhibition(
        id=entry.id,
        parent=_matcher(entry.parent),
        child=_matcher(entry.child),
        lasts=entry.lasts,
        same_group=entry.same_group,
        reason=Text(en=entry.reason.en, zh=entry.reason.zh),
    )


def _matcher(entry: _Matcher) -> AlertMatcher:
    return AlertMatcher(
        kinds=tuple(entry.kinds),
        sources=tuple(entry.sources),
        codes=tuple(entry.codes),
        groups=tuple(entry.groups),
        severities=tuple(entry.severities),
    )
