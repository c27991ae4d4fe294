"""The table of detectors: what each looks at, what the fleet knows, when it speaks and in which words (detectors.yaml)."""

from __future__ import annotations

import functools
import hashlib
import math
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import pydantic

from datafiles import load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Severity, Urgency
from models.trip import judgement
from models.trip.channels import PATH_OF
from models.trip.formulas import FORMULAS, REGRESSORS
from models.trip.slots import Floats
from models.trip.trend import TREND_WIDTH

WATCHED = 0.6

Positive = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """The same in English and Chinese."""

    en: Annotated[str, pydantic.Field(min_length=1)]
    zh: Annotated[str, pydantic.Field(min_length=1)]


class Coefficient(_Strict):
    """What the fleet knows of one: mean and standard deviation from vehicle to vehicle."""

    mean: float
    sd: Annotated[float, pydantic.Field(ge=0)]


class Prior(_Strict):
    """What is known of a vehicle before its first trip, in the unit of the figure.

    Attributes:
        level: at the middle of the operating range. within: standard deviation from trip to trip, weighed like `trips` of its own.
        steadiest: the same of the steadiest vehicle that we believe in.
    """

    level: Coefficient
    within: Positive
    steadiest: Positive
    trips: Positive = 4.0


class Side(_Strict):
    """What it means when the figure lies too high, or too low.

    Attributes:
        smallest: mean deviation that is worth telling owner and dealer, None where only days are judged. watched: and analysts; 0.6
            of it where not said.
        text: the probable cause and what to do.
    """

    smallest: Positive | None = None
    watched: Positive | None = None
    severity: Severity
    urgency: Urgency
    title: Words
    text: Words

    @pydantic.field_validator("urgency", mode="before")
    @classmethod
    def _urgency(cls, value: object) -> object:
        return Urgency[value] if isinstance(value, str) and value in Urgency.__members__ else value


class Limits(_Strict):
    """When the running sums speak, in standard deviations.

    Attributes:
        allowance: taken off each trip: half of the shift that is found soonest. watch: from here on analysts see it.
        alert: from here on owner and dealer hear of it.
    """

    allowance: Positive = 0.5
    watch: Positive
    alert: Positive

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Limits:
        if self.watch > self.alert:
            raise ValueError("watch lies above alert")
        return self


class Trend(_Strict):
    """Wear towards a limit. `alert_days`, `watch_days`: time left, by the middle estimate, from which it is told."""

    limit: float
    alert_days: Positive = 30.0
    watch_days: Positive = 60.0


class Rate(_Strict):
    """A change per day that is told. `window_days`: of the last days only. `reset`: a jump back by more begins anew (a refill)."""

    alert: Positive
    watch: Positive
    window_days: Positive = 14.0
    reset: Positive


