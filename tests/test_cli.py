"""`rollcall`: what it prints and how it ends."""

import json
import re
import subprocess
import sys

import click
import pytest

from app import cli
from app.models.database import db, forget_connection
from tests.factories import ROOT


@pytest.fixture
def run(new_database, engine, monkeypatch):
    """Run `rollcall` with these words on an empty database; returns the finished process."""
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": new_database(engine)}

    def run(*words, status=0):
        ended = subprocess.run(
            [sys.executable, "-m", "app", *words],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == status, ended.stderr
        return ended

    return run


@pytest.fixture
def json_of(run):
    """The same, with what it prints read as JSON, a line each."""
    return lambda *words: [json.loads(line) for line in run(*words).stdout.splitlines() if line.startswith("{")]


def commands(group, path=()):
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize(
    ("path", "command"), list(commands(cli.main)), ids=lambda one: "-".join(one) if isinstance(one, tuple) else ""
)
def test_every_command_has_help_with_an_example(path, command):
    with click.Context(command, info_name=path[-1]) as context:
        text = command.get_help(context)
    assert command.help and (isinstance(command, click.Group) or f"rollcall {' '.join(path)}" in text)


@pytest.mark.parametrize("url", [
    "postgresql://u:sek%ret@127.0.0.1:1/d", "postgresql://u:sekret@127.0.0.1:1/d?foo=bar", "postgresql://u:sekret@[::1/d",
    "postgresql://u:sek:r@ret@127.0.0.1:1/d", "postgresql://u:sekret@127.0.0.1:port/d", "postgresql+psycopg://u:sekret@h/d",
    "postgresql://u:sekret@127.0.0.1:1/d", "postgresql:///?host=/nowhere&password=sekret", "mysql://u:sekret@h/d",
    "sqlite://u:sekret@h/x", "sqlite:///:memory:", "sqlite:///x.db?password=sekret", "sqlite:////proc/x/y.db", "sqlite:////dev/null",
])  # fmt: skip
def test_a_database_url_that_will_not_do_gives_one_line_without_the_password(url):
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": url}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "migrate"], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("rollcall: ") and ended.stderr.count("\n") == 1
    assert not re.search("sek|ret@|u:", ended.stderr)


def test_migrate_says_what_it_did(run):
    assert run("migrate").stdout.startswith("applied 0001_first")
    assert run("migrate").stdout == "nothing to do\n"


def test_a_workspace_is_made_and_listed(run, json_of):
    run("migrate")
    default = run("workspace", "list")
    assert default.stderr.count("public key") == 1  # the first command made the default workspace and said so
    [made] = json_of("workspace", "create", "acme", "--json")
    assert made.keys() == {"workspace", "environment_id", "public_key", "secret_key"}
    assert re.fullmatch("[A-Za-z0-9]{8}", made["environment_id"])
    default, acme = json_of("workspace", "list", "--json")
    assert default["workspace"] == "default" and acme["public_keys"] == [made["public_key"]]
    assert made["secret_key"] not in json.dumps([default, acme])


def test_what_cannot_be_done_ends_with_1_and_one_line(run):
    run("workspace", "create", "acme")
    for words in (
        ["workspace", "create", "acme"], ["workspace", "create", "a/b"], ["key", "rotate", "--workspace", "nobody"],
        ["key", "revoke", "pk_nobody"], ["list", "create", "t" * 65], ["seed", "1", "--workspace", "nobody"],
    ):  # fmt: skip
        ended = run(*words, status=1)
        assert (
            ended.stderr.startswith("rollcall: ") and ended.stderr.count("\n") == 1 and "Traceback" not in ended.stderr
        )
    assert run("seed", "none", status=2).stderr


def test_keys_are_rotated_and_revoked(json_of, run):
    [first] = json_of("workspace", "create", "acme", "--json")
    [second] = json_of("key", "rotate", "--workspace", "acme", "--overlap", "1", "--json")
    assert json_of("workspace", "list", "--json")[1]["public_keys"] == [first["public_key"], second["public_key"]]
    run("key", "revoke", first["public_key"])
    assert json_of("workspace", "list", "--json")[1]["public_keys"] == [second["public_key"]]
    [third] = json_of("key", "rotate", "--workspace", "acme", "--overlap", "0", "--json")
    assert json_of("workspace", "list", "--json")[1]["public_keys"] == [third["public_key"]]


def test_signatures_are_required_and_no_more(json_of, run, new_database):
    json_of("workspace", "create", "acme", "--json")
    secrets = [json_of("key", "require-signature", "--workspace", "acme", "--json")[0] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{64}", one["signing_secret"]) for one in secrets) and secrets[0] != secrets[1]
    assert run("key", "require-signature", "--workspace", "acme").stdout.startswith("workspace: acme\nsigning_secret: ")
    assert run("key", "require-signature", "--workspace", "acme", "--off").stdout == "signatures are not required\n"
    run("key", "require-signature", "--workspace", "nobody", status=1)


def test_a_list_is_made(run):
    run("migrate"), run("workspace", "list")
    assert re.fullmatch("[0-9a-f]{24}\n", run("list", "create", "Weekly news").stdout)


def test_the_audit_log_is_shown_newest_first(run, json_of):
    [made] = json_of("workspace", "create", "acme", "--json")
    [pair] = json_of("key", "rotate", "--workspace", "acme", "--json")
    origins = ["key", "origins", "add", made["public_key"], "https://a.example"]
    run(*origins), run(*origins), run("key", "revoke", made["public_key"])
    listed = run("list", "create", "News", "--workspace", "acme").stdout.strip()
    shown = json_of("audit", "--workspace", "acme", "--json")
    assert [(one["action"], one["subject"], one["other"]) for one in shown] == [
        ("list.created", listed, None),
        ("key.revoked", made["public_key"], None),
        ("key.origin_added", made["public_key"], "https://a.example"),
        ("key.rotated", pair["public_key"], None),
    ]
    assert {(one["actor"], one["level"], one["request_id"]) for one in shown} == {("cli", "shell", None)}
    assert json_of("audit", "--workspace", "acme", "--limit", "1", "--json") == shown[:1]
    assert run("audit", "--workspace", "acme", "--limit", "1").stdout.split()[1:] == [
        "list.created", "cli", "shell", listed, "-", "-",
    ]  # fmt: skip
    assert run("audit").stdout == "" and run("audit", "--workspace", "nobody", status=1).stderr


def test_openapi_is_printed(run, root):
    assert run("openapi").stdout == (root / "openapi.yaml").read_text()


def test_the_same_seed_makes_the_same_people(run, json_of, new_database, engine):
    from app.config import Settings
    from app.services import storage

    url, people = new_database(engine), []
    for name in ("one", "two"):
        environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": url}
        for words in (["workspace", "create", name], ["seed", "30", "--seed", "5", "--workspace", name]):
            subprocess.run(
                [sys.executable, "-m", "app", *words], env=environment, cwd=ROOT, check=True, capture_output=True
            )
    storage.open(Settings(database_url=url))
    for workspace in (2, 3):
        people.append(
            [
                db.execute_sql(query + f" WHERE workspace_id = {workspace} ORDER BY 1, 2, 3").fetchall()
                for query in (
                    "SELECT uid, first_name, email, number, created_at, last_interaction FROM users",
                    "SELECT timestamp, event, coalesce(CAST(value AS TEXT), '') FROM events",
                )
            ]
        )
    forget_connection()
    assert people[0] == people[1] and len(people[0][0]) == 30 and people[0][1]


def test_the_origins_of_a_key_are_listed_and_taken_away(run, json_of):
    [made] = json_of("workspace", "create", "acme", "--json")
    key = made["public_key"]
    for origin in ("https://b.example", "https://a.example"):
        run("key", "origins", "add", key, origin)
    assert sorted(run("key", "origins", "list", key).stdout.split()) == ["https://a.example", "https://b.example"]
    run("key", "origins", "remove", key, "https://b.example")
    assert run("key", "origins", "list", key).stdout == "https://a.example\n"
    assert run("key", "origins", "add", key, "not an origin", status=1).stderr.startswith("rollcall: ")
