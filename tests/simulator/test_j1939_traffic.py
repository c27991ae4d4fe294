import numpy as np

from domain.frames import EXTENDED_ID
from simulator.j1939_traffic import ActiveCode, broadcast, dm1_payload
from tests.simulator.drives import drive

DM1 = EXTENDED_ID | 0x18FECA00
ANNOUNCE, DATA = EXTENDED_ID | 0x1CECFF00, EXTENDED_ID | 0x1CEBFF00


def payloads(frames, can_id):
    return [frames.payload_bytes(int(row)) for row in np.flatnonzero(frames.can_id == can_id)]


def codes_of(message: bytes):
    """SAE J1939-73, conversion method 0: 19 bits SPN, 5 bits FMI, 7 bits occurrence."""
    for at in range(2, len(message) - 3, 4):
        a, b, c, d = message[at : at + 4]
        yield a | b << 8 | (c >> 5) << 16, c & 0x1F, d & 0x7F


def test_no_code_is_lamps_off_and_an_empty_code():
    assert dm1_payload((), red=False, amber=False).hex() == "00ff00000000ffff"


def test_one_code_fits_a_frame():
    assert dm1_payload((ActiveCode(spn=100, fmi=18),), red=False, amber=True).hex() == "04ff64001201ffff"


def test_high_spn_bits_stand_above_the_fmi():
    message = dm1_payload((ActiveCode(spn=520_192 + 77, fmi=31, occurrence=126),), red=True, amber=False)
    assert message[0] == 0x10
    assert list(codes_of(message[:6])) == [(520_269, 31, 126)]


def test_a_broadcast_announces_size_packets_and_pgn():
    (_, first, head), *rest = broadcast(5.0, 0xFECA, bytes(range(10)))
    assert (first, head.hex()) == (ANNOUNCE, "200a0002ffcafe00")
    assert [frame[1] for frame in rest] == [DATA, DATA]
    assert [frame[2][0] for frame in rest] == [1, 2]
    assert b"".join(frame[2][1:] for frame in rest).rstrip(b"\xff") == bytes(range(10))
    gaps = np.diff([5.0, *[frame[0] for frame in rest]])
    assert ((gaps > 0.05) & (gaps < 0.2)).all()


def test_a_sound_truck_says_each_second_that_it_has_no_codes():
    frames = drive("truck", duration_s=300.0).frames
    rows = frames.can_id == DM1
    assert set(payloads(frames, DM1)) == {bytes.fromhex("00ff00000000ffff")}
    assert np.allclose(np.diff(frames.time_ns[rows]) / 1e9, 1.0, atol=0.01)
    assert 285 < rows.sum() < 300


def test_losing_oil_lights_amber_and_then_red_by_bam():
    truck = drive("truck", fault="red_stop_lamp", soak_celsius=50.0)
    frames = truck.frames
    singles = payloads(frames, DM1)
    lamps = [message[0] for message in singles]
    assert lamps == sorted(lamps), "first none, then amber, and red stands in the long message"
    assert list(codes_of(singles[-1][:6])) == [(100, 18, 1)]
    halves = payloads(frames, DATA)
    message = (halves[0][1:] + halves[1][1:])[:10]
    assert message[0] >> 4 & 3 == 1, "red stop lamp on"
    assert list(codes_of(message)) == [(100, 1, 1), (98, 1, 1)]
    red_ns = frames.time_ns[frames.can_id == ANNOUNCE][0]
    assert red_ns > truck.labels[0].onset_ns
    assert truck.trace.at("OilPressure", (red_ns - truck.spec.start_ns) / 1e9) < 100
