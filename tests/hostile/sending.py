"""Sends a case: prepares what it needs, checks the reply and what is stored."""

import contextlib
import dataclasses
import http.client
import json
import socket
import time

from tests.hostile import checks
from tests.hostile.cast import Cast
from tests.hostile.target import Missing, NotPrepared, retry_after


@dataclasses.dataclass
class Answer:
    """A reply as it came: status is a number, or "hang", "closed" or "unreadable"."""

    status: int | str
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    seconds: float = 0.0

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclasses.dataclass
class Result:
    """What became of one case. problems is empty when it passed; skipped says why it was not sent."""

    case: dict
    answer: Answer | None = None
    problems: list = dataclasses.field(default_factory=list)
    skipped: str = ""


def send(case, target):
    """Prepare what the case needs, send it, check the reply and what is stored, and step over what it left."""
    cast, result = Cast(target), Result(case)
    if case["group"].startswith("atomic") and not target.env:
        result.skipped = "no Atomic environment given"
        return result
    credential = "secret_b" if case["credential"].endswith("_b") else "secret"
    others = "secret" if credential == "secret_b" else "secret_b"
    try:
        cast.run(case["before"])
        data = request_bytes(case, cast)
        expect = cast.fill_deep(case["expect"])
        crosses = credential == "secret_b" or "_b}}" in repr(case)
        looked_at = {credential, others} if crosses else {credential}
        before = {one: look(target, one, case) for one in looked_at}
        stored_before = target.snapshot() if target.snapshot else None
        result.answer = answer = exchange(data, case["method"], target)
        after = {one: look(target, one, case) for one in looked_at}
        stored_after = target.snapshot() if target.snapshot else None
    except Missing as error:
        result.skipped = str(error)
        return result
    except NotPrepared as error:
        result.problems.append(f"not prepared, or not readable afterwards: {error}")
        clear(target, cast)
        return result
    result.problems += checks.check_status(case, answer, target)
    result.problems += checks.check_error(case, answer, target)
    result.problems += checks.check_reply(answer, expect)
    result.problems += checks.check_privacy(case, answer, cast, data)
    changed = before[credential] != after[credential]
    if case["expect_stored"] is False and (changed or stored_before != stored_after):
        result.problems.append("STORED: data changed")
    if case["expect_stored"] is True and result.answer.status == 200:
        if not changed and (target.snapshot is None or stored_before == stored_after):
            result.problems.append("answered 200 and nothing changed")
    if others in looked_at and before[others] != after[others]:
        result.problems.append("OTHER WORKSPACE CHANGED")
    try:
        result.problems += checks.check_reads(target, expect)
    except NotPrepared as error:
        result.problems.append(str(error))
    clear(target, cast, answer)
    return result


def request_bytes(case, cast):
    """The whole request, every name in it filled in."""
    if case["raw"] is not None:
        return cast.fill_header(case["raw"])
    body = b"" if case["body"] is None else cast.fill(case["body"], case["encoding"])
    method = case["method"].encode()
    given = {name.lower() for name, _ in case["headers"]}
    lines = [
        method + b" " + cast.fill(case["path"]) + b" HTTP/1.1",
        b"Host: " + cast.fill("{{host}}"),
        b"Connection: close",
    ]
    authorization = cast.target.authorization(case["credential"])
    if authorization:
        lines.append(b"Authorization: " + authorization)
    for name, value in case["headers"]:
        if value is not None:
            lines.append(name.encode() + b": " + cast.fill_header(value))
    if case["body"] is not None and "content-type" not in given:
        lines.append(b"Content-Type: application/json")
    if case["chunked"]:
        lines.append(b"Transfer-Encoding: chunked")
        pieces = [body[i : i + 8000] for i in range(0, len(body), 8000)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif case["content_length"] is not None:
        lines.append(b"Content-Length: %d" % case["content_length"])
    elif case["body"] is not None or case["method"] in ("POST", "PUT", "PATCH"):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def exchange(data, method, target, timeout=8):
    """Send bytes, read one reply. A 429 is waited out and the bytes sent again."""
    for _ in range(3):
        answer = _exchange_once(data, method, target, timeout)
        if answer.status != 429:
            break
        time.sleep(retry_after(answer.header("retry-after")))
    return answer


def _exchange_once(data, method, target, timeout):
    start = time.monotonic()
    try:
        with socket.create_connection((target.host, target.port), timeout=timeout) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            response = http.client.HTTPResponse(sock, method=method)
            response.begin()
            body = response.read()
            return Answer(response.status, response.getheaders(), body, time.monotonic() - start)
    except TimeoutError:
        status = "hang"
    except (http.client.RemoteDisconnected, ConnectionError):
        status = "closed"
    except (http.client.HTTPException, ValueError):
        status = "unreadable"
    return Answer(status, seconds=time.monotonic() - start)


def look(target, credential, case):
    """What the API shows of a workspace; lists too where the case is about lists."""
    return target.state(credential, with_lists="list" in case["path"] or "lists" in str(case["body"])[:2000])


def clear(target, cast, answer=None):
    """Step over the users that the case made, and archive its lists."""
    with contextlib.suppress(NotPrepared, Missing):
        target.step_over("secret")
        if "user_b" in cast.values or "public_b" in cast.values or cast.made_lists:
            target.step_over("secret_b")
        reply = answer.json if answer else None
        if isinstance(reply, dict) and "title" in reply and "id" in reply:
            cast.made_lists.append((reply["id"], "secret"))
        for found, credential in cast.made_lists:
            target.call("DELETE", f"/v1/lists/{found}", credential=credential)
