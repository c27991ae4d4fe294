"""Reports do not depend on how data was cut, on snapshots in between, or on other vehicles."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import EXTENDED_ID, FrameBatch, concat_frames, empty_frames
from domain.trouble_codes import DtcReport
from ingest.builtin import obd2_pids
from ingest.diagnostics import DiagnosticsReader
from tests.ingest.diagnostic_frames import Record, frame_batch, record, tick

ENGINE, GEARBOX = 0x7E8, 0x7E9
TP_CM, TP_DT = 0x1CECFF00 | EXTENDED_ID, 0x1CEBFF00 | EXTENDED_ID
VEHICLES = ("car", "lorry", "van")

SCRIPTS: tuple[list[tuple[int, str]], ...] = (
    [(ENGINE, "06 43 02 01 43 01 96 00")],
    [(ENGINE, "10 0E 43 06 01 00 02 00"), (ENGINE, "21 03 00 43 00 82 00 C1"), (ENGINE, "22 00 00 00 00 00 00 00")],
    [(GEARBOX, "10 08 47 03 01 01 01 02"), (GEARBOX, "21 01 03 CC CC CC CC CC")],
    [(ENGINE, "05 42 02 00 03 01"), (ENGINE, "05 42 0C 00 0B B8"), (ENGINE, "04 42 05 00 7B")],
    [(GEARBOX, "04 42 0D 00 32"), (GEARBOX, "05 42 02 00 07 30")],
    [(TP_CM, "20 0E 00 02 FF CA FE 00"), (TP_DT, "01 43 FF BF 00 09 08 54"), (TP_DT, "02 00 09 08 ED 14 1F 01")],
    [(TP_CM | 0x31, "20 0A 00 02 FF CA FE 00"), (TP_DT | 0x31, "01 C4 FF 60 00 03 7E 3D"), (TP_DT | 0x31, "02 03 03 7E")],
    [(TP_CM, "20 13 00 03 FF E1 FE 00"), (TP_DT, "01 00 00 00 00 00 00 00")],
    [(0x18FECA03 | EXTENDED_ID, "40 FF 66 00 03 01 FF FF")],
    [(ENGINE, "03 7F 03 78"), (0x123, "00 00"), (ENGINE, "04 41 0C 1A F8")],
    [(0x7E5, "03 19 02 FF"), (0x7ED, "10 0F 59 02 FF C0 64 87"), (0x7ED, "21 28 0E 31 01 28 C0 64"), (0x7ED, "22 88 6C")],
    [(0x7E5, "03 19 02 FF"), (0x7ED, "03 7F 19 78"), (0x7ED, "07 59 02 FF 03 01 00 2F")],
    [(0x744, "04 14 FF FF FF"), (0x7AE, "01 54")],
    [(0x7AE, "06 59 01 FF 02 00 01"), (0x7AE, "07 59 02 FF 66 00 03 2F")],
    [(0x7AE, "10 0A 59 02 FF C0 64 87"), (0x7AE, "10 14 62 F1 90 00 00 00"), (0x7AE, "21 28 0E 31 01 28")],
    [(0x625, "21 00"), (0x625, "02 59"), (0x625, "44 59 02")],
    [(0x6F1, "12 03 19 02 FF"), (0x612, "F1 10 0B 59 02 FF C0 64"), (0x612, "F1 21 87 28 0E 31 01 28")],
    [(0x18EEFF03 | EXTENDED_ID, "01 02 03 04 05 06 07 08"), (0x18FECA03 | EXTENDED_ID, "40 FF 66 00 03 01 FF FF")],
    [(0x18EEFF05 | EXTENDED_ID, "01 02 03 04 05 06 07 08"), (0x18FECB05 | EXTENDED_ID, "40 FF 66 00 03 01 FF FF")],
    [(0x18EA00F9 | EXTENDED_ID, "D3 FE 00"), (0x18E8FF00 | EXTENDED_ID, "00 FF FF FF F9 D3 FE 00")],
    [(ENGINE, "06 41 01 81 07 65 04"), (ENGINE, "01 44"), (GEARBOX, "04 41 31 00 10")],
    [(-1, "")],
)


@st.composite
def drives(draw: st.DrawFn) -> list[Record]:
    """Scripts of several vehicles, interleaved, with frames lost and stamps that are sometimes equal or far apart."""
    lines = draw(st.lists(st.tuples(st.sampled_from(VEHICLES), st.sampled_from(SCRIPTS)), min_size=1, max_size=14))
    queues = [[(vehicle, *frame) for frame in script] for vehicle, script in lines]
    records: list[Record] = []
    time_ms = 0
    while any(queues):
        queue = draw(st.sampled_from([q for q in queues[:4] if q] or [q for q in queues if q]))
        vehicle, can_id, data = queue.pop(0)
        queues = [q for q in queues if q]
        time_ms += draw(st.sampled_from([0, 0, 10, 50, 200, 800, 1300, 5000]))
        if draw(st.integers(0, 11)):
            records.append(tick(time_ms / 1000, vehicle) if can_id < 0 else record(time_ms / 1000, can_id, data, vehicle))
    return records


def cuts_of(records: list[Record], wanted: list[int]) -> list[list[Record]]:
    """The records cut near these places, never between equal stamps."""
    places = sorted({p % (len(records) + 1) for p in wanted})
    places = [p for p in places if 0 < p < len(records) and records[p - 1][0] < records[p][0]]
    return [records[a:b] for a, b in zip([0, *places], [*places, len(records)], strict=True)]


def told(reports: list[tuple[str, DtcReport]]) -> dict[str, list[tuple[object, ...]]]:
    """What was reported of each vehicle, in order, without places in batches."""
    by_vehicle: dict[str, list[tuple[object, ...]]] = {}
    for vehicle, r in reports:
        by_vehicle.setdefault(vehicle, []).append(
            (r.time_ns, r.bus, r.source, r.protocol, r.kind, r.complete, r.codes, r.lamps, r.freeze, r.raw, r.name, r.monitors)
        )
    return by_vehicle


def run(pieces: list[list[Record]], *, restart: bool = False) -> tuple[dict[str, list[tuple[object, ...]]], Counter[str]]:
    """Read piece by piece; `restart`: with a fresh reader, restored from snapshots, for each piece."""
    reader = DiagnosticsReader()
    reports: list[tuple[str, DtcReport]] = []
    anomalies: Counter[str] = Counter()
    for piece in pieces:
        if restart:
            states = {vehicle: reader.snapshot(vehicle) for vehicle in VEHICLES}
            reader = DiagnosticsReader()
            for vehicle, state in states.items():
                if state is not None:
                    reader.restore(vehicle, state)
        batch = reader.read(frame_batch(piece))
        reports += [(batch.vehicles[r.vehicle], r) for r in batch]
        anomalies.update(batch.anomalies)
        anomalies.update(batch.counted)
    return told(reports), anomalies


@settings(max_examples=120, deadline=None)
@given(records=drives(), wanted=st.lists(st.integers(0, 60), max_size=12), restart=st.booleans())
def test_any_cut_and_any_restart_give_the_same_reports_and_counts(
    records: list[Record], wanted: list[int], restart: bool
) -> None:
    assert run(cuts_of(records, wanted), restart=restart) == run([records])


@settings(max_examples=60, deadline=None)
@given(records=drives())
def test_other_vehicles_in_the_batch_change_nothing(records: list[Record]) -> None:
    together, anomalies = run([records])
    alone: dict[str, list[tuple[object, ...]]] = {}
    counted: Counter[str] = Counter()
    for vehicle in VEHICLES:
        reports, odd = run([[r for r in records if r[3] == vehicle]])
        alone |= reports
        counted.update(odd)
    assert (together, anomalies) == (alone, counted)


@settings(max_examples=60, deadline=None)
@given(records=drives())
def test_reports_come_in_order_of_vehicle_and_time_and_name_a_row_of_that_time(records: list[Record]) -> None:
    frames = frame_batch(records)
    batch = DiagnosticsReader().read(frames)
    assert [(r.vehicle, r.time_ns) for r in batch] == sorted((r.vehicle, r.time_ns) for r in batch)
    assert all(frames.time_ns[r.frame] == r.time_ns and frames.vehicle[r.frame] == r.vehicle for r in batch)
    assert batch.time_ns.tolist() == [r.time_ns for r in batch]


def test_a_vehicle_with_nothing_under_way_has_no_state() -> None:
    reader = DiagnosticsReader()
    reader.read(frame_batch([record(0, ENGINE, "02 43 00")]))
    assert reader.snapshot("car") is None
    reader.read(frame_batch([record(1, ENGINE, "10 08 47 03 01 01 01 02")]))
    state = reader.snapshot("car")
    assert state is not None
    assert len(state) < 100
    reader.forget("car")
    assert reader.snapshot("car") is None


def test_a_tick_ends_what_is_overdue_so_that_a_vehicle_at_rest_has_no_state() -> None:
    begun = [record(0, ENGINE, "10 08 47 03 01 01 01 02"), record(0, TP_CM, "20 0E 00 02 FF CA FE 00")]
    for wait_s, anomalies, stateless in (
        (0.75, {}, False),
        (0.76, {"j1939_tp_timeout": 1}, False),
        (1.0, {"j1939_tp_timeout": 1}, False),
        (300.0, {"isotp_timeout": 1, "j1939_tp_timeout": 1}, True),
    ):
        reader = DiagnosticsReader()
        assert reader.read(frame_batch([*begun, tick(wait_s)])).anomalies == anomalies
        assert (reader.snapshot("car") is None) == stateless


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 99"):
        DiagnosticsReader().restore("car", b"[99,[],[],[]]")


def test_the_version_changes_with_the_table_that_freeze_frames_are_read_by() -> None:
    assert DiagnosticsReader().version == DiagnosticsReader().version
    assert DiagnosticsReader().version != DiagnosticsReader(obd2_pids()[1:]).version


def test_an_empty_batch_gives_no_reports() -> None:
    assert len(DiagnosticsReader().read(empty_frames(("car",), ("can0",)))) == 0


def test_buses_are_kept_apart_by_name_even_where_their_numbers_change() -> None:
    reader = DiagnosticsReader()
    first = record(0.0, ENGINE, "10 08 47 03 01 01 01 02")
    rest = record(0.1, ENGINE, "21 01 03 CC CC CC CC CC")
    reader.read(concat_frames([frame_batch([first], bus="can0"), frame_batch([record(0.0, 0x1, "00")], bus="can1")]))
    wrong = reader.read(frame_batch([rest], bus="can1"))
    right = reader.read(frame_batch([rest], bus="can0"))
    assert (len(wrong), wrong.anomalies) == (0, {"isotp_orphan_frame": 1})
    assert [r.bus for r in right] == ["can0"]


def test_remote_error_and_transmitted_frames_are_told_apart() -> None:
    frames = frame_batch([record(n, ENGINE, "02 43 00") for n in range(4)])
    frames.flags[:] = [0, 1, 2, 8]
    assert [r.time_ns // 10**9 for r in DiagnosticsReader().read(frames)] == [0, 3]


def million_irrelevant_frames() -> FrameBatch:
    one = frame_batch([record(0, 0x18FEF100 | EXTENDED_ID, "00 11 22 33 44 55 66 77")])
    return one.take(np.zeros(1_000_000, np.intp))


def test_a_million_irrelevant_frames_never_reach_python(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = million_irrelevant_frames()
    monkeypatch.setattr(FrameBatch, "payload_bytes", lambda self, row: pytest.fail("a frame was looked at by itself"))
    assert len(DiagnosticsReader().read(frames)) == 0
