"""Rate limits of requests: which counter a request uses, and the RateLimit headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: RateLimit-Policy tells the limits, RateLimit what is
left of them and for how many seconds.
"""

from collections.abc import Sequence

from flask import Flask, Request, current_app, g, request

from app import errors
from app.api.proxies import client
from app.config import Settings
from app.services.keys import Credential
from app.services.rates import Policy, Rates, Standing

# In the environ of a request that the hot path has counted already: {name of the policy: where it stands}.
COUNTED = "rollcall.counted"
_TOKENS = "atomic.issue_token"  # the endpoint that takes credentials in a form
UNLIMITED = ("health",)  # blueprints: whoever watches the service must see it when it is busiest


def init_app(app: Flask, settings: Settings) -> None:
    """Count the requests to the app. Raises errors.Misconfigured."""
    app.extensions["rates"] = Rates(settings)


def count_address(request: Request) -> None:
    """Count the request for its address. Raises errors.TooManyRequests."""
    g.standings = []
    policy = _rates().address
    if policy and request.blueprint not in UNLIMITED:
        _count(policy, client())


def check_logins() -> None:
    """Refuse an address from which too many logins failed, whatever it brings now. Raises errors.TooManyRequests.

    Letting the right credentials pass would tell those who guess that they are.
    """
    policy = _rates().login
    if policy and not (standing := policy.look(client())).remaining:
        g.standings.append(standing)
        raise errors.TooManyRequests()


def count_failed_login() -> None:
    """Count credentials that were wrong; what brings none is no login."""
    policy = _rates().login
    if policy and ("Authorization" in request.headers or request.endpoint == _TOKENS):
        g.standings.append(policy.count(client()))


def count_key(credential: Credential) -> None:
    """Count the request for its key. Raises errors.TooManyRequests."""
    if policy := _rates().key:
        _count(policy, name_of(credential))


def announced(status: int) -> dict[str, str]:
    """Return the headers that say where the caller of the request stands, for a reply with that status."""
    standings: list[Standing] = g.get("standings", [])
    if status == 429 and standings:
        return {**headers(standings), "Retry-After": str(max(1, standings[-1].seconds))}
    return headers(standings)


def headers(standings: Sequence[Standing]) -> dict[str, str]:
    """Return the headers that say where a caller stands."""
    if not standings:
        return {}
    left = [f'"{one.policy.name}";r={one.remaining};t={one.seconds}' for one in standings]
    return {
        "RateLimit-Policy": ", ".join([one.policy.announced for one in standings]),
        "RateLimit": ", ".join(left),
    }


def name_of(credential: Credential) -> str:
    """Return the name under which a key is counted: the public key alone apart, for it stands in web pages."""
    return f"{credential.public_key}/{credential.full}"


def _count(policy: Policy, who: str) -> None:
    standing = request.environ.get(COUNTED, {}).get(policy.name) or policy.count(who)
    g.standings.append(standing)
    if standing.exceeded:
        raise errors.TooManyRequests()


def _rates() -> Rates:
    return current_app.extensions["rates"]  # type: ignore[no-any-return]
