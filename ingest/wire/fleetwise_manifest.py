"""The decoder manifest of FleetWise: what its signal numbers stand for, read from a file that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from ingest.builtin import obd2_pids
from ingest.wire.names import Meaning, NameTable


class _SignalRow(pydantic.BaseModel, extra="forbid", frozen=True):
    signal_id: Annotated[int, pydantic.Field(ge=0, lt=1 << 32)]
    name: Annotated[str, pydantic.Field(min_length=1)]


def read_manifest(file: Path) -> Mapping[int, str]:
    """Signal number -> name, from a CSV `signal_id,name` or from the manifest as the cloud sends it to the agent (protobuf).

    The protobuf has no names. There a CAN signal is called `can:INTERFACE:MESSAGE:STARTBIT` (message in hexadecimal, as in
    `can:1:1A0:16`) and an OBD one `obd:01:PID:FIRSTBYTE:SHIFT`; the OBD ones have their VSS paths already (`obd_names`).

    Raises:
        DataFileError: the file is neither.
    """
    if file.suffix.lower() == ".csv":
        return {row.signal_id: row.name for _, row in read_csv(file, _SignalRow)}
    from google.protobuf.message import DecodeError

    from ingest.wire.fleetwise_messages import message_class

    try:
        manifest = message_class("DecoderManifest").FromString(file.read_bytes())
    except OSError as problem:
        raise DataFileError(f"cannot be read ({problem.strerror})", file=file, mend="check the path") from problem
    except (DecodeError, UnicodeDecodeError) as problem:
        mend = "give the decoder manifest that the agent receives, or a CSV with signal_id,name"
        raise DataFileError("is no decoder manifest", file=file, mend=mend) from problem
    names = {each.signal_id: f"can:{each.interface_id}:{each.message_id:X}:{each.start_bit}" for each in manifest.can_signals}
    for each in manifest.obd_pid_signals:
        names[each.signal_id] = f"obd:{each.service_mode:02X}:{each.pid:02X}:{each.start_byte}:{each.bit_right_shift}"
    if not names:
        raise DataFileError("is a decoder manifest without signals", file=file, mend="give the one that the agent receives")
    return names


def obd_names() -> NameTable:
    """The names that `read_manifest` gives to OBD signals -> VSS paths, from the table of standardised PIDs."""
    table: dict[str, tuple[Meaning, ...]] = {}
    for signal in obd2_pids():
        if signal.path and not signal.first_bit % 8:
            table[f"obd:01:{signal.pid:02X}:{signal.first_bit // 8}:0"] = (Meaning(path=signal.path, scale=signal.path_scale),)
    return NameTable(table)