class Entry(_Strict):
    """One detector.

    Attributes:
        id: of the findings. formula, regressors: names in `models.trip.formulas`. channel: whose signal findings speak of,
            with {place} where there are places.
        places: formulas of the same kind, one for each place of the car ("tyre_fl" …), with the id `ID_PLACE`, and what it is called.
        unit, decimals: of the figure. least_panes, least_bottom: what a trip needs; full_bottom: Σ |bottom| from which a trip's
            figure is as good as it gets, below its weight falls with the square.
        moving: a figure that never moved within a trip is a frozen sensor's and says nothing.
        log: the figure is judged by its natural logarithm, since what moves it multiplies.
        learn: trips that the baseline is learnt from. source: where formula and figures come from.
    """

    id: Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")]
    formula: str
    places: dict[str, Words] = {}
    channel: str
    unit: str
    decimals: int = 1
    group_key: str
    what: Words
    least_panes: int = 12
    least_bottom: float = 0.0
    full_bottom: float = 0.0
    moving: bool = True
    log: bool = False
    learn: int = 40
    prior: Prior
    regressors: dict[str, Coefficient] = {}
    limits: Limits = Limits(watch=10.0, alert=16.0)
    high: Side | None = None
    low: Side | None = None
    trend: Trend | None = None
    rate: Rate | None = None
    source: Annotated[str, pydantic.Field(min_length=1)]

    @pydantic.model_validator(mode="after")
    def _known(self) -> Entry:
        unknown = [name for name in self.formulas if name not in FORMULAS] + [
            each for each in self.regressors if each not in REGRESSORS
        ]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is neither a formula nor a regressor")
        unknown = [name for name in self.channels if name not in PATH_OF]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no channel")
        if self.high is None and self.low is None:
            raise ValueError("give the words of a side, high or low")
        return self

    @property
    def by_days(self) -> bool:
        """Whether points of days are kept."""
        return self.trend is not None or self.rate is not None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channel of each place."""
        return tuple(self.channel.format(place=place) for place in self.places or ("",))

    @property
    def formulas(self) -> tuple[str, ...]:
        """The formula of each place."""
        return tuple(f"{self.formula}_{place}" for place in self.places) or (self.formula,)


class Detector:
    """An entry at one place, ready to run.

    Attributes:
        id: of its findings. signal: VSS path that they speak of. where: what the place is called, None where there is one only.
        q: coefficients, the level first. fresh: a vehicle's row of `judgement` before its first trip.
    """

    def __init__(self, entry: Entry, place: str) -> None:
        self.entry = entry
        self.signal = PATH_OF[entry.channel.format(place=place)]
        self.where = entry.places.get(place)
        self.id = f"{entry.id}_{place}" if place else entry.id
        self.formula = FORMULAS[f"{entry.formula}_{place}" if place else entry.formula]
        self.regressors = tuple(REGRESSORS[name] for name in entry.regressors)
        self.q = 1 + len(self.regressors)
        self.sums = 4 + len(self.regressors)
        self.fresh = self._fresh()

    def _fresh(self) -> Floats:
        prior, q = self.entry.prior, self.q
        known = [prior.level, *self.entry.regressors.values()]
        row = np.zeros(judgement.COEFFICIENTS + q + q * q + (TREND_WIDTH if self.entry.by_days else 0))
        row[judgement.SCALE_A] = prior.trips / 2.0
        row[judgement.SCALE_B] = prior.trips / 2.0 * prior.within**2
        row[judgement.COEFFICIENTS : judgement.COEFFICIENTS + q] = [each.mean for each in known]
        start = judgement.COEFFICIENTS + q
        row[start : start + q * q] = np.diag([each.sd**2 for each in known]).ravel()
        return row

    @property
    def smallest(self) -> tuple[float, float, float, float]:
        """Mean deviation worth telling: alerts (high, low), then the watch list; infinite for a side that does not matter."""
        sides = (self.entry.high, self.entry.low)
        alert = [side.smallest if side and side.smallest else math.inf for side in sides]
        told = zip(sides, alert, strict=True)
        watch = [side.watched if side and side.watched else WATCHED * smallest for side, smallest in told]
        return alert[0], alert[1], watch[0], watch[1]


@functools.cache
def shipped() -> tuple[Detector, ...]:
    """The detectors of detectors.yaml."""
    with_path = files("models.trip").joinpath("detectors.yaml")
    return load_detectors(Path(str(with_path)))


def load_detectors(file: Path) -> tuple[Detector, ...]:
    """The detectors of a table.

    Raises:
        DataFileError: it cannot be read, an entry is not valid, or an id stands there twice.
    """
    document = load_yaml(file)
    if not isinstance(document.data, list):
        raise DataFileError("is no list of detectors", file=file, mend="begin each detector with '- id:'")
    found: dict[str, Detector] = {}
    for number in range(len(document.data)):
        entry = validate(Entry, document, number)
        for place in entry.places or ("",):
            detector = Detector(entry, place)
            if detector.id in found:
                raise DataFileError(
                    f"detector {detector.id!r} stands here twice", file=file, line=document.line(number), mend="rename it"
                )
            found[detector.id] = detector
    return tuple(found.values())


def version_of(detectors: tuple[Detector, ...]) -> str:
    """Changes with anything that shapes the state or the findings."""
    content = "\n".join(f"{each.id} {each.entry.model_dump_json()}" for each in detectors)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
