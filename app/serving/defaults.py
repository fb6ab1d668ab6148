"""gunicorn's settings, tuned for this service; gunicorn.conf.py at the top level is this file by another name."""

from dataclasses import replace
from typing import Any

from app import banner, logs
from app.config import Settings, read_settings, unknown
from app.errors import Misconfigured, StorageUnavailable
from app.services import rates, storage
from app.serving import accepting, job_process
from app.serving.worker import stop_newborn_workers

try:
    _settings = read_settings()
except Misconfigured as error:
    raise SystemExit(f"rollcall: {error}") from None

# At debug level gunicorn writes the paths of requests, in which uids stand.
_server_level = "INFO" if _settings.log_level == "debug" else _settings.log_level.upper()

wsgi_app = "wsgi:app"
bind = _settings.bind
workers = _settings.workers
worker_class = "app.serving.worker.Worker"
# SQLite answers from memory: a thread would only add to it. On Postgres the waits of several requests overlap.
threads = 1 if _settings.is_sqlite else _settings.threads
worker_connections = 1000
backlog = 2048
keepalive = 5  # seconds; longer than the pause between two calls of one SDK session, shorter than a proxy's patience
timeout = 30  # seconds without a sign of life until a worker is replaced
graceful_timeout = _settings.shutdown_timeout
limit_request_line = 8190  # bytes; a uid of 255 characters is 3,060 when each has 4 bytes, percent-encoded
limit_request_fields = 100
limit_request_field_size = 8190
asgi_lifespan = "off"
forwarded_allow_ips = _settings.trusted_proxies  # what app/api/proxies.py believes, and no more
control_socket_disable = True  # two services of one user would take each other's
max_requests = 0
loglevel = _server_level.lower()
errorlog = "-"
accesslog = None  # app/api/requests.py writes one line a request, which names no user
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "app.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": _server_level, "handlers": ["stderr"], "propagate": False}},
}


def on_starting(server):  # type: ignore[no-untyped-def]
    """Make the database ready before there are workers; without it they start too, and answer 503 until it is there."""
    stop_newborn_workers()
    rates.share()
    logs.configure(_settings.log_level)
    if names := unknown():
        logs.warning("unknown_settings", variables=names, hint="they set nothing; docs/settings.md has all that do")
    try:
        storage.open(_settings)
        server.rollcall_announcement = storage.announce()
        storage.warn_of_rights(_settings)
        made = storage.start(_settings)
        if not storage.is_durable():
            logs.warning("not_durable", hint="fsync is off in Postgres: it may lose acknowledged writes in a crash")
    except StorageUnavailable as error:
        logs.warning("database_away", hint=f"{storage.why(error)} Answering 503 until it is there.")
    except Misconfigured as error:
        raise SystemExit(f"rollcall: {error}") from None
    else:
        if made:
            banner.show(_at(server), made)
        else:
            banner.show_addresses(_at(server))
    finally:
        storage.disconnect()


def _at(server: Any) -> Settings:
    """Return the settings with the address that is listened on: `gunicorn --bind` goes before HOST and PORT."""
    address = server.cfg.address[0]
    return replace(_settings, host=address[0], port=address[1]) if isinstance(address, tuple) else _settings


def when_ready(server):  # type: ignore[no-untyped-def]
    """Start the worker beside the workers."""
    job_process.start()


def on_exit(server):  # type: ignore[no-untyped-def]
    """Stop it, once the requests under way are answered."""
    job_process.stop()


def post_fork(server, worker):  # type: ignore[no-untyped-def]
    """Start each worker without any connection of its parent."""
    storage.abandon_connections()


def child_exit(server, worker):  # type: ignore[no-untyped-def]
    """Have the others take the connections of a worker that died."""
    accepting.forget(worker.age)
