"""The folder of a run: fresh keys each time, and never anything of somebody else's deleted."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.demo.cars import plan_cars
from app.demo.setting import MARK, demo_dealers, demo_vehicles, make_setting, other_dealers, write_service_settings
from app.settings_file import load_settings
from domain.errors import InputError
from models.baseline import load_baselines


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not from an earlier demonstration"):
        make_setting(tmp_path, port=0)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_folder_of_an_earlier_run_is_emptied_and_the_keys_are_new(tmp_path: Path) -> None:
    first = make_setting(tmp_path / "demo", port=0)
    (tmp_path / "demo" / "pitcall.sqlite3").write_text("old")
    second = make_setting(tmp_path / "demo", port=0)
    assert [file.name for file in (tmp_path / "demo").iterdir()] == [MARK]
    assert first.pseudonym_key != second.pseudonym_key


def test_a_file_in_the_place_of_the_folder_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(InputError, match="--data"):
        make_setting(tmp_path / "demo", port=0)


def test_a_taken_port_is_a_plain_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="--port"):
            make_setting(tmp_path / "demo", port=taken.getsockname()[1])


def test_the_service_reads_the_settings_that_are_written_for_it(tmp_path: Path) -> None:
    setting = make_setting(tmp_path / "demo", port=0)
    cars, dealers = plan_cars(9), demo_dealers()
    file = write_service_settings(setting, broker_url="mqtt://127.0.0.1:1", cars=cars, dealers=dealers)
    read = load_settings(file, {})
    assert read.database_url == setting.database_url
    assert read.common.pseudonym_key == setting.pseudonym_key.encode()
    assert read.common.secrets == {demo.dealer.secret_name: demo.secret for demo in dealers}
    assert file.stat().st_mode & 0o077 == 0
    assert read.data.baselines is not None
    petrol = {setting.vehicle_id(car) for car in cars if car.powertrain == "petrol"}
    assert set(load_baselines(read.data.baselines)) == petrol


def test_vehicles_are_known_by_pseudonym_and_owners_only_in_the_vault(tmp_path: Path) -> None:
    setting = make_setting(tmp_path / "demo", port=0)
    cars = plan_cars(9)
    for car, (vehicle, entry) in zip(cars, demo_vehicles(setting, cars), strict=True):
        assert vehicle.id == entry.vehicle == setting.vehicle_id(car)
        assert entry.vin == car.vin
        assert entry.owner_name
        assert car.vin not in repr(vehicle)
        assert vehicle.profile == "j1939" or Path(vehicle.profile).is_file()


def test_only_the_demo_dealers_can_be_reached_and_are_near_the_faulty_cars() -> None:
    faulty = [car for car in plan_cars(200) if car.fault]
    assert all(29.0 < car.latitude < 32.5 and car.longitude > 119.0 for car in faulty)
    assert other_dealers()
    assert all(not dealer.endpoint and dealer.longitude < 119.0 for dealer in other_dealers())
