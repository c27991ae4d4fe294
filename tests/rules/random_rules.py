"""Random rules, series and reports: every feature of the language, in conditions that hold now and then."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from domain.trouble_codes import CodeList, DtcReport, FreezeValue, Protocol
from rules.binding import bind_condition
from rules.cohorts import Bands, Cohort
from rules.expression import parse
from rules.pack import load_rules
from rules.rule import Pause, Rule, Trigger
from rules.units import parse_unit
from tests.rules.making import (
    AIR,
    CHARGING,
    COOLANT,
    END,
    ENGINE,
    LATITUDE,
    LONGITUDE,
    SECOND,
    SPEED,
    TIMER,
    VOLTAGE,
    Sample,
    cleared,
    dm1,
    monitors,
    obd,
    uds,
)

TEMPLATE = load_rules()[0]
UNITS = {"limit": parse_unit("celsius"), "margin": parse_unit("celsius")}
OVERRIDES = {"a": {"limit": 95.0}, "b": {"margin": -2.13}}
"""Parameters that stand for the rule's own, by vehicle."""
COHORTS: dict[str, Cohort] = {
    "a": {
        (COOLANT, 95.0): Bands(rows=((-10.0, 0.0, 90.0), (0.0, 30.0, 102.0), (40.0, 60.0, 110.0))),
        (COOLANT, 5.0): Bands(rows=((0.0, 30.0, 88.0),)),
    },
    "b": {(COOLANT, 95.0): Bands(rows=((5.0, 6.0, 97.0),))},
}
"""What is usual, by vehicle."""
CONDITIONS = (
    "EngineCoolant.Temperature > 100",
    "EngineCoolant.Temperature > 100 and Vehicle.Speed < 50",
    "EngineCoolant.Temperature > 100 or Vehicle.Speed > 80",
    "not (Charging.IsCharging or EngineCoolant.Temperature < 90)",
    "abs(EngineCoolant.Temperature - 95) > 10 and not Charging.IsCharging",
    "max(EngineCoolant.Temperature, 91) >= clamp(EngineCoolant.Temperature, 80, 100)",
    "Vehicle.Speed / CombustionEngine.Speed != 0.1",
    "(Vehicle.Speed >= 40) == (-EngineCoolant.Temperature >= -99)",
)
FEATURES = (
    "mean(EngineCoolant.Temperature, 10 s) > 97.13",
    "std(EngineCoolant.Temperature, 12 s) > 8.137",
    "slope(EngineCoolant.Temperature, 9 s) > 1.037",
    "abs(rate(EngineCoolant.Temperature, 9 s)) > 1.137",
    "max(EngineCoolant.Temperature, 15 s) - min(EngineCoolant.Temperature, 15 s) > 20",
    "share(EngineCoolant.Temperature > 100 and Vehicle.Speed < 60, 10 s) > 0.371",
    "count(EngineCoolant.Temperature > 100, 20 s) >= 2",
    "percentile(EngineCoolant.Temperature, 75, 15 s, 80, 112) > 100.5",
    "mean(EngineCoolant.Temperature, 100 m) > 97.13",
    "share(EngineCoolant.Temperature > 90, 0.2 engine_min) > 0.517",
    "max(EngineCoolant.Temperature, trip) > 105 or count(Vehicle.Speed > 46, trip) > 2.5",
    "seq(EngineCoolant.Temperature < 90, EngineCoolant.Temperature > 100, 4 s)",
    "seq(Vehicle.Speed < 48, mean(EngineCoolant.Temperature, 5 s) > 95.13, 6 s)",
    "cycles(EngineCoolant.Temperature > 100, 2, 3)",
    "cycles(share(Vehicle.Speed > 46, 5 s) > 0.413, 1, 2) and EngineCoolant.Temperature > 90",
    "absent(Vehicle.Speed, 6 s) and EngineCoolant.Temperature > 90",
    "mean(max(EngineCoolant.Temperature, 5 s), 5 s) > 95.13",
    "local_hour(0) < 0.005 and EngineCoolant.Temperature > 90",
)
CODES = (
    'dtc("P030?")',
    'dtc("P0*") and EngineCoolant.Temperature > 90',
    'dtc("P0301", "confirmed") or Vehicle.Speed > 46',
    'dtc("P030?", "pending")',
    'dtc("P030?", "permanent")',
    'dtc("P030?", "history")',
    'dtc("P0301", "active") and not dtc("P0302", "test_failed_this_cycle")',
    'dtc("SPN102/FMI*", "active") or dtc("P0171", "warning_indicator")',
    'new_dtc("P0*")',
    'not new_dtc("P0301") and EngineCoolant.Temperature > 90',
    'lamp("malfunction") or lamp("red_stop")',
    'lamp("amber_warning") and EngineCoolant.Temperature > 90',
    'ready("*")',
    'not ready("mis*")',
    'freeze_frame("P030?", Vehicle.Speed) > 40',
    'freeze_frame("P0*", EngineCoolant.Temperature) < EngineCoolant.Temperature',
    'seq(dtc("P0301"), EngineCoolant.Temperature > 100, 9 s)',
    'count(dtc("P030?", "pending"), trip) >= 1',
    'cycles(new_dtc("P0*"), 1, 2)',
)
"""Conditions on what ECUs report."""
FIGURES = (
    "EngineCoolant.Temperature > limit",
    "mean(EngineCoolant.Temperature, 10 s) > limit - margin",
    "count(EngineCoolant.Temperature > limit, trip) >= 2",
    "EngineCoolant.Temperature > cohort(EngineCoolant.Temperature, 95)",
    "count(EngineCoolant.Temperature < cohort(EngineCoolant.Temperature, 5) + margin, 20 s) >= 1",
    "near(31.23, 121.47, 2 km) and EngineCoolant.Temperature > 90",
)
"""Conditions on parameters, on what is usual for a model, and on places."""
GATES = (None, "CombustionEngine.Speed > 400", "CombustionEngine.Speed > 400 and not Charging.IsCharging")

