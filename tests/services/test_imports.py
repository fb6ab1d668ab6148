"""Imports: what a file holds is stored as single requests would store it, once, however often it is cut off."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import errors
from app.cli.imports import load
from app.domain.writes import Loaded
from app.models.database import db
from app.schemas import imports as loading
from app.schemas.batches import load_each
from app.services import imports, users
from app.services.imports import Finished, NdjsonFile, Plan, records, running
from app.services.users import batches
from tests.factories import fresh


@pytest.fixture
def portions_of_three(monkeypatch):
    """Makes every portion three records, so that a short file has several."""
    monkeypatch.setattr(records, "PORTION", 3)


@pytest.fixture
def plan(workspace, tmp_path):
    """Make the plan of a file of these lines."""

    def make(*lines, **more):
        path = tmp_path / "users.ndjson"
        path.write_bytes(
            b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
        )
        return Plan(workspace, NdjsonFile(path), imports.fingerprint(path), load, tmp_path / "errors.csv", **more)

    return make


def do(plan, again=False):
    """Import to the end; return how far it came."""
    return list(imports.run(plan, imports.begin(plan, again)))[-1]


def counts(progress):
    """What became of the records: stored, refused, duplicate, dropped."""
    return progress.stored, progress.refused, progress.duplicate, progress.dropped


def told(plan):
    """The file of errors, row by row."""
    return list(csv.reader(plan.error_path.read_text().splitlines())) if plan.error_path.exists() else []


def test_lines_are_stored_as_the_routes_store_them(api, other_api, plan):
    fields = {"first_name": "Ada", "email": "a@example.com", "number": "+234 803 123", "meta": {"n": 1.5, "b": True}}
    uids = [fresh() for _ in range(3)]
    for uid in uids:
        other_api.put(f"users/{uid}", fields)
    before = [other_api.get(f"users/{uid}").json for uid in uids]
    assert do(plan({"uid": uids[0], **fields}, {"id": uids[1], **fields}, before[2])).stored == 3
    for uid, old in zip(uids, before, strict=True):
        now = api.get(f"users/{uid}").json
        assert {**now, "id": 0, "created_at": 0} == {**old, "id": 0, "created_at": 0}
    assert api.get(f"users/{uids[2]}").json["created_at"] == before[2]["created_at"]


def test_a_known_user_is_changed_where_the_line_says_something(api, plan):
    user = api.user(first_name="Ada", last_name="Lovelace", meta={"kept": 1, "age": 34})
    assert do(plan({"uid": user["uid"], "first_name": "Augusta", "last_name": None, "meta": {"age": 35}})).stored == 1
    changed = {"first_name": "Augusta", "last_name": None, "meta": {"kept": 1, "age": 35}}
    assert api.get(f"users/{user['uid']}").json == {**user, **changed}


def test_events_and_users_without_a_uid_come_from_lines_too(api, plan):
    uid, when = fresh(), "2020-01-01T00:00:00.000+00:00"
    event = {"type": "event", "uid": uid, "event": "Paid", "value": 5, "timestamp": when}
    assert do(plan(event, {"email": "nobody@example.com"})).stored == 2
    [happened] = api.get(f"users/{uid}/events").json["data"]
    assert {**happened, "id": 0} == {"id": 0, "event": "Paid", "value": 5, "properties": {}, "timestamp": when}
    [nameless] = api.get("users?email=nobody@example.com").json["data"]
    assert nameless["uid_updateable"] and nameless["uid"] == nameless["id"]


@pytest.mark.parametrize("line", [
    b"{", b"[]", b"null", b'{"uid":"a"}{"uid":"b"}', b'{"uid":"a","uid":"b"}', b'{"uid":"\xff"}', b'{"uid":"a/b"}',
    b'{"uid":null}', b'{"uid":"a","email":"x"}', b'{"uid":"a","meta":{"x":null}}', b'{"uid":"a","first_name":"\\u0000"}',
    b'{"uid":"a","meta":{"n":9007199254740993}}', b'{"uid":"a","meta":{"n":NaN}}', b'{"uid":"a","lists":["%024d"]}',
    b"{}", b'{"first_name":"Ada"}', b'{"email":null,"number":null,"meta":{"a":1}}', b'{"email":""}', b'{"uid":"","email":"a@b.co"}',
    b'{"uid":"a","type":"delete"}', b'{"type":"event","event":"Paid"}', b'{"uid":"a","x":"%s"}' % (b"y" * 2**16),
])  # fmt: skip
def test_a_bad_line_is_refused_and_told_and_the_others_are_stored(api, plan, line, tables):
    good = [fresh(), fresh()]
    job = plan({"uid": good[0]}, b"", line, {"uid": good[1]})
    before = tables()["users"]
    assert do(job)[2:4] == (2, 1)
    assert len(tables()["users"]) - len(before) == 2 and api.get(f"users/{good[1]}").status_code == 200
    head, row = told(job)
    assert head == ["line", "field", "error"] and row[0] == "3" and row[2]


@pytest.mark.parametrize("name", ["uid", "id"])
def test_a_bad_uid_is_told_under_the_name_it_was_sent_with(plan, name):
    job = plan({name: "a/b"}, {name: 1.5}, {"type": "event", name: "", "event": "Paid"})
    assert do(job).refused == 3 and [row[:2] for row in told(job)[1:]] == [["1", name], ["2", name], ["3", name]]


def test_what_the_database_refuses_is_told_with_its_line(plan, api):
    user = api.user(meta={f"k{n}": n for n in range(300)})
    job = plan({"uid": fresh()}, {"uid": user["uid"], "meta": {"one": 1}})
    assert do(job)[2:4] == (1, 1) and told(job)[1][:2] == ["2", "meta"]


def test_a_file_is_imported_once_unless_asked_again(api, plan):
    job = plan({"email": "once@example.com"}, b"{")
    ended = do(job)
    with pytest.raises(Finished) as finished:
        imports.begin(job)
    assert finished.value.progress == ended and ended.refused == 1
    assert len(api.get("users?email=once@example.com").json["data"]) == 1
    assert do(job, again=True)[2:4] == (1, 1) and len(told(job)) == 2
    assert len(api.get("users?email=once@example.com").json["data"]) == 1


def test_somebody_without_a_uid_is_the_oldest_user_of_the_email_or_else_of_the_number(api, plan):
    named = [api.user(email="A@b.co"), api.user(email="a@b.co", number="+234 803"), api.user(number="234803")]
    lines = [
        {"uid": None, "email": "a@B.co"}, {"email": "a@B.co", "first_name": "Ada"}, {"number": "+234-803", "first_name": "Eve"},
        {"email": "new@b.co", "number": "234803", "last_name": "L"}, {"email": "new@b.co", "first_name": "New"},
        {"email": None, "number": "9988776"}, {"email": "other@b.co", "number": "9988776"}, {"number": "9988776", "first_name": "Zoe"},
    ]  # fmt: skip
    for _ in range(2):
        assert do(plan(*lines), again=True)[2:4] == (8, 0)
        found = [api.get(f"users/{one['uid']}").json for one in named]
        assert [one["first_name"] for one in found] == ["Ada", "New", None]
        [zoe] = [one for one in api.get("users?limit=30").json["data"] if one["first_name"] == "Zoe"]
        assert zoe["uid_updateable"] and zoe["email"] == "other@b.co"


EVENT = {"type": "event", "event": "Paid"}


def test_events_of_one_id_are_stored_once_however_often_they_are_imported(api, plan):
    uids = [fresh() for _ in range(3)]
    once = {"id": "order-1", **EVENT}
    lines = [
        {"uid": uids[0], **once},
        {"uid": uids[1], **once},
        {"uid": uids[0], **EVENT, "id": 7},
        {"uid": uids[0], **EVENT, "id": "7"},
    ]
    for again in (False, True):
        new = 0 if again else 2
        assert counts(do(plan(*lines), again)) == (new, 0, 4 - new, 0)
        assert counts(do(plan({"uid": uids[2]}, *lines, b""), again)) == (1, 0, 4, 0)
    assert len(api.get(f"users/{uids[0]}/events").json["data"]) == 2
    assert api.get(f"users/{uids[1]}/events").json["data"] == [] and api.get(f"users/{uids[1]}").status_code == 200
    api.post(f"users/{uids[1]}/events", {"event": "Paid", "id": "order-1"})
    assert api.get(f"users/{uids[1]}/events").json["data"] == []  # the route knows the ids of imports


def test_the_uid_is_no_id_of_an_event(api, plan):
    uid = str(10**9)
    lines = [
        {"uid": uid, "id": uid},
        {"id": uid},
        {"uid": int(uid), "id": uid},
        {"uid": uid, "id": int(uid)},
        {"uid": uid, "id": None},
    ]
    assert do(plan(*({**line, **EVENT} for line in lines)))[2:4] == (5, 0)
    assert len(api.get(f"users/{uid}/events").json["data"]) == 5


def test_an_event_that_is_not_stored_leaves_its_id_to_another(api, plan):
    archived, erased, uid = (api.user()["uid"] for _ in range(3))
    api.post(f"users/{archived}/archive")
    api.delete(f"users/{erased}")
    sent = [{"uid": one, "id": "order-1", **EVENT} for one in (archived, erased, uid, uid)]
    assert counts(do(plan(*sent))) == (1, 0, 1, 2)
    assert [len(api.get(f"users/{one}/events").json["data"]) for one in (archived, uid)] == [0, 1]
    assert api.get(f"users/{erased}").status_code == 404
    assert counts(do(plan({"uid": erased, "id": "order-2", **EVENT}, *sent))) == (0, 0, 2, 3)
    assert counts(do(plan({"uid": uid, "id": "order-2", **EVENT}))) == (1, 0, 0, 0)
    assert len(api.get(f"users/{uid}/events").json["data"]) == 2


@pytest.mark.parametrize("id", ["", "x" * 129, "a\u0000", True, [], {}])
def test_a_bad_id_of_an_event_refuses_its_line(plan, id):
    line = json.dumps({"uid": fresh(), "id": id, **EVENT}).replace("\\\\", "\\").encode()
    job = plan(line)
    assert do(job)[2:4] == (0, 1) and told(job)[1][:2] == ["1", "id"]


@pytest.mark.usefixtures("portions_of_three")
def test_what_was_cut_off_goes_on_where_it_was(api, plan, monkeypatch):
    lines = [b"{" if n % 4 == 0 else {"email": f"{n}@example.com"} for n in range(10)]
    job, real, calls = plan(*lines), batches.run_within, []

    def run(workspace, ready):
        refused = real(workspace, ready)
        calls.append(len(ready.items))
        if len(calls) == 3:
            job.error_path.write_bytes(job.error_path.read_bytes() + b"what a crash left")
            raise KeyboardInterrupt  # ends as a crash would: with what was written in the transaction undone
        return refused

    monkeypatch.setattr(batches, "run_within", run)
    with pytest.raises(KeyboardInterrupt):
        do(job)
    began = imports.begin(job)
    assert began[1:4] == (6, 4, 2)
    assert do(job)[1:4] == (10, 7, 3)
    for n in range(10):
        assert len(api.get(f"users?email={n}@example.com").json["data"]) == (n % 4 > 0), n
    assert [row[0] for row in told(job)] == ["line", "1", "5", "9"]


def test_a_trial_tells_all_and_changes_nothing(api, plan, tables):
    user = api.user(meta={f"k{n}": n for n in range(300)})
    before = tables()
    job = plan({"uid": fresh()}, b"{", {"uid": user["uid"], "meta": {"one": 1}}, is_trial=True)
    assert do(job)[2:4] == (1, 2) and tables() == before
    assert [row[0] for row in told(job)] == ["line", "2", "3"]
    assert do(job)[2:4] == (1, 2)


@pytest.mark.usefixtures("portions_of_three")
def test_two_who_import_the_same_file_store_nothing_twice(api, plan):
    job = plan(*({"email": f"{n}@example.com"} for n in range(5)))
    one, other = (imports.run(job, imports.begin(job)) for _ in range(2))
    next(one)
    with pytest.raises(errors.Conflict):
        list(other)
    list(one)
    assert all(len(api.get(f"users?email={n}@example.com").json["data"]) == 1 for n in range(5))


def test_another_workspace_has_imports_of_its_own(api, other_api, plan):
    from app.services import workspaces

    uid = fresh()
    job = plan({"uid": uid})
    do(job)
    theirs = Plan(workspaces.find(other_api.keys.workspace), *list(vars(job).values())[1:])
    assert other_api.get(f"users/{uid}").status_code == 404
    assert do(theirs).stored == 1 and other_api.get(f"users/{uid}").status_code == 200


def test_a_file_of_something_else_is_not_taken_for_one_of_errors(plan):
    job = plan(b"{")
    job.error_path.write_text("my only copy")
    with pytest.raises(errors.Conflict):
        do(job)
    assert job.error_path.read_text() == "my only copy"


def test_a_file_of_errors_that_cannot_be_written_stops_the_import_with_nothing_lost(plan, workspace):
    uid = fresh()
    job = plan({"uid": uid}, b"{")
    job = Plan(*list(vars(job).values())[:4], job.error_path / "missing")
    with pytest.raises(errors.StorageUnavailable):
        do(job)
    with pytest.raises(errors.UserNotFound):
        users.retrieve(workspace, uid)


@pytest.mark.usefixtures("portions_of_three")
def test_lines_are_counted_right_whatever_they_are(tmp_path):
    path = tmp_path / "f.ndjson"
    long = b"x" * (records.MAX_LINE * 3)
    path.write_bytes(b"\xef\xbb\xbfa\r\n\n" + long + b"\nb\nc\n" + long)
    file = NdjsonFile(path)
    portions = list(file.portions(0, 0))
    found = [tuple(one) for portion in portions for one in portion.records]
    assert found == [(1, b"a\r\n"), (3, None), (4, b"b\n"), (5, b"c\n"), (6, None)]
    assert portions[-1].position == file.size
    for index, one in enumerate(portions):
        assert list(file.portions(one.position, one.line)) == portions[index + 1 :]


def test_a_file_is_known_by_its_content_and_by_how_it_is_read(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"a" * 3_000_000), other.write_bytes(b"a" * 3_000_000)
    assert imports.fingerprint(one, "x") == imports.fingerprint(other, "x") != imports.fingerprint(one, "y")
    other.write_bytes(b"a" * 2_999_999 + b"b")
    assert imports.fingerprint(one, "x") != imports.fingerprint(other, "x")


def test_nothing_is_stored_twice_when_the_database_asks_for_a_transaction_again(plan, api, monkeypatch):
    real, calls = batches.run_within, []

    class Conflict(Exception):
        sqlstate = "40001"

    def run(workspace, ready):
        refused = real(workspace, ready)
        calls.append(1)
        if len(calls) == 1:
            try:
                raise Conflict
            except Conflict:
                raise errors.StorageUnavailable()  # noqa: B904 - the context is what is looked at
        return refused

    monkeypatch.setattr(batches, "run_within", run)
    job = plan({"email": "retried@example.com"}, b"{")
    assert do(job)[2:4] == (1, 1) and len(calls) == 2 and len(told(job)) == 2
    assert len(api.get("users?email=retried@example.com").json["data"]) == 1


@pytest.fixture
def sizes(monkeypatch):
    """How many records each transaction of an import stores from now on."""
    real, seen = batches.run_within, []

    def run(workspace, ready):
        seen.append(len(ready.items))
        return real(workspace, ready)

    monkeypatch.setattr(batches, "run_within", run)
    return seen


@pytest.mark.usefixtures("portions_of_three")
def test_only_where_nobody_waits_long_more_are_stored_at_once(plan, sizes, workspace, monkeypatch):
    def lines(count, **more):
        return [{"uid": fresh(), **more} for _ in range(count)]

    monkeypatch.setattr(running, "_AT_ONCE", {"sqlite": 2, "postgres": 5})
    on_postgres = db.dialect.name == "postgres"
    assert do(plan(*lines(20), b"{", *lines(9)))[1:4] == (30, 29, 1)
    assert sizes == ([3, 15, 11] if on_postgres else [3, 6, 6, 5, 6, 3])
    sizes.clear()
    event = {"type": "event", "uid": fresh(), "event": "Paid"}
    done = do(plan(*lines(18 if on_postgres else 9), event, b"", *lines(16 if on_postgres else 7)))
    assert done.stored == sum(sizes)
    assert sizes == ([3, 15, 5, 6, 6] if on_postgres else [3, 6, 5, 3])
    sizes.clear()
    assert do(plan(*lines(7, device_token=fresh()))).stored == 7 and sizes == [3, 3, 1]
    users.make_without_uid(workspace, {"email": "late@x.co"})
    sizes.clear()
    assert do(plan(*lines(7))).stored == 7 and sizes == [3, 4]


_TEXTS = st.sampled_from(["a", "a}", "{a", ",", '"', "\n", "é", ":", "\\", "}\n{", "[", ""])
_ITEMS = st.dictionaries(
    st.sampled_from(["first_name", "meta", "x"]), _TEXTS | st.dictionaries(_TEXTS, _TEXTS, max_size=2)
)
_LINES = (
    st.builds(lambda item: json.dumps({"uid": "u", **item}).encode(), _ITEMS)
    | st.sampled_from([
        b'{"uid":"u"', b'{"uid":"u"},{"uid":"v"}', b'{"uid":"u","meta":{"a":1}', b'"b":{"c":1}}', b'{"uid":"u","x":"a', b'b"}', b"{}",
        b'{"uid":"u","x":[{"b":1}', b'{"c":1}]}', b'{"uid":"u","meta":{', b"}}", b"}", b"{", b'{"uid":"u"} {"uid":"u"}', b"\x00", b"\xff",
        b'{"uid":"u","uid":"v"}', b'{"uid":"u","type":"event","event":"e"}', b'{"id":"u"}', b'{"uid":7}', b' {"uid":"u"}\r', None,
    ])
)  # fmt: skip


@given(st.lists(_LINES, min_size=1, max_size=4))
def test_lines_that_are_loaded_together_are_loaded_as_each_alone(lines):
    lines = [line and line + b"\n" for line in lines]
    together = loading._load_together(lines)
    assert together is None or Loaded(list(together), {}) == load_each(loading._load_line, lines)


def test_common_lines_are_loaded_together():
    line = json.dumps({"uid": "u144", "id": "5fc6477241fcec31a9548e98", "email": "a@b.co", "meta": {"n": 1}}).encode()
    assert loading._load_together([line + b"\n"] * 3) is not None
