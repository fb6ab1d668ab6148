"""Who may do what: the app against tests/authz.yml, cell by cell, each in a transaction that is taken back."""

import json
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from werkzeug.exceptions import MethodNotAllowed

from app import configure, create_app
from app.api.conventions import ENGAGE, of_path
from app.api.openapi import path_of
from app.config import Settings
from app.models import users
from app.models.database import db, forget_connection
from app.models.lists import List
from app.models.sdk_keys import SdkKey
from app.models.segments import Segment
from app.services import audit, keys, storage, workspaces
from app.services.atomic import clients, sdk_keys
from tests.conftest import ENGINES
from tests.factories import Api, basic
from tests.issuers import OTHER_RSA_KEY, RSA_KEY, pem, token

TABLE = yaml.safe_load((Path(__file__).parent / "authz.yml").read_text())
KINDS = ("own", "both", "theirs", "nobody")
UIDS = {"own": "ours", "both": "both", "theirs": "them", "nobody": "none"}  # of one length, to compare replies
SEEN_FROM_THERE = {"own": "theirs", "theirs": "own"}
FOREIGN = ("foreign", "foreign_public", "token_foreign", "sdk_foreign")
PEMS = {"A": pem(RSA_KEY), "B": pem(OTHER_RSA_KEY)}
MARKS = {"A": "ONLY-IN-A", "B": "ONLY-IN-B"}
NOBODYS_ID = "f" * 24
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_ID = "the.same"


class Row(NamedTuple):
    """A line of the table."""

    method: str
    path: str
    level: str
    statuses: list[int]
    body: Any
    exceptions: dict[str, list[int]]

    @property
    def route(self) -> tuple[str, str]:
        return self.method, nameless(self.path.partition("?")[0])

    @property
    def kinds(self) -> tuple[str | None, ...]:
        return KINDS if len(self.statuses) == len(KINDS) else (None,)

    def expected(self, credential: str, kind: str | None) -> int:
        said = TABLE["levels"][self.level][credential]
        if said != "row":
            return said
        statuses = self.exceptions.get("public" if credential.endswith("public") else credential, self.statuses)
        return statuses[KINDS.index(kind) if kind else 0]


def rows():
    tables = ("/v1", "versioned"), ("", "versioned"), ("", "unversioned"), ("", "atomic")
    for prefix, lines in ((prefix, TABLE[name]) for prefix, name in tables):
        for method, path, level, *rest in lines:
            statuses = [one for one in rest if isinstance(one, int)]
            body, exceptions = [*rest[len(statuses) :], None, None][:2]
            row = Row(method, prefix + path, level, statuses, body, exceptions or {})
            yield row
            if method == "GET":
                yield row._replace(method="HEAD")


def nameless(path):
    return re.sub(r"{\w+\*?}", "{}", path)


ROWS = list(rows())


