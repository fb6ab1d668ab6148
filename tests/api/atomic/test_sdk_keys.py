"""`GET`, `POST`, `PUT` and `DELETE sdk-keys`."""

import ipaddress
import socket
import time

import pytest

from app.services.atomic import jwks
from tests.issuers import EC_KEYS, OTHER_RSA_KEY, RSA_KEY, Issuer, fetches_end, jwk, pem

PEM = pem(RSA_KEY)
WHOLE = {
    "name": "web", "publicKey": PEM, "maxTokenDays": 30, "issuers": ["https://id.example/"], "audiences": ["https://app.example"],
    "subjectClaim": "person", "claims": {"city": "city", "https://id.example/ph": "phone"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def nobody_is_asked(app, monkeypatch):
    """No address outside this machine is connected to; what is under way ends on the database of its test."""
    connect = socket.create_connection

    def refuse(place, *args, **more):
        if place[0] != "127.0.0.1":
            raise ConnectionRefusedError
        return connect(place, *args, **more)

    monkeypatch.setattr(socket, "create_connection", refuse)
    yield
    fetches_end()


def call(atomic, method, path="", body=None, by="workbench"):
    return atomic.call(method, f"sdk-keys{path}", body, by=by)


def make(atomic, **fields):
    response = call(
        atomic,
        "POST",
        body={"name": "web", **fields} if "jwksUrl" in fields else {"name": "web", "publicKey": PEM, **fields},
    )
    assert response.status_code == 200, response.json
    return response.json["data"]


def test_a_key_reads_back_as_it_was_made(atomic):
    made = call(atomic, "POST", body=WHOLE).json["data"]
    assert {name: made[name] for name in WHOLE} == WHOLE and made["jwksUrl"] is None
    assert sorted(made.keys() - WHOLE.keys()) == ["created", "id", "jwksUrl"] and made["created"].endswith("Z")
    assert call(atomic, "GET").json == {"data": [made]}


def test_what_is_not_said_has_its_default(atomic):
    made = make(atomic, issuers=None, maxTokenDays=None)
    assert [made[name] for name in ("maxTokenDays", "issuers", "audiences", "subjectClaim", "claims", "jwksUrl")] == [
        7,
        [],
        [],
        None,
        {},
        None,
    ]


def test_keys_are_listed_in_the_order_they_were_made(atomic, other_atomic):
    made = [make(atomic, name=name) for name in "bca"]
    make(other_atomic)
    assert call(atomic, "GET").json["data"] == made


@pytest.mark.parametrize("key", EC_KEYS.values())
def test_elliptic_keys_are_taken(atomic, key):
    assert make(atomic, publicKey=pem(key).replace("\n", "\r\n"))["publicKey"] == pem(key)


def test_a_change_leaves_what_it_does_not_name(atomic):
    made = call(atomic, "POST", body=WHOLE).json["data"]
    changed = call(atomic, "PUT", f"/{made['id']}", {"maxTokenDays": 1, "claims": {"a": "name"}}).json["data"]
    assert changed == {**made, "maxTokenDays": 1, "claims": {"a": "name"}}
    assert call(atomic, "GET").json == {"data": [changed]}


def test_what_was_read_can_be_sent_back(atomic):
    made = call(atomic, "POST", body=WHOLE).json["data"]
    assert call(atomic, "PUT", f"/{made['id']}", made).json["data"] == made


def test_null_brings_back_the_default(atomic):
    id = call(atomic, "POST", body=WHOLE).json["data"]["id"]
    body = dict.fromkeys(("maxTokenDays", "issuers", "audiences", "subjectClaim", "claims"))
    changed = call(atomic, "PUT", f"/{id}", body).json["data"]
    assert [changed[name] for name in body] == [7, [], [], None, {}]


def test_one_source_of_keys_takes_the_place_of_the_other(atomic):
    id = make(atomic)["id"]
    changed = call(atomic, "PUT", f"/{id}", {"jwksUrl": "https://192.0.32.10:9/jwks"}).json["data"]
    assert (
        changed["publicKey"] is None and changed["jwksUrl"] and changed["keys"] is None and changed["problem"] is None
    )
    changed = call(atomic, "PUT", f"/{id}", {"publicKey": PEM}).json["data"]
    assert changed["publicKey"] == PEM and changed["jwksUrl"] is None and "keys" not in changed


def test_a_deleted_key_is_gone_and_cannot_be_deleted_again(atomic, refused):
    id, other = make(atomic)["id"], make(atomic)
    assert call(atomic, "DELETE", f"/{id}").json == {"data": {"id": id}}
    refused(call(atomic, "DELETE", f"/{id}"), 404, "not_found")
    refused(call(atomic, "PUT", f"/{id}", {"name": "x"}), 404, "not_found")
    assert call(atomic, "GET").json["data"] == [other]


@pytest.mark.parametrize("id", ["0" * 24, "nosuch", "%00", "%ff", "a%20b"])
def test_a_key_that_there_is_not_is_not_found(atomic, refused, id):
    for method, body in (("PUT", {"name": "x"}), ("DELETE", None)):
        refused(call(atomic, method, f"/{id}", body), 404, "not_found")


def test_a_key_of_another_environment_is_not_found_and_not_listed(atomic, other_atomic, refused):
    theirs = make(other_atomic)
    refused(call(atomic, "PUT", f"/{theirs['id']}", {"name": "x"}), 404, "not_found")
    refused(call(atomic, "DELETE", f"/{theirs['id']}"), 404, "not_found")
    assert call(atomic, "GET").json == {"data": []} and call(other_atomic, "GET").json == {"data": [theirs]}


@pytest.mark.parametrize("by", ["events", "auth"])
def test_other_roles_may_not(atomic, refused, by):
    id = make(atomic)["id"]
    for method, path, body in (
        ("GET", "", None),
        ("POST", "", WHOLE),
        ("PUT", f"/{id}", {"name": "x"}),
        ("DELETE", f"/{id}", None),
    ):
        refused(call(atomic, method, path, body, by), 403, "role_needed")


BAD = [
    ({"name": None}, "/name"), ({"name": ""}, "/name"), ({"name": "a" * 256}, "/name"), ({"name": 5}, "/name"), ({"name": "a\x00"}, "/name"),
    ({"publicKey": ""}, "/publicKey"), ({"publicKey": "x"}, "/publicKey"), ({"publicKey": 5}, "/publicKey"), ({"publicKey": [PEM]}, "/publicKey"),
    ({"publicKey": "-----BEGIN PRIVATE KEY-----"}, "/publicKey"), ({"publicKey": "A" * 8193}, "/publicKey"),
    ({"jwksUrl": 5}, "/jwksUrl"),
    *(({"publicKey": None, "jwksUrl": url}, "/jwksUrl") for url in (
        "", "x", "http://example.com/jwks", "ftp://example.com", "https://127.0.0.1/jwks", "https://localhost/", "https://169.254.169.254/latest",
        "https://10.0.0.1/", "https://[::1]/", "https://2130706433/", "https://u:p@example.com/", "https://example.com/#x", "file:///etc/passwd",
        "https://example.com/" + "a" * 2048)),
    *(({"maxTokenDays": days}, "/maxTokenDays") for days in (0, -1, 366, 1.5, "7", True, [], {}, 10**15)),
    ({"issuers": "https://id.example"}, "/issuers"), ({"issuers": [""]}, "/issuers/0"), ({"issuers": ["a", 5]}, "/issuers/1"), ({"issuers": [None]}, "/issuers/0"),
    ({"issuers": ["a"] * 21}, "/issuers"), ({"audiences": {"a": 1}}, "/audiences"), ({"subjectClaim": ""}, "/subjectClaim"), ({"subjectClaim": 5}, "/subjectClaim"),
    ({"claims": []}, "/claims"), ({"claims": "city"}, "/claims"), ({"claims": {"city": "nosuch"}}, "/claims/city"), ({"claims": {"a/b": "nosuch"}}, "/claims/a~1b"),
    ({"claims": {"z": "timezone"}}, "/claims/z"), ({"claims": {"s": "last_seen_at"}}, "/claims/s"), ({"claims": {"s": "id"}}, "/claims/s"),
    ({"claims": {"a": "city", "b": "city"}}, "/claims/a"), ({"claims": {"a": None}}, "/claims/a/value"), ({"claims": {"": "city"}}, "/claims//key"),
    ({"claims": {"a" * 256: "city"}}, "/claims/" + "a" * 191), ({"claims": {f"c{number}": "city" for number in range(101)}}, "/claims"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "pointer"), BAD)
def test_a_key_that_breaks_a_rule_is_refused_with_its_place_and_nothing_is_stored(
    atomic, refused, tables, fields, pointer
):
    id = make(atomic)["id"]
    before = tables()
    for method, path in (("POST", ""), ("PUT", f"/{id}")):
        refusal = call(atomic, method, path, {"name": "web", "publicKey": PEM, **fields})
        assert refused(refusal, 400, "invalid_input")["source"]["pointer"][:190] == pointer[:190]
    assert tables() == before


@pytest.mark.parametrize(
    "body", [{"name": "web"}, {"name": "web", "publicKey": None}, {"name": "web", "jwksUrl": None}]
)
def test_a_key_needs_a_source(atomic, refused, body):
    assert refused(call(atomic, "POST", body=body), 400, "invalid_input")["source"] == {"pointer": "/publicKey"}


def test_the_last_source_cannot_be_taken_away(atomic, refused):
    made = make(atomic)
    assert refused(call(atomic, "PUT", f"/{made['id']}", {"publicKey": None}), 400, "invalid_input")
    assert call(atomic, "GET").json["data"] == [made]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b'{"name":"a","name":"b"}'])
