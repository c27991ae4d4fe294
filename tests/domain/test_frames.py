import numpy as np
import pytest

from domain.errors import InputError
from domain.findings import Urgency
from domain.fleet import pseudonym
from domain.frames import NO_ARENA, concat_frames, empty_frames
from domain.vss import catalogue
from pipeline.frame_bytes import pack_frames, unpack_frames
from tests.pipeline.frames import frames_of


def test_joining_batches_keeps_vehicles_buses_and_payloads_apart():
    car = frames_of([(1, 0), (2, 1)], vehicle="car", bus="can0")
    van = frames_of([(1, 7)], vehicle="van", bus="can1")
    both = concat_frames([car, van, car])
    assert [both.vehicles[v] for v in both.vehicle] == ["car", "car", "van", "car", "car"]
    assert [both.buses[b] for b in both.bus] == ["can0", "can0", "can1", "can0", "can0"]
    assert both.payload.tolist() == [0, 1, 7, 0, 1]
    assert [both.vehicles[both.messages.vehicle[m]] for m in both.message] == ["car", "car", "van", "car", "car"]


def test_joining_nothing_gives_nothing():
    assert len(concat_frames([])) == 0
    assert len(concat_frames([empty_frames(), empty_frames()])) == 0


def test_long_payloads_survive_joining_and_packing():
    def with_arena(data: bytes):
        frames = frames_of([(1, 0), (2, 1)])
        frames.arena_offset[1] = 0
        frames.length[1] = len(data)
        return type(frames)(
            **{name: getattr(frames, name) for name in frames.__slots__ if name != "arena"}, arena=np.frombuffer(data, np.uint8)
        )

    both = concat_frames([with_arena(b"first payload"), with_arena(b"second one")])
    assert [both.payload_bytes(row) for row in (1, 3)] == [b"first payload", b"second one"]
    again = unpack_frames(pack_frames(both.take(np.array([3, 0]))), "car")
    assert again.payload_bytes(0) == b"second one"
    assert again.arena_offset.tolist() == [0, NO_ARENA]
    assert again.time_ns.tolist() == [2, 1]


def test_an_error_is_one_line_with_file_line_and_mend():
    error = InputError("unknown signal\nX", file="a.yaml", line=3, mend="did you mean Y?")
    assert str(error) == "a.yaml:3: unknown signal X; did you mean Y?"
    assert str(InputError("bad")) == "bad"


def test_priorities_follow_urgency():
    assert [u.priority for u in Urgency] == ["", "P3", "P2", "P1", "P0"]


def test_a_pseudonym_is_the_keyed_hash_of_the_vin():
    # oracle: openssl dgst -sha256 -hmac key
    assert pseudonym(b"key", "The quick brown fox jumps over the lazy dog") == (
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )


def test_every_catalogue_entry_is_whole_and_once():
    text = catalogue()
    assert len(text) > 100
    for signal in text.values():
        assert signal.name.en
        assert signal.name.zh
        assert signal.origin in {"vss", "overlay"}
    assert "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature" in text


@pytest.mark.parametrize("path", ["domain/vss_catalogue.csv"])
def test_no_path_stands_twice_in_the_catalogue(path):
    from pathlib import Path

    lines = (Path(__file__).resolve().parents[2] / path).read_text(encoding="utf-8").splitlines()
    paths = [line.split(",")[0] for line in lines]
    assert len(paths) == len(set(paths))
