"""Kinto on Postgres, served by gunicorn."""

import json
import subprocess
from datetime import datetime, timedelta

from benchmarks.peers.contender import BASIC, Contender, python_environment
from benchmarks.people import CHANGE, EVENT, PAGE, person
from benchmarks.wrk import Request

_PACKAGES = ("kinto[postgresql]", "gunicorn")
_RECORDS = "/v1/buckets/rollcall/collections/{}/records"
_BEGIN = datetime(2026, 1, 1)  # noqa: DTZ001 - the column has no zone
_INI = """
[app:main]
use = egg:kinto
kinto.userid_hmac_secret = benchmark
multiauth.policies = basicauth
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {url}
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {url}
[server:main]
use = egg:waitress#main
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = ERROR
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
_WSGI = """
from kinto import main
from pyramid.paster import get_appsettings
application = main({{}}, **get_appsettings({path!r}, "main"))
"""


class Kinto(Contender):
    """Two workers of gunicorn with four threads each."""

    name = "Kinto, 2 workers"
    durability = "Postgres, synchronous_commit=on"
    note = "no side tables"
    needs_postgres = True

    @classmethod
    def install(cls) -> None:
        """Install."""
        python_environment("kinto", _PACKAGES)

    def start(self) -> None:
        """Start it, make the bucket, and fill its table of objects."""
        assert self.postgres
        programs = python_environment("kinto", _PACKAGES)
        ini = self.folder / "kinto.ini"
        ini.write_text(_INI.format(url=self.postgres.url))
        (self.folder / "kinto_wsgi.py").write_text(_WSGI.format(path=str(ini)))
        with self.postgres.connect() as connection:  # Kinto insists
            connection.execute("ALTER DATABASE postgres SET timezone = 'UTC'")
        subprocess.run([programs / "kinto", "migrate", "--ini", ini], check=True, capture_output=True)
        options = ["-k", "gthread", "-w", "2", "--threads", "4", "--no-control-socket"]
        self.launch([programs / "gunicorn", *options, "-b", f"127.0.0.1:{self.port}", "kinto_wsgi:application"])
        self.await_port()
        for path in (
            "/v1/buckets/rollcall",
            *(f"/v1/buckets/rollcall/collections/{one}" for one in ("users", "events")),
        ):
            status, text = self.send("PUT", path, Authorization=BASIC)
            if status != 201:
                raise RuntimeError(text + self.output())
        self._fill()
        self.postgres.settle()

    def _fill(self) -> None:
        assert self.postgres
        columns = "id, parent_id, resource_name, last_modified, data, deleted"
        with self.postgres.connect() as connection:
            connection.execute("SET session_replication_role = replica")  # its trigger would read for each row
            with connection.cursor().copy(f"COPY objects ({columns}) FROM STDIN") as copy:
                for number in range(1, self.users + 1):
                    one = person(number)
                    stamp = (_BEGIN + timedelta(milliseconds=number)).isoformat()  # no two may be equal
                    parent = "/buckets/rollcall/collections/users"
                    copy.write_row((one.pop("uid"), parent, "record", stamp, json.dumps(one), False))

    def requests(self) -> dict[str, Request]:
        """Return the five."""
        by, users = {"Authorization": BASIC}, _RECORDS.format("users")
        new = '{"data":{"first_name":"Ada","email":"ada@fresh@@example.com","meta":{"plan":"gold","age":34}}}'
        merge = {**by, "Content-Type": "application/merge-patch+json"}
        return {
            "create": Request("PUT", f"{users}/c@fresh@", new, by),
            "get": Request("GET", f"{users}/u@user@", None, by),
            "update": Request("PATCH", f"{users}/u@user@", f'{{"data":{CHANGE}}}', merge),
            "event": Request("POST", _RECORDS.format("events"), '{"data":{"user":"u@user@",' + EVENT[1:] + "}", by),
            "page": Request("GET", f"{users}?_limit={PAGE}&_sort=id&gt_id=u{self.users // 2}", None, by),
        }
