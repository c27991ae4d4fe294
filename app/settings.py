"""Settings: the environment, read once, by the command line and by nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.fleet import DEVELOPMENT_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says.

    Attributes:
        pseudonym_key: PITCALL_PSEUDONYM_KEY; the documented development key where it is not set.
        key_is_development: no key was set.
        database_url: PITCALL_DATABASE_URL, "" for none.
        allow_private_endpoints: PITCALL_ALLOW_PRIVATE_ENDPOINTS=1 lets webhooks go to private addresses (demo, tests).
        knowledge: PITCALL_KNOWLEDGE_FOLDER, the folder of a maker's own fault knowledge; None where it is not set.
        region: PITCALL_KNOWLEDGE_REGION, whose plans and prices count ("" = those without a region).
        supersessions, lead_times: PITCALL_PARTS_SUPERSESSIONS and PITCALL_PARTS_LEAD_TIMES, one's own tables of parts.
        secrets: webhook signing secrets, from PITCALL_SECRET_<NAME>.
    """

    pseudonym_key: bytes
    key_is_development: bool
    database_url: str
    allow_private_endpoints: bool
    secrets: Mapping[str, str]
    knowledge: Path | None = None
    region: str = ""
    supersessions: Path | None = None
    lead_times: Path | None = None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables."""
    key = environment.get("PITCALL_PSEUDONYM_KEY", "")
    prefix = "PITCALL_SECRET_"
    return Settings(
        pseudonym_key=key.encode() if key else DEVELOPMENT_KEY,
        key_is_development=not key,
        database_url=environment.get("PITCALL_DATABASE_URL", ""),
        allow_private_endpoints=environment.get("PITCALL_ALLOW_PRIVATE_ENDPOINTS") == "1",
        knowledge=Path(folder) if (folder := environment.get("PITCALL_KNOWLEDGE_FOLDER")) else None,
        region=environment.get("PITCALL_KNOWLEDGE_REGION", ""),
        supersessions=Path(file) if (file := environment.get("PITCALL_PARTS_SUPERSESSIONS")) else None,
        lead_times=Path(file) if (file := environment.get("PITCALL_PARTS_LEAD_TIMES")) else None,
        secrets={name.removeprefix(prefix): value for name, value in environment.items() if name.startswith(prefix)},
    )
