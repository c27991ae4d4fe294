"""Every wire format by its name: a new one is a file beside this one and a line here."""

from __future__ import annotations

from ingest.wire.arrow_ipc import ArrowIpc
from ingest.wire.autopi import AutoPi
from ingest.wire.candump_text import CandumpText
from ingest.wire.fleetwise import FleetWise
from ingest.wire.gbt32960_json import EmqxGateway
from ingest.wire.gbt32960_raw import GbPackets
from ingest.wire.ovms import Ovms
from ingest.wire.own_dtc import OwnTroubleCodes
from ingest.wire.own_signals import OwnSignals
from ingest.wire.senquip import Senquip
from ingest.wire.teltonika import Teltonika
from ingest.wire.vss_json import VssJson
from ingest.wire.wican import WiCan
from ingest.wire.wire_format import WireFormat

_ALL: tuple[WireFormat, ...] = (
    OwnSignals(),
    OwnTroubleCodes(),
    EmqxGateway(),
    GbPackets(),
    VssJson(),
    FleetWise(),
    WiCan(),
    Senquip(),
    Teltonika(),
    AutoPi(),
    Ovms(),
    CandumpText(),
    ArrowIpc(),
)
FORMATS: dict[str, WireFormat] = {each.name: each for each in _ALL}