def test_what_is_no_object_is_refused(atomic, refused, body):
    id = make(atomic)["id"]
    refused(call(atomic, "POST", body=body), 400, "invalid_body")
    refused(call(atomic, "PUT", f"/{id}", body), 400, "invalid_body")


def test_a_custom_field_is_a_target_once_it_exists(atomic, refused):
    assert refused(call(atomic, "POST", body={**WHOLE, "claims": {"c": "colour"}}), 400, "invalid_input")
    atomic.put("users/custom-profile-fields", [{"name": "colour", "label": "Colour", "type": "text"}], by="workbench")
    assert make(atomic, claims={"c": "colour"})["claims"] == {"c": "colour"}


def test_there_are_a_hundred_keys_at_most(atomic, refused, monkeypatch):
    monkeypatch.setattr("app.services.atomic.sdk_keys.MAX_KEYS", 3)
    for _ in range(3):
        make(atomic)
    refused(call(atomic, "POST", body=WHOLE), 409, "conflict")


def test_making_changing_and_deleting_are_in_the_audit_log(atomic, api):
    id = make(atomic)["id"]
    for name in ("new", "new"):
        call(atomic, "PUT", f"/{id}", {"name": name})
    call(atomic, "DELETE", f"/{id}")
    found = [one for one in api.get("audit?limit=100").json["data"] if one["action"].startswith("sdk_key.")]
    assert [(one["action"], one["subject"], one["level"]) for one in found] == [
        ("sdk_key.deleted", id, "workbench"), ("sdk_key.changed", id, "workbench"), ("sdk_key.created", id, "workbench"),
    ]  # fmt: skip


