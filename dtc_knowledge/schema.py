"""What the knowledge files may say: one pydantic model per kind of entry, validated where the files are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic

from domain.findings import Severity, Text, Urgency


def _urgency(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return Urgency[value]
        except KeyError:
            raise ValueError(f"{value!r} is none of {', '.join(Urgency.__members__)}") from None
    return value


UrgencyName = Annotated[Urgency, pydantic.BeforeValidator(_urgency)]
Comparison = Literal["<", "<=", ">", ">="]
Role = Literal["trigger", "support", "against"]
Category = Literal["sensor", "actuator", "control_unit", "circuit", "function", "mechanical", "network"]
Confidence = Literal["high", "medium"]
CODE = r"^[PCBU][0-3][0-9A-F]{3}$"
CodeName = Annotated[str, pydantic.Field(pattern=CODE)]
Probability = Annotated[float, pydantic.Field(gt=0, le=1)]


class Entry(pydantic.BaseModel):
    """An entry of a data file: unknown keys are refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Named(Entry):
    """An entry with its words in English and Chinese."""

    en: str = pydantic.Field(min_length=1)
    zh: str = pydantic.Field(min_length=1)

    @property
    def text(self) -> Text:
        """The words as a domain record."""
        return Text(en=self.en, zh=self.zh)


class SourceRow(Entry):
    """Where something is known from."""

    id: str
    title: str
    url: str = ""


class SystemRow(Named):
    """A system of the vehicle; its id is the group key of alerts that belong together."""

    id: str


class CodeRow(Named):
    """A trouble code in letter-and-digits notation."""

    code: CodeName
    system: str
    component: str = ""
    severity: Severity
    urgency: UrgencyName
    source: str


class FamilyRow(Named):
    """Codes numbered by cylinder: `first`, then every `step` (hexadecimal digits written as decimal), `count` of them.

    `{n}` stands for the cylinder, `{letter}` for A, B, C …
    """

    first: CodeName
    count: int = pydantic.Field(ge=1, le=16)
    step: int = pydantic.Field(ge=1)
    system: str
    component: str
    severity: Severity
    urgency: UrgencyName
    source: str


class ComponentRow(Named):
    """A part or function of the vehicle that codes speak of. `severity`, `urgency`: of its codes, active and confirmed."""

    id: str = pydantic.Field(pattern=r"^[a-z0-9_]+$")
    system: str
    category: Category
    severity: Severity
    urgency: UrgencyName
    source: str = "J2012"


class FaultRow(Entry):
    """What can be wrong with a component; the words follow its name, and may be empty where the name says it all."""

    id: str
    en: str = ""
    zh: str = ""

    @property
    def text(self) -> Text:
        """The words as a domain record."""
        return Text(en=self.en, zh=self.zh)


class RunRow(Entry):
    """Codes in a row: `first` and the following numbers are the `faults` (ids, by blanks) of `component` at `place`.

    `place`: words by blanks - a unit (A, 1, A/B), a bank and sensor (b1, b2s1), a cylinder (c3), a position (fl, rr, l, dr) -
    or a series (c1..12, A..E), for which the faults repeat. `confidence`: high where public lists agree, else medium.
    """

    first: CodeName
    component: str
    place: str = ""
    faults: str
    confidence: Confidence = "medium"
    source: str


class MakerCodeRow(Named):
    """A code in a maker's own range; the file's name is the maker."""

    code: CodeName
    system: str
    component: str = ""
    category: Category = "function"
    severity: Severity
    urgency: UrgencyName
    source: str
    confidence: Confidence = "high"


class ParameterRow(Named):
    """A J1939 SPN. `severe`: the FMI direction that is a stop-level condition. `cap`: no FMI of it is more urgent."""

    spn: int
    system: str
    component: str = ""
    severe: Literal["", "low", "high"] = ""
    cap: UrgencyName = Urgency.STOP
    category: Category = "function"
    confidence: Confidence = "medium"
    source: str


class ParameterRunRow(Named):
    """SPNs in a row that differ in a number: `first`, `count` of them, counting `{n}` from `start`."""

    first: int
    count: int = pydantic.Field(ge=1, le=300)
    start: int = 1
    system: str
    component: str = ""
    category: Category
    confidence: Confidence = "medium"
    source: str


class FailureModeRow(Named):
    """A J1939 failure mode identifier."""

    fmi: int = pydantic.Field(ge=0, le=31)
    severity: Severity
    urgency: UrgencyName
    source: str


class FailureTypeRow(Named):
    """A failure type byte, two hexadecimal digits."""

    type: str = pydantic.Field(pattern=r"^[0-9A-F]{2}$")
    source: str


