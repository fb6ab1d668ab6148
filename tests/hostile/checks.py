"""What is wrong with an answer: each check yields a text for every problem."""

import re

HEX_ID = re.compile(r"[0-9a-f]{24}")
LEAKS = [b"Traceback", b"sqlite3.", b"apsw", b"psycopg", b"peewee", b"/site-packages/", b'SELECT "', b'File "']
MAX_ERROR_BODY = 16384  # bytes


def check_status(case, answer, target):
    wanted = case["expect_status"]
    if answer.status not in (wanted if isinstance(wanted, list) else [wanted]):
        yield f"status {answer.status}"
    if answer.seconds > target.max_seconds:
        yield f"took {answer.seconds:.1f} s"


def check_error(case, answer, target):
    """An error has the documented shape, stays small, and shows nothing of the inside."""
    for text in [*LEAKS, target.a[1].encode()]:
        if text in answer.body:
            yield f"DISCLOSED: the reply contains {text.decode()[:20]!r}"
    style, reply = case["error_style"], answer.json
    if not isinstance(answer.status, int) or style == "server":
        return
    if answer.status < 400:
        if not isinstance(reply, dict):
            yield "the reply is not a JSON object"
        return
    if len(answer.body) > MAX_ERROR_BODY:
        yield f"error body of {len(answer.body)} bytes"
    errors = reply.get("errors") if isinstance(reply, dict) and style == "atomic" else None
    if style == "atomic":
        if not isinstance(errors, list) or not errors:
            yield 'the error is not {"errors": [...]}'
        elif not all(isinstance(one, dict) and one.get("title") and one.get("code") for one in errors):
            yield "an error without title or code"
        return
    if not isinstance(reply, dict) or not isinstance(reply.get("error"), str) or not reply["error"]:
        yield 'the error is not {"error": "..."}'
        return
    if style != "engage":
        return
    if not re.fullmatch(r"[a-z][a-z0-9_]*", str(reply.get("code"))):
        yield "no code in snake_case"
    if "details" in reply and not isinstance(reply["details"], dict):
        yield "details is not an object"
    if answer.status == 401:
        if reply["error"] != "Wrong authentication credentials.":
            yield "the text of the 401 is another"
        if answer.header("www-authenticate") != 'Basic realm="Rollcall"':
            yield "no WWW-Authenticate"


def check_reply(answer, expect):
    """What the case says about the reply, where the status was as expected or nothing depends on it."""
    reply = answer.json if isinstance(answer.json, dict) else {}
    text = answer.body.decode("utf-8", "replace")
    if "reply" in expect and answer.status == 200 and not same(reply, expect["reply"]):
        yield f"reply {text[:80]}"
    for key, value in expect.get("reply_has", {}).items():
        if not same(reply.get(key), value):
            yield f"reply has {key} {reply.get(key)!r}"[:100]
    for key in expect.get("reply_keys", []):
        if key not in reply:
            yield f"reply has no {key}"
    if "reply_only" in expect and answer.status == 200:
        extra = reply.keys() - {"id", "uid", *expect["reply_only"]}
        if extra:
            yield f"DISCLOSED: reply also has {', '.join(sorted(extra))}"
        if not {"id", "uid"} <= reply.keys():
            yield "reply has no id or no uid"
    rows = reply.get("data", []) if isinstance(reply.get("data", []), list) else []
    if "rows" in expect and len(rows) != expect["rows"]:
        yield f"{len(rows)} rows"
    if "rows_max" in expect and len(rows) > expect["rows_max"]:
        yield f"{len(rows)} rows"
    if "rejected_index" in expect:
        errors = reply.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        if first.get("index") != expect["rejected_index"] or not isinstance(first.get("error"), str):
            yield "errors do not name the bad item"
    if "pointer" in expect:
        errors = reply.get("errors") if isinstance(reply.get("errors"), list) else [{}]
        source = errors[0].get("source") if errors and isinstance(errors[0], dict) else None
        if not isinstance(source, dict) or not str(source.get("pointer")).startswith(expect["pointer"]):
            yield "the error does not point at the bad item"
    for part in expect.get("lacks", []):
        if part in text:
            yield f"DISCLOSED: the reply contains {part!r}"[:80]
    if "mentions" in expect and not any(part in text for part in expect["mentions"]):
        yield "the error does not name the way out"
    shown = {f"{name.lower()}: {value.lower()}" for name, value in answer.headers}
    for header in expect.get("no_header", []):
        if header in shown:
            yield f"header {header}"


def check_privacy(case, answer, cast, data):
    """No stored field of a prepared user in a reply to somebody who may not read it."""
    may_read = {"secret": "a", "events": "a", "secret_b": "b"}.get(case["credential"])
    for workspace in "ab":
        if workspace == may_read:
            continue
        for text in cast.private(workspace):
            if text.encode() in answer.body and text.encode() not in data:
                yield f"DISCLOSED: the reply contains {text!r}"


def check_reads(target, expect):
    """What must read back with GET, and what must not be found."""
    for uid, fields in expect.get("reads", {}).items():
        status, reply = target.call("GET", f"/v1/users/{quote(uid)}")
        if status != 200 or not isinstance(reply, dict):
            yield f"GET /users/{uid[:40]} answers {status}"
            continue
        if not HEX_ID.fullmatch(str(reply.get("id"))):
            yield f"id is {reply.get('id')!r}, not 24 hexadecimal digits"
        for key, value in fields.items():
            if not same(reply.get(key), value):
                yield f"{key} reads back as {reply.get(key)!r}"[:120]
    for uid in expect.get("absent", []):
        status, _ = target.call("GET", f"/v1/users/{quote(uid)}")
        if status != 404:
            yield f"GET /users/{uid[:40]} answers {status}, not 404"


def same(left, right):
    """Equal as JSON: true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def quote(uid):
    """A uid as written in the cases, for use in a path: only what cannot stand there is encoded."""
    return "".join(c if "!" <= c <= "~" else "".join(f"%{byte:02X}" for byte in c.encode()) for c in uid)
