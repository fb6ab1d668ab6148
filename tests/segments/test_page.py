"""docs/segments.md: its ten questions, asked of people of whom we know the answer."""

import json
import re

from app import clock
from app.domain import dates, rules
from app.schemas.rules import check
from tests.segments import chance

DAY = 86_400_000


def test_the_ten_questions_find_whom_they_ask_for(api, make_list, root):
    page = (root / "docs/segments.md").read_text()
    news = make_list("News")
    shown = re.findall(r"### (.+)\n\n```json\n(.+)\n```", page.replace("60036440419768607192801b", news))
    now, people = clock.now(), {}

    def person(name, *events, **fields):
        people[name] = api.user(name, **{"created_at": "2020-01-01", **fields})["uid"]
        for days, event, properties in events:
            sent = {"event": event, "properties": properties, "timestamp": now - days * DAY}
            assert api.post(f"users/{name}/events", sent).status_code == 200

    api.user("acme", is_account=True, created_at="2020-01-01")
    usd = {"cur": "USD", "amount": 400}
    person("pro", meta={"plan": "pro"})
    person("thrice", *[(3, "Paid", usd)] * 3)
    person("twice", (3, "Paid", usd), (3, "Paid", usd), (2, "Paid", {"cur": "EUR", "amount": 1}))
    person("new", created_at=now - 2 * DAY)
    person("new and in", (1, "Logged in", {}), created_at=now - 2 * DAY)
    person("silent", (40, "Seen", {}))
    person("trial", meta={"trial_ends": dates.render(now + 2 * DAY)})
    person("trial until today", meta={"trial_ends": dates.render(now)[:10]})
    person("later", meta={"trial_ends": dates.render(now + 9 * DAY)})
    person("worker", email="W@Example.COM")
    person("reader", lists=[news])
    person("reader with a phone", lists=[news], device_token="t", device_platform="ios")
    person("owner", accounts=[{"id": "acme", "role": "owner"}])
    person("member", accounts=[{"id": "acme"}])
    person("old friend", (400, "Paid", {"amount": 1}), (2, "Paid", {"amount": 1}))
    answers = [
        ["pro"],
        ["thrice"],
        ["new"],
        ["silent"],
        ["thrice"],
        ["trial", "trial until today"],
        ["worker"],
        ["reader"],
        ["owner"],
        ["old friend"],
    ]
    assert len(shown) == len(answers) == 10
    for (question, rule), expected in zip(shown, answers, strict=True):
        segment = api.post("segments", {"name": question, "rule": json.loads(rule)}).json["id"]
        found = [user["uid"] for user in api.get(f"segments/{segment}/users?limit=30").json["data"]]
        assert found == expected, question


def test_the_page_names_every_attribute_and_operator(root):
    page = (root / "docs/segments.md").read_text()
    for word in (*rules.ATTRIBUTES, *rules.OPERATORS, *rules.AGGREGATES, "first", "last", "within", "where"):
        assert re.search(rf'[`"]{word}[`"]', page), word


def test_every_rule_by_chance_keeps_to_the_grammar_and_to_its_schema(app):
    """So that the tests by chance ask what callers can ask, and the document promises what is taken."""
    from random import Random

    from jsonschema import Draft202012Validator

    from app.schemas import grammar

    random, schemas = Random(3), grammar.documents()
    document = {"$ref": "#/components/schemas/Rule", "components": {"schemas": schemas}}
    validator = Draft202012Validator(document)
    for _ in range(400):
        rule = chance.rule(random, ["a" * 24], ["acme"], ["b" * 24])
        assert list(check(rule)) == [] and list(validator.iter_errors(rule)) == []
