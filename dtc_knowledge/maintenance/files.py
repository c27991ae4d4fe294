"""Reads care items, schedules and campaigns, checks every reference, and finds what fits a vehicle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

from datafiles import Document, load_yaml, validate
from domain.care import Campaign, CareItem, Interval, Quantity, Reading, Schedule, ScheduledItem
from domain.errors import DataFileError
from domain.findings import Part, PlanLine
from domain.fleet import Vehicle
from dtc_knowledge.maintenance.readings import read_readings, read_sources
from dtc_knowledge.maintenance.schema import (
    CampaignEntry,
    IntervalEntry,
    ItemEntry,
    ItemsFile,
    ScheduledEntry,
    ScheduleEntry,
    SchedulesFile,
)
from dtc_knowledge.offers import Offers

DAYS_PER_MONTH = 365.25 / 12
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Which vehicles something is for."""

    powertrains: tuple[str, ...]
    brands: tuple[str, ...]
    models: tuple[str, ...]
    years: tuple[int, ...] = ()

    def fits(self, vehicle: Vehicle) -> bool:
        return (
            (not self.powertrains or vehicle.powertrain in self.powertrains)
            and (not self.brands or vehicle.brand in self.brands)
            and (not self.models or vehicle.model in self.models)
            and (not self.years or vehicle.year in self.years)
        )

    @property
    def exactness(self) -> tuple[bool, bool, bool]:
        return bool(self.models), bool(self.brands), bool(self.powertrains)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A campaign as written: month and day for every year, or one period."""

    item: CareItem
    fit: _Fit
    start: tuple[int, int, int]
    until: tuple[int, int, int]
    recall: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenancePlans:
    """Everything that the files say.

    Attributes:
        places: item -> file and line, for what is checked later. offers: prices and part numbers of a maker or market.
    """

    items: dict[str, CareItem]
    readings: tuple[Reading, ...]
    places: dict[str, tuple[Path, int]]
    schedules: tuple[tuple[_Fit, Schedule], ...]
    calls: tuple[_Call, ...]
    offers: Offers = field(default_factory=Offers)

    def items_for(self, vehicle: Vehicle) -> dict[str, CareItem]:
        """All items by id, with the part numbers for this vehicle's model and the region's prices."""
        return {name: replace(item, work=self._offered(item.work, vehicle)) for name, item in self.items.items()}

    def _offered(self, work: PlanLine, vehicle: Vehicle) -> PlanLine:
        return replace(work, parts=tuple(self.offers.part(part, vehicle.model) for part in work.parts))

    def schedule(self, vehicle: Vehicle) -> Schedule | None:
        """The most exact one that fits; the last one read among equals, so that an OEM's own files win. None where none fits."""
        best: tuple[tuple[bool, bool, bool], Schedule] | None = None
        for fit, schedule in self.schedules:
            if fit.fits(vehicle) and (best is None or fit.exactness >= best[0]):
                best = fit.exactness, schedule
        return None if best is None else best[1]

    def campaigns(self, vehicle: Vehicle, first_day: int, last_day: int) -> tuple[Campaign, ...]:
        """Campaigns for this vehicle that touch these days, by first day and item."""
        years = range(_date(first_day).year - 1, _date(last_day).year + 1)
        found = [
            campaign
            for call in self.calls
            if call.fit.fits(vehicle)
            for campaign in _occurrences(call, years)
            if campaign.from_day <= last_day and campaign.until_day >= first_day
        ]
        return tuple(sorted(found, key=lambda each: (each.from_day, each.item.id)))

    def item_of_operation(self) -> dict[str, tuple[str, ...]]:
        """Operation -> the items that it completes."""
        found: dict[str, tuple[str, ...]] = {}
        for item in self.items.values():
            for operation in (item.work.operation, *item.completed_by):
                found[operation] = (*found.get(operation, ()), item.id)
        return found


def shipped_plans(extra: Sequence[Path] = ()) -> MaintenancePlans:
    """The files of this package, and then those of further folders."""
    return read_plans([Path(str(files("dtc_knowledge"))) / "maintenance", *extra])


def read_plans(folders: Sequence[Path]) -> MaintenancePlans:
    """Read `sources.csv`, `readings.csv`, `items.yaml` and every other `*.yaml` of each folder in turn; each may be absent.

    Raises:
        DataFileError: a file is not valid, an id stands twice, or a reference leads nowhere.
    """
    sources: set[str] = set()
    items: dict[str, CareItem] = {}
    readings: list[Reading] = []
    places: dict[str, tuple[Path, int]] = {}
    schedules: dict[str, tuple[_Fit, Schedule]] = {}
    calls: list[_Call] = []
    for folder in folders:
        sources |= read_sources(folder)
        readings += read_readings(folder, sources, readings)
        if (folder / "items.yaml").is_file():
            items |= _read_items(folder / "items.yaml", items, {reading.name for reading in readings}, places)
        for file in sorted(folder.glob("*.yaml")):
            if file.name != "items.yaml":
                _read_schedules(file, sources, items, schedules, calls)
    return MaintenancePlans(
        items=items, readings=tuple(readings), places=places, schedules=tuple(schedules.values()), calls=tuple(calls)
    )


def _read_items(
    file: Path, known: dict[str, CareItem], readings: set[str], places: dict[str, tuple[Path, int]]
) -> dict[str, CareItem]:
    document = load_yaml(file)
    items: dict[str, CareItem] = {}
    for place, entry in enumerate(validate(ItemsFile, document).items):
        at = ("items", place)
        _fail_if(entry.id in items or entry.id in known, f"item {entry.id!r} stands twice", "rename one of them", document, *at)
        for name in entry.own:
            _fail_if(name not in readings, f"unknown reading {name!r}", "add it to readings.csv", document, *at)
        items[entry.id] = _item(entry)
        places[entry.id] = file, document.line(*at)
    return items


