"""Packing of raw values against cantools, over signals of any place, length, order and sign."""

import cantools
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.can_encoding import encode_trace
from simulator.drive_spec import STEP_S, Trace


@st.composite
def signals(draw):
    """(start bit, length, big endian, signed) of one signal that fits 8 bytes."""
    length, big = draw(st.integers(1, 32)), draw(st.booleans())
    place = draw(st.integers(0, 64 - length))
    start = place // 8 * 8 + 7 - place % 8 if big else place
    return start, length, big, draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(signal=signals(), data=st.data())
def test_a_packed_frame_is_the_one_that_cantools_packs(signal, data):
    start, length, big, signed = signal
    low, high = (-(1 << length - 1), (1 << length - 1) - 1) if signed else (0, (1 << length) - 1)
    wanted = data.draw(st.lists(st.integers(low, high), min_size=3, max_size=3))
    database = cantools.database.load_string(
        f'VERSION ""\nBS_:\nBU_: A\nBO_ 5 M: 8 A\n SG_ X : {start}|{length}@{0 if big else 1}{"-" if signed else "+"} (1,0) [{low}|{high}] "" A\n'
        'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 60000;\nBA_DEF_DEF_ "GenMsgCycleTime" 100;\nBA_ "GenMsgCycleTime" BO_ 5 100;\n',
        "dbc",
    )
    trace = Trace(time_s=np.arange(3) * STEP_S, values={"X": np.array(wanted, np.float64)}, asleep_s=0.3)
    encoded = encode_trace(trace, database, np.random.default_rng(0), not_available=False)
    packed = [int(word).to_bytes(8, "little") for word in encoded.frames.payload]
    assert packed == [database.messages[0].encode({"X": value}) for value in wanted]