made_rules = st.builds(
    lambda *figures: rule_of(*figures),
    st.integers(0, 9),
    st.sampled_from((*GATES, CODES[0], CODES[10])),
    st.sampled_from((*CONDITIONS, *FEATURES, *CODES, *FIGURES)),
    st.sampled_from((None, *CONDITIONS, *FEATURES, *CODES, *FIGURES)),
    st.integers(0, 12),
    st.integers(0, 6),
    st.sampled_from(Pause),
    st.sampled_from((Pause.HOLD, Pause.RESET)),
    st.sampled_from(Trigger),
    st.sampled_from((0, 0, 7)),
    st.sampled_from((0, 0, 15)),
    st.sampled_from((0.0, 0.0, 0.5)),
)
made_samples = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 80).map(lambda half: half / 2),
        st.sampled_from([SPEED, ENGINE, COOLANT, COOLANT, COOLANT, CHARGING, VOLTAGE, AIR, TIMER, END]),
        st.sampled_from([0.0, 1.0, 45.0, 50.0, 85.0, 101.0, 101.0, 120.0, 900.0]),
    ),
    max_size=120,
    unique_by=lambda sample: sample[:3],
).map(sorted)


def rule_of(
    number: int,
    gate: str | None,
    when: str,
    clear: str | None,
    hold: int,
    clear_hold: int,
    gap: Pause,
    closed: Pause,
    trigger: Trigger = Trigger.LEVEL,
    keep: int = 0,
    interval: int = 0,
    rate: float = 0.0,
) -> Rule:
    return replace(
        TEMPLATE,
        id=f"rule_{number}",
        gate=None if gate is None else bind_condition(parse(gate), UNITS),
        when=bind_condition(parse(when), UNITS),
        clear_when=None if clear is None else bind_condition(parse(clear), UNITS),
        hold_ns=hold * SECOND,
        clear_hold_ns=clear_hold * SECOND,
        parameters={"limit": 103.0, "margin": 7.13},
        on_gap=gap,
        gate_closed=closed,
        trigger=trigger,
        keep_firing_ns=keep * SECOND,
        min_interval_ns=interval * SECOND,
        min_rate_hz=rate,
    )


