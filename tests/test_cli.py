"""`rollcall`: what it prints and how it ends."""

import functools
import json
import os
import re
import subprocess
import sys

import click
import pytest

from app import cli
from app.config import Settings
from app.models.database import db, forget_connection
from app.services import storage
from tests import shell
from tests.factories import ROOT


@pytest.fixture
def run(migrated_database, engine):
    """Run `rollcall` with these words on a database that has a workspace; returns what it printed."""
    return functools.partial(_run, migrated_database(engine))


@pytest.fixture
def run_first(new_database, engine):
    """The same on an empty database."""
    return functools.partial(_run, new_database(engine))


def _run(url, *words, status=0):
    ended = shell.run(words, {"PATH": "/usr/bin:/bin", "DATABASE_URL": url})
    assert ended.exit_code == status, ended.stderr
    return ended


def _run_process(url, *words):
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "ROLLCALL_EVENT_RETENTION_DAYS": "90"}
    return subprocess.run(
        [sys.executable, "-m", "app", *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )


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
    ended = _run(url, "migrate", status=1)
    assert ended.stdout == ""
    assert ended.stderr.startswith("rollcall: ") and ended.stderr.count("\n") == 1
    assert not re.search("sek|ret@|u:", ended.stderr)


def test_migrate_says_what_it_did(run_first):
    assert run_first("migrate").stdout.startswith("applied 0001_first")
    assert run_first("migrate").stdout == "nothing to do\n"


def test_the_first_command_makes_the_default_workspace_and_says_so(run_first):
    run_first("migrate")
    assert run_first("workspace", "list").stderr.count("public key") == 1
    assert run_first("workspace", "list").stderr == ""


def test_a_workspace_is_made_and_listed(json_of):
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


def test_the_same_seed_makes_the_same_people(migrated_database, engine):
    url, people = migrated_database(engine), []
    for name in ("one", "two"):
        for words in (["workspace", "create", name], ["seed", "30", "--seed", "5", "--workspace", name]):
            _run(url, *words)
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


def test_rollcall_is_a_process_that_ends_with_its_status(new_database):
    url = new_database("sqlite")
    ended = _run_process(url, "migrate")
    assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout.startswith("applied 0001_first")
    ended = _run_process(url, "key", "revoke", "pk_nobody")
    assert ended.returncode == 1 and "\nrollcall: " in ended.stderr


# What each command prints, in this order on one database. {0} is the key of the workspace, {1} a client, {2} a folder.
PRINTED = {
    "migrate": "applied 0001_first",
    "workspace create acme": "workspace: acme\n",
    "workspace list": "acme",
    "key rotate --workspace acme": "secret_key: ",
    "key require-signature --workspace acme": "signing_secret: ",
    "key origins add {0} https://a.example": "",
    "key origins list {0}": "https://a.example\n",
    "key origins remove {0} https://a.example": "",
    "key revoke {0}": "revoked",
    "credentials create events": "client_secret: ",
    "credentials list": "events",
    "credentials revoke {1}": "revoked",
    "deletions retry": "0 to be tried again",
    "list create News": "",
    "seed 10": "",
    "import {2}/users.ndjson": "1 stored, 0 refused",
    "audit --workspace acme": "key.revoked",
    "purge": "purged",
    "sweep": "events deleted",
    "backup {2}/backup": "bytes",
    "restore {2}/backup --force": "restored",
    "openapi": "openapi: 3",
}


@pytest.mark.ci
def test_every_command_runs_in_a_process_of_its_own(new_database, tmp_path):
    """Slow: each of 22 processes imports the app. `serve` and `worker` are in tests/serving."""
    said = {" ".join(path) for path, command in commands(cli.main) if not isinstance(command, click.Group)}
    assert said - {"serve", "worker"} == {name for name in said for line in PRINTED if line.startswith(name)}
    (tmp_path / "users.ndjson").write_text('{"id": "u1"}')
    url, key, client = new_database("sqlite"), "", ""
    for line, printed in PRINTED.items():
        ended = _run_process(url, *line.format(key, client, tmp_path).split())
        assert ended.returncode == 0 and printed in ended.stdout, (line, ended)
        key = key or "".join(re.findall("public_key: (.*)", ended.stdout))
        client = client or "".join(re.findall("client_id: (.*)", ended.stdout))
