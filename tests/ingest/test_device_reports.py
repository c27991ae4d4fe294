"""Reports that devices decode themselves survive the way through the line as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.trouble_codes import CodeList, DtcReport, FreezeValue, Lamps, Monitors, Protocol, TroubleCode
from ingest.diagnostics.device_reports import decode_report, encode_report

small = st.integers(-1, 255)
codes = st.builds(
    TroubleCode,
    code=st.text(min_size=1, max_size=8),
    spn=small,
    fmi=small,
    occurrence=small,
    conversion=small,
    failure_type=small,
    status=st.integers(0, 255),
    raw=st.binary(max_size=4),
    is_spn_assumed=st.booleans(),
    severity=small,
    functional_unit=small,
    level=small,
)
two_bits = st.integers(0, 3)
lamps = st.builds(
    Lamps, malfunction=two_bits, red_stop=two_bits, amber_warning=two_bits, protect=two_bits, malfunction_flash=two_bits
)
monitors = st.builds(Monitors, lamp_on=small, complete=st.tuples(st.just("catalyst")), warm_ups_since_clear=small)
made = st.builds(
    DtcReport,
    time_ns=st.integers(0, 2**62),
    vehicle=st.just(3),
    bus=st.just("wican"),
    source=st.integers(0, 2**32 - 1),
    protocol=st.sampled_from(Protocol),
    kind=st.sampled_from(CodeList),
    complete=st.booleans(),
    codes=st.lists(codes, max_size=3).map(tuple),
    lamps=st.none() | lamps,
    freeze=st.lists(
        st.builds(FreezeValue, signal=st.text(), value=st.floats(allow_nan=False, allow_infinity=False), unit=st.text())
    ).map(tuple),
    frame=st.just(7),
    name=st.integers(-1, 2**64 - 1),
    message=st.text(max_size=5),
    monitors=st.none() | monitors,
)


@given(made)
def test_a_report_comes_back_as_it_was(report: DtcReport) -> None:
    assert decode_report(encode_report(report), time_ns=report.time_ns, vehicle=3, bus="wican", frame=7) == report


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
            ["codes", "source", "protocol", "kind", "complete", "lamps", "freeze", "monitors"]), inner)
    ).map(lambda value: repr(value).replace("'", '"').replace("None", "null").encode())
)  # fmt: skip
def test_no_bytes_raise(data: bytes) -> None:
    report = decode_report(data, time_ns=0, vehicle=0, bus="b", frame=0)
    assert report is None or isinstance(report, DtcReport)