class World:
    """Two workspaces that hold the same kinds of things, some under the very same ids, and all kinds of credentials."""

    def __init__(self, app: Any):
        self.app, self.client = app, app.test_client()
        made = {name: workspaces.create(f"workspace {name}") for name in "AB"}
        self.api = {name: Api(self.client, one) for name, one in made.items()}
        self.id = {name: workspaces.find(one.workspace) for name, one in made.items()}
        self.ids: dict[str, str] = {"nobody": NOBODYS_ID}
        self.list_ids: dict[str, str] = {"nobody": NOBODYS_ID}
        self.segment_ids: dict[str, str] = {"nobody": NOBODYS_ID}
        self.sdk_key_ids: dict[str, str] = {"nobody": NOBODYS_ID}
        self.environments = {"own": made["A"].environment_id, "theirs": made["B"].environment_id, "nobody": "ZZ99zzZZ"}
        for name, kinds in (("A", ("own", "both")), ("B", ("both", "theirs"))):
            self._fill(name, kinds)
        self.links = {name: self._links(self.api[name], UIDS[kind]) for name, kind in (("A", "own"), ("B", "theirs"))}
        self.headers = self._credentials(made["A"], made["B"])
        app.extensions["credentials"].clear()  # it remembers that the pair which lapsed was good a moment ago
        self.columns = {
            table: [column.name for column in db.get_columns(table)]
            for table in db.get_tables()
            if table != "schema_migrations"
        }

    def _fill(self, name: str, kinds: tuple[str, ...]) -> None:
        """In each workspace lists, accounts and users, all of them in and on all of these, and marked as its own."""
        workspace, api, mark = self.id[name], self.api[name], MARKS[name]
        for kind in kinds:
            if kind not in self.list_ids:
                self.list_ids[kind] = api.post("lists", {"title": mark}).json["id"]
            else:  # the very id that the other workspace has
                List.insert(workspace_id=workspace, id=self.list_ids[kind], title=mark, created_at=0).execute()
            self._make_segment(name, kind)
            self._make_sdk_key(name, kind)
            self.ids.setdefault(kind, f"{KINDS.index(kind) + 1:024x}")
            users.upsert(workspace, self.ids[kind], UIDS[kind], {}, 0, guard_email=False)
            api.user(f"acme{UIDS[kind]}", first_name=mark, is_account=True)
        everything = {
            "lists": [self.list_ids[kind] for kind in kinds],
            "accounts": [{"id": f"acme{UIDS[kind]}", "role": mark} for kind in kinds],
        }
        for uid in (UIDS[kind] for kind in kinds):
            about = {"first_name": mark, "email": f"{uid}@example.com", "meta": {"mark": uid, mark: 1}}
            api.user(uid, **about, **everything, device_token=f"token-{uid}")
            assert api.post(f"users/{uid}/events", {"event": mark}).status_code == 200

    def _links(self, api: Api, uid: str) -> dict[str, str]:
        news = api.post("lists", {"title": "opt-in", "double_optin": True}).json["id"]
        made = api.post(f"lists/{news}/subscribers", {"email": f"{uid}@example.com"}).json
        found = {name: made[f"{name}_url"] for name in ("confirmation", "unsubscribe")}
        return {"confirm" if name == "confirmation" else name: url.split("/")[-2] for name, url in found.items()}

    def _make_segment(self, name: str, kind: str) -> None:
        fields = {"name": MARKS[name], "rule": {"attribute": "first_name", "is": MARKS[name]}}
        if kind not in self.segment_ids:
            self.segment_ids[kind] = self.api[name].post("segments", fields).json["id"]
            return
        rule = {**fields, "rule": json.dumps(fields["rule"])}
        Segment.insert(
            workspace_id=self.id[name], id=self.segment_ids[kind], created_at=0, updated_at=0, **rule
        ).execute()

    def _make_sdk_key(self, name: str, kind: str) -> None:
        fields = {"name": MARKS[name], "public_key": PEMS[name]}
        made = sdk_keys.create(self.id[name], fields, audit.SHELL).id
        if kind in self.sdk_key_ids:
            SdkKey.update(id=self.sdk_key_ids[kind]).where(
                (SdkKey.workspace_id == self.id[name]) & (SdkKey.id == made)
            ).execute()
        self.sdk_key_ids.setdefault(kind, made)

    def _credentials(self, ours: Any, theirs: Any) -> dict[str, str | None]:
        workspace = self.id["A"]
        lapsed = keys.KeyPair(ours.public_key, ours.secret_key)
        overlap = keys.rotate(workspace, 0, audit.SHELL)
        current = keys.rotate(workspace, 24, audit.SHELL)
        revoked = keys.add(workspace)
        keys.revoke(revoked.public, audit.SHELL)
        pairs = {"secret": current, "overlap": overlap, "lapsed": lapsed, "revoked": revoked}
        pairs["foreign"] = keys.KeyPair(theirs.public_key, theirs.secret_key)
        alone = {f"{name}_public": basic(pair.public) for name, pair in pairs.items() if name != "secret"}
        return {
            **{name: basic(*pair) for name, pair in pairs.items()},
            **alone,
            **self._tokens(),
            **self._sdk_tokens(),
            "public": basic(current.public),
            "none": None,
            "unknown": basic("pk_nobody", "sk_nobody"),
            "wrong": basic(current.public, "sk_wrong"),
            "mixed": basic(current.public, theirs.secret_key),
        }  # fmt: skip

    def _tokens(self) -> dict[str, str]:
        """Tokens of the Atomic API: one of each role, one of the other workspace, and those that must not do."""
        made = {role: clients.create(self.id["A"], role, audit.SHELL) for role in clients.ROLES}
        made["foreign"] = clients.create(self.id["B"], clients.EVENTS, audit.SHELL)
        made["revoked"] = clients.create(self.id["A"], clients.EVENTS, audit.SHELL)
        tokens = {name: clients.issue(one.id, one.secret) for name, one in made.items()}
        clients.revoke(self.id["A"], made["revoked"].id, audit.SHELL)
        signer = clients._signer(clients.find(made["events"].id))
        signer.get_timestamp = lambda: int(time.time()) - clients.TOKEN_SECONDS - 1
        tokens["expired"] = signer.sign(made["events"].id).decode()
        tokens["forged"] = tokens["events"].partition(".")[0] + "." + tokens["foreign"].partition(".")[2]
        self.client_ids = {"own": made["workbench"].id, "theirs": made["foreign"].id, "nobody": "nobody"}
        return {f"token_{name}": f"Bearer {token}" for name, token in tokens.items()}

    def _sdk_tokens(self) -> dict[str, str]:
        """Tokens of users as SDKs send them: one of each workspace, and those that must not do."""
        own, theirs = ({"apiKey": self.sdk_key_ids[kind], "sub": "visitor"} for kind in ("own", "theirs"))
        made = {
            "user": token(RSA_KEY, **own), "foreign": token(OTHER_RSA_KEY, **theirs), "forged": token(OTHER_RSA_KEY, **own),
            "expired": token(RSA_KEY, **own, exp=int(time.time()) - 1),
        }  # fmt: skip
        return {f"sdk_{name}": f"Bearer {text}" for name, text in made.items()}

    def call(self, row: Row, credential: str, kind: str | None) -> Any:
        """Send the request of a cell."""
        there = credential in FOREIGN

        def fill(text: str) -> str:
            return re.sub(r"{(\w+)(\*?)}", lambda found: self._value(row, there, kind, *found.groups()), text)

        body = None if row.body is None else json.dumps(_filled(row.body, fill)).encode()
        authorization = self.headers[credential]
        headers = {"X-Request-Id": REQUEST_ID, **({"Authorization": authorization} if authorization else {})}
        return self.client.open(fill(row.path), method=row.method, data=body, headers=headers)

    def _value(self, row: Row, there: bool, kind: str | None, name: str, star: str) -> str:
        seen = kind if star and kind else "own"
        known = SEEN_FROM_THERE.get(seen, seen) if there else seen
        if name == "link":
            return self._link(known, row.path.rpartition("/")[2])
        values = {
            "uid": UIDS[known], "account": f"acme{UIDS[known]}", "list_id": self.list_ids[known], "id": self.ids[known],
            "segment_id": self.segment_ids[known], "sdk_key_id": self.sdk_key_ids[known], "pem": PEMS["A"],
            "token": f"token-{UIDS[known]}", "name": "mark", "path": "index.css",
            "environment": self.environments.get(known, self.environments["theirs" if there else "own"]),
            "client_id": self.client_ids.get(known, self.client_ids["theirs" if there else "own"]),
        }  # fmt: skip
        return values[name]

    def _link(self, kind: str, purpose: str) -> str:
        """A link that belongs to the workspace, or one that says so and was signed with the key of the other."""
        made = {name: self.links[name][purpose] for name in "AB"}
        forged = made["A"].partition(".")[0] + "." + made["B"].partition(".")[2]
        return {"theirs": made["B"], "nobody": forged}.get(kind, made["A"])

    def dump(self, workspace: int | None = None) -> dict[str, list[str]]:
        """All that is stored, or what one workspace has of it."""
        found = {}
        for table, columns in self.columns.items():
            stored = db.execute_sql(f"SELECT * FROM {table}").fetchall()
            if workspace is not None and "workspace_id" in columns:
                place = columns.index("workspace_id")
                stored = [one for one in stored if one[place] == workspace]
            found[table] = sorted(map(repr, stored))
        return found


