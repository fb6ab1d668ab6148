"""Starting, stopping, and what happens when the database is not there. Slow: each test starts a service, one twice."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.factories import Service, basic, free_port, has_ipv6, keys_in, wait_until

pytestmark = pytest.mark.ci


def test_the_first_start_prints_the_keys_once_and_a_curl_line_that_works(new_database, engine):
    service = Service(new_database(engine), ROLLCALL_PUBLIC_KEY="", ROLLCALL_SECRET_KEY="")
    service.command = ("-m", "app", "serve")
    with service:
        output = service.read_output()
        service.public, service.secret = keys_in(output)
        assert f"{service.port}/v1" in output and f"{service.port}/docs/" in output
        [line] = [line.strip() for line in output.splitlines() if line.strip().startswith("curl ")]
        reply = json.loads(subprocess.run(line, shell=True, check=True, capture_output=True).stdout)
        assert (reply["uid"], reply["first_name"]) == ("u144", "Ada")
        service.stop()
        service.start()
        again = service.read_output()[len(output) :]
        assert "secret key" not in again
        assert f"http://127.0.0.1:{service.port}/v1\n" in again and f"http://127.0.0.1:{service.port}/docs/\n" in again
        assert service.call("GET", "users/u144")[1] == reply


def test_keys_given_by_the_environment_are_taken_and_the_secret_is_not_printed(new_database, engine):
    with Service(new_database(engine)) as service:
        assert service.call("GET", "users")[0] == 200
        assert service.secret not in service.read_output() and service.public in service.read_output()


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked_and_leaves_no_process_behind(new_database, engine, with_signal):
    with Service(new_database(engine)) as service:
        group = os.getpgid(service.process.pid)
        assert service.stop(with_signal) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


def test_requests_under_way_are_finished_first(new_database, engine):
    with Service(new_database(engine)) as service, service.connection() as connection:
        connection.connect()
        body = json.dumps({"first_name": "x" * 200}).encode()
        head = (
            f"PUT /v1/users/draining HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(service.public, service.secret)}\r\n"
        )
        connection.sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:50])
        service.wait_until_read()
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.status("/healthz") is None)  # it accepts no more
        connection.sock.sendall(body[50:])
        assert connection.sock.recv(65536).startswith(b"HTTP/1.1 200")
        assert service.stop() == 0


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize(("host", "address"), [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1"), ("[::1]", "::1")])
def test_it_listens_on_ipv6(new_database, host, address):
    """cases/host-ipv6.md"""
    service = Service(new_database("sqlite"), HOST=host)
    service.address = address
    with service:
        assert service.call("PUT", "users/a", {"first_name": "Ada"})[0] == 200
        assert service.call("GET", "users/a")[1]["first_name"] == "Ada"
        assert f"http://[::1]:{service.port}/docs/" in service.read_output()


def test_unknown_variables_are_one_warning_and_those_of_platforms_none(new_database):
    platform = {"ROLLCALL_PORT": "tcp://10.0.0.1:80", "ROLLCALL_SERVICE_HOST": "10.0.0.1"}
    with Service(new_database("sqlite"), ROLLCALL_COLOUR="sk_hidden", ROLLCALL_SIZE="1", **platform) as service:
        warnings = [line for line in service.read_output().splitlines() if '"unknown_settings"' in line]
        assert [json.loads(line)["variables"] for line in warnings] == [["ROLLCALL_COLOUR", "ROLLCALL_SIZE"]]
        assert "sk_hidden" not in service.read_output()


@pytest.mark.parametrize(("name", "value", "told"), [
    ("PORT", "eighty", "PORT: Not a valid integer."),
    ("HOST", "::1:8000/x", "HOST: Must be one address or host name, such as 0.0.0.0 or ::, without a port (PORT)."),
    ("ROLLCALL_THREAD", "4", "ROLLCALL_THREAD: There is no such setting. Did you mean ROLLCALL_THREADS?"),
])  # fmt: skip
def test_a_bad_setting_stops_the_start_with_one_line(new_database, name, value, told):
    for command in (["-m", "app", "serve"], ["-m", "gunicorn", "wsgi:app"]):
        environment = {**os.environ, name: value}
        ended = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=30)
        assert ended.returncode != 0
        assert ended.stderr.strip() == f"rollcall: {told}"


@pytest.mark.parametrize("worker", ["app.serving.worker.Worker", "gthread", "sync"])
def test_gunicorn_alone_serves_it_with_any_worker(new_database, engine, worker):
    service = Service(new_database(engine))
    service.command = ["-m", "gunicorn", "-k", worker, "--threads", "4", "wsgi:app"]
    with service:
        assert service.call("PUT", "users/a@example.com", {"meta": {"plan": "pro"}})[0] == 200
        assert service.call("GET", "users/a@example.com")[1]["meta"] == {"plan": "pro"}
        too_long = service.call("POST", "users", {"id": "a", "extra": "x" * 70_000})
        assert (too_long[0], too_long[1]["code"]) == (413, "body_too_large")


def test_a_postgres_that_is_away_is_503_and_is_made_ready_when_it_comes(postgres, new_database):
    import psycopg

    url = postgres.format("latecomer")
    service = Service(url)
    service.ready = "/healthz"
    with service:
        assert service.call("GET", "/readyz", by=None)[0] == 503
        status, body = service.call("GET", "users")
        assert (status, body["code"]) == (503, "storage_unavailable")
        with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE latecomer")
        wait_until(lambda: service.call("GET", "users")[0] == 200)
        assert service.call("GET", "/readyz", by=None)[0] == 200
        assert service.stop() == 0


def test_nobody_listens_at_the_database_url():
    service = Service(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    service.ready = "/healthz"
    with service:
        assert [service.call("GET", path)[0] for path in ("/readyz", "users")] == [503, 503]
        assert service.stop() == 0
        assert "nobody" not in service.read_output()
