"""The hot path answers what the routes answer, byte for byte, and stores what they store."""

import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock, errors
from app.api.hot import HotPath, Left, Reply, Request
from app.api.hot.recognising import LONG_WAY
from app.api.retries import FAILURE
from app.domain import ids
from app.models import segments as store
from app.models.database import db
from app.services import audit, keys, workspaces
from app.services.rates import Policy
from app.services.rates.counters import Counters
from app.services.users import group_commit
from tests.factories import Api, basic, fresh

NOW = 1_790_000_000_000  # epoch milliseconds
UIDS = ("a", "b", "c-c", "d_d")

texts = st.sampled_from(["", "Ada", "é" * 300, 'quo"te\\', "\u2028", "x" * 255])
scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
flat = st.dictionaries(st.sampled_from(["plan", "age", 'k"', "é", ""]), scalars | st.none(), max_size=3)
emails = st.sampled_from(["a@example.com", "A@EXAMPLE.com", "b@x.io", "not one", None])
fields = st.fixed_dictionaries(
    {},
    optional={
        "first_name": texts | st.none(),
        "number": st.sampled_from(["+234 803 123 4567", "12", None]),
        "email": emails,
        "meta": flat,
        "is_account": st.booleans(),
        "created_at": st.sampled_from(["2020-08-11", 1_600_000_000, "soon"]),
        "unknown": scalars,
    },
)
events = st.fixed_dictionaries(
    {"event": texts},
    optional={"value": scalars | st.none(), "properties": flat, "timestamp": st.just("2026-01-12T05:24:39Z")},
)
uids = st.sampled_from(UIDS)
requests = st.one_of(
    st.tuples(st.just("PUT"), uids.map("users/{}".format), fields),
    st.tuples(st.just("POST"), st.just("users"), st.builds(lambda uid, body: {"id": uid, **body}, uids, fields)),
    st.tuples(st.just("POST"), uids.map("users/{}/events".format), events),
    st.tuples(st.just("GET"), uids.map("users/{}".format), st.none()),
    st.tuples(
        st.just("GET"), st.sampled_from(["users", "users?limit=2", "users?limit=31", "users?limit=x"]), st.none()
    ),
)


class Pair:
    """The same app twice: the hot path on one workspace, the routes alone on the other."""

    def __init__(self, app, hot: Api, cold: Api):
        self.path, self.hot, self.cold = HotPath(app), hot, cold
        self.hits = 0

    def send(self, group, **headers):
        """Send the requests both ways; return the replies, (status, headers, body) each."""
        return self._send_hot(group, headers), [self._ask(self.cold, *one, headers) for one in group]

    def rows(self):
        """What is stored of both."""
        return [[self._stored(table, api) for table in ("users", "events")] for api in (self.hot, self.cold)]

    def _send_hot(self, group, headers):
        self.hot.get("users?limit=1")  # so that the credentials are known
        asked = [self._request(*one, headers) for one in group]
        replies = []
        for one, answer in zip(group, self.path(asked), strict=True):
            if isinstance(answer, Reply):
                self.hits += 1
                replies.append((200, _headers(answer.headers), answer.body))
            else:
                replies.append(self._ask(self.hot, *one, headers))
        return replies

    def _request(self, method, path, body, headers):
        given = {"authorization": basic(self.hot.keys.public_key, self.hot.keys.secret_key), "host": "localhost"}
        sent = [(name.lower().encode(), value.encode()) for name, value in {**given, **headers}.items()]
        return Request(
            method, f"/v1/{path}".encode(), sent, b"" if body is None else json.dumps(body).encode(), 0.0, "127.0.0.1"
        )

    def _ask(self, api, method, path, body, headers):
        response = api.call(method, path, body, headers=headers)
        return response.status_code, _headers(response.headers), response.data

    def _stored(self, table, api):
        names = [column.name for column in db.get_columns(table) if column.name != "workspace_id"]
        query = (
            f"SELECT {', '.join(names)} FROM {table} WHERE workspace_id = "
            f"(SELECT id FROM workspaces WHERE name = '{api.keys.workspace}') ORDER BY id"
        )
        return db.execute_sql(query).fetchall()


