from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings_file import ServiceSettings, SourceSection, load_settings
from domain.errors import InputError
from domain.fleet import DEVELOPMENT_KEY

EXAMPLE = Path(__file__).parents[2] / "pitcall.example.toml"


def written(folder: Path, text: str) -> Path:
    file = folder / "pitcall.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(file: Path | None, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load_settings(file, environment or {})
    message = str(caught.value)
    assert "\n" not in message
    assert ";" in message  # the mend
    return message


def test_the_example_is_what_holds_without_a_file() -> None:
    assert load_settings(EXAMPLE, {}) == load_settings(None, {}) == ServiceSettings()


def test_the_example_explains_every_setting() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, section in ServiceSettings.model_fields.items():
        assert re.search(rf"^(# )?\[\[?{name}\]\]?$", text, re.MULTILINE), name
        for key in getattr(SourceSection if name == "sources" else section.annotation, "model_fields", {}):
            assert re.search(rf"^(# )?\[?(web\.)?{key}\b", text, re.MULTILINE), f"{name}.{key}"


def test_every_line_of_the_example_may_be_taken_into_use(tmp_path: Path) -> None:
    uncommented = re.sub(r"^# (?=(\w+ = |\[|[0-9a-f]{64}|SH-001))", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    settings = load_settings(written(tmp_path, uncommented), {})
    assert settings.database_url == "postgresql://pitcall@db.example/pitcall"
    assert settings.mqtt.certificate_file == Path("client.pem")
    assert dict(settings.common.secrets) == {"SH-001": "whsec_…", "WECOM": "wecombot://…"}
    assert next(iter(settings.web.api_keys.values())) == ("read", "orders")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, '[broker]\nurl = "mqtt://one"\n[web]\nport = 1\n[secrets]\nA = "whsec_a"\n')
    environment = {
        "PITCALL_BROKER_URL": "mqtts://user:word@two:9",
        "PITCALL_WEB_PORT": "8099",
        "PITCALL_SECRET_B": "whsec_b",
        "PITCALL_PSEUDONYM_KEY": "key",
        "PITCALL_ALLOW_PRIVATE_ENDPOINTS": "1",
        "PITCALL_DATABASE_URL": "sqlite:///x.db",
        "PITCALL_KERNELS": "python",
        "HOME": "/",
    }
    settings = load_settings(file, environment)
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.tls, settings.mqtt.username) == ("two", 9, True, "user")
    assert settings.web.port == 8099
    common = settings.common
    assert dict(common.secrets) == {"A": "whsec_a", "B": "whsec_b"}
    assert (common.pseudonym_key, common.key_is_development, common.database_url) == (b"key", False, "sqlite:///x.db")
    assert common.allow_private_endpoints


def test_without_a_key_the_development_key_is_used_and_known_as_such() -> None:
    common = load_settings(None, {}).common
    assert (common.pseudonym_key, common.key_is_development) == (DEVELOPMENT_KEY, True)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[broker]\nurl = "mqtt://x"\nrecever = "paho"\n', 3, "broker.recever"),
        ('[broker]\n\nreceiver = "fast"\n', 3, "broker.receiver"),
        ("[web]\n# comment\nport = 70000\n", 3, "web.port"),
        ("[brokr]\nurl = 1\n", 1, "brokr"),
        ("[web]\nport = 80\nhost =\n", 3, "not TOML"),
        ('[web]\nopen_access = true\nhost = "0.0.0.0"\n', 2, "open_access: needs"),
        ('[web.api_keys]\nabc = ["read"]\n', 2, "web.api_keys"),
        ("[pipeline]\nlateness_s = -1\n", 2, "pipeline.lateness_s"),
    ],
)
def test_a_bad_setting_names_file_line_and_key(tmp_path: Path, text: str, line: int, words: str) -> None:
    file = written(tmp_path, text)
    message = refusal(file)
    assert message.startswith(f"{file}:{line}: ")
    assert words in message


def test_a_bad_variable_is_named() -> None:
    assert "PITCALL_WEB_PORT" in refusal(None, {"PITCALL_WEB_PORT": "http"})
    assert "PITCALL_BROKER_URI" in refusal(None, {"PITCALL_BROKER_URI": "mqtt://x"})


def test_a_secret_is_never_quoted(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, '[secrets]\nA = ["s3cret"]\n'))
    assert "s3cret" not in message
    settings = load_settings(
        None, {"PITCALL_SECRET_A": "s3cret", "PITCALL_BROKER_PASSWORD": "s3cret", "PITCALL_PSEUDONYM_KEY": "s3cret"}
    )
    assert "s3cret" not in repr(settings)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "missing.toml")


def test_a_broker_address_that_is_none_is_refused_without_its_password() -> None:
    settings = load_settings(None, {"PITCALL_BROKER_URL": "http://user:s3cret@x"})
    with pytest.raises(InputError) as caught:
        _ = settings.mqtt
    assert "s3cret" not in str(caught.value)
