"""The settings of the live service: a TOML file, then the environment over it, checked whole before anything starts.

Every setting has an environment variable `PITCALL_<SECTION>_<KEY>`, such as PITCALL_BROKER_URL; lists are written with commas.
`[secrets]` come from PITCALL_SECRET_<NAME> too. `pitcall.example.toml` shows and explains all of them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Field, SecretStr

from app.rule_files import RuleFiles
from app.settings import Settings
from domain.errors import DataFileError, InputError
from domain.findings import Severity
from domain.fleet import DEVELOPMENT_KEY
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.topics import DEFAULT_PREFIX
from ingest.wire.table import FORMATS
from ingest.wire.topic_pattern import TopicPattern, subscriptions
from notifier.push.notices import ALERT_EVENTS, EVERYTHING, ORDER_EVENTS, Route
from rules.pack import shipped_packs

Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]
HashText = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Scope = Annotated[str, Field(pattern=r"^(read|orders|admin|operations|analyst|integration|dealer:.+|owner:.+)$")]

_ALIASES = {
    "PITCALL_PSEUDONYM_KEY": ("privacy", "pseudonym_key"),
    "PITCALL_ALLOW_PRIVATE_ENDPOINTS": ("delivery", "allow_private_endpoints"),
}
_FILE_ONLY = ("secrets", "sources", "routes")
_SECRET = "PITCALL_SECRET_"  # noqa: S105 - the prefix of a variable's name


def _listed(value: Any) -> Any:
    """A list as the environment gives it, with commas."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class _Section(pydantic.BaseModel, extra="forbid", frozen=True):
    """A table of the file; unknown keys are refused, so that a misspelt one does not pass in silence."""


class BrokerSection(_Section):
    """`[broker]`: where the vehicles' messages come from."""

    url: str = "mqtt://127.0.0.1:1883"
    receiver: Literal["paho", "socket"] = "paho"
    client_id: str = Field(default="pitcall", min_length=1)
    topic_prefix: str = DEFAULT_PREFIX
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    queue_messages: PositiveInt = 20_000
    queue_mb: PositiveInt = 256


class DatabaseSection(_Section):
    """`[database]`."""

    url: SecretStr = SecretStr("")


class DataSection(_Section):
    """`[data]`: files beside the database."""

    folder: Path = Path("pitcall-data")
    baselines: Path | None = None


class RulesSection(_Section):
    """`[rules]`: what judges the vehicles."""

    shipped: bool = True
    paths: Annotated[tuple[Path, ...], BeforeValidator(_listed)] = ()
    overrides: Path | None = None
    cohorts: Path | None = None
    look_every_s: Positive = 5.0

    @property
    def packs(self) -> tuple[Path, ...] | None:
        """Packs, None = the shipped ones alone."""
        if self.shipped and not self.paths:
            return None
        return (*(shipped_packs() if self.shipped else ()), *self.paths)


class HistorySection(_Section):
    """`[history]`: decoded signals, for the charts of the alert page."""

    enabled: bool = True
    folder: Path | None = None
    everything: bool = False
    flush_s: Positive = 30.0
    keep_days: Positive = 14.0


