"""Keys that are not ours to set, and what the public key may change and see."""

from tests.hostile.cases.build import KEPT_EMAIL, WHOLE_USER, case, create, step, update


def ignored():
    for name, fields, shown in [
        ("is_admin", {"is_admin": True}, {}), ("ws", {"ws": 2}, {}), ("workspace_id", {"workspace_id": 2}, {}),
        ("_id", {"_id": "f" * 24}, {}), ("class", {"__class__": "x"}, {}),
        ("stats", {"stats": {"opened": 99}}, {"stats": {"delivered": 0, "failed": 0, "opened": 0, "clicked": 0,
                                                        "unique_opens": 0, "unique_clicks": 0}}),
        ("segments", {"segments": [{"id": "f" * 24, "suppressed": False}]}, {"segments": []}),
        ("last_interaction", {"last_interaction": "2020-01-01T00:00:00Z"}, {"last_interaction": None}),
        ("uid_updateable", {"uid_updateable": True}, {"uid_updateable": False}),
        ("member_count", {"member_count": 7}, {"member_count": None}),
        ("devices", {"devices": [{"token": "{{fresh}}", "platform": "ios"}]}, {"devices": []}),
        ("source and date", {"source": "PostHog", "date": "2026-01-01T00:00:00Z"}, {}),
        ("nested rubbish", {"extra": {"a": [1, {"b": None}]}}, {}),
    ]:
        yield create(f"create: {name}", 200, fields, stored=True,
                     expect={"reads": {"{{fresh}}": {"uid": "{{fresh}}", "email": None, **shown}},
                             "lacks": ["is_admin", "workspace_id", "__class__"]})
    yield create("create: archived", 200, {"archived": True}, stored=True, judgement=True,
                 expect={"reads": {"{{fresh}}": {"archived": False}}})
    yield create("create: another uid beside id", [200, 400], {"uid": "{{fresh2}}"}, stored=None, judgement=True,
                 expect={"absent": ["{{fresh2}}"]}, note="whatever the answer, no user of that uid comes into being")
    yield update("update: id", 200, {"id": "{{fresh}}", "first_name": "x"}, stored=True,
                 expect={"absent": ["{{fresh}}"], "reads": {"{{user}}": {"uid": "{{user}}", "first_name": "x"}}})
    yield update("update: stats and segments", 200, {"stats": {"opened": 99}, "segments": []})
    yield update("update: only unknown keys", 200, {"foo": 1})
    yield update("update: method override header", 200, {"first_name": "x"}, stored=True,
                 headers=[("X-HTTP-Method-Override", "DELETE")], expect=KEPT_EMAIL, judgement=True)
    yield case("update: email in the query string", "PUT", "/v1/users/{{user}}?email=evil@example.net", 200,
               {"first_name": "x"}, stored=True, expect=KEPT_EMAIL, judgement=True)
    yield case("event: user_id of someone else", "POST", "/v1/users/{{user}}/events", 200,
               {"event": "e", "user_id": "{{fresh}}", "uid": "{{fresh}}"}, credential="public", stored=True,
               expect={"reply": {"status": "ok"}, "absent": ["{{fresh}}"]})
    yield case("list: id and subscriber_count", "POST", "/v1/lists", 200,
               {"title": "t", "id": "f" * 24, "subscriber_count": 5}, stored=True,
               expect={"reply_has": {"title": "t", "subscriber_count": 0}, "lacks": ["f" * 24]})


def email_rule():
    """With the public key alone an e-mail can be set, or said again, and never changed."""
    evil = "evil@example.net"
    for name, value in [("changed", evil), ("cleared", None)]:
        yield update(f"update: {name}", 403, {"email": value}, credential="public")
        yield create(f"create again: {name}", 403, {"id": "{{user}}", "email": value}, credential="public")
    yield update("update: changed, with other fields", 403, {"first_name": "x", "email": evil, "meta": {"a": 1}},
                 credential="public", note="nothing of the request is kept")
    yield update("update: emptied", [400, 403], {"email": ""}, credential="public",
                 note="no e-mail address, and a change: either reason will do")
    yield update("update: the same value and then another", 400,
                 '{"email":"{{user}}@example.com","email":"evil@example.net"}', credential="public")
    yield update("update: capitals changed", 403, {"email": "{{user}}@EXAMPLE.com"}, credential="public",
                 judgement=True, note="not the address that is stored, byte for byte")
    yield update("update: key in capitals is ignored", 200, {"Email": evil}, credential="public")
    yield update("update: key with a space is ignored", 200, {"email ": evil}, credential="public")
    yield update("update: the same email", 200, {"email": "{{user}}@example.com", "meta": {}}, credential="public")
    yield update("update: email inside meta", 200, {"meta": {"email": evil}}, credential="public", stored=True,
                 expect=KEPT_EMAIL)
    yield update("update: number may change, email stays", 200, {"number": "+15550001111"}, credential="public",
                 stored=True, expect=KEPT_EMAIL)
    yield update("update: changed with the secret", 200, {"email": evil}, stored=True,
                 expect={"reads": {"{{user}}": {"email": evil}}})
    yield update("update: cleared with the secret", 200, {"email": None}, stored=True,
                 expect={"reads": {"{{user}}": {"email": None}}})
    yield case("set on a new user with PUT", "PUT", "/v1/users/{{fresh}}", 200, {"email": "a@example.com"},
               credential="public", stored=True, expect={"reads": {"{{fresh}}": {"email": "a@example.com"}}})
    yield create("set on a new user with POST", 200, {"email": "a@example.com"}, credential="public", stored=True,
                 expect={"reads": {"{{fresh}}": {"email": "a@example.com"}}})
    yield case("set where none is stored with PUT", "PUT", "/v1/users/{{bare}}", 200, {"email": "a@example.com"},
               credential="public", stored=True, expect={"reads": {"{{bare}}": {"email": "a@example.com"}}})
    yield create("set where none is stored with POST", 200, {"id": "{{bare}}", "email": "a@example.com"},
                 credential="public", stored=True, expect={"reads": {"{{bare}}": {"email": "a@example.com"}}})
    yield case("set after an event made the user", "PUT", "/v1/users/{{fresh}}", 200, {"email": "a@example.com"},
               before=[step("POST", "/v1/users/{{fresh}}/events", {"event": "e"}, "public")], credential="public",
               stored=True, expect={"reads": {"{{fresh}}": {"email": "a@example.com"}}})
    yield case("null where none is stored", "PUT", "/v1/users/{{bare}}", 200, {"email": None}, credential="public",
               judgement=True)
    yield case("a subscriber of that email is not taken over", "PUT", "/v1/users/{{fresh}}", 200,
               {"email": "{{fresh}}@example.org"}, credential="public", stored=True,
               before=[step("POST", "/v1/lists/{{list}}/subscribers", {"email": "{{fresh}}@example.org"},
                            save={"subscriber": "uid"})],
               expect={"reads": {"{{subscriber}}": {"uid_updateable": True, "email": "{{fresh}}@example.org"}}})