def _headers(headers):
    pairs = headers if isinstance(headers, list) else [(name.encode(), value.encode()) for name, value in headers]
    # What is left of a limit, and for how long, is counted: so it differs from one request to the next.
    return sorted(
        (name.lower(), re.sub(rb"[0-9]+", b"N", value) if name.lower() == b"ratelimit" else value)
        for name, value in pairs
    )


@pytest.fixture
def pair(app, api, other_api, monkeypatch):
    """Both ways, with the same clock and the same ids."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return Pair(app, api, other_api)


RULES = {
    "1" * 24: {"attribute": "meta.plan", "exists": True},
    "2" * 24: {"any": [{"event": "Ada"}, {"attribute": "email", "is": "A@example.com", "ignore_case": True}]},
}


@pytest.fixture(params=[False, True], ids=["without", "with"])
def segments(request, pair):
    """Whether both workspaces have segments."""
    for api in (pair.hot, pair.cold) if request.param else ():
        with db.atomic():
            workspace = workspaces.find(api.keys.workspace)
            store.change_set(workspace)
            for id, rule in RULES.items():
                fields = {"name": "x", "rule": json.dumps(rule), "created_at": NOW, "updated_at": NOW}
                store.Segment.insert(workspace_id=workspace, id=id, **fields).execute()
    return request.param


def _same_ids(monkeypatch, pair):
    """Let both workspaces count their ids by themselves: what one gives out, the other does, too."""
    counts = {True: itertools.count(), False: itertools.count()}
    inside = {"hot": True}
    monkeypatch.setattr(ids, "_take", lambda count: [next(counts[inside["hot"]]) for _ in range(count)][0])
    ask = pair._ask

    def asked(api, *rest):
        inside["hot"] = api is pair.hot
        try:
            return ask(api, *rest)
        finally:
            inside["hot"] = True

    pair._ask = asked


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests, min_size=1, max_size=5))
def test_one_after_the_other_both_ways_agree(app, pair, segments, wanted):
    _forget(pair)
    with pytest.MonkeyPatch.context() as patch:
        _same_ids(patch, pair)
        for one in wanted:
            hot, cold = pair.send([one], **{"X-Request-Id": "the-same"})
            assert hot == cold
    stored_hot, stored_cold = pair.rows()
    assert stored_hot == stored_cold


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(fields, min_size=len(UIDS), max_size=len(UIDS)))
def test_together_they_do_what_each_does_alone(app, pair, segments, bodies):
    _forget(pair)
    group = [("PUT", f"users/{uid}", body) for uid, body in zip(UIDS, bodies, strict=True)]
    hot, cold = pair.send(group, **{"X-Request-Id": "the-same"})
    strip = re.compile(rb'"id":"[0-9a-f]{24}"')
    for one, other in zip(hot, cold, strict=True):
        assert (one[0], strip.sub(b"", one[2])) == (other[0], strip.sub(b"", other[2]))


def _forget(pair):
    for api in (pair.hot, pair.cold):
        for uid in UIDS:
            api.delete(f"users/{uid}")
    db.execute_sql("DELETE FROM erased_uids")  # else the next example's events are late ones, which the routes answer


def test_the_common_requests_take_the_hot_path(pair, segments):
    uid = fresh()
    group = [
        ("POST", "users", {"id": uid, "first_name": "Ada", "meta": {"plan": "pro"}}),
        ("PUT", f"users/{uid}", {"meta": {"plan": "gold"}}),
        ("POST", f"users/{uid}/events", {"event": "Paid", "value": 1.5, "properties": {"n": 1}}),
        ("POST", f"users/{uid}/events", {"event": "Paid", "id": uid}),
    ]
    pair.send(group)
    pair.send([("GET", f"users/{uid}", None), ("GET", "users?limit=30", None), ("GET", "users", None)])
    assert pair.hits == len(group) + 3


def test_the_segments_of_all_users_of_a_moment_are_shown(pair, segments):
    pair.send([("PUT", f"users/{uid}", {"meta": {"plan": "pro"}}) for uid in UIDS])
    group = [("GET", f"users/{uid}", None) for uid in UIDS] + [("GET", "users?limit=3", None)]
    hot, cold = pair.send(group, **{"X-Request-Id": "the-same"})
    assert pair.hits == len(UIDS) * 2 + 1 and [one[0] for one in hot + cold] == [200] * len(group) * 2
    shown = [{"id": "1" * 24, "suppressed": False}] if segments else []
    for status, _, body in hot + cold:
        users = json.loads(body)
        assert [user["segments"] for user in users.get("data", [users])] == [shown] * len(users.get("data", [users]))


def test_a_segment_shows_at_the_next_read_of_a_hot_path_that_knew_of_none(pair):
    pair.send([("PUT", "users/a", {"meta": {"plan": "pro"}})])
    made = pair.hot.post("segments", {"name": "x", "rule": {"attribute": "meta.plan", "is": "pro"}}).json["id"]
    pair.hits = 0
    hot, _ = pair.send([("GET", "users/a", None)])
    assert pair.hits == 1 and json.loads(hot[0][2])["segments"] == [{"id": made, "suppressed": False}]
    pair.hot.delete(f"segments/{made}")
    hot, _ = pair.send([("GET", "users/a", None)])
    assert json.loads(hot[0][2])["segments"] == []


@pytest.mark.parametrize("name", sorted(LONG_WAY))
def test_a_header_that_the_routes_look_at_takes_the_long_way(pair, name):
    pair.send([("GET", "users/nobody", None)], **{name.decode(): "x"})
    assert pair.hits == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users/merge", None),
        ("GET", "users/nobody", None),
        ("GET", "users?limit=31", None),
        ("PUT", "users/a", {}),
        ("PUT", "users/a", {"lists": []}),
        ("PUT", "users/a", {"email": "nonsense"}),
        ("PUT", "users/a/", {"first_name": "Ada"}),
        ("POST", "users", {"id": "not plain", "first_name": "Ada"}),
        ("POST", "users/a/events", {"event": "Paid", "id": "order-1"}),
        ("POST", "users/merge", {"source": "a", "destination": "b"}),
    ],
)
def test_whatever_is_not_common_is_left_to_its_route(pair, method, path, body):
    hot, cold = pair.send([(method, path, body)], **{"X-Request-Id": "the-same"})
    assert pair.hits == 0
    assert hot[0][0] == cold[0][0]


def test_both_ways_count_for_the_same_limits(app, pair):
    limits = app.extensions["rates"]
    limits.key = Policy("key", "3/minute", Counters())
    uid = fresh()
    pair.hot.user(uid)
    pair.hits = 0
    group = [("GET", f"users/{uid}", None)] * 4
    replies = pair._send_hot(group, {})
    assert [status for status, _, _ in replies] == [200, 429, 429, 429]  # two were counted before
    assert pair.hits == 1
    assert pair.hot.get(f"users/{uid}").headers["RateLimit"].startswith('"address";')


def test_an_address_where_logins_failed_takes_the_long_way(app, pair):
    uid = fresh()
    pair.hot.user(uid)
    app.extensions["rates"].login = Policy("login", "1/minute", Counters())
    pair.send([("GET", f"users/{uid}", None)])
    assert pair.hits == 1
    pair.hot.get(f"users/{uid}", by=basic(pair.hot.keys.public_key, "wrong"))
    hot, _ = pair.send([("GET", f"users/{uid}", None)])
    assert pair.hits == 1 and hot[0][0] == 429


def test_a_key_that_was_right_is_asked_for_again_on_the_hot_path(app, pair):
    uid = fresh()
    pair.hot.user(uid)
    _let_a_second_pass(app)
    request = pair._request("GET", f"users/{uid}", None, {})
    assert all(isinstance(answer, Reply) for answer in pair.path([request] * 3))


def test_a_key_that_was_revoked_is_left_to_its_route(app, pair):
    uid = fresh()
    pair.hot.user(uid)
    request = pair._request("GET", f"users/{uid}", None, {})
    assert isinstance(pair.path([request])[0], Reply)
    keys.revoke(pair.hot.keys.public_key, audit.SHELL)
    _let_a_second_pass(app)
    assert all(isinstance(answer, Left) for answer in pair.path([request] * 3))
    assert pair.hot.get(f"users/{uid}").status_code == 401


def test_what_headers_say_is_remembered_without_the_secret(pair):
    uid = fresh()
    pair.hot.user(uid)
    request = pair._request("GET", f"users/{uid}", None, {})
    pair.path([request, request])
    [(name, sender)] = pair.path._recognise._senders.items()
    kept = repr((name, sender))
    sent = dict(request.headers)[b"authorization"].decode().partition(" ")[2]
    assert sent not in kept and pair.hot.keys.secret_key not in kept and pair.hot.keys.public_key not in kept


def test_the_same_headers_from_elsewhere_are_another_client(pair):
    pair.hot.get("users?limit=1")
    request = pair._request("GET", "users", None, {})
    elsewhere = request._replace(address="192.0.2.1", scheme="https")
    one, other = pair.path._recognise([request, elsewhere])
    assert (one.client, one.is_secure) == ("127.0.0.1", False)
    assert (other.client, other.is_secure) == ("192.0.2.1", True)


def test_other_headers_are_other_senders(pair):
    """Whatever follows one who is known, each request is read by itself."""
    pair.hot.get("users?limit=1")
    known = pair._request("GET", "users", None, {})
    assert _recognised(pair, known)
    for name, value in (("origin", "https://x.io"), ("authorization", "Basic eDp5"), ("host", "x y")):
        assert _recognised(pair, pair._request("GET", "users", None, {name: value})) is None
    assert _recognised(pair, pair._request("GET", "users", None, {"x-request-id": "mine"})).request_id == "mine"
    assert _recognised(pair, known).request_id != "mine"


def _recognised(pair, request):
    [wanted] = pair.path._recognise([request])
    return wanted


def _let_a_second_pass(app):
    """Let what is known of keys be too old."""
    known = app.extensions["credentials"]
    known.update({name: (credential, 0.0) for name, (credential, _) in known.items()})


def test_the_public_key_alone_takes_the_long_way(pair):
    uid = fresh()
    public = basic(pair.hot.keys.public_key)
    pair.hot.put(f"users/{uid}", {"first_name": "Ada"}, by="public")
    request = Request(
        "PUT", f"/v1/users/{uid}".encode(), [(b"authorization", public.encode())], b'{"meta":{"a":1}}', 0.0
    )
    assert isinstance(pair.path([request])[0], Left)


def test_a_user_who_waits_for_a_uid_is_found_by_email(pair, make_list):
    uid, email = fresh(), f"{fresh()}@example.com"
    pair.hot.post(f"lists/{make_list('news', pair.hot)}/subscribers", {"email": email})
    pair.send([("PUT", f"users/{uid}", {"email": email})])
    assert pair.hits == 0
    assert pair.hot.get(f"users/{uid}").json["lists"]


def test_too_many_attributes_are_refused_by_the_route(pair):
    uid = fresh()
    pair.hot.user(uid, meta={f"k{number}": number for number in range(300)})
    pair.cold.user(uid, meta={f"k{number}": number for number in range(300)})
    group = [("PUT", f"users/{uid}", {"meta": {"more": 1}})]
    hot, cold = pair.send(group, **{"X-Request-Id": "the-same"})
    assert hot == cold and hot[0][0] == 400


def test_the_headers_that_the_routes_look_at_are_known(root):
    """What the code asks of `request.headers` is either on the list or read by the hot path itself."""
    source = "".join(path.read_text() for path in Path(root / "app" / "api").glob("*.py"))
    asked = set(re.findall(r'request\.headers(?:\.get\(|\[)"([A-Za-z-]+)"', source))
    asked |= set(re.findall(r'"([A-Za-z-]+)" in request\.headers', source))
    # A signature is read of requests with the public key alone, which take the long way in any case.
    known = {name.decode() for name in LONG_WAY} | {"authorization", "x-request-id", "x-user-signature"}
    assert asked and {name.lower() for name in asked} <= known


def test_what_was_committed_is_not_done_again_when_its_answer_fails(app, pair, monkeypatch):
    uid = fresh()
    pair.hot.user(uid)
    path = f"users/{uid}/events"
    monkeypatch.setattr(group_commit.events_store, "recorded_in", lambda rows: rows[0][0][0][0])  # of no rows
    [answer] = pair.path([pair._request("POST", path, {"event": "Paid"}, {})])
    assert isinstance(answer.environ[FAILURE], errors.InternalError)
    assert len(pair.hot.get(path).json["data"]) == 1
