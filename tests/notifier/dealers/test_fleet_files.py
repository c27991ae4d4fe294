"""Vehicle and dealer tables: read in full, refused with the line, silent about VINs."""

from __future__ import annotations

import traceback
from datetime import date
from pathlib import Path

import pytest

from domain.errors import DataFileError
from domain.findings import Text
from domain.fleet import DEVELOPMENT_KEY, Dealer, VaultEntry, Vehicle, pseudonym
from notifier.dealers.fleet_files import read_dealers, read_vehicles

VIN = "LSVAU2180N2183294"
HEADER = (
    "vin,brand,model,year,powertrain,profile,odometer_km,latitude,longitude,preferred_dealer,owner_name,owner_phone,owner_email\n"
)
DEALER_HEADER = (
    "id,name_en,name_zh,latitude,longitude,brands,capabilities,tier,capacity_per_day,labour_rate,currency,stock,endpoint,secret_name,"
    "opens_hour,closes_hour,utc_offset_hours,days_open\n"
)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_full_vehicle_line_is_split_into_vehicle_and_vault(tmp_path: Path) -> None:
    line = f"{VIN.lower()},BYD,Han,2023,ev,byd_han,27000.5,31.2,121.5,sh-01,张伟,+86 138 0000 0000,zw@example.cn\n"
    identity = pseudonym(DEVELOPMENT_KEY, VIN)
    assert read_vehicles(written(tmp_path, HEADER + line), DEVELOPMENT_KEY) == [
        (
            Vehicle(
                id=identity,
                brand="BYD",
                model="Han",
                year=2023,
                powertrain="ev",
                profile="byd_han",
                odometer_km=27000.5,
                home=(31.2, 121.5),
                preferred_dealer="sh-01",
            ),
            VaultEntry(
                vehicle=identity, vin=VIN, owner_name="张伟", owner_phone="+86 138 0000 0000", owner_email="zw@example.cn"
            ),
        )
    ]


def test_a_vin_alone_is_enough(tmp_path: Path) -> None:
    ((vehicle, vault),) = read_vehicles(written(tmp_path, f"vin\n{VIN}\n"), b"key")
    assert (vehicle, vault.vin) == (Vehicle(id=pseudonym(b"key", VIN)), VIN)


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (f"{VIN[:-1]},,,,,,,,,,,,", 2, "column vin"),
        (f"{VIN[:-1]}O,,,,,,,,,,,,", 2, "never I, O or Q"),
        (f"{VIN[:-1]}-,,,,,,,,,,,,", 2, "only letters and digits"),
        (f"{VIN},,,,,,,91,0,,,,", 2, "column latitude"),
        (f"{VIN},,,,,,,0,-181,,,,", 2, "column longitude"),
        (f"{VIN},,,,,,,nan,0,,,,", 2, "column latitude"),
        (f"{VIN},,,,,,,31.2,,,,,", 2, "latitude and longitude go together"),
        (f"{VIN},,,20x3,,,,,,,,,", 2, "column year"),
        (f"{VIN},,,1850,,,,,,,,,", 2, "column year"),
        (f"{VIN},,,,steam,,,,,,,,", 2, "column powertrain"),
        (f"{VIN},,,,,,-5,,,,,,", 2, "column odometer_km"),
        (f"{VIN},,,,,,,,,,,,,,", 2, "more cells"),
        (f"{VIN},,,,,,,,,,,,\n{VIN},,,,,,,,,,,,", 3, "stands in line 2 already"),
        (",BYD,,,,,,,,,,,", 2, "column vin"),
    ],
)
def test_a_bad_vehicle_line_is_named_without_its_vin(tmp_path: Path, lines: str, line: int, words: str) -> None:
    with pytest.raises(DataFileError) as caught:
        read_vehicles(written(tmp_path, HEADER + lines + "\n"), b"key")
    assert caught.value.line == line
    assert words in str(caught.value)
    assert VIN[:-1] not in "".join(traceback.format_exception(caught.value))


