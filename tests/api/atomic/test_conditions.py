"""No route of the Atomic API looks at If-Match and If-None-Match: who sends them is told so, in its shape."""

import pytest

from app.api.auth import OPEN
from app.api.bearers import SDK
from app.api.conventions import ATOMIC, of_path
from app.services.atomic.clients import ROLES


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_every_route_that_changes_something_refuses_a_condition(app, atomic, refused, tables, header):
    seen = 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        path = rule.rule.replace("<environment:environment>", atomic.environment).replace("<", "").replace(">", "")
        if of_path(path) != ATOMIC or view.access in (OPEN, SDK):  # an SDK's: test_update_user.py
            continue
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}:
            before = tables()
            answers = [atomic.call(method, path, {}, role, headers={header: '"x"'}) for role in ROLES]
            answer = next(one for one in answers if one.status_code not in (401, 403))
            assert refused(answer, 400, "invalid_input")["source"] == {"parameter": header}, (method, path)
            assert tables() == before
            seen += 1
    assert seen >= 10


def test_a_read_ignores_a_condition(atomic):
    atomic.post("users", {"users": [{"id": "c1", "profile": {"name": "Ada"}}]})
    assert atomic.get("user?id=c1", headers={"If-Match": '"x"', "If-None-Match": "*"}).status_code == 200
