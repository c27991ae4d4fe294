"""Files that describe the messages of a network: DBC, KCD, SYM and ARXML, damaged ones too.

description = load_description(Path("car.dbc"), bus="can0")
description.messages, description.mends
"""

from ingest.descriptions.load import Description, load_description
from ingest.descriptions.mend import Mend, MendKind

__all__ = ["Description", "Mend", "MendKind", "load_description"]