def test_a_vehicle_file_without_a_header_does_not_show_the_vin_that_stands_there(tmp_path: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        read_vehicles(written(tmp_path, f"{VIN},BYD\n"), b"key")
    assert "unknown column" in str(caught.value)
    assert VIN not in "".join(traceback.format_exception(caught.value))


def test_a_full_dealer_line_is_read(tmp_path: Path) -> None:
    line = (
        "sh-01,Pudong Service,浦东服务站,31.22,121.54,BYD;NIO,engine;hv,authorised,6,220,CNY,PC-THERMOSTAT=3; PC-PUMP = 1,"
        "https://dealer.example/hook,SH01_SECRET,9,19,8,1;2;3;4;5\n"
    )
    assert read_dealers(written(tmp_path, DEALER_HEADER + line)) == [
        Dealer(
            id="sh-01",
            name=Text(en="Pudong Service", zh="浦东服务站"),
            latitude=31.22,
            longitude=121.54,
            brands=("BYD", "NIO"),
            capabilities=("engine", "hv"),
            tier="authorised",
            capacity_per_day=6,
            labour_rate="220.00",
            currency="CNY",
            stock=(("PC-THERMOSTAT", 3), ("PC-PUMP", 1)),
            endpoint="https://dealer.example/hook",
            secret_name="SH01_SECRET",
            opens_hour=9,
            closes_hour=19,
            utc_offset_hours=8.0,
            days_open=(1, 2, 3, 4, 5),
        )
    ]


def test_calendars_skills_and_ratings_are_read(tmp_path: Path) -> None:
    header = "id,name_en,latitude,longitude,region,capabilities,tier,bays,technicians,capacity_on,labour_rates,hours,holidays,acceptance,nps\n"
    line = "d1,One,1,2,cn/shanghai,hv;engine,centre,4,hv=2;engine=3,2026-11-02=3,hv=420.00,6=9-13,2026-10-01..2026-10-03;2026-12-31,0.9,45\n"
    (dealer,) = read_dealers(written(tmp_path, header + line))
    first = (date(2026, 10, 1) - date(1970, 1, 1)).days
    assert dealer.holidays == (first, first + 1, first + 2, first + 91)
    assert (dealer.capacity_on, dealer.hours) == (((first + 32, 3),), ((6, 9, 13),))
    assert (dealer.technicians, dealer.labour_rates) == ((("hv", 2), ("engine", 3)), (("hv", "420.00"),))
    assert (dealer.region, dealer.tier, dealer.bays, dealer.acceptance, dealer.nps) == ("cn/shanghai", "centre", 4, 0.9, 45.0)


def test_whom_a_vehicle_belongs_to_is_read(tmp_path: Path) -> None:
    header = "vin,preferred_dealer,chosen_dealer,last_service_dealer,selling_dealer,region\n"
    ((vehicle, _),) = read_vehicles(written(tmp_path, header + f"{VIN},a,b,c,d,cn/hubei\n"), b"key")
    assert (vehicle.preferred_dealer, vehicle.chosen_dealer, vehicle.last_service_dealer) == ("a", "b", "c")
    assert (vehicle.selling_dealer, vehicle.region) == ("d", "cn/hubei")


def test_dealer_defaults_are_those_of_the_record(tmp_path: Path) -> None:
    (dealer,) = read_dealers(written(tmp_path, "id,name_en,latitude,longitude\nd1,One,1,2\n"))
    assert dealer == Dealer(id="d1", name=Text(en="One", zh="One"), latitude=1.0, longitude=2.0)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"id": "a b"}, "column id"),
        ({"name_en": ""}, "column name_en"),
        ({"latitude": "-90.1"}, "column latitude"),
        ({"capacity_per_day": "-1"}, "column capacity_per_day"),
        ({"labour_rate": "1.234"}, "column labour_rate"),
        ({"labour_rate": "NaN"}, "column labour_rate"),
        ({"currency": "yuan"}, "column currency"),
        ({"stock": "PUMP"}, "'PUMP' is not NUMBER=PIECES"),
        ({"stock": "PUMP=-1"}, "is not NUMBER=PIECES"),
        ({"stock": "PUMP=1;PUMP=2"}, "names a part twice"),
        ({"endpoint": "ftp://x"}, "column endpoint"),
        ({"secret_name": ""}, "needs a secret_name"),
        ({"opens_hour": "18", "closes_hour": "18"}, "closes_hour must be later"),
        ({"closes_hour": "25"}, "column closes_hour"),
        ({"days_open": "0;1"}, "column days_open"),
        ({"utc_offset_hours": "15"}, "column utc_offset_hours"),
        ({"tier": "palace"}, "column tier"),
        ({"region": "CN"}, "column region"),
        ({"holidays": "2026-13-01"}, "is no date"),
        ({"holidays": "2026-10-07..2026-10-01"}, "no span of days"),
        ({"capacity_on": "2026-10-01"}, "is not DATE=ORDERS"),
        ({"hours": "6=13-9"}, "is not WEEKDAY=OPENS-CLOSES"),
        ({"hours": "7=9-13"}, "not in days_open"),
        ({"capabilities": "engine", "technicians": "hv=2"}, "'hv' has technicians or a rate"),
        ({"technicians": "hv=-2"}, "is not SKILL=PEOPLE"),
        ({"capabilities": "hv", "labour_rates": "hv=12"}, "is not CAPABILITY=RATE"),
        ({"bays": "1", "capacity_per_day": "11"}, "more than one order an hour in every bay"),
        ({"tier": "mobile", "bays": "1"}, "has no bays"),
        ({"acceptance": "1.1"}, "column acceptance"),
        ({"nps": "-101"}, "column nps"),
    ],
)
def test_a_bad_dealer_line_is_named(tmp_path: Path, cells: dict[str, str], words: str) -> None:
    good = {
        "id": "d1",
        "name_en": "One",
        "latitude": "1",
        "longitude": "2",
        "endpoint": "https://x.example/",
        "secret_name": "S",
    } | cells
    file = written(tmp_path, ",".join(good) + "\n" + ",".join(good.values()) + "\n")
    with pytest.raises(DataFileError) as caught:
        read_dealers(file)
    assert str(caught.value).startswith(f"{file}:2: ")
    assert words in str(caught.value)


def test_a_dealer_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="'d1' stands in line 2 already"):
        read_dealers(written(tmp_path, "id,name_en,latitude,longitude\nd1,One,1,2\nd1,Two,1,2\n"))