def public_reply():
    """A write with the public key tells nothing about a user that was there before."""
    yield update("update meta", 200, {"meta": {"visits": 3}}, credential="public", stored=True,
                 expect={"reply_only": ["meta"], "reply_has": {"uid": "{{user}}", "meta": {"visits": 3}}})
    yield update("update first name", 200, {"first_name": "x"}, credential="public", stored=True,
                 expect={"reply_only": ["first_name"], "reply_has": {"first_name": "x"}})
    yield update("update nothing", 200, {}, credential="public", expect={"reply_only": []})
    yield update("update an unknown key", 200, {"foo": "bar"}, credential="public", expect={"reply_only": []})
    yield update("update by asking for more", 200, {"id": "x", "devices": [], "lists": [], "stats": {}},
                 credential="public", expect={"reply_only": ["devices", "lists", "stats"]},
                 note="keys that are ignored, or empty, must not make the reply show what is stored")
    yield create("create again", 200, {"id": "{{user}}", "meta": {"visits": 3}}, credential="public", stored=True,
                 expect={"reply_only": ["meta"], "reply_has": {"uid": "{{user}}", "meta": {"visits": 3}}})
    yield create("create again with nothing", 200, {"id": "{{user}}"}, credential="public",
                 expect={"reply_only": []})
    yield create("a new user is shown whole with POST", 200, {"first_name": "x"}, credential="public", stored=True,
                 expect={"reply_keys": WHOLE_USER})
    yield case("a new user is shown whole with PUT", "PUT", "/v1/users/{{fresh}}", 200, {"first_name": "x"},
               credential="public", stored=True, expect={"reply_keys": WHOLE_USER})
    yield update("with the secret the user is shown whole", 200, {"meta": {"visits": 3}}, stored=True,
                 expect={"reply_keys": WHOLE_USER, "reply_has": {"email": "{{user}}@example.com"}})
    member = [step("POST", "/v1/users/{{user}}/accounts", {"accounts": [{"id": "{{account}}", "role": "owner"}]})]
    secretly = {"lacks": ["created_at", "uid_updateable", "last_interaction"]}
    yield case("convert", "POST", "/v1/users/{{user}}/convert", 200, {"type": "account"}, credential="public",
               stored=True, expect=secretly)
    yield case("add an account", "POST", "/v1/users/{{user}}/accounts", 200, {"accounts": [{"id": "{{account}}"}]},
               credential="public", stored=True, expect=secretly)
    yield case("change a role", "PUT", "/v1/users/{{user}}/accounts/{{account}}", 200, {"role": "member"},
               credential="public", before=member, stored=True, expect=secretly)
    yield case("leave an account", "DELETE", "/v1/users/{{user}}/accounts/{{account}}", 200, credential="public",
               before=member, stored=True, expect=secretly)
    yield case("delete an unknown token", "DELETE", "/v1/users/{{user}}/tokens/{{fresh}}", [200, 404],
               credential="public", judgement=True)
    yield case("event", "POST", "/v1/users/{{user}}/events", 200, {"event": "e"}, credential="public", stored=True,
               expect={"reply": {"status": "ok"}})
    archived = [step("POST", "/v1/users/{{user}}/archive")]
    yield update("archived: false", [200, 403], {"archived": False}, credential="public", before=archived,
                 judgement=True, expect={"reads": {"{{user}}": {"archived": True}}},
                 note="bringing a user back needs the secret")
    yield update("archived: false with the secret by PUT", 200, {"archived": False, "first_name": "x"},
                 before=archived, stored=True, expect={"reads": {"{{user}}": {"archived": True}}},
                 note="PATCH brings a user back; what was read before must not")
    yield case("archived: false by PATCH", "PATCH", "/v1/users/{{user}}", 200, {"archived": False}, before=archived,
               stored=True, expect={"reads": {"{{user}}": {"archived": False}}})
