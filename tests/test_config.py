"""app/config.py: what the environment may say, and docs/settings.md, which says it to people."""

import re
from dataclasses import fields

import pytest

from app.config import Settings, read_settings, unknown
from app.domain import spelling
from app.errors import Misconfigured


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment in which nothing is set."""
    for one in fields(Settings):
        monkeypatch.delenv(one.metadata["variable"], raising=False)
        monkeypatch.delenv(one.metadata["variable"] + "_FILE", raising=False)
    return monkeypatch


def test_nothing_has_to_be_set():
    assert read_settings() == Settings()


def test_an_empty_value_is_none():
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "abc"), ("PORT", "0"), ("PORT", "65536"), ("WEB_CONCURRENCY", "0"), ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://x"), ("DATABASE_URL", "sqlite:///"), ("DATABASE_URL", "rollcall.db"),
        ("DATABASE_URL", "sqlite:///:memory:"), ("DATABASE_URL", "sqlite:///x.db?mode=ro"), ("DATABASE_URL", "sqlite:///x#y"),
        ("ROLLCALL_CREATE_ID", "all"), ("ROLLCALL_PUBLIC_REPLIES", "some"), ("ROLLCALL_PREPARE_STATEMENTS", "perhaps"),
        ("ROLLCALL_PUBLIC_KEY", "with:colon"), ("ROLLCALL_SECRET_KEY", "short"), ("ROLLCALL_THREADS", "-1"),
        ("ROLLCALL_STATEMENT_TIMEOUT", "1s"), ("ROLLCALL_LOCK_TIMEOUT", ""), ("ROLLCALL_SHUTDOWN_TIMEOUT", "0"),
        ("ROLLCALL_RATE_KEY", "many"), ("ROLLCALL_RATE_ADDRESS", "5/second;9/minute"), ("ROLLCALL_RATE_LOGIN", "0/hour"),
        ("HOST", "[::1"), ("HOST", "::1]"), ("HOST", "127.0.0.1:9000"), ("HOST", "[::1]:9000"), ("HOST", "a b"), ("HOST", "127.0.0.1, ::1"),
        ("HOST", "1.2.3"), ("HOST", "300.1.1.1"), ("HOST", "fe80::1%eth0"), ("HOST", "[127.0.0.1]"), ("HOST", "http://x"), ("HOST", "-x"),
        ("ROLLCALL_RATE_LIMIT_STORAGE", "disk"), ("ROLLCALL_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_in_one_line_that_names_the_variable(environment, variable, value):
    environment.setenv(variable, value)
    if not value:
        assert read_settings() == Settings()
        return
    with pytest.raises(Misconfigured, match=f"^{variable}: ") as refused:
        read_settings()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("host", "bind", "url"), [
    ("::1", "[::1]:8000", "http://[::1]:8000"), ("::", "[::]:8000", "http://[::1]:8000"), ("[::1]", "[::1]:8000", "http://[::1]:8000"),
    ("[::]", "[::]:8000", "http://[::1]:8000"), (" ::1 ", "[::1]:8000", "http://[::1]:8000"),
    ("0.0.0.0", "0.0.0.0:8000", "http://127.0.0.1:8000"), ("localhost", "localhost:8000", "http://localhost:8000"),
    ("users.example.com", "users.example.com:8000", "http://users.example.com:8000"),
])  # fmt: skip
def test_a_host_is_an_address_of_either_kind_or_a_name(environment, host, bind, url):
    """cases/host-ipv6.md"""
    environment.setenv("HOST", host)
    settings = read_settings()
    assert (settings.bind, settings.base_url) == (bind, url)


@pytest.mark.parametrize(("name", "meant"), [
    ("ROLLCALL_THREAD", "ROLLCALL_THREADS"), ("ROLLCALL_TRHEADS", "ROLLCALL_THREADS"), ("ROLLCALL_HOTPATH", "ROLLCALL_HOT_PATH"),
    ("ROLLCALL_SEGMENTS_SWEEPS", "ROLLCALL_SEGMENT_SWEEP"), ("ROLLCALL_SECRETKEY", "ROLLCALL_SECRET_KEY"),
])  # fmt: skip
def test_a_variable_that_is_nearly_a_setting_is_refused_and_the_setting_named(environment, name, meant):
    environment.setenv(name, "sk_hidden_hidden_1")
    with pytest.raises(Misconfigured) as refused:
        read_settings()
    assert str(refused.value) == f"{name}: There is no such setting. Did you mean {meant}?"


def test_other_unknown_variables_set_nothing(environment):
    before = unknown()
    environment.setenv("ROLLCALL_COLOUR", "blue")
    environment.setenv("ROLLCALL_THREADS_FILE", "/run/threads")
    assert read_settings() == Settings() and unknown() == sorted([*before, "ROLLCALL_COLOUR", "ROLLCALL_THREADS_FILE"])


@pytest.mark.parametrize("name", [
    "ROLLCALL_PORT", "ROLLCALL_PORT_8000_TCP", "ROLLCALL_PORT_8000_TCP_ADDR", "ROLLCALL_SERVICE_HOST", "ROLLCALL_SERVICE_PORT",
    "ROLLCALL_SERVICE_PORT_HTTP",
])  # fmt: skip
def test_what_container_platforms_inject_is_ignored(environment, name):
    before = unknown()
    environment.setenv(name, "tcp://10.0.0.1:8000")
    assert read_settings() == Settings() and unknown() == before


def test_an_empty_variable_that_is_unknown_is_none(environment):
    environment.setenv("ROLLCALL_THREAD", " ")
    assert read_settings() == Settings()


def test_no_two_settings_are_so_near_that_a_right_name_is_taken_for_a_wrong_one():
    names = [one.metadata["variable"] for one in fields(Settings)]
    assert all(spelling.edits(one, other) > 1 for one in names for other in names if one != other)


def test_one_key_without_the_other_is_refused(environment):
    environment.setenv("ROLLCALL_PUBLIC_KEY", "pk_12345678")
    with pytest.raises(Misconfigured, match="ROLLCALL_SECRET_KEY"):
        read_settings()


def test_a_secret_may_stand_in_a_file(environment, tmp_path):
    (tmp_path / "secret").write_text("sk_1234567890123456\n")
    (tmp_path / "url").write_text("postgresql://u:p@h/d\n")
    environment.setenv("ROLLCALL_PUBLIC_KEY", "pk_12345678")
    environment.setenv("ROLLCALL_SECRET_KEY_FILE", str(tmp_path / "secret"))
    environment.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    settings = read_settings()
    assert settings.secret_key == "sk_1234567890123456" and settings.database_url == "postgresql://u:p@h/d"


def test_a_file_that_is_not_there_is_refused(environment):
    environment.setenv("ROLLCALL_SECRET_KEY_FILE", "/nowhere")
    with pytest.raises(Misconfigured, match="ROLLCALL_SECRET_KEY"):
        read_settings()


def test_secrets_are_not_shown():
    settings = Settings(secret_key="sk_hidden_hidden_1", database_url="postgresql://u:hidden@h/d")
    assert "hidden" not in repr(settings)


def test_the_settings_page_has_every_setting_with_its_default_and_unit(root):
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", (root / "docs/settings.md").read_text(), re.M)
    expected = []
    for one in fields(Settings):
        default = {True: "true", False: "false"}.get(one.default, one.default) if one.type == "bool" else one.default
        default = "cores, at most 4" if one.name == "workers" else f"`{default}`" if default != "" else "none"
        expected.append((one.metadata["variable"], default, one.metadata["unit"]))
    assert [(name, re.sub("^`True`$", "`true`", default), unit) for name, default, unit in rows] == [
        (name, re.sub("^`True`$", "`true`", str(default)), unit) for name, default, unit in expected
    ]