def _item(entry: ItemEntry) -> CareItem:
    parts = tuple(Part(number=part.number, name=part.text, quantity=part.quantity, price=part.price) for part in entry.parts)
    return CareItem(
        id=entry.id,
        title=entry.text,
        system=entry.system,
        work=PlanLine(
            line=1,
            operation=entry.operation,
            description=entry.text,
            labour_hours=entry.hours,
            parts=parts,
            covered_by=tuple(entry.completed_by),
            shares_parts=True,
        ),
        advice=entry.advice.text,
        completed_by=tuple(entry.completed_by),
        late_urgency=entry.late,
        needs=tuple(entry.needs),
        own=tuple(entry.own),
    )


def _read_schedules(
    file: Path,
    sources: set[str],
    items: dict[str, CareItem],
    schedules: dict[str, tuple[_Fit, Schedule]],
    calls: list[_Call],
) -> None:
    document = load_yaml(file)
    read = validate(SchedulesFile, document)
    for place, entry in enumerate(read.schedules):
        at: tuple[str | int, ...] = ("schedules", place)
        _fail_if(entry.id in schedules, f"schedule {entry.id!r} stands twice", "rename one of them", document, *at)
        named = [each.item for each in entry.items]
        for number, each in enumerate(entry.items):
            here = (*at, "items", number)
            _fail_if(named.index(each.item) != number, f"item {each.item!r} stands twice", "keep one of them", document, *here)
            _check_references(each.item, each.sources, sources, items, document, *here)
        schedules[entry.id] = _schedule(entry, items)
    for place, call in enumerate(read.campaigns):
        at = ("campaigns", place)
        _check_references(call.item, call.sources, sources, items, document, *at)
        calls.append(_call(call, items, document, *at))


def _check_references(
    item: str, named: Iterable[str], sources: set[str], items: dict[str, CareItem], document: Document, *at: str | int
) -> None:
    _fail_if(item not in items, f"unknown item {item!r}", "correct it, or add it to items.yaml", document, *at)
    for source in named:
        _fail_if(source not in sources, f"unknown source {source!r}", "add it to sources.csv", document, *at)


def _fail_if(wrong: bool, what: str, mend: str, document: Document, *at: str | int) -> None:
    if wrong:
        raise DataFileError(what, file=document.file, line=document.line(*at), mend=mend)


def _schedule(entry: ScheduleEntry, items: dict[str, CareItem]) -> tuple[_Fit, Schedule]:
    fit = _Fit(powertrains=tuple(entry.powertrains), brands=tuple(entry.brands), models=tuple(entry.models))
    scheduled = tuple(_scheduled(each, items[each.item]) for each in entry.items)
    return fit, Schedule(id=entry.id, title=entry.text, items=scheduled, daily_km=entry.daily_km)


def _scheduled(entry: ScheduledEntry, item: CareItem) -> ScheduledItem:
    return ScheduledItem(
        item=item,
        normal=_interval(entry.normal),
        severe=_interval(entry.severe),
        measured=None if entry.measured is None else _interval(entry.measured),
        sensed=None if entry.sensed is None else _interval(entry.sensed),
        first=None if entry.first is None else _interval(entry.first),
        sources=tuple(entry.sources),
    )


def _interval(entry: IntervalEntry) -> Interval:
    limits = [(Quantity.TIME, float(round(entry.months * DAYS_PER_MONTH)))] if entry.months else []
    for quantity in Quantity:
        limit = getattr(entry, quantity.value, None)
        if limit is not None:
            limits.append((quantity, float(limit)))
    return Interval(limits=tuple(sorted(limits)))


def _call(entry: CampaignEntry, items: dict[str, CareItem], document: Document, *at: str | int) -> _Call:
    start, until = _split(entry.start), _split(entry.until)
    for year, month, day in (start, until):
        try:
            date(year or 2001, month, day)
        except ValueError as problem:
            what = f"{month:02d}-{day:02d} is no day"
            raise DataFileError(what, file=document.file, line=document.line(*at), mend="correct it") from problem
    _fail_if(bool(start[0]) != bool(until[0]), "one day has a year", "write both as MM-DD or as YYYY-MM-DD", document, *at)
    _fail_if(bool(start[0]) and until < start, "ends before it begins", "swap the days", document, *at)
    fit = _Fit(
        powertrains=tuple(entry.powertrains), brands=tuple(entry.brands), models=tuple(entry.models), years=tuple(entry.years)
    )
    return _Call(item=items[entry.item], fit=fit, start=start, until=until, recall=entry.recall)


def _split(text: str) -> tuple[int, int, int]:
    *year, month, day = (int(part) for part in text.split("-"))
    return (year[0] if year else 0), month, day


def _occurrences(call: _Call, years: Iterable[int]) -> Iterable[Campaign]:
    if call.start[0]:
        yield Campaign(item=call.item, from_day=_day(*call.start), until_day=_day(*call.until), urgent=call.recall)
        return
    for year in years:
        over_new_year = call.until < call.start
        yield Campaign(
            item=call.item,
            from_day=_day(year, *call.start[1:]),
            until_day=_day(year + over_new_year, *call.until[1:]),
            repeats=year,
            urgent=call.recall,
        )


def _day(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - _EPOCH).days


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * 86_400, UTC).date()