def test_the_set_of_a_new_key_is_fetched_at_once_and_its_state_is_shown(atomic, tmp_path, monkeypatch):
    monkeypatch.setattr(jwks, "_private", [ipaddress.ip_network("127.0.0.0/8")])
    with Issuer(tmp_path) as issuer:
        monkeypatch.setenv("SSL_CERT_FILE", str(issuer.certificate))
        issuer.keys = [jwk(RSA_KEY, kid="a"), jwk(OTHER_RSA_KEY, kid="b"), {"kty": "oct", "k": "c2VjcmV0"}]
        made = make(atomic, jwksUrl=issuer.local_url)
        assert (made["keys"], made["fetched"], made["problem"]) == (None, None, None)
        shown = settled(atomic, lambda key: key["fetched"])
        assert (shown["keys"], shown["problem"]) == (2, None)
        issuer.status = 404
        call(atomic, "PUT", f"/{made['id']}", {"jwksUrl": issuer.local_url + "?new"})
        shown = settled(atomic, lambda key: key["problem"])
        assert (shown["keys"], shown["fetched"]) == (None, None) and "404" in shown["problem"]


def settled(atomic, look):
    """The key once a fetch behind the request has left its mark."""
    deadline = time.monotonic() + 5
    while not look(shown := call(atomic, "GET").json["data"][0]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return shown
