"""Settings: read once from the environment, frozen, and documented in docs/settings.md (a test compares the two)."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import limits
from environs import Env, EnvError, validate

from app.domain import environments, spelling
from app.errors import Misconfigured

NO_RATE = "0"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_PUBLIC_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HOST_NAME = re.compile(r"(?![0-9.]+$)[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")
_PREFIX = "ROLLCALL_"
NEEDS_FILE = (
    "Must name a file, as in memory each connection would have a database of its own. For one that is thrown away, "
    "name a file in a new folder, such as sqlite:////tmp/try/rollcall.db."
)
# What container platforms set for a service of the name rollcall: Kubernetes, and links of Docker.
_INJECTED = ("ROLLCALL_PORT", "ROLLCALL_SERVICE_")
_NEAR = 2  # edits from the name of a setting: surely a misspelt one
_MOST_DAYS = 36_500  # a hundred years: no event may be older than that
_DEFAULT_WORKERS = min(os.cpu_count() or 1, 4)  # more gained nothing where it was measured, and each costs memory


def _setting(
    variable: str, default: Any, unit: str, check: Callable[..., Any] | None = None, secret: bool = False
) -> Any:
    return field(
        default=default,
        repr=not secret,
        metadata={"variable": variable, "unit": unit, "check": check, "secret": secret},
    )


def _check_host(text: str) -> None:
    if not _HOST_NAME.fullmatch(text) and not _is_address(text):
        raise validate.ValidationError(
            "Must be one address or host name, such as 0.0.0.0 or ::, without a port (PORT)."
        )


def _is_address(text: str) -> bool:
    """Return True if it is an IPv4 address, or an IPv6 one, in brackets or not; gunicorn knows no scopes."""
    is_bracketed = text.startswith("[") and text.endswith("]")
    try:
        found = ipaddress.ip_address(text[1:-1] if is_bracketed else text)
    except ValueError:
        return False
    return "%" not in text and (found.version == 6 or not is_bracketed)


def _check_database_url(text: str) -> None:
    parts = urlsplit(text)
    only_path = not (parts.netloc or parts.query or parts.fragment)  # a file named x.db?mode=ro is nobody's wish
    if parts.scheme == "sqlite" and parts.path.strip("/") in ("", ":memory:"):
        raise validate.ValidationError(NEEDS_FILE)
    if parts.scheme == "sqlite" and only_path:
        return
    if parts.scheme in ("postgresql", "postgres") and (parts.netloc or parts.query or len(parts.path) > 1):
        return
    raise validate.ValidationError("Must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.")


def _check_rate(text: str) -> None:
    try:
        items: list[limits.RateLimitItem] | None = [] if text == NO_RATE else limits.parse_many(text)
    except ValueError:
        items = None
    if items is None or len(items) > 1 or any(item.amount < 1 for item in items):
        raise validate.ValidationError("Must be like 100/second, 60/minute or 1000/2 hours, or 0 for none.")


def _check_rate_storage(text: str) -> None:
    if text != Settings.rate_storage and urlsplit(text).scheme not in ("redis", "rediss", "redis+unix"):
        raise validate.ValidationError("Must be memory or like redis://HOST:6379/0.")


def _check_public_url(text: str) -> None:
    parts = urlsplit(text)
    is_whole = parts.scheme in ("http", "https") and _PUBLIC_HOST.fullmatch(parts.netloc) and parts.port != 0
    if not is_whole or parts.query or parts.fragment or not text.isascii() or any(map(str.isspace, text)):
        raise validate.ValidationError("Must be like https://users.example.com or https://example.com/users.")


def _networks(text: str) -> list[Network]:
    return [ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip()]


def _check_networks(text: str) -> None:
    try:
        _networks(text)
    except ValueError:
        raise validate.ValidationError("Must be addresses or networks such as 10.0.0.0/8, with commas.") from None


def _check_environment_id(text: str) -> None:
    if not environments.is_valid(text):
        raise validate.ValidationError(environments.RULE)


_KEY = validate.Regexp(r"^[A-Za-z0-9_.~-]{8,128}$", error="Must be 8 to 128 letters, digits or _ . ~ -")
_CLIENT_ID = validate.Regexp(r"^[A-Za-z0-9_~-]{8,128}$", error="Must be 8 to 128 letters, digits or _ ~ -")
_LONG_KEY = validate.Regexp(r"^[A-Za-z0-9_.~-]{16,128}$", error="Must be 16 to 128 letters, digits or _ . ~ -")


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Units and defaults: docs/settings.md."""

    host: str = _setting("HOST", "127.0.0.1", "address", _check_host)
    port: int = _setting("PORT", 8000, "TCP port", validate.Range(1, 65535))
    database_url: str = _setting("DATABASE_URL", "sqlite:///data/rollcall.db", "URL", _check_database_url, secret=True)
    workers: int = _setting("WEB_CONCURRENCY", _DEFAULT_WORKERS, "processes", validate.Range(1, 64))
    threads: int = _setting("ROLLCALL_THREADS", 8, "threads a process", validate.Range(1, 64))
    log_level: str = _setting(
        "LOG_LEVEL", "info", "level", validate.OneOf(["debug", "info", "warning", "error", "critical"])
    )
    public_key: str = _setting("ROLLCALL_PUBLIC_KEY", "", "text", _KEY)
    secret_key: str = _setting("ROLLCALL_SECRET_KEY", "", "text", _LONG_KEY, secret=True)
    environment_id: str = _setting("ROLLCALL_ENVIRONMENT_ID", "", "text", _check_environment_id)
    client_id: str = _setting("ROLLCALL_CLIENT_ID", "", "text", _CLIENT_ID)
    client_secret: str = _setting("ROLLCALL_CLIENT_SECRET", "", "text", _LONG_KEY, secret=True)
    create_id: str = _setting("ROLLCALL_CREATE_ID", "alphanumeric", "rule", validate.OneOf(["alphanumeric", "any"]))
    public_replies: str = _setting("ROLLCALL_PUBLIC_REPLIES", "sent", "rule", validate.OneOf(["sent", "full"]))
    statement_timeout: int = _setting(
        "ROLLCALL_STATEMENT_TIMEOUT", 15_000, "milliseconds", validate.Range(100, 600_000)
    )
    lock_timeout: int = _setting("ROLLCALL_LOCK_TIMEOUT", 5_000, "milliseconds", validate.Range(100, 600_000))
    prepare_statements: bool = _setting("ROLLCALL_PREPARE_STATEMENTS", True, "true or false")
    pooler: str = _setting("ROLLCALL_POOLER", "none", "kind", validate.OneOf(["none", "transaction"]))
    shutdown_timeout: int = _setting("ROLLCALL_SHUTDOWN_TIMEOUT", 10, "seconds", validate.Range(1, 600))
    rate_key: str = _setting("ROLLCALL_RATE_KEY", "20000/second", "requests in a time", _check_rate)
    rate_address: str = _setting("ROLLCALL_RATE_ADDRESS", "10000/second", "requests in a time", _check_rate)
    rate_login: str = _setting("ROLLCALL_RATE_LOGIN", "100/minute", "failures in a time", _check_rate)
    rate_storage: str = _setting("ROLLCALL_RATE_LIMIT_STORAGE", "memory", "URL", _check_rate_storage, secret=True)
    public_url: str = _setting("ROLLCALL_PUBLIC_URL", "", "URL", _check_public_url)
    trusted_proxies: str = _setting("ROLLCALL_TRUSTED_PROXIES", "", "addresses", _check_networks)
    jwks_networks: str = _setting("ROLLCALL_JWKS_NETWORKS", "", "addresses", _check_networks)

    hot_path: bool = _setting("ROLLCALL_HOT_PATH", True, "true or false")

    erasure_journal: str = _setting("ROLLCALL_ERASURE_JOURNAL", "", "path")

    erased_uid_days: int = _setting("ROLLCALL_ERASED_UID_DAYS", 30, "days", validate.Range(0, _MOST_DAYS))

    segment_sweep: int = _setting("ROLLCALL_SEGMENT_SWEEP", 60, "seconds", validate.Range(1, 86_400))
    erasure_delay: int = _setting("ROLLCALL_ERASURE_DELAY", 0, "seconds", validate.Range(0, 30 * 86_400))

    purge_hour: int = _setting("ROLLCALL_PURGE_HOUR", 3, "hour of the day, UTC", validate.Range(-1, 23))

    event_retention_days: int = _setting("ROLLCALL_EVENT_RETENTION_DAYS", 0, "days", validate.Range(0, _MOST_DAYS))

    @property
    def journal_path(self) -> str:
        """The file of the journal of erasures, empty where there is none."""
        return self.erasure_journal or (f"{self.sqlite_path}.erasures" if self.is_sqlite else "")

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> str:
        """The file that `sqlite:///data/x.db` (relative) or `sqlite:////var/x.db` (absolute) names."""
        return self.database_url.removeprefix("sqlite:///")

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler gives each transaction whichever server connection is free."""
        return self.pooler == "transaction" or not self.prepare_statements

    @property
    def proxies(self) -> list[Network]:
        """The networks whose word on the client's address is taken."""
        return _networks(self.trusted_proxies)

    @property
    def jwks_private(self) -> list[Network]:
        """The private networks in which key sets may lie."""
        return _networks(self.jwks_networks)

    @property
    def public_base(self) -> str:
        """What the addresses that we hand out begin with, without a slash at its end; empty where nothing is set."""
        return self.public_url.rstrip("/")

    @property
    def base_url(self) -> str:
        """Where this machine reaches the service."""
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(self._host_in_url, self._host_in_url)  # noqa: S104 - only read
        return f"http://{host}:{self.port}"

    @property
    def bind(self) -> str:
        """Where to listen, as host:port."""
        return f"{self._host_in_url}:{self.port}"

    @property
    def _host_in_url(self) -> str:
        return f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host