class WebSection(_Section):
    """`[web]`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    utc_offset_hours: Annotated[float, Field(ge=-12, le=14)] = 8.0
    open_access: bool = False
    api_keys: dict[HashText, tuple[Scope, ...]] = {}

    @pydantic.field_validator("open_access")
    @classmethod
    def _on_this_machine_only(cls, chosen: bool, others: pydantic.ValidationInfo) -> bool:
        if chosen and others.data.get("host") not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("needs web.host 127.0.0.1: without keys everybody who reaches the port may do everything")
        return chosen


class PrivacySection(_Section):
    """`[privacy]`."""

    pseudonym_key: SecretStr = SecretStr("")


class PipelineSection(_Section):
    """`[pipeline]`."""

    lateness_s: Annotated[float, Field(ge=0)] = 1.0
    batch_messages: PositiveInt = 4_000
    batch_wait_s: Positive = 0.05
    gap_timeout_s: Positive = 6.0
    silent_after_s: Positive = 300.0
    evict_after_s: Positive = 900.0
    stale_after_min: Positive = 30.0


class DeliverySection(_Section):
    """`[delivery]`: pushes to dealers."""

    workers: Annotated[int, Field(ge=1, le=16)] = 2
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 15.0
    allow_private_endpoints: bool = False


class EmailSection(_Section):
    """`[email]`: the server that takes mail for operations, dealers and owners; without a host there is no e-mail."""

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")] = "pitcall@localhost"
    ca_file: Path | None = None


class RouteSection(_Section):
    """One `[[routes]]`: which events go where beside the pushes to dealers."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    channel: Literal["mqtt", "email", "apprise"]
    to: str = ""
    events: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)] = EVERYTHING
    severities: Annotated[tuple[Severity, ...], BeforeValidator(_listed)] = ()
    priorities: Annotated[tuple[Literal["P0", "P1", "P2", "P3"], ...], BeforeValidator(_listed)] = ()
    language: Literal["en", "zh"] = "zh"

    @pydantic.model_validator(mode="after")
    def _fits(self) -> RouteSection:
        known = {*ALERT_EVENTS, *ORDER_EVENTS}
        idle = [pattern for pattern in self.events if not any(fnmatchcase(name, pattern) for name in known)]
        if idle:
            raise ValueError(f"{idle[0]!r} fits no event; there are {', '.join(sorted(known))}")
        if self.channel == "email" and not re.fullmatch(r"[^\s@,;]+@[^\s@,;]+", self.to):
            raise ValueError("a route by e-mail needs one address in `to` (a mailing list is one)")
        if self.channel == "apprise" and not self.to:
            raise ValueError("a route by Apprise needs the name of the secret that holds the messenger's URL in `to`")
        if self.channel == "mqtt" and self.to:
            raise ValueError("a route by MQTT needs no `to`: the event names its topic")
        return self

    @property
    def route(self) -> Route:
        """The record."""
        plain = self.model_dump(exclude={"severities"})
        return Route(**plain, severities=tuple(severity.value for severity in self.severities))


class OwnersSection(_Section):
    """`[owners]`: how owners are told, and where their links lead."""

    url: Annotated[str, Field(pattern=r"^(https?://[^\s@]+)?$")] = ""
    gateway: str = ""
    benefits: Path | None = None


class OrdersSection(_Section):
    """`[orders]`: how long each step of an order may take; None = what is shipped."""

    service_levels: Path | None = None


class RescueSection(_Section):
    """`[rescue]`: how long what is asked about a stopped vehicle holds, and by when people take over."""

    fresh_min: Positive = 10.0
    call_min: Positive = 2.0
    accept_min: Positive = 5.0
    wording: Path | None = None

    @property
    def fresh_ns(self) -> int:
        """Older data asks no driver, and older positions send nobody out."""
        return round(60e9 * self.fresh_min)


class DispatchSection(_Section):
    """`[dispatch]`: how orders find their dealers."""

    batch_minutes: Annotated[float, Field(ge=0, le=24 * 60)] = 5.0
    policy: Path | None = None
    osrm_url: Annotated[str, Field(pattern=r"^(https?://[^\s@]+)?$")] = ""
    osrm_timeout_s: Annotated[float, Field(gt=0, le=10)] = 1.0


class ModelsSection(_Section):
    """`[models]`: what is done with models, and looked for in the fleet, every night."""

    nightly_hour_utc: Annotated[int, Field(ge=0, le=23)] = 18
    retrain_weekday: Annotated[int, Field(ge=1, le=7)] = 7
    features: Path | None = None
    folder: Path | None = None
    costs: Path | None = None
    visits_per_night: Annotated[int, Field(ge=0)] = 20


class AlertsSection(_Section):
    """`[alerts]`: a critical alert that nobody acknowledges for so long is told once more."""

    escalate_after_min: Positive = 15.0


class KnowledgeSection(_Section):
    """`[knowledge]`: a maker's own codes, patterns, plans and prices, and the region whose plans and prices count."""

    folder: Path | None = None
    region: str = ""


class PartsSection(_Section):
    """`[parts]`: one's own tables of what replaces which part and how long parts take, beside the shipped ones."""

    supersessions: Path | None = None
    lead_times: Path | None = None


class RetentionSection(_Section):
    """`[retention]`: after so many days forgotten."""

    events_days: Positive = 30.0
    positions_days: Positive = 7.0
    dead_letters: int = Field(default=100_000, ge=1)
    """So many at most; the oldest are forgotten first, and that is logged."""