class MonitorRow(Entry):
    """A self-test of an ECU, and the codes that it would report: single ones and decimal ranges by blanks ("P0300-P0312 P20EE")."""

    monitor: str = pydantic.Field(pattern=r"^[a-z_]+$")
    codes: str
    source: str

    @pydantic.field_validator("codes")
    @classmethod
    def _are_codes(cls, words: str) -> str:
        wrong = [word for word in words.split() if not re.fullmatch(r"[PCBU][0-3][0-9A-F]{3}|[PCBU]\d{4}-[PCBU]\d{4}", word)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is neither a code nor a decimal range of codes")
        return words

    @property
    def named(self) -> Iterator[str]:
        """Every code, ranges written out."""
        for word in self.codes.split():
            first, dash, last = word.partition("-")
            yield from (f"{first[0]}{n:04d}" for n in range(int(first[1:]), int(last[1:]) + 1)) if dash else (first,)


class AlarmBitRow(Named):
    """A general alarm flag of GB/T 32960.3; bit 0 is the least significant."""

    bit: int = pydantic.Field(ge=0, le=31)
    system: str
    severity: Severity
    urgency: UrgencyName
    source: str


class PartEntry(Named):
    """A part with our own number and an indicative price."""

    id: str = pydantic.Field(pattern=r"^PC-[A-Z0-9-]+$")
    price: str = pydantic.Field(pattern=r"^\d+\.\d{2}$")
    source: str = "estimate"


class OperationEntry(Named):
    """A repair operation; `hours` in steps of 0.1 h; `parts`: number -> quantity; `needs`: what a workshop must be able to do."""

    id: str = pydantic.Field(pattern=r"^OP-[A-Z0-9-]+$")
    hours: str = pydantic.Field(pattern=r"^\d+\.\d$")
    parts: dict[str, int] = {}
    needs: list[str] = []
    source: str = "estimate"


class PartsFile(Entry):
    """parts.yaml."""

    parts: list[PartEntry]


class OperationsFile(Entry):
    """operations.yaml."""

    operations: list[OperationEntry]


class CheckEntry(Named):
    """A step that tells causes apart: `tells` are the causes of its pattern that it confirms when it finds something."""

    id: str
    minutes: int = pydantic.Field(default=0, ge=0)
    tells: list[str] = []


class Weight(Entry):
    """Multiplies a cause's share when any of `any` is present (or, in `without`, when none is), or when a value is so.

    `signal` may be a measured value, a value of a freeze frame or `Vehicle.TraveledDistance`, the mileage.
    """

    any: list[str] = []
    signal: str | None = None
    op: Comparison = ">"
    value: float = 0.0
    times: float = pydantic.Field(gt=0)

    @pydantic.model_validator(mode="after")
    def _one_condition(self) -> Weight:
        if bool(self.any) == (self.signal is not None):
            raise ValueError("a weight names either codes in `any` or one `signal`")
        return self


class CauseEntry(Named):
    """A root cause that a pattern suggests; `p` is its share given the pattern; `repair`: operations in order."""

    id: str
    p: Probability
    given: list[Weight] = []
    without: list[Weight] = []
    repair: list[str] = []
    p_source: str = "estimate"


class PredicateEntry(Entry):
    """A condition on a measured value: `signal` [`plus` | `minus` another] `op` `value`."""

    signal: str
    plus: str | None = None
    minus: str | None = None
    op: Comparison
    value: float
    role: Role = "trigger"
    source: str = "estimate"


class SeveralEntry(Entry):
    """`count` different codes of these together are one sign in a role, as when three modules fall silent at once."""

    count: int = pydantic.Field(ge=2)
    of: list[str] = pydantic.Field(min_length=1)
    role: Role = "trigger"


class WorseEntry(Named):
    """`count` different active codes of these together raise the urgency, for the reason given in `en` and `zh`."""

    count: int = pydantic.Field(ge=1)
    of: list[str] = pydantic.Field(min_length=1)
    urgency: UrgencyName


class SignsEntry(Entry):
    """Codes by role. A code is "P0301" or, for J1939, "SPN100/FMI1" ("SPN*/FMI3" in a fallback); "U01*" is a prefix."""

    all: list[str] = []
    any: list[str] = []
    support: list[str] = []
    against: list[str] = []
    several: list[SeveralEntry] = []


class FindingsEntry(Entry):
    """Rule and model ids by role; "id<" and "id>" name the direction in which a model deviates."""

    any: list[str] = []
    support: list[str] = []
    against: list[str] = []


class PatternEntry(Named):
    """A worked root-cause pattern.

    Attributes:
        repeat: number of copies; `{n}` in any text counts from 1. fallback: used only where no other pattern applies.
        powertrains, makers, models: the only powertrains, makers and vehicle models it applies to; empty for any. Codes of a
            maker's own range count for the makers whose tables name them.
        explains: codes that are consequences of it, although they belong to another system.
        worse: codes that together are more urgent than the pattern.
        urgency: reached when a code and a measured finding agree, or a code of `decisive` is active; `reason` says why.
    """

    id: str
    system: str
    repeat: int = pydantic.Field(default=0, ge=0, le=16)
    fallback: bool = False
    powertrains: list[Literal["petrol", "diesel", "hybrid", "ev", "truck"]] = []
    makers: list[str] = []
    models: list[str] = []
    codes: SignsEntry = SignsEntry()
    findings: FindingsEntry = FindingsEntry()
    signals: list[PredicateEntry] = []
    explains: list[str] = []
    causes: list[CauseEntry] = pydantic.Field(min_length=1)
    checks: list[CheckEntry] = pydantic.Field(min_length=1)
    urgency: UrgencyName
    decisive: list[str] = []
    worse: list[WorseEntry] = []
    reason: Named
    drive: Literal["ok", "limited", "limp", "no"]
    safety: Literal["none", "low", "medium", "high"]
    action: Literal["dealer", "roadside", "remote", "owner"]
    advice: Named
    needs: list[str] = pydantic.Field(min_length=1)
    sources: list[str] = pydantic.Field(min_length=1)


class PatternsFile(Entry):
    """A file of patterns/."""

    patterns: list[PatternEntry]