def read_settings(given: Mapping[str, object] | None = None) -> Settings:
    """Return the settings that the environment asks for; a variable that is unset or empty keeps its default.

    A secret may stand in a file instead, which VARIABLE_FILE names. given: the variables in place of the environment,
    of which nothing else is read then; values that are no text are written as text.
    Raises errors.Misconfigured, naming the variable, at the first value that will not do, and at one that is nearly the
    name of a setting; of those given at any that is none.
    """
    texts = dict(os.environ) if given is None else {name: _text(value) for name, value in given.items()}
    for name in unknown(texts) if given is None else texts.keys() - _names():
        near = [one for one in _known() if spelling.edits(name, one) <= _NEAR]
        if near or given is not None:
            question = f" {spelling.question(near)}" if near else ""
            raise Misconfigured(f"{name}: There is no such setting.{question}")
    settings = Settings(**{one.name: _read(texts, one) for one in fields(Settings)})
    _check_pair(("PUBLIC_KEY", settings.public_key), ("SECRET_KEY", settings.secret_key))
    _check_pair(("CLIENT_ID", settings.client_id), ("CLIENT_SECRET", settings.client_secret))
    return settings


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def unknown(variables: Mapping[str, str] | None = None) -> list[str]:
    """Return the variables ROLLCALL_... that have a value and set nothing, sorted; None stands for the environment."""
    return sorted(
        name
        for name, value in (os.environ if variables is None else variables).items()
        if name.startswith(_PREFIX) and value.strip() and name not in _names() and not name.startswith(_INJECTED)
    )


