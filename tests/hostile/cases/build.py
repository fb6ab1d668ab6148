"""What a case is made of.

The keys of a case:

    id             "group/short-name", stable, unique
    group          the function that holds the case
    method, path   as sent; the path is sent byte for byte
    credential     secret, public, none, wrong, mixed, secret_b, public_b (HTTP Basic), or
                   events, workbench, auth (a bearer token of a client with that role)
    headers        [(name, value)]; a value of None leaves the default header out
    body | raw     the body (str or bytes), or the bytes of the whole request
    expect_status  the status, or a list of those that will do
    expect_stored  True: the data changes; False: nothing changes; None: not looked at
    note           what the case is about
    judgement      True where the API's description is silent and the safe answer was chosen
    expect         further checks, see `case`
    before         requests sent first, see `step`
    encoding, chunked, content_length, error_style   see `case`

Names in double braces are filled in for each case, in the path, the headers and the body:

    {{fresh}} {{fresh2}}   uids that no user has, letters and digits only
    {{user}} {{bare}} {{account}}   users of workspace A: one with everything, one with a first name
                                    only (no e-mail, no number), one that is an account
    {{user_b}}             a user of workspace B with everything; {{id_b}} is its internal id
    {{number}} {{token}} {{token_b}}   the number and the device tokens of {{user}} and {{user_b}}
    {{list}} {{list_archived}} {{list_b}}   lists of workspace A and B
    {{public}} {{secret}} {{public_b}} {{secret_b}}   the key pairs
    {{host}} {{env}} {{env_b}} {{sdk_key}} {{client_id}} {{client_secret}}
    {{now+25h}}            a time, so many hours from now
    {{pad_to_65536}}       as many letters as bring the body to that length
    [[b64:...]]            in a header or raw request: the text between, in base64
"""

import json
import re


def slug(text):
    """The text in small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def case(name, method, path, status, body=None, *, credential="secret", headers=(), raw=None, stored=False,
         note="", judgement=False, expect=None, before=(), encoding="utf-8", chunked=False,
         content_length=None, error_style="engage"):
    """One case.

    expect: reply (the whole reply), reply_has (some of its fields), reply_keys (fields that must be there),
            reply_only (besides id and uid nothing but these fields), reads ({uid: fields as GET shows them}),
            absent (uids that GET must not find), rows (how many rows), rows_max, lacks (texts that must not be
            in the reply), mentions (at least one of these texts is in it), pointer (start of the Atomic error
            pointer), rejected_index (position of the first bad item of a batch), no_header (headers as "name: value"
            that must not be there).
    error_style: what an error looks like: "engage", "atomic", "oauth", or "server" where the answer may come
            from below the application and only the status counts.
    chunked: send the body in chunks and no Content-Length. content_length: claim this length instead.
    """
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    return {"name": name, "method": method, "path": path, "credential": credential, "headers": list(headers),
            "body": body, "raw": raw, "expect_status": status, "expect_stored": stored, "note": note or name,
            "judgement": judgement, "expect": expect or {}, "before": list(before), "encoding": encoding,
            "chunked": chunked, "content_length": content_length, "error_style": error_style}


def step(method, path, body=None, credential="secret", save=None):
    """A request sent before the case. save: {name: field of the reply}, for use in double braces."""
    return {"method": method, "path": path, "body": body, "credential": credential, "save": save or {}}


def create(name, status, body, **more):
    """POST /users; a dict gets an unused id unless it has one."""
    if isinstance(body, dict):
        body = {"id": "{{fresh}}", **body}
    return case(name, "POST", "/v1/users", status, body, **more)


def accept(name, body, **more):
    """POST /users that is taken, and reads back as sent unless `reads` says otherwise."""
    sent = {key: value for key, value in body.items() if key in SHOWN}
    reads = more.pop("reads", sent)
    return create(name, 200, body, stored=True, expect={"reads": {"{{fresh}}": reads}}, **more)


def update(name, status, body, **more):
    """PUT /users/{uid} of the prepared user; to the public key the reply shows what was sent and no more."""
    if more.get("credential") == "public" and status == 200:
        more["expect"] = {"reply_only": list(body), **more.get("expect", {})}
    return case(name, "PUT", "/v1/users/{{user}}", status, body, **more)


SHOWN = {"first_name", "last_name", "email", "number", "meta", "is_account"}
KEPT_EMAIL = {"reads": {"{{user}}": {"email": "{{user}}@example.com"}}}
WHOLE_USER = ["id", "uid", "uid_updateable", "first_name", "last_name", "number", "email", "devices", "accounts",
              "is_account", "member_count", "archived", "lists", "segments", "meta", "created_at",
              "last_interaction", "stats"]
JOINED = [step("POST", "/v1/users/{{user}}/accounts", {"accounts": [{"id": "{{account}}"}]})]
SUBSCRIBED = [step("POST", "/v1/users/{{user}}/lists", {"lists": ["{{list}}"]})]
OK = {"status": "ok"}