def dense_samples(seed: int) -> list[Sample]:
    """Two vehicles whose signals come about once a second, with gaps, ends of drives and ticks among them."""
    chance = random.Random(seed)
    rows: list[Sample] = []
    for vehicle in ("a", "b"):
        for path, levels in (
            (COOLANT, (86, 91, 96, 101, 104, 113)),
            (SPEED, (0, 45, 47, 50)),
            (ENGINE, (0, 900, 900)),
            (AIR, (-5, 5, 5, 29, 30, 50)),
            (LATITUDE, (31.23, 31.24, 31.3)),
            (LONGITUDE, (121.47, 121.47, 121.49)),
        ):
            time_s, value = 0.0, float(chance.choice(levels))
            while time_s < 60.0:
                rows.append((vehicle, time_s, path, value))
                time_s += chance.choice((0.5, 1.0, 1.0, 1.0, 1.5)) if chance.random() < 0.98 else 7.0
                value = value if chance.random() < 0.6 else float(chance.choice(levels))
        kinds = [TIMER, TIMER, END] + [END] * chance.randrange(3)
        rows += [(vehicle, chance.randrange(120) / 2, kind, 0.0) for kind in kinds]
    return sorted(set(rows))


any_samples = st.one_of(made_samples, *[st.integers(0, 2**32).map(dense_samples)] * 2)


def dense_reports(seed: int) -> list[DtcReport]:
    """Reports of every kind from a few ECUs, several of each, so that codes come, stay and go."""
    chance = random.Random(seed)

    def some(codes: Sequence[str]) -> list[str]:
        return [code for code in codes if chance.random() < 0.4]

    made: list[DtcReport] = []
    for half in sorted(chance.choices(range(80), k=40)):
        whole, ecu = chance.random() < 0.8, chance.choice((0x7E8, 0x7E8, 0x7E9))
        kind = chance.choice((CodeList.STORED, CodeList.STORED, CodeList.PENDING, CodeList.PERMANENT))
        truck = chance.choice((CodeList.ACTIVE, CodeList.ACTIVE, CodeList.EMISSION, CodeList.PREVIOUSLY_ACTIVE))
        fmi = [(102, number) for number in (2, 3, 4) if chance.random() < 0.4]
        lamps = {name: chance.choice((0, 0, 1, 3)) for name in ("red", "amber")}
        status = {code: chance.choice((0x00, 0x01, 0x04, 0x08, 0x2F, 0x50, 0x88, 0xFF)) for code in some(CODE_NAMES)}
        clear, how = chance.choice(CLEARS)
        made.append(
            chance.choice(
                (
                    obd(half / 2, *some(CODE_NAMES), source=ecu, complete=whole, kind=kind),
                    obd(half / 2, *some(CODE_NAMES), source=ecu, complete=whole, kind=kind),
                    _uds(half, status, ecu, whole, chance.random() < 0.3),
                    replace(dm1(half / 2, *fmi, **lamps), kind=truck),
                    _monitors(half, complete=chance.random() < 0.5, lamp_on=chance.choice((-1, 0, 1))),
                    _frozen(half, chance.choice(CODE_NAMES), chance.choice((10.0, 60.0)), chance.choice((80.0, 99.0))),
                    cleared(half / 2, source=chance.choice((0x7E8, 0x7E9, 0, 255)), message=clear, protocol=how),
                )
            )
        )
    return made


def _uds(half: int, codes: dict[str, int], source: int, complete: bool, everything: bool) -> DtcReport:
    kind = CodeList.UDS_SUPPORTED if everything else CodeList.UDS_BY_STATUS
    return replace(uds(half / 2, *sorted(codes.items()), kind=kind), source=source, complete=complete)


def _monitors(half: int, *, complete: bool, lamp_on: int) -> DtcReport:
    report = monitors(half / 2, complete=complete)
    return report if report.monitors is None else replace(report, monitors=replace(report.monitors, lamp_on=lamp_on))


def _frozen(half: int, code: str, speed: float, coolant: float) -> DtcReport:
    values = (FreezeValue(signal=SPEED, value=speed, unit="km/h"), FreezeValue(signal=COOLANT, value=coolant, unit="celsius"))
    return obd(half / 2, code, kind=CodeList.FREEZE_FRAME, complete=False, freeze=values)


CODE_NAMES = ("P0301", "P0302", "P0171")
CLEARS = (("04", Protocol.OBD), ("14", Protocol.UDS), ("DM11", Protocol.J1939), ("DM3", Protocol.J1939))
made_reports = st.one_of(st.just([]), *[st.integers(0, 2**32).map(dense_reports)] * 4)
