"""Settings: where they come from, and what is said of wrong ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aforo.errors import InvalidSettings
from aforo.settings import Settings, config_file, describe, load


def faults_of(
    environ: dict[str, str] | None = None,
    toml: Path | None = None,
    overrides: dict[str, object] | None = None,
) -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        load(environ or {}, toml, overrides or {})
    return [str(fault) for fault in refused.value.faults]


def toml_of(folder: Path, text: str) -> Path:
    path = folder / "aforo.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_with_no_source_everything_is_the_default() -> None:
    resolved = load({}, None, {})
    assert resolved.settings == Settings()
    assert set(resolved.sources.values()) == {"default"}
    assert resolved.settings.http.port == 8321
    assert resolved.settings.http.max_body_bytes == 8_388_608
    assert resolved.settings.packs == ("flights", "projects", "web")


def test_the_nearer_source_wins(tmp_path: Path) -> None:
    toml = toml_of(
        tmp_path,
        'data = "from-file"\npacks = ["flights", "web"]\n'
        "[http]\nport = 1\nworkers = 3\n[fold]\nwake_after_seconds = 2\n",
    )
    environ = {"AFORO_HTTP_PORT": "2", "AFORO_HTTP_WORKERS": "4", "HOME": "/nowhere"}
    resolved = load(environ, toml, {"http.port": 3, "engine.threads": None, "log.level": "debug"})
    settings = resolved.settings
    assert (settings.http.port, settings.http.workers) == (3, 4)
    assert settings.data == Path("from-file")
    assert settings.packs == ("flights", "web")
    assert settings.fold.wake_after_seconds == 2.0
    assert isinstance(settings.fold.wake_after_seconds, float)
    assert resolved.sources["http.port"] == "command line"
    assert resolved.sources["log.level"] == "command line"
    assert resolved.sources["http.workers"] == "environment AFORO_HTTP_WORKERS"
    assert resolved.sources["data"] == "aforo.toml"
    assert resolved.sources["engine.threads"] == "default"


def test_every_kind_is_read_from_the_environment() -> None:
    settings = load(
        {
            "AFORO_DATA": "/srv/aforo",
            "AFORO_URL": "https://aforo.example",
            "AFORO_KEY": "s3cret",
            "AFORO_MODELS": "/srv/models",
            "AFORO_PACKS": "flights, web,",
            "AFORO_INTAKE_COMMIT_AFTER_SECONDS": "0.5",
            "AFORO_QUESTIONS_MAX_ROWS": "1_000",
            "AFORO_LOG_FORMAT": "json",
            "AFORO_ENGINE_THREADS": "",
        },
        None,
        {},
    ).settings
    assert (settings.data, settings.model_folder) == (Path("/srv/aforo"), Path("/srv/models"))
    assert (settings.url, settings.key) == ("https://aforo.example", "s3cret")
    assert settings.packs == ("flights", "web")
    assert settings.intake.commit_after_seconds == 0.5
    assert settings.questions.max_rows == 1_000
    assert settings.log.format == "json"
    assert settings.engine.threads == 2


def test_models_lie_in_the_data_directory_unless_told() -> None:
    assert load({"AFORO_DATA": "here"}, None, {}).settings.model_folder == Path("here/models")


def test_a_home_is_found_by_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load({"AFORO_DATA": "~/aforo"}, None, {}).settings.data == tmp_path / "aforo"


def test_an_override_may_be_written_or_typed() -> None:
    settings = load({}, None, {"data": Path("a"), "http.port": "0", "packs": ("web",)}).settings
    assert (settings.data, settings.http.port, settings.packs) == (Path("a"), 0, ("web",))


def test_all_faults_are_told_at_once_and_where_they_are(tmp_path: Path) -> None:
    toml = toml_of(tmp_path, 'engin = 3\nlog = "text"\n[http]\nprot = 1\nport = "8321"\nworkers = true\n')
    environ = {"AFORO_HTTP_POTR": "1", "AFORO_ENGINE_MEMORY_MB": "lots", "AFORO_LOG_LEVEL": "loud"}
    faults = faults_of(
        environ, toml, {"url": "ftp://x", "questions.time_limit_seconds": "nan", "colour": "red"}
    )
    assert faults == [
        "aforo.toml: log: 'text' is not a section: write [log] and its keys below",
        "aforo.toml: engin: there is no such setting; did you mean 'engine'?",
        "aforo.toml: http.prot: there is no such setting; did you mean 'http.port'?",
        "aforo.toml: http.port: '8321' is not a whole number (0 to 65535)",
        "aforo.toml: http.workers: True is not a whole number (1 to 256)",
        "AFORO_ENGINE_MEMORY_MB: 'lots' is not a whole number (64 to 1048576)",
        "AFORO_HTTP_POTR: there is no such setting; did you mean 'AFORO_HTTP_PORT'?",
        "AFORO_LOG_LEVEL: 'loud' is not allowed (debug or info or warning or error)",
        "url: 'ftp://x' is not allowed (begins with http:// or https://)",
        "questions.time_limit_seconds: 'nan' is not allowed (0.001 to 86400)",
        faults[-1],
    ]
    assert faults[-1].startswith("colour: there is no such setting")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("http.port", 65_536),
        ("http.port", -1),
        ("http.port", 1.5),
        ("http.port", "1.5"),
        ("engine.threads", False),
        ("fold.wake_after_seconds", True),
        ("fold.wake_after_seconds", []),
        ("http.host", "  "),
        ("data", 3),
        ("packs", 3),
        ("packs", ["flights", 3]),
        ("http", 3),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_key(key: str, value: object) -> None:
    (fault,) = faults_of(overrides={key: value})
    assert fault.startswith(f"{key}: ")


def test_a_request_that_could_never_be_taken_is_seen_beforehand() -> None:
    (fault,) = faults_of({"AFORO_INTAKE_QUEUE_ROWS": "9999"})
    assert "http.max_events_per_request (10000)" in fault


def test_a_heart_that_beats_too_seldom_for_the_lease_is_seen_beforehand() -> None:
    lease = {"AFORO_RUNS_LEASE_SECONDS": "30"}
    (fault,) = faults_of(lease)
    assert fault.startswith(
        "worker.heartbeat_seconds: 15 came, wanted less than half of runs.lease_seconds (30)"
    )
    assert fault.endswith("set it below 15, or the lease above 30")
    assert load({**lease, "AFORO_WORKER_HEARTBEAT_SECONDS": "14.9"}, None, {})
    assert load({**lease, "AFORO_WORKER_PARALLEL": "0"}, None, {}), "no worker of ours would beat"


def test_a_log_that_is_gone_before_it_is_read_is_seen_beforehand() -> None:
    (fault,) = faults_of({"AFORO_RUNS_LOG_DAYS": "1"})
    assert fault.startswith(
        "runs.leftovers_seconds: 86400 came, wanted less than the 86400 s of runs.log_days"
    )
    assert load({"AFORO_RUNS_LOG_DAYS": "2"}, None, {})
    assert load({"AFORO_RUNS_LOG_DAYS": "1", "AFORO_RUNS_LEFTOVERS_SECONDS": "0"}, None, {})


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    (fault,) = faults_of({}, path)
    assert fault.startswith(f"{path}: cannot be read")


def test_the_file_is_the_named_one_or_the_one_at_hand(tmp_path: Path) -> None:
    assert config_file({}, tmp_path) is None
    at_hand = toml_of(tmp_path, "")
    assert config_file({}, tmp_path) == at_hand
    assert config_file({"AFORO_CONFIG": "/other.toml"}, tmp_path) == Path("/other.toml")
    assert load({"AFORO_CONFIG": "/other.toml"}, at_hand, {}).settings == Settings()


def test_the_key_is_never_shown() -> None:
    resolved = load({"AFORO_KEY": "s3cret"}, None, {})
    assert resolved.shown()["key"] == "(set)"
    assert "s3cret" not in repr(resolved)
    assert load({}, None, {}).shown()["key"] == "none"
    (fault,) = faults_of(overrides={"key": 31_337})
    assert "31337" not in fault


def test_values_are_shown_as_they_would_be_written() -> None:
    shown = load({"AFORO_PACKS": "flights,web"}, None, {}).shown()
    assert (shown["packs"], shown["http.port"], shown["url"]) == ("flights,web", "8321", "none")


def test_every_setting_is_described() -> None:
    described = {each.key: each for each in describe()}
    assert set(described) == set(load({}, None, {}).sources)
    for each in described.values():
        assert re.fullmatch(r"AFORO_[A-Z_]+|ADMIN_API_KEY|ROLLUP_DEFAULT_PROPERTY_ID", each.env)
        assert each.sentence.endswith(".")
    port = described["http.port"]
    assert (port.env, port.type, port.default, port.bounds) == (
        "AFORO_HTTP_PORT",
        "whole number",
        "8321",
        "0 to 65535",
    )
    assert described["log.format"].bounds == "text or json"
    assert described["data"].bounds == ""


def test_every_default_can_be_written_back() -> None:
    written = {each.env: each.default for each in describe() if each.default != "none"}
    assert load(written, None, {}).settings == Settings()


def test_the_admin_key_has_a_name_of_its_own_and_is_never_shown() -> None:
    resolved = load({"ADMIN_API_KEY": "s3cret-of-an-admin", "ADMIN_API": "x"}, None, {})
    assert resolved.settings.access.admin_key == "s3cret-of-an-admin"
    assert resolved.sources["access.admin_key"] == "environment ADMIN_API_KEY"
    assert resolved.shown()["access.admin_key"] == "(set)"
    assert "s3cret" not in repr(resolved)
    (fault,) = faults_of({"AFORO_ACCESS_ADMIN_KEY": "x"})
    assert "there is no such setting" in fault


def test_origins_are_written_as_browsers_write_them() -> None:
    good = "https://app.example,http://127.0.0.1:3000,http://[::1]:80"
    assert len(load({"AFORO_ACCESS_CORS_ORIGINS": good}, None, {}).settings.access.cors_origins) == 3
    faults = faults_of(
        {"AFORO_ACCESS_CORS_ORIGINS": "*,app.example,https://app.example/,null,https://A.example"}
    )
    assert len(faults) == 5