class SourceSection(_Section):
    """One `[[sources]]`: devices that publish in a format of their own."""

    format: Literal[tuple(FORMATS)]  # type: ignore[valid-type]  # the table of formats names them
    topic: str = ""
    names: Path | None = None
    manifest: Path | None = None
    devices: dict[str, str] = {}
    buses: dict[str, str] = {}
    trust_vin: bool = False

    @pydantic.field_validator("topic")
    @classmethod
    def _is_a_pattern(cls, topic: str) -> str:
        if topic:
            TopicPattern.parse(topic)
        return topic

    @pydantic.model_validator(mode="after")
    def _fits(self) -> SourceSection:
        if self.manifest is not None and self.format != "fleetwise":
            raise ValueError("a manifest belongs to the format fleetwise")
        return self


class LogSection(_Section):
    """`[log]`."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class ServiceSettings(_Section):
    """Everything that `pitcall serve` is told."""

    broker: BrokerSection = BrokerSection()
    database: DatabaseSection = DatabaseSection()
    data: DataSection = DataSection()
    rules: RulesSection = RulesSection()
    history: HistorySection = HistorySection()
    web: WebSection = WebSection()
    privacy: PrivacySection = PrivacySection()
    pipeline: PipelineSection = PipelineSection()
    delivery: DeliverySection = DeliverySection()
    orders: OrdersSection = OrdersSection()
    owners: OwnersSection = OwnersSection()
    rescue: RescueSection = RescueSection()
    dispatch: DispatchSection = DispatchSection()
    alerts: AlertsSection = AlertsSection()
    models: ModelsSection = ModelsSection()
    knowledge: KnowledgeSection = KnowledgeSection()
    parts: PartsSection = PartsSection()
    retention: RetentionSection = RetentionSection()
    log: LogSection = LogSection()
    sources: tuple[SourceSection, ...] = ()
    email: EmailSection = EmailSection()
    routes: tuple[RouteSection, ...] = ()
    secrets: dict[str, SecretStr] = {}

    @pydantic.model_validator(mode="after")
    def _routes_fit(self) -> ServiceSettings:
        for name, times in Counter(route.name for route in self.routes).items():
            if times > 1:
                raise ValueError(f"there are {times} routes {name!r}: give each a name of its own")
        for route in self.routes:
            if route.channel == "apprise" and route.to not in self.secrets:
                raise ValueError(f"route {route.name!r} names the secret {route.to!r}, which is not set")
            if route.channel == "email" and not self.email.host:
                raise ValueError(f"route {route.name!r} needs email.host")
        if self.owners.gateway and self.owners.gateway not in self.secrets:
            raise ValueError(f"owners.gateway names the secret {self.owners.gateway!r}, which is not set")
        return self

    @property
    def public_url(self) -> str:
        """Where people outside reach the pages, without a slash at the end."""
        return self.owners.url.rstrip("/") or f"http://{self.web.host}:{self.web.port}"

    @property
    def database_url(self) -> str:
        """The database's URL: an SQLite file in the data folder where none is given."""
        return self.database.url.get_secret_value() or f"sqlite:///{self.data.folder / 'pitcall.sqlite3'}"

    @property
    def rule_files(self) -> RuleFiles:
        """The rules and their figures."""
        rules = self.rules
        return RuleFiles(paths=rules.packs, overrides=rules.overrides, cohorts=rules.cohorts, key=self.common.pseudonym_key)

    @property
    def history_folder(self) -> Path | None:
        """Folder of the signal history, None where none is kept."""
        return (self.history.folder or self.data.folder / "history") if self.history.enabled else None

    @property
    def models_folder(self) -> Path:
        """Folder of the registry's files."""
        return self.models.folder or self.data.folder / "models"

    @property
    def common(self) -> Settings:
        """What every command needs, in the form that they share."""
        key = self.privacy.pseudonym_key.get_secret_value()
        return Settings(
            pseudonym_key=key.encode() if key else DEVELOPMENT_KEY,
            key_is_development=not key,
            database_url=self.database_url,
            allow_private_endpoints=self.delivery.allow_private_endpoints,
            knowledge=self.knowledge.folder,
            region=self.knowledge.region,
            supersessions=self.parts.supersessions,
            lead_times=self.parts.lead_times,
            secrets={name: secret.get_secret_value() for name, secret in self.secrets.items()},
        )

    @property
    def mqtt(self) -> MqttSettings:
        """The broker as the receivers want it.

        Raises:
            InputError: its URL is not valid.
        """
        broker = self.broker
        login = {"username": broker.username, "password": broker.password.get_secret_value()}
        return MqttSettings.from_url(
            broker.url,
            client_id=broker.client_id,
            topic_prefix=broker.topic_prefix,
            topics=subscriptions(broker.topic_prefix, [each.topic or FORMATS[each.format].topic for each in self.sources]),
            ca_file=broker.ca_file,
            certificate_file=broker.certificate_file,
            key_file=broker.key_file,
            queue_messages=broker.queue_messages,
            queue_bytes=broker.queue_mb * 1024 * 1024,
            **({name: word for name, word in login.items() if word}),
        )


