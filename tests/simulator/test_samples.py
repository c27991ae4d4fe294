import csv
import gzip
from pathlib import Path

import pytest
import yaml

from domain.vss import catalogue
from simulator.candump_writer import candump_text
from simulator.drive import simulate_drive
from simulator.fleet_tables import TEMPLATES
from simulator.write_samples import SAMPLES
from tests.simulator.limits import broken_limits

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "sample_can_logs"


def rows_of(name):
    with (FOLDER / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", ["faulty_petrol_weak_battery", "healthy_ev_mixed", "faulty_truck_red_stop"])
def test_simulating_a_sample_again_gives_its_text_to_the_byte(name):
    # the compressed bytes belong to the zlib at hand; the text does not
    kept = gzip.decompress((FOLDER / f"{name}.log.gz").read_bytes()).decode()
    assert candump_text(simulate_drive(SAMPLES[name]).frames) == kept


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_breaks_the_limit_of_its_fault_and_no_other(name):
    spec = SAMPLES[name]
    assert broken_limits(simulate_drive(spec)) == ({spec.fault} if spec.fault else set())


def test_samples_are_small():
    sizes = [file.stat().st_size for file in FOLDER.glob("*.log.gz")]
    assert len(sizes) == len(SAMPLES)
    assert max(sizes) < 400_000
    assert sum(sizes) < 4_000_000


@pytest.mark.parametrize("name", [*TEMPLATES, "README.md"])
def test_dbcs_profiles_dealers_and_readme_are_the_simulators(name):
    assert (FOLDER / name).read_bytes() == (ROOT / "simulator" / "templates" / name).read_bytes()


def test_manifests_name_existing_logs_and_known_vehicles():
    vehicles = {row["vin"]: row for row in rows_of("vehicles.csv")}
    everything = rows_of("manifest.csv")
    assert rows_of("manifest_healthy.csv") + rows_of("manifest_faulty.csv") == everything
    for row in everything:
        assert (FOLDER / row["log"]).exists()
        assert row["profile"] == vehicles[row["vin"]]["profile"]
        assert row["profile"] == "j1939" or (FOLDER / row["profile"]).exists()


def test_dealers_have_every_skill_and_a_place_on_the_map():
    dealers = rows_of("dealers.csv")
    skills = {skill for row in dealers for skill in row["capabilities"].split(";")}
    assert skills >= {"engine", "electric", "hv", "truck", "chassis", "rescue"}
    assert len({row["id"] for row in dealers}) == len(dealers) == 12
    for row in dealers:
        assert 18 < float(row["latitude"]) < 54
        assert 73 < float(row["longitude"]) < 135
        assert int(row["opens_hour"]) < int(row["closes_hour"])


def test_owners_are_invented():
    for row in rows_of("vehicles.csv"):
        assert row["owner_email"].endswith("@example.com")
        assert row["vin"].startswith("LTEST")


@pytest.mark.parametrize("profile", ["demo_petrol", "demo_ev", "demo_truck"])
def test_profiles_map_each_vss_path_once_and_know_all_of_them(profile):
    content = yaml.safe_load((FOLDER / "profiles" / f"{profile}.yaml").read_text(encoding="utf-8"))
    paths = [entry["vss"] for entry in content["signals"]]
    assert len(set(paths)) == len(paths)
    assert set(paths) <= set(catalogue())