def _names() -> set[str]:
    return {*_known(), *(f"{one.metadata['variable']}_FILE" for one in fields(Settings) if one.metadata["secret"])}


def _known() -> list[str]:
    return [one.metadata["variable"] for one in fields(Settings)]


def _check_pair(*given: tuple[str, str]) -> None:
    missing = [name for name, value in given if not value]
    if len(missing) == 1:
        raise Misconfigured(f"ROLLCALL_{missing[0]} is missing: the two halves of a pair are set together.")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process and these variables: for a program that we start."""
    return {**os.environ, **more}


def _read(texts: Mapping[str, str], one: Field[Any]) -> Any:
    variable, check = one.metadata["variable"], one.metadata["check"]
    in_file = one.metadata["secret"] and texts.get(f"{variable}_FILE")
    if not texts.get(variable, "").strip() and not in_file:
        return one.default
    env = _Env(texts)
    try:
        value = getattr(env, type(one.default).__name__)(variable)
        value = value.strip() if isinstance(value, str) else value
        if check:
            check(value)
    except (EnvError, validate.ValidationError, ValueError) as error:
        raise Misconfigured(f"{variable}: {_reason(error)}") from None
    return value


class _Env(Env):  # type: ignore[misc]
    """Reads variables, and secrets from files, by a mapping that need not be the environment."""

    def __init__(self, texts: Mapping[str, str]):
        super().__init__()
        self._texts = texts

    def _get_value(self, env_key: str, default: Any) -> Any:
        path = self._texts.get(f"{env_key}_FILE")
        if not path:
            return self._texts.get(env_key, default)
        try:
            return Path(path).read_text()
        except OSError:
            raise ValueError(f"The value of {env_key}_FILE must be a readable file path.") from None


def _reason(error: Exception) -> str:
    """The last sentence that environs gives, without the value itself: it may be a secret."""
    messages = getattr(error, "error_messages", None) or getattr(error, "messages", None) or [str(error)]
    return " ".join(str(message) for message in messages) if isinstance(messages, list) else str(messages)