def load_settings(file: Path | None, environment: Mapping[str, str] = os.environ) -> ServiceSettings:
    """Settings from the file (none: the defaults) with the environment over it; relative paths are taken from the working directory.

    Raises:
        InputError: the file or a variable is not valid; names file, line (or variable) and mend.
    """
    text = _read(file) if file else ""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        place = re.search(r"line (\d+)", str(problem))
        what = f"not TOML: {str(problem).partition(' (at')[0]}"
        line = int(place[1]) if place else None
        raise DataFileError(what, file=file, line=line, mend="see pitcall.example.toml") from problem
    named = _lay_over(document, environment)
    try:
        return ServiceSettings.model_validate(document)
    except pydantic.ValidationError as problem:
        # without `from`: the cause would quote the values, and some are secret
        raise _explained(problem, file, text, named) from None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as problem:
        raise DataFileError(
            f"cannot be read ({problem.strerror})", file=file, mend="check the path and its permissions"
        ) from problem
    except UnicodeDecodeError as problem:
        raise DataFileError("is not UTF-8 text", file=file, mend="see pitcall.example.toml") from problem


def _lay_over(document: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Write the environment's settings into the document; gives (section, key) -> variable."""
    named: dict[tuple[str, str], str] = {}
    for variable, value in sorted(environment.items()):
        place = _ALIASES.get(variable) or _place(variable)
        if place is None:
            continue
        section, key = place
        table = document.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = value
            named[place] = variable
    return named


def _place(variable: str) -> tuple[str, str] | None:
    """(section, key) that a variable sets, None where it is none of ours. Tables of tables are set in the file only."""
    if variable.startswith(_SECRET):
        return "secrets", variable.removeprefix(_SECRET)
    for section in ServiceSettings.model_fields:
        prefix = f"PITCALL_{section.upper()}_"
        if variable.startswith(prefix) and section not in _FILE_ONLY:
            return section, variable.removeprefix(prefix).lower()
    return None


def _explained(
    problem: pydantic.ValidationError, file: Path | None, text: str, named: Mapping[tuple[str, str], str]
) -> InputError:
    """The first thing that is wrong, on one line, without the value (it may be a secret)."""
    wrong = problem.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in wrong["loc"]]
    said = wrong["msg"].removeprefix("Value error, ")
    what = f"{'.'.join(path)}: {said[0].lower()}{said[1:]}" if path else said
    mend = "remove it or mend its name" if wrong["type"] == "extra_forbidden" else "see pitcall.example.toml"
    variable = named.get((path[0], path[1])) if len(path) > 1 else None
    if variable is not None:
        return InputError(f"environment variable {variable}: {what}", mend=mend)
    return DataFileError(what, file=file, line=_line_of(text, path), mend=mend)


def _line_of(text: str, path: list[str]) -> int | None:
    """The line of the file on which this setting stands: of its key, else of its section, None where neither is there."""
    section, section_line = "", None
    tables: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[?)\[\s*([\w.\"-]+)\s*\]", line)
        if header:
            section = header[2].replace('"', "")
            if header[1]:
                tables[section] += 1
            first, dot, rest = section.partition(".")
            section = f"{first}.{tables[first] - 1}{dot}{rest}" if tables[first] else section
            section_line = number if path and section.split(".") == path[: section.count(".") + 1] else section_line
        key = re.match(r"\s*\"?([\w.-]+)\"?\s*=", line)
        if (
            key
            and path
            and [*filter(None, section.split(".")), *key[1].split(".")] == path[: len(section.split(".")) * bool(section) + 1]
        ):
            return number
    return section_line