def _filled(body: Any, fill: Any) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, fill) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(one, fill) for one in body]
    return fill(body) if isinstance(body, str) else body


@pytest.fixture(scope="module", params=ENGINES)
def world(request, new_database):
    """A database of its own, filled once."""
    # The limits have tests of their own; this table brings wrong credentials by the thousand.
    limits = {"rate_key": "0", "rate_address": "0", "rate_login": "0"}
    settings = Settings(database_url=new_database(request.param), log_level="critical", **limits)
    configure(settings)
    app = create_app(settings)
    storage.prepare(settings)
    made = World(app)
    yield made
    forget_connection()


def taken_back(world, row, credential, kind):
    """Call; return the response and what was stored before and after it, of which nothing stays."""
    there = world.id["A" if credential in FOREIGN else "B"]
    refused = row.expected(credential, kind) >= 400
    whose = None if refused else there  # who is refused changes nothing, who is not changes nothing of the other's
    with db.atomic() as all_of_it:
        before = world.dump(whose)
        response = world.call(row, credential, kind)
        response.data, response.close()  # a file is open until then
        after = world.dump(whose)
        all_of_it.rollback()
    return response, before == after


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_cell_of_the_table(world, row):
    wrong, replies = [], {}
    for credential in TABLE["levels"][row.level]:
        for kind in row.kinds:
            response, kept = taken_back(world, row, credential, kind)
            replies[credential, kind] = response
            if response.status_code != row.expected(credential, kind):
                wrong.append((credential, kind, response.status_code, row.expected(credential, kind), response.data))
            if not kept and row.level != "open":
                wrong.append((credential, kind, "changed what it must not"))
            if row.level != "open" and MARKS["A" if credential in FOREIGN else "B"] in response.text:
                wrong.append((credential, kind, "shows what another workspace has", response.text))
            if row.method == "HEAD" and response.data:
                wrong.append((credential, kind, "HEAD with a body"))
    for credential in TABLE["levels"][row.level] if row.level != "open" and len(row.kinds) > 1 else ():
        theirs, nobody = alike(replies[credential, "theirs"]), alike(replies[credential, "nobody"])
        if theirs != nobody:
            wrong.append((credential, "foreign and unknown are told apart", theirs, nobody))
    assert not wrong


