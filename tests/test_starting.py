"""The app as those start it who know Flask: by the environment, by a mapping, by `flask` and by a query."""

import os
import subprocess
import sys

import pytest

from app import create_app
from app.config import read_settings
from app.errors import Misconfigured
from tests.factories import ROOT, Service

TRY = """
import base64, sys
from app import create_app
from app.errors import Misconfigured
from app.models.users import User

app = create_app({{"DATABASE_URL": {url!r}, "ROLLCALL_PUBLIC_KEY": "pk_test_1234567890abcdef",
                   "ROLLCALL_SECRET_KEY": "sk_test_1234567890abcdef", "ROLLCALL_THREADS": 4, "LOG_LEVEL": "critical"}},
                 announce=lambda made: print("made", file=sys.stderr))
with app.app_context():
    assert User.select().count() == 0
key = base64.b64encode(b"pk_test_1234567890abcdef:sk_test_1234567890abcdef").decode()
headers = {{"Authorization": f"Basic {{key}}"}}
client = app.test_client()
assert client.put("/v1/users/u144", json={{"first_name": "Ada"}}, headers=headers).json["uid"] == "u144"
with app.app_context():
    assert [one.uid for one in User.select()] == ["u144"]
assert create_app({{"DATABASE_URL": {url!r}, "ROLLCALL_PUBLIC_KEY": "pk_test_1234567890abcdef",
                   "ROLLCALL_SECRET_KEY": "sk_test_1234567890abcdef", "ROLLCALL_THREADS": 4, "LOG_LEVEL": "critical"}})
try:
    create_app({{"DATABASE_URL": "sqlite:////tmp/another.db"}})
except Misconfigured as error:
    print(error)
with app.app_context():
    assert [one.uid for one in User.select()] == ["u144"]
"""


def run(*words, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env={**kept, **variables}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.ci  # starts Python
def test_a_mapping_a_query_and_a_client(engine, new_database):
    status, said, more = run("-c", TRY.format(url=new_database(engine)))
    assert status == 0, more
    assert said == "This process has an app with other settings already: start another process for it.\n"
    assert more.count("made") == 1


@pytest.mark.ci  # starts Python
def test_wsgi_app_serves_a_client_by_the_environment(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    code = "from wsgi import app; print(app.test_client().get('/readyz').json)"
    status, said, more = run("-c", code, DATABASE_URL=url, LOG_LEVEL="critical")
    assert status == 0 and said.endswith("{'status': 'ok'}\n"), more
    status, routes, more = run("-m", "flask", "--app", "app", "routes", DATABASE_URL=url)
    assert status == 0 and "users.create" in routes, more


@pytest.mark.ci  # starts gunicorn
def test_gunicorn_takes_the_factory(tmp_path):
    checked = run("-m", "gunicorn", "--check-config", "app:create_app()", DATABASE_URL=f"sqlite:///{tmp_path}/x.db")
    assert checked[0] == 0, checked[2]


@pytest.mark.ci  # starts gunicorn
@pytest.mark.parametrize("more", [(), ("-c", os.devnull, "-k", "gthread"), ("-c", os.devnull, "-k", "sync")])
def test_links_and_banner_name_the_address_that_gunicorn_was_told(new_database, more):
    service = Service(new_database("sqlite"), PORT="8123")
    service.command = ("-m", "gunicorn", *more, "-b", f"127.0.0.1:{service.port}", "app:create_app()")
    with service:
        news = service.call("POST", "lists", {"title": "News", "double_optin": True})[1]["id"]
        made = service.call("POST", f"lists/{news}/subscribers", {"email": "a@example.com"})[1]
        place = service.call("GET", f"lists/{news}/subscribers/{made['uid']}")[1]
        home = f"http://127.0.0.1:{service.port}/"
        assert made["confirmation_url"].startswith(home) and place["unsubscribe_url"].startswith(home)
        assert home in service.read_output() and "8123" not in service.read_output()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://:memory:"])
def test_a_database_in_memory_is_refused_with_the_way_out(url):
    with pytest.raises(Misconfigured, match=r"DATABASE_URL: Must name a file.*sqlite:////tmp/"):
        read_settings({"DATABASE_URL": url})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DATABASE_URI": "sqlite:///x.db"}, "DATABASE_URI: There is no such setting. Did you mean DATABASE_URL?"),
        ({"database_url": "sqlite:///x.db"}, "database_url: There is no such setting."),
        ({"SQLALCHEMY_DATABASE_URI": "x"}, "SQLALCHEMY_DATABASE_URI: There is no such setting."),
        ({"PORT": "eighty"}, "PORT: "),
        ({"ROLLCALL_SECRET_KEY": "sk_test_1234567890abcdef"}, "ROLLCALL_PUBLIC_KEY is missing"),
    ],
)
def test_a_mapping_that_will_not_do_is_refused_by_name(given, said):
    with pytest.raises(Misconfigured, match=said):
        create_app(given)


def test_a_mapping_stands_for_the_environment(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("sk_test_1234567890abcdef\n")
    monkeypatch.setenv("PORT", "9000")
    given = {"ROLLCALL_THREADS": 3, "ROLLCALL_PUBLIC_KEY": "pk_test_1234567890abcdef",
             "ROLLCALL_SECRET_KEY_FILE": str(tmp_path / "key"), "ROLLCALL_HOT_PATH": False}  # fmt: skip
    settings = read_settings(given)
    assert (settings.port, settings.threads, settings.secret_key) == (8000, 3, "sk_test_1234567890abcdef")
    assert read_settings().port == 9000
