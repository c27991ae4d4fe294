"""What one run of the demonstration is made of: folder, keys, vehicles, dealers and the settings of the service."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path

from app.demo.baselines import write_baselines
from app.demo.cars import Car, drive_spec
from domain.errors import InputError
from domain.findings import Text
from domain.fleet import Dealer, VaultEntry, Vehicle, pseudonym
from domain.live import ApiKey
from notifier.dealers.fleet_files import read_dealers
from simulator.fleet_tables import copy_templates, vehicle_row

MARK = "made-by-pitcall-demo"
"""A file that says that the folder is ours to empty."""
HISTORY_FLUSH_S = 5.0
"""Whoever clicks on a fresh alert is to see its chart."""
_ABLE = ("engine", "electric", "hv", "truck", "chassis", "body", "rescue")
_STOCK = (
    "PC-THERMOSTAT",
    "PC-COOLANT",
    "PC-SPARK-PLUG",
    "PC-IGNITION-COIL",
    "PC-BATTERY-12V",
    "PC-ENGINE-OIL",
    "PC-OIL-FILTER",
    "PC-CONNECTOR-KIT",
    "PC-COOLANT-HOSE",
)
"""All that the faults need but a cell module, which nobody has on the shelf."""
NOBODY_NEAR_TAKES = 1
"""The car whose order is declined twice."""
DUE_FOR_CARE = 0
"""The car whose maintenance is due when its fault shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDealer:
    """A dealer that a process plays: its secret, its API key, and the cars (by number) whose service offers it declines."""

    dealer: Dealer
    secret: str
    key: str
    refuses: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Keys and names of one run; nothing of it is used again by another one."""

    folder: Path
    pseudonym_key: str
    broker_user: str
    broker_password: str
    database_url: str
    web_port: int

    @property
    def web_url(self) -> str:
        """Where the dashboard and the API answer."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def vehicle_files(self) -> Path:
        """Decode profiles and signal databases of the cars."""
        return self.folder / "vehicles"

    def vehicle_id(self, car: Car) -> str:
        """The car's pseudonym."""
        return pseudonym(self.pseudonym_key.encode(), car.vin)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.folder / f"{name}.log"


def make_setting(folder: Path, *, port: int) -> Setting:
    """An empty folder with fresh keys.

    Raises:
        InputError: the folder holds other things, or cannot be made; the port is taken.
    """
    folder = folder.absolute()
    try:
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / MARK).exists():
                raise InputError("is not empty, and not from an earlier demonstration", file=folder, mend="name another --data")
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("pitcall demo empties this folder when it starts.\n", encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"cannot be made ({problem.strerror})", file=folder, mend="name a writable folder with --data"
        ) from problem
    return Setting(
        folder=folder,
        pseudonym_key=secrets.token_urlsafe(32),
        broker_user="demo",
        broker_password=secrets.token_urlsafe(24),
        database_url=f"sqlite:///{folder / 'pitcall.sqlite3'}",
        web_port=_free_port(port),
    )


def demo_vehicles(setting: Setting, cars: Sequence[Car]) -> list[tuple[Vehicle, VaultEntry]]:
    """The cars with their invented owners; the files that decode them are put into the folder."""
    tables = setting.vehicle_files
    tables.mkdir(exist_ok=True)
    copy_templates(tables)
    registered = []
    for car in cars:
        row = vehicle_row(drive_spec(car, 0, 0))
        identity = setting.vehicle_id(car)
        profile = row["profile"]
        vehicle = Vehicle(
            id=identity,
            brand=row["brand"],
            model=row["model"],
            year=int(row["year"]),
            powertrain=row["powertrain"],
            profile=str(tables / profile) if profile.endswith(".yaml") else profile,
            odometer_km=car.odometer_km,
            home=(car.latitude, car.longitude),
        )
        owner = {name: row[name] for name in ("owner_name", "owner_phone", "owner_email")}
        registered.append((vehicle, VaultEntry(vehicle=identity, vin=car.vin, **owner)))
    return registered


def demo_dealers() -> list[DemoDealer]:
    """Three workshops that can do everything and are always open; those in Suzhou and Shanghai decline one car's order."""
    declined = (NOBODY_NEAR_TAKES,)
    places = (
        ("DEMO-SHA", Text(en="Bund Motors, Shanghai", zh="上海外滩汽车服务中心"), 31.2360, 121.4910, declined),
        ("DEMO-SUZ", Text(en="Garden Garage, Suzhou", zh="苏州园林汽车维修厂"), 31.3100, 120.6100, declined),
        ("DEMO-HGH", Text(en="Lakeside Auto, Hangzhou", zh="杭州湖滨汽车服务站"), 30.2600, 120.1400, ()),
    )
    made = []
    for identity, name, latitude, longitude, refuses in places:
        dealer = Dealer(
            id=identity,
            name=name,
            latitude=latitude,
            longitude=longitude,
            capabilities=_ABLE,
            capacity_per_day=200,
            labour_rate="300.00",
            stock=tuple((part, 20) for part in _STOCK),
            secret_name=identity.replace("-", "_"),
            opens_hour=0,
            closes_hour=24,
            days_open=(1, 2, 3, 4, 5, 6, 7),
        )
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        made.append(DemoDealer(dealer=dealer, secret=secret, key=secrets.token_urlsafe(32), refuses=refuses))
    return made


def other_dealers() -> list[Dealer]:
    """Workshops in other cities, without an endpoint: too far from the faulty cars to be asked."""
    with as_file(files("simulator").joinpath("templates", "dealers.csv")) as table:
        return [replace(each, endpoint="", secret_name="") for each in read_dealers(table) if each.longitude < 119.0]


def api_key(demo: DemoDealer) -> ApiKey:
    """What the store keeps of a dealer's key."""
    hashed = sha256(demo.key.encode()).hexdigest()
    return ApiKey(hash=hashed, name=f"dealer {demo.dealer.id}", scopes=(f"dealer:{demo.dealer.id}",), created_ns=time.time_ns())


def write_service_settings(setting: Setting, *, broker_url: str, cars: Sequence[Car], dealers: Sequence[DemoDealer]) -> Path:
    """The settings file of the service, readable by this user only: it holds the secrets."""
    baselines = setting.folder / "baselines.csv"
    write_baselines(baselines, {car.vin: setting.vehicle_id(car) for car in cars})
    sections: Mapping[str, Mapping[str, str | int | float | bool]] = {
        "broker": {"url": broker_url, "username": setting.broker_user, "password": setting.broker_password},
        "database": {"url": setting.database_url},
        "data": {"folder": str(setting.folder), "baselines": str(baselines)},
        "history": {"flush_s": HISTORY_FLUSH_S},
        "dispatch": {"batch_minutes": 0},  # whoever watches does not wait
        "web": {"host": "127.0.0.1", "port": setting.web_port, "open_access": True},
        "privacy": {"pseudonym_key": setting.pseudonym_key},
        "delivery": {"allow_private_endpoints": True},
        "secrets": {demo.dealer.secret_name: demo.secret for demo in dealers},
    }
    lines = []
    for section, settings in sections.items():
        lines.append(f"[{section}]")
        # TOML's basic strings, integers and booleans are written as JSON writes them
        lines += [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    file = setting.folder / "pitcall.toml"
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _free_port(port: int) -> int:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            return found
    except OSError as problem:
        raise InputError(
            f"port {port} cannot be used ({problem.strerror})", mend="name another one with --port (0 = any free one)"
        ) from problem
