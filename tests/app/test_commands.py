import csv
import gzip
import json

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from app.cli import cli
from app.fault_knowledge import fault_knowledge
from app.fleet import parse_start
from app.rule_drafts import draft
from app.series import SeriesRecorder
from dtc_knowledge.pattern import Role
from rules.check import check
from tests.end_to_end.replays import SAMPLES, without_wall_time

PETROL = SAMPLES / "faulty_petrol_misfire.log.gz"
DBC = SAMPLES / "dbc" / "petrol.dbc"


def run(*words, **options):
    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False, **options)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1.5", 1_500_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T08:00:00.000001+08:00", 1_000),
        ("1970-01-01T00:00:02", 2_000_000_000),
    ],
)
def test_start_times_are_seconds_or_rfc_3339(text, time_ns):
    assert parse_start(text) == time_ns


@pytest.fixture
def short(tmp_path):
    file = tmp_path / "short.log"
    file.write_bytes(b"".join(gzip.decompress(PETROL.read_bytes()).splitlines(keepends=True)[:400]))
    return file


def test_signals_are_written_as_parquet_and_csv_with_the_same_rows(tmp_path, short):
    document = json.loads(run("decode", short, "--dbc", DBC, "--json", "--out", tmp_path / "s.parquet"))
    run("decode", short, "--dbc", DBC, "--out", tmp_path / "s.csv")
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.num_rows == sum(signal["count"] for signal in document["signals"].values()) > 0
    written = table.drop_columns("time").to_pylist()
    with (tmp_path / "s.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("message", "signal", "unit", "bus")
    assert [(float(r["value"]), *(r[n] for n in names)) for r in rows] == [(r["value"], *(r[n] for n in names)) for r in written]
    times = [f"{t.isoformat(sep=' ', timespec='nanoseconds').removesuffix('+00:00')}Z" for t in table.column("time").to_pandas()]
    assert [r["time"] for r in rows] == times
    assert list(tmp_path.glob(".*")) == []


def test_pandas_polars_and_duckdb_read_the_signals_directly(tmp_path, short):
    duckdb, pl, pd = (pytest.importorskip(name) for name in ("duckdb", "polars", "pandas"))
    document = json.loads(run("decode", short, "--dbc", DBC, "--json", "--out", tmp_path / "s.parquet"))
    (name, figures), *_ = (item for item in document["signals"].items() if item[1]["count"] > 1)
    message, signal = name.split(".")
    expected = (figures["count"], figures["min"], figures["max"], figures["unit"])
    p = pd.read_parquet(tmp_path / "s.parquet")
    p = p[(p["message"] == message) & (p["signal"] == signal)]
    assert (len(p), p["value"].min(), p["value"].max(), p["unit"].iloc[0]) == expected
    assert str(p["time"].dtype) == "datetime64[ns, UTC]"
    frame = pl.read_parquet(tmp_path / "s.parquet").filter((pl.col("message") == message) & (pl.col("signal") == signal))
    assert (frame.height, frame["value"].min(), frame["value"].max(), frame["unit"][0]) == expected
    query = f"select count(*), min(value), max(value), any_value(unit) from '{tmp_path / 's.parquet'}' where message = ? and signal = ?"
    assert duckdb.execute(query, [message, signal]).fetchone() == expected


def test_the_metadata_of_a_signal_table_tells_units_and_sources(tmp_path, short):
    run("decode", short, "--profile", SAMPLES / "profiles" / "demo_petrol.yaml", "--out", tmp_path / "s.parquet")
    metadata = json.loads(pq.read_metadata(tmp_path / "s.parquet").metadata[b"pitcall"])
    assert metadata["logs"] == ["short.log"]
    table = pq.read_table(tmp_path / "s.parquet").to_pylist()
    assert {f"{row['message']}.{row['signal']}": (row["unit"], row["path"]) for row in table} == {
        name: (signal["unit"], signal["path"]) for name, signal in metadata["signals"].items()
    }
    assert any(row["path"] for row in table)


def test_frames_written_as_a_table_decode_to_the_same(tmp_path, short):
    words = ("--dbc", DBC, "--json")
    direct = json.loads(run("decode", short, *words, "--frames-out", tmp_path / "f.parquet"))
    assert json.loads(run("decode", tmp_path / "f.parquet", *words)) == direct


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_of_a_table_that_was_not_finished(tmp_path, short, monkeypatch, failure):
    from ingest.summary import DecodeSummary

    def fail(*_arguments):
        raise failure

    (tmp_path / "s.parquet").write_bytes(b"an older table")
    monkeypatch.setattr(DecodeSummary, "document", fail)
    monkeypatch.setattr(DecodeSummary, "add_anomalies", fail)
    words = ["decode", short, "--dbc", DBC, "--out", tmp_path / "s.parquet", "--frames-out", tmp_path / "f.parquet"]
    CliRunner().invoke(cli, [str(word) for word in words])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["s.parquet", "short.log"]
    assert (tmp_path / "s.parquet").read_bytes() == b"an older table"


def test_a_table_that_cannot_be_written_is_one_line(tmp_path, short):
    result = CliRunner().invoke(cli, ["decode", str(short), "--out", str(tmp_path / "nowhere" / "s.parquet")])
    assert "s.parquet cannot be written" in str(result.exception)


def test_the_decode_summary_reads_as_a_table():
    text = run("decode", PETROL, "--dbc", f"can0={DBC}")
    assert "frames" in text.splitlines()[0]
    assert any("rpm" in line for line in text.splitlines())


def test_dtc_read_gives_one_json_line_per_reported_code():
    lines = [json.loads(line) for line in run("dtc", "read", PETROL, "--json", "--changes").splitlines()]
    assert {"P0302", "P0300", "P0352"} <= {line["code"] for line in lines}
    for line in lines:
        assert {"time", "protocol", "bus", "source", "code", "status", "spn", "fmi", "occurrence", "lamps", "ftb", "raw"} <= set(
            line
        )
    everything = run("dtc", "read", PETROL, "--json").splitlines()
    assert len(everything) > len(lines)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_dtc_explain_answers_what_how_sure_and_how_soon(lang):
    document = json.loads(run("dtc", "explain", "P0301", "P0351", "--json", "--lang", lang))
    assert document["causes"]
    assert document["urgency"] in {"STOP", "TODAY", "SOON", "NEXT", "MONITOR"}
    assert document["plan"]
    assert run("dtc", "explain", "P0301", "P0351", "--lang", lang).strip()


def test_a_rule_is_explained_drafted_and_described_to_editors(tmp_path):
    facts = json.loads(run("rules", "explain", "coolant_overheat", "--json"))
    assert "EngineCoolant.Temperature" in facts["when"]
    assert "coolant_overheat" in run("rules", "explain", "coolant_overheat")
    for words in ((), ("--from-pattern", "transmission_overheat")):
        file = tmp_path / "new.yaml"
        file.write_text(run("rules", "new", "mine", *words), encoding="utf-8")
        assert "1 rules, no mistakes" in run("rules", "check", file)
        assert json.loads(run("rules", "list", file, "--json"))[0]["status"] == "shadow"
    assert "keep_firing_for" in json.loads(run("rules", "schema"))["$defs"]["RuleModel"]["properties"]


def test_every_pattern_with_measured_values_becomes_a_rule_without_mistakes(tmp_path):
    patterns = fault_knowledge().files.patterns
    measured = [name for name, pattern in patterns.items() if any(p.role is not Role.AGAINST for p in pattern.predicates)]
    assert len(measured) >= 10
    for name in measured:
        (tmp_path / f"{name}.yaml").write_text(draft(f"of_{name}", name, patterns), encoding="utf-8")
    assert check([tmp_path]) == []


def test_rules_are_listed_checked_and_tested():
    rows = json.loads(run("rules", "list", "--json"))
    assert len(rows) >= 12
    assert {"id", "version", "status", "system", "severity"} <= set(rows[0])
    assert "no mistakes" in run("rules", "check")
    assert "passed" in run("rules", "test")


def test_the_knowledge_check_counts_codes_and_patterns():
    figures = json.loads(run("knowledge", "check", "--json"))
    assert sum(figures["codes"].values()) >= 60
    assert figures["patterns"] >= 8
    assert figures["missing_translations"] == 0


def test_vehicles_dealers_orders_and_pushes_of_a_database(tmp_path, monkeypatch):
    monkeypatch.setenv("PITCALL_PSEUDONYM_KEY", "a key of the tests")
    monkeypatch.setenv("PITCALL_DATABASE_URL", f"sqlite:///{tmp_path / 'p.sqlite3'}")
    assert "vehicles imported" in run("vehicles", "import", SAMPLES / "vehicles.csv")
    assert "dealers imported" in run("dealers", "import", SAMPLES / "dealers.csv")
    document = json.loads(run("replay", "--manifest", SAMPLES / "manifest_faulty.csv", "--json"))
    orders = json.loads(run("orders", "list", "--json"))
    assert [order["data"]["order_id"] for order in orders] == sorted(
        (order["data"]["order_id"] for order in document["orders"]),
        key=[order["data"]["order_id"] for order in orders].index,
    )
    assert len(run("orders", "list").splitlines()) == len(orders)
    assert len(json.loads(run("push", "list", "--json"))) >= len(orders)
    again = json.loads(run("replay", "--manifest", SAMPLES / "manifest_faulty.csv", "--json"))
    assert again["alerts"] == document["alerts"]
    assert again["orders"] == document["orders"]
    assert len(json.loads(run("orders", "list", "--json"))) == len(orders)


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path):
    page = tmp_path / "report.html"
    run("replay", "--manifest", SAMPLES / "manifest_faulty.csv", "--report", page)
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "P0302" in text
    for mark in ('src="http', 'href="http', "@import", "url(http"):
        assert mark not in text
    with (SAMPLES / "vehicles.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["vin"] not in text


def test_thinned_series_keep_the_extremes_of_every_half_second():
    from hypothesis import given
    from hypothesis import strategies as st

    from app.series import BUCKET_NS, _thinned

    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
    def check(values):
        import numpy as np

        times = np.arange(len(values), dtype=np.int64) * (BUCKET_NS // 20)
        time_ns, value = _thinned(times, np.array(values))
        assert sorted(time_ns.tolist()) == time_ns.tolist()
        for bucket in set((times // BUCKET_NS).tolist()):
            whole = [v for t, v in zip(times.tolist(), values, strict=True) if t // BUCKET_NS == bucket]
            kept = [v for t, v in zip(time_ns.tolist(), value.tolist(), strict=True) if t // BUCKET_NS == bucket]
            assert (min(whole), max(whole)) == (min(kept), max(kept))

    check()
    assert SeriesRecorder().series() == {}


@pytest.mark.parametrize(
    "setting", [{"PITCALL_CACHE_DIR": "/dev/null/none"}, {"PITCALL_KERNELS": "python"}], ids=["no cache", "no compiler"]
)
def test_a_replay_gives_the_same_where_nothing_can_be_cached_or_compiled(setting):
    import os
    import subprocess
    import sys

    words = [sys.executable, "-m", "app.cli", "replay", str(SAMPLES / "faulty_petrol_weak_battery.log.gz"), "--json"]
    words += ["--vin", "LPCTEST0000000001", "--profile", str(SAMPLES / "profiles" / "demo_petrol.yaml")]
    homeless = {**os.environ, "HOME": "/dev/null/none", **setting}
    documents = [
        json.loads(subprocess.run(words, env=env, capture_output=True, check=True).stdout) for env in (dict(os.environ), homeless)
    ]
    assert documents[0]["alerts"]
    assert without_wall_time(documents[0]) == without_wall_time(documents[1])


def test_a_message_of_an_unknown_device_is_replayed_once_its_vehicle_is_imported(tmp_path):
    from domain.fleet import DEVELOPMENT_KEY, pseudonym
    from domain.messages import RawMessage
    from domain.records import Commit
    from ingest.mqtt.batching import parse_messages
    from ingest.wire.sources import Sources, source_of
    from storage.database import open_store

    database, vin = f"sqlite:///{tmp_path / 'p.db'}", "LSVAA4182E2184847"
    config = tmp_path / "pitcall.toml"
    config.write_text(
        f'[database]\nurl = "{database}"\n[[sources]]\nformat = "teltonika"\ntopic = "t/{{device}}"\n', encoding="utf-8"
    )

    def key(word):
        return pseudonym(DEVELOPMENT_KEY, word)

    message = RawMessage(topic="t/353691840000000", payload=b'{"ts": 1767225600000, "281": "P0301"}', received_ns=5, token=1)
    sources = Sources([source_of("teltonika", "t/{device}")], pseudonym_of=key)
    letters = parse_messages([message], pseudonym_of=key, sources=sources).dead_letters
    with open_store(database, key=DEVELOPMENT_KEY) as store:
        store.commit(Commit(dead_letters=letters))
    assert "0 dead letters replayed, 1 could" in run("dead-letters", "replay", "--config", config)
    table = tmp_path / "vehicles.csv"
    table.write_text(f"vin,device\n{vin},353691840000000;second\n", encoding="utf-8")
    run("vehicles", "import", table, "--database", database)
    assert "1 dead letters replayed, 0 could" in run("dead-letters", "replay", "--config", config)
    with open_store(database, key=DEVELOPMENT_KEY) as store:
        assert [(alert.vehicle, alert.source.id) for alert in store.alerts()] == [(key(vin), "P0301")]
