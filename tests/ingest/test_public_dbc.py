"""Every DBC of the opendbc package, and any other folder of description files: loaded, and decoded as cantools decodes."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import opendbc
import pytest
from opendbc.can.dbc import DBC

from app.kernels import lazy_jit
from domain.errors import DbcFileError
from domain.frames import EXTENDED_ID
from domain.ports import no_jit
from ingest.descriptions import MendKind, load_description
from tests.ingest.cantools_oracle import compare

FOLDER = Path(opendbc.__file__).parent
FILES = sorted(FOLDER.rglob("*.dbc"))
NAMES = [str(path.relative_to(FOLDER)) for path in FILES]
LONG = "PITCALL_LONG_TESTS" in os.environ
SAMPLE = FILES if LONG else FILES[3::9]
FRAMES_PER_MESSAGE = 80 if LONG else 2

REFUSED: dict[str, str] = {}
"""Public files that cannot be loaded, and why."""

K = MendKind
MENDED: dict[str, dict[MendKind, int]] = {
    "dbc/chrysler_cusw.dbc": {K.EXTENDED_ID_WITHOUT_FLAG: 2},
    "dbc/fca_giorgio.dbc": {K.EXTENDED_ID_WITHOUT_FLAG: 1},
    "dbc/generator/chrysler/_stellantis_common.dbc": {K.MISSING_SEMICOLON: 1, K.NUMBER: 2},
    "dbc/generator/chrysler/chrysler_pacifica_2017_hybrid.dbc": {K.VALUE_TABLE_WITHOUT_SIGNAL: 2},
    "dbc/generator/gm/gm_global_a_powertrain.dbc": {K.MISSING_SEMICOLON: 1, K.VALUE_TABLE_WITHOUT_SIGNAL: 1},
    "dbc/generator/honda/_bosch_2018.dbc": {K.EXTENDED_ID_WITHOUT_FLAG: 2, K.VALUE_TABLE_WITHOUT_SIGNAL: 2},
    "dbc/generator/honda/_honda_common.dbc": {K.COMMENT: 2},
    "dbc/generator/honda/honda_bosch_radarless.dbc": {K.EXTENDED_ID_WITHOUT_FLAG: 1},
    "dbc/generator/honda/honda_crv_ex_2017_body.dbc": {K.EXTENDED_ID_WITHOUT_FLAG: 2},
    "dbc/generator/hyundai/hyundai_canfd.dbc": {K.ENCODING: 1},
    "dbc/generator/hyundai/hyundai_palisade_2023.dbc": {K.VALUE_TABLE_WITHOUT_SIGNAL: 3},
    "dbc/generator/subaru/subaru_global_2017.dbc": {K.VALUE_TABLE_WITHOUT_SIGNAL: 2},
    "dbc/gm_global_a_lowspeed.dbc": {K.EXTENDED_ID_WITHOUT_FLAG: 13, K.VALUE_TABLE_WITHOUT_SIGNAL: 1},
    "dbc/hyundai_kia_generic.dbc": {K.COMMENT: 2},
    "dbc/mazda_2017.dbc": {K.MISSING_SEMICOLON: 2, K.NAME: 8},
    "dbc/psa_aee2010_r3.dbc": {K.COMMENT: 1, K.ENCODING: 1, K.NAME: 2},
    "dbc/rivian_primary_actuator.dbc": {K.VALUE_TABLE_WITHOUT_SIGNAL: 1},
    "dbc/tesla_can.dbc": {K.VALUE_TABLE_WITHOUT_SIGNAL: 1},
    "dbc/toyota_2017_ref_pt.dbc": {K.MESSAGE: 32},
    "dbc/toyota_radar_dsu_tssp.dbc": {K.COMMENT: 6},
    "dbc/vw_meb.dbc": {K.ENCODING: 1, K.EXTENDED_ID_WITHOUT_FLAG: 16},
    "dbc/vw_mlb.dbc": {K.ENCODING: 1},
    "dbc/vw_mqb.dbc": {K.ENCODING: 1},
    "dbc/vw_mqbevo.dbc": {K.ENCODING: 1, K.EXTENDED_ID_WITHOUT_FLAG: 10},
    "dbc/vw_pq.dbc": {K.ENCODING: 1},
}
"""What is mended in each, by kind; every file that is not here is taken as it is."""


def test_there_are_115_public_files() -> None:
    assert len(FILES) == 115


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_public_dbc_is_loaded_and_its_mends_are_known(path: Path) -> None:
    name = str(path.relative_to(FOLDER))
    if name in REFUSED:
        with pytest.raises(DbcFileError, match=REFUSED[name]):
            load_description(path)
        return
    description = load_description(path)
    assert Counter(mend.kind for mend in description.mends) == MENDED.get(name, {})
    assert all(mend.file == path.name for mend in description.mends)


@pytest.mark.parametrize("name", sorted(set(MENDED) - set(REFUSED)))
def test_a_mended_file_means_what_another_parser_reads_in_it(name: str) -> None:
    theirs = DBC(str(FOLDER / name))
    messages = load_description(FOLDER / name).messages
    ours = {(m.can_id, s.name): s for m in messages for s in m.signals}
    names = {m.can_id: m.name for m in messages}
    compared = 0
    for address, message in theirs.addr_to_msg.items():
        identifier = address | EXTENDED_ID if address > 0x7FF else address
        if address & ~EXTENDED_ID > 0x1FFF_FFFF:
            continue  # no CAN identifier: the message is left out, with a mend that says so
        assert names[identifier] == message.name
        for signal in message.sigs.values():
            spec = ours[identifier, signal.name]
            assert (spec.start, spec.length, spec.big_endian) == (signal.start_bit, signal.size, not signal.is_little_endian)
            assert (spec.scale, spec.offset) == (signal.factor, signal.offset)
            compared += 1
    assert compared


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(FOLDER)))
def test_strict_decoding_of_public_files_differs_from_cantools_in_no_value(path: Path) -> None:
    result = compare(path, [lazy_jit, no_jit], frames_per_message=FRAMES_PER_MESSAGE, seed=1)
    assert result.differing == []


@pytest.mark.skipif(
    "PITCALL_DESCRIPTION_FILES" not in os.environ, reason="set PITCALL_DESCRIPTION_FILES to a folder of description files"
)
def test_strict_decoding_of_a_folder_of_files_differs_from_cantools_in_no_value() -> None:
    folder = Path(os.environ["PITCALL_DESCRIPTION_FILES"])
    compared = 0
    for path in sorted(file for suffix in ("dbc", "kcd", "sym", "arxml") for file in folder.rglob(f"*.{suffix}")):
        try:
            load_description(path)
        except DbcFileError as refusal:
            print(f"refused: {refusal}")
            continue
        result = compare(path, [lazy_jit, no_jit], frames_per_message=FRAMES_PER_MESSAGE, seed=1)
        assert result.differing == [], path
        compared += result.values
    print(f"{compared:,} values compared")
    assert compared
