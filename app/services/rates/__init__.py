"""Rate limits for keys, addresses and failed logins."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import limits
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from app import clock, errors, logs, waiting
from app.bounded import BoundedDict
from app.config import NO_RATE, Settings
from app.services.rates.counters import Count, Counters

# A limit is taken from the store in so many portions: below, each time is asked for; above, workers would wait for each
# other's lock more than they work. What a worker has not used of its last portion when the window ends is lost.
_PORTIONS = 1_000
_MAX_LEASES = 4_096  # callers whose portion a process remembers
_REDIS_PATIENCE = 0.1  # seconds to connect and to answer; a Redis that is away must not take the service with it
_REDIS_PAUSE = 1_000  # milliseconds that one which failed is left alone


class Store(Protocol):
    """Keeps the counts: counters.py for the workers of this machine, or Redis for several machines."""

    def add(self, name: str, window: int, amount: int = 1) -> Count:
        """Count a name for so many milliseconds from its first time."""

    def read(self, name: str) -> Count:
        """Return the count of a name without counting."""


class Standing(NamedTuple):
    """Where a caller stands with a limit: how many times it called, and when the window ends (epoch milliseconds)."""

    policy: "Policy"
    times: int
    ends: int

    @property
    def exceeded(self) -> bool:
        """Whether the last time was one too many."""
        return self.times > self.policy.amount

    @property
    def remaining(self) -> int:
        """How many more times the window has room for."""
        return max(0, self.policy.amount - self.times)

    @property
    def seconds(self) -> int:
        """How long until the window ends."""
        return max(0, -((clock.now() - self.ends) // 1000))  # rounded up


class Lease(NamedTuple):
    """A portion of a limit that one process may use up alone: the numbers of its times, and when they end."""

    numbers: Iterator[int]
    ends: int


class Policy:
    """So many times in a window that opens with the first: 100 a minute may be 200 in the minute around its end."""

    def __init__(self, name: str, rate: str, store: Store):
        item = limits.parse(rate)
        self.name, self.amount, self.seconds = name, item.amount, item.get_expiry()
        self.announced = f'"{name}";q={self.amount};w={self.seconds}'
        self._store, self._portion = store, max(1, self.amount // _PORTIONS)
        self._leases: BoundedDict[str, Lease] = BoundedDict(_MAX_LEASES)

    def count(self, who: str) -> Standing:
        """Count one more request of a caller."""
        lease = self._leases.get(who)
        # next() of an iterator is whole: two threads never get the same number.
        if lease and clock.now() < lease.ends and (number := next(lease.numbers, 0)):
            return Standing(self, number, lease.ends)
        last, ends = self._store.add(f"{self.name}/{who}", self.seconds * 1000, self._portion)
        first = last - self._portion + 1
        if self._portion > 1:
            self._leases[who] = Lease(iter(range(first + 1, last + 1)), ends)
        return Standing(self, first, ends)

    def look(self, who: str) -> Standing:
        """Return the limits of a caller, without counting."""
        return Standing(self, *self._store.read(f"{self.name}/{who}"))

    def is_used_up(self, who: str) -> bool:
        """Return True if a caller has no request left, without counting."""
        return self._store.read(f"{self.name}/{who}").times >= self.amount


class Rates:
    """The limits of these settings; None stands for one that is off."""

    def __init__(self, settings: Settings):
        store = _store(settings.rate_storage)

        def policy(name: str, rate: str) -> Policy | None:
            return None if rate == NO_RATE else Policy(name, rate, store)

        self.key = policy("key", settings.rate_key)
        self.address = policy("address", settings.rate_address)
        self.login = policy("login", settings.rate_login)


_shared: list[Counters] = []


def share() -> None:
    """Let all processes that this one forks from now on count together; without it each counts alone."""
    _shared[:] = [Counters()]


def _store(storage: str) -> Store:
    if storage == Settings.rate_storage:
        return _shared[0] if _shared else Counters()
    return RedisStore(storage)


class RedisStore:
    """Counts in Redis. While it is away there are no limits: an outage of Redis must not be one of the service."""

    def __init__(self, url: str):
        try:
            self._redis: Any = storage_from_string(
                url, wrap_exceptions=True, socket_timeout=_REDIS_PATIENCE, socket_connect_timeout=_REDIS_PATIENCE
            )
        except ConfigurationError:
            raise errors.Misconfigured("ROLLCALL_RATE_LIMIT_STORAGE: pip install 'rollcall[redis]'") from None
        self._away_until = 0

    def add(self, name: str, window: int, amount: int = 1) -> Count:
        """As app/services/rates/counters.py does."""
        return self._ask(name, lambda: self._redis.incr(name, window // 1000, amount))

    def read(self, name: str) -> Count:
        """As app/services/rates/counters.py does."""
        return self._ask(name, lambda: self._redis.get(name))

    def _ask(self, name: str, count: Callable[[], Any]) -> Count:
        now = clock.now()
        if now >= self._away_until:
            try:
                return waiting.blocking(lambda: Count(count(), int(self._redis.get_expiry(name) * 1000)))
            except StorageError:
                self._away_until = now + _REDIS_PAUSE
                logs.warning("rate_storage_away", hint="ROLLCALL_RATE_LIMIT_STORAGE cannot be reached; no limits apply")
        return Count(0, now)
