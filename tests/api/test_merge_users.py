"""POST /v1/users/merge (engage.md section 4.6)."""

import pytest

from tests.factories import fresh


def merge(api, source, destination, **more):
    return api.post("users/merge", {"source": source, "destination": destination}, **more)


def test_blanks_are_filled_the_destination_wins_and_all_is_joined(api, make_list):
    only, both, left, acme, zeta = (
        make_list("Only"),
        make_list("Both"),
        make_list("Left"),
        api.user()["uid"],
        api.user()["uid"],
    )
    source = api.user(
        first_name="Source", last_name="Kept", email="s@example.com", number="+15550001111", created_at="2020-01-01",
        meta={"a": 1, "b": 1}, lists=[only, both, left], accounts=[{"id": acme, "role": "s"}, {"id": zeta}],
        device_token=fresh(),
    )  # fmt: skip
    destination = api.user(
        first_name="Destination", created_at="2021-01-01", meta={"b": 2, "c": 2}, lists=[both, left],
        accounts=[{"id": acme, "role": "d"}], device_token=fresh(),
    )  # fmt: skip
    api.put(f"lists/{left}/subscribers/{destination['uid']}", {"subscribed": False})
    for uid, timestamp in ((source["uid"], "2026-01-02"), (destination["uid"], "2026-01-01")):
        api.post(f"users/{uid}/events", {"event": "e", "timestamp": timestamp})
    assert merge(api, source["uid"], destination["uid"]).json == {"status": "queued"}
    assert api.get(f"users/{source['uid']}").status_code == 404
    merged = api.get(f"users/{destination['uid']}").json
    assert merged == {
        **destination, "last_name": "Kept", "email": "s@example.com", "number": "+15550001111",
        "meta": {"a": 1, "b": 2, "c": 2}, "created_at": "2020-01-01T00:00:00.000+00:00",
        "last_interaction": "2026-01-02T00:00:00.000+00:00", "devices": merged["devices"], "lists": merged["lists"],
        "accounts": merged["accounts"],
    }  # fmt: skip
    assert {one["token"] for one in merged["devices"]} == {
        one["token"] for user in (source, destination) for one in user["devices"]
    }
    assert {one["id"]: one["subscribed"] for one in merged["lists"]} == {only: True, both: True, left: False}
    assert [api.get(f"lists/{one}").json["subscriber_count"] for one in (only, both, left)] == [1, 1, 0]
    assert {one["id"]: one["role"] for one in merged["accounts"]} == {acme: "d", zeta: None}
    assert [api.get(f"users/{one}").json["member_count"] for one in (acme, zeta)] == [1, 1]
    assert len(api.get(f"users/{destination['uid']}/events").json["data"]) == 2


def test_members_of_a_merged_account_move_and_nobody_belongs_to_itself(api):
    source, destination = api.user(is_account=True)["uid"], api.user(is_account=True)["uid"]
    one = api.user(accounts=[{"id": source}])["uid"]
    two = api.user(accounts=[{"id": source, "role": "s"}, {"id": destination, "role": "d"}])["uid"]
    api.post(f"users/{source}/accounts", {"accounts": [{"id": destination}]})
    api.post(f"users/{destination}/accounts", {"accounts": [{"id": source}]})
    merge(api, source, destination)
    merged = api.get(f"users/{destination}").json
    assert (merged["accounts"], merged["member_count"]) == ([], 2)
    assert api.get(f"users/{one}").json["accounts"] == [{"id": destination, "role": None}]
    assert api.get(f"users/{two}").json["accounts"] == [{"id": destination, "role": "d"}]


def test_the_last_five_devices_of_both_are_kept(api):
    source, destination, tokens = fresh(), fresh(), [fresh() for _ in range(8)]
    for number, token in enumerate(tokens):
        api.user(destination if number % 2 else source, device_token=token)
    merge(api, source, destination)
    assert [one["token"] for one in api.get(f"users/{destination}").json["devices"]] == tokens[3:]


def test_a_missing_destination_gives_its_uid_to_the_source(api):
    source, uid = api.user(email="a@example.com", meta={"a": 1}), fresh()
    assert merge(api, source["uid"], uid).status_code == 200
    assert api.get(f"users/{uid}").json == {**source, "uid": uid}
    assert api.get(f"users/{source['uid']}").status_code == 404


def test_a_missing_source_changes_nothing(api, tables):
    uid = api.user()["uid"]
    before = tables()
    assert [merge(api, fresh(), one).json for one in (uid, fresh())] == [{"status": "queued"}] * 2
    assert tables() == before


@pytest.mark.parametrize("body", [[], {}, {"source": "a"}, {"source": "a", "destination": "a"}, {"source": None, "destination": "a"},
                                  {"source": "a", "destination": "a/b"}, {"source": "a" * 256, "destination": "b"}])  # fmt: skip
def test_a_body_that_breaks_a_rule_is_refused(api, body):
    assert api.post("users/merge", body).status_code == 400


def test_too_many_meta_keys_and_nothing_is_changed(api, tables):
    source, destination = (
        api.user(meta={f"s{i}": 1 for i in range(200)}),
        api.user(meta={f"d{i}": 1 for i in range(200)}),
    )
    before = tables()
    assert merge(api, source["uid"], destination["uid"]).status_code == 400
    assert tables() == before


@pytest.mark.parametrize("known", [{"email": "a@example.com"}, {"number": "+15550001111"}])
def test_the_public_key_merges_only_those_without_email_and_number(api, tables, known):
    source, bare, uid = api.user(**known)["uid"], api.user()["uid"], api.user()["uid"]
    before = tables()
    for destination in (uid, fresh()):
        assert merge(api, source, destination, by="public").status_code == 403
    assert tables() == before
    assert merge(api, bare, uid, by="public").status_code == 200


def test_strangers_are_refused_and_other_workspaces_not_touched(api, other_api, tables):
    source, destination = api.user()["uid"], api.user()["uid"]
    before = tables()
    assert merge(api, source, destination, by=None).status_code == 401
    assert merge(other_api, source, destination).json == {"status": "queued"}
    assert tables() == before


def test_a_role_fills_a_missing_role_in_an_account_and_of_a_member(api):
    """Case merge-loses-role."""
    acme = api.user(is_account=True)["uid"]
    for roles in ((None, None), (None, "d"), ("s", None), ("s", "d")):
        source, destination = (
            api.user(is_account=True, accounts=[{"id": acme, **({} if role is None else {"role": role})}])["uid"]
            for role in roles
        )
        member = api.user(
            accounts=[{"id": uid, "role": role} for uid, role in zip((source, destination), roles, strict=True)]
        )["uid"]
        merge(api, source, destination)
        expected = roles[1] or roles[0]
        assert api.get(f"users/{destination}").json["accounts"] == [{"id": acme, "role": expected}], roles
        assert api.get(f"users/{member}").json["accounts"] == [{"id": destination, "role": expected}], roles
        assert api.get(f"users/{destination}").json["member_count"] == 1


def test_whoever_is_suppressed_in_a_segment_stays_so(api):
    segment = api.post("segments", {"name": "all of them", "rule": {"all": []}}).json["id"]
    for suppressed in (0, 1):
        uids = [api.user()["uid"] for _ in range(2)]
        api.put(f"segments/{segment}/users/{uids[suppressed]}", {"suppressed": True})
        merge(api, *uids)
        assert {"id": segment, "suppressed": True} in api.get(f"users/{uids[1]}").json["segments"]