def alike(response):
    """A reply, head and body; of a success without what each user has of its own: ids, times and the uid just sent."""
    head = {name: value for name, value in response.headers if not (name == "ETag" and response.status_code == 200)}
    text = response.data
    if response.status_code < 400:
        text = re.sub(rb"ours|them|none", b"UID", re.sub(rb'"[0-9a-f]{24}"', b'"ID"', text))
        text = re.sub(rb'"\d{4}-\d\d-\d\dT[\d:.]{12}\+00:00"', b'"TIME"', text)
    return response.status_code, head, text


def test_every_route_is_in_the_table_and_every_row_is_a_route(world):
    served = {
        (method, nameless(path_of(rule.rule)))
        for rule in world.app.url_map.iter_rules()
        for method in rule.methods - {"OPTIONS"}
    }
    assert {row.route for row in ROWS} == served


def test_safe_methods_change_nothing(world):
    """HEAD, GET and OPTIONS of every route, by everybody (RFC 9110 section 9.2.1): proxies and scanners send them."""
    for row in (row for row in ROWS if row.method in ("GET", "HEAD")):
        before = world.dump()
        for credential in TABLE["levels"][row.level]:
            for kind in row.kinds:
                for method in {row.method, "OPTIONS"}:
                    world.call(row._replace(method=method), credential, kind).close()
        assert world.dump() == before, (row.method, row.path)


def test_every_level_answers_every_credential(world):
    for level, answers in TABLE["levels"].items():
        assert answers.keys() == world.headers.keys(), level
    assert {row.level for row in ROWS} == TABLE["levels"].keys()


def test_a_method_that_a_route_does_not_take_is_405_with_a_key_and_401_without(world):
    adapter = world.app.url_map.bind("localhost")
    for row in {row.route[1]: row for row in ROWS}.values():
        path = row.path.partition("?")[0].replace("{environment*}", "{environment}")
        path = re.sub(r"{\w+\*?}", "x", path.replace("{environment}", "ZZ99zzZZ"))
        level = "public" if of_path(path) == ENGAGE else "any_role"
        before = world.dump()
        for method in (one for one in METHODS if not takes(adapter, path, one)):
            other = row._replace(method=method, body=None)
            for credential, said in TABLE["levels"][level].items():
                response = world.call(other, credential, None)
                assert response.status_code == (405 if said == "row" else 401), (method, path, credential)
        assert world.dump() == before, path


def takes(adapter, path, method):
    """Tell whether the route of a path takes a method."""
    try:
        adapter.match(path, method=method)
    except MethodNotAllowed:
        return False
    return True


def test_options_needs_no_credentials_anywhere(world):
    for row in ROWS:
        for credential in world.headers:
            response = world.call(row._replace(method="OPTIONS", body=None), credential, None)
            assert (response.status_code, response.json) == (200, {"status": "ok"}), (row, credential)
