"""One round of load: wrk with one thread, whose requests are made from a template."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.people import FRESH, USER

_SCRIPT = """
local users, fresh = {users}, {first}
local headers = {{{headers}}}
math.randomseed({first})
request = function()
  fresh = fresh + 1
  local user = math.random(1, users)
  return wrk.format({method}, {path}, headers, {body})
end
done = function(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format(
    'RESULT {{"requests": %d, "seconds": %.6f, "p50": %.4f, "p99": %.4f, "errors": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    wrong.status + wrong.connect + wrong.read + wrong.write + wrong.timeout))
end
"""
_next_fresh = 1_000_000_000  # above every number that was ever preloaded
_FRESH_A_ROUND = 10_000_000  # more than any contender makes in one


@dataclass(frozen=True)
class Request:
    """A request to send again and again. USER and FRESH in path and body are filled in each time."""

    method: str
    path: str
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers, with the type of the body if there is one."""
        return {**({"Content-Type": "application/json"} if self.body else {}), **self.headers}

    def once(self, user: int, fresh: int) -> tuple[str, str | None]:
        """Return path and body for one user."""
        path, body = (
            text and text.replace(USER, str(user)).replace(FRESH, str(fresh)) for text in (self.path, self.body)
        )
        return path or "", body


@dataclass(frozen=True)
class Load:
    """What one round measured. p50 and p99 in milliseconds; errors: not 2xx or 3xx, and those of sockets."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def take_fresh() -> int:
    """Return the first of many numbers that no round has had."""
    global _next_fresh
    _next_fresh += _FRESH_A_ROUND
    return _next_fresh


def run(port: int, request: Request, users: int, connections: int, seconds: int) -> Load:
    """Send the request on so many keep-alive connections for so long."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(request, users))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10", "-s", script.name]
        output = subprocess.run([*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True)
    return Load(**json.loads(re.findall(r"^RESULT (.*)$", output.stdout, re.M)[0]))


def _script(request: Request, users: int) -> str:
    return _SCRIPT.format(
        users=users,
        first=take_fresh(),
        method=_text(request.method),
        path=_template(request.path),
        body=_template(request.body) if request.body else "nil",
        headers=", ".join(f"[ {_text(name)} ] = {_text(value)}" for name, value in request.all_headers.items()),
    )


def _template(text: str) -> str:
    names = {USER: "user", FRESH: "fresh"}
    return " .. ".join(names.get(part) or _text(part) for part in re.split(f"({USER}|{FRESH})", text) if part)


def _text(text: str) -> str:
    return f"[==[{text}]==]"
