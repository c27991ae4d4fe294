import isotp
import numpy as np
import pytest

from simulator.engine_diagnosis import diagnose_engine
from simulator.obd_traffic import code_bytes, segment
from tests.simulator.drives import drive


def reassembled(can_id, payloads):
    """What can-isotp hears, listening only: (number of the last frame, message)."""
    offered = []
    address = isotp.Address(isotp.AddressingMode.Normal_11bits, rxid=can_id, txid=0x7E0)
    layer = isotp.TransportLayerLogic(
        lambda _timeout=0.0: offered.pop() if offered else None, lambda message: None, address, params={"listen_mode": True}
    )
    for number, payload in enumerate(payloads):
        offered.append(isotp.CanMessage(arbitration_id=can_id, data=payload))
        layer.process()
        while layer.available():
            yield number, bytes(layer.recv())


def isotp_messages(frames, can_id):
    """(time_ns, message) of everything sent on an identifier."""
    rows = np.flatnonzero(frames.can_id == can_id)
    heard = reassembled(can_id, [frames.payload_bytes(int(row)) for row in rows])
    return [(int(frames.time_ns[rows[number]]), message) for number, message in heard]


@pytest.mark.parametrize("length", [1, 6, 7, 8, 13, 14, 62, 200, 4095])
def test_can_isotp_reassembles_what_was_segmented(length):
    payload = bytes(number * 7 % 251 for number in range(length))
    assert [message for _, message in reassembled(0x7E8, segment(payload))] == [payload]


def test_a_message_longer_than_a_12_bit_length_is_refused():
    with pytest.raises(ValueError, match="4095"):
        segment(bytes(4096))


@pytest.mark.parametrize(
    ("code", "sent"),
    [("P0301", "0301"), ("P0128", "0128"), ("C0035", "4035"), ("B1234", "9234"), ("U0100", "c100"), ("P2BAE", "2bae")],
)
def test_codes_are_packed_as_sae_j2012_says(code, sent):
    assert code_bytes(code).hex() == sent


def test_a_sound_engine_answers_that_it_has_no_codes():
    answers = isotp_messages(drive().frames, 0x7E8)
    lists = {payload for _, payload in answers if payload[0] in (0x43, 0x47)}
    assert lists == {b"\x43\x00", b"\x47\x00"}
    lamp = [payload for _, payload in answers if payload[:2] == b"\x41\x01"]
    assert lamp
    assert {payload[2] for payload in lamp} == {0}


def test_a_misfire_is_pending_first_and_then_confirmed_with_its_coil_in_a_long_answer():
    faulty = drive(fault="misfire")
    n = int(faulty.labels[0].detail.removeprefix("cylinder "))
    answers = isotp_messages(faulty.frames, 0x7E8)
    stored = [payload for _, payload in answers if payload[0] == 0x43]
    pending = [payload for _, payload in answers if payload[0] == 0x47]
    whole = bytes([0x43, 3, 0x03, n, 0x03, 0x00, 0x03, 0x50 + n])
    assert stored[0] == b"\x43\x00"
    assert stored[-1] == whole
    assert bytes([0x47, 1, 0x03, n]) in pending
    first_pending = next(time for time, payload in answers if payload[0] == 0x47 and payload[1])
    first_stored = next(time for time, payload in answers if payload == whole)
    assert faulty.labels[0].onset_ns < first_pending < first_stored


def test_the_freeze_frame_names_its_code_and_the_values_when_it_was_set():
    faulty = drive(fault="misfire")
    n = int(faulty.labels[0].detail.removeprefix("cylinder "))
    frozen = {payload[1]: payload[3:] for _, payload in isotp_messages(faulty.frames, 0x7E8) if payload[0] == 0x42}
    assert frozen[0x02] == bytes([0x03, n])
    (misfire, *_) = diagnose_engine(faulty.trace)
    assert frozen[0x05][0] - 40 == pytest.approx(faulty.trace.at("CoolantTemperature", misfire.pending_s), abs=0.6)
    assert int.from_bytes(frozen[0x0C], "big") / 4 == pytest.approx(faulty.trace.at("EngineSpeed", misfire.pending_s), abs=0.2)


def test_live_values_agree_with_the_physics():
    simulated = drive()
    for time_ns, payload in isotp_messages(simulated.frames, 0x7E8):
        now = (time_ns - simulated.spec.start_ns) / 1e9 - 0.03
        if payload[:2] == b"\x41\x05":
            assert payload[2] - 40 == pytest.approx(simulated.trace.at("CoolantTemperature", now), abs=1.0)
        if payload[:2] == b"\x41\x42":
            assert int.from_bytes(payload[2:4], "big") / 1000 == pytest.approx(simulated.trace.at("BatteryVoltage", now), abs=0.1)


def test_a_first_frame_is_answered_by_the_tools_flow_control_before_the_next():
    frames = drive(fault="misfire").frames
    rows = np.flatnonzero(np.isin(frames.can_id, (0x7E0, 0x7E8)))
    kinds = [(int(frames.can_id[row]), frames.payload_bytes(int(row))[0] >> 4) for row in rows]
    firsts = [at for at, kind in enumerate(kinds) if kind == (0x7E8, 1)]
    assert firsts
    for at in firsts:
        assert kinds[at + 1 : at + 3] == [(0x7E0, 3), (0x7E8, 2)]


def test_overheating_stores_p0217_and_a_cold_engine_leaves_p0128_pending():
    assert [code.code for code in diagnose_engine(drive(fault="overheating").trace)] == ["P0217"]
    (cold,) = diagnose_engine(drive(fault="thermostat_stuck_open", duration_s=1800.0).trace)
    assert (cold.code, cold.confirmed_s) == ("P0128", np.inf)
    assert diagnose_engine(drive(duration_s=1800.0).trace) == ()
