"""`engagesdk` of PyPI against the running service; only its host is changed."""

import engagesdk
import pytest
from engagesdk.base import Borg

from tests.factories import fresh


@pytest.fixture
def sdk(service, monkeypatch):
    """The SDK's users, called with the key pair of the service."""
    monkeypatch.setattr(engagesdk, "API_URL", f"http://127.0.0.1:{service.port}/v1")
    monkeypatch.setattr(Borg, "_shared_state", {})  # it keeps the host of the first pair it ever saw
    return engagesdk.Engage(service.public, service.secret).users


def stored(service, uid):
    return service.call("GET", f"users/{uid}")[1]


@pytest.mark.parametrize("form", ["{}", "{}@example.com", "1f0c1f0e-7d5e-4c3b-9b43-{}"])
def test_identify_and_add_attribute(service, sdk, form):
    uid = form.format(fresh())
    answer = sdk.identify(
        {
            "id": uid,
            "email": "ada@example.com",
            "first_name": "Ada",
            "created_at": "2020-08-11",
            "plan": "pro",
            "age": 34,
        }
    )
    assert answer == stored(service, uid)
    assert (answer["uid"], answer["email"], answer["meta"]) == (uid, "ada@example.com", {"plan": "pro", "age": 34})
    assert answer["created_at"] == "2020-08-11T00:00:00.000+00:00"
    sdk.add_attribute(uid, {"last_name": "Love", "age": 35})
    assert (stored(service, uid)["last_name"], stored(service, uid)["meta"]) == ("Love", {"plan": "pro", "age": 35})


def test_track(service, sdk):
    uid = fresh()
    assert sdk.track(uid, "loggedin") == {"status": "ok"}
    assert sdk.track(uid, {"event": "Paid", "value": 5, "timestamp": "2020-08-11", "currency": "USD"}) == {
        "status": "ok"
    }
    login, paid = service.call("GET", f"users/{uid}/events")[1]["data"]
    assert (login["event"], login["value"]) == ("loggedin", True)
    assert (paid["value"], paid["properties"], paid["timestamp"]) == (
        5,
        {"currency": "USD"},
        "2020-08-11T00:00:00.000+00:00",
    )


def test_accounts(service, sdk):
    uid, acme = fresh(), fresh()
    sdk.identify({"id": uid, "plan": "x"})
    assert sdk.identify({"id": acme, "is_account": True})["is_account"] is True
    assert sdk.convert_to_customer(acme)["is_account"] is False
    assert sdk.add_to_account(uid, acme, "owner")["accounts"] == [{"id": acme, "role": "owner"}]
    assert sdk.change_account_role(uid, acme, "member")["accounts"] == [{"id": acme, "role": "member"}]
    assert stored(service, acme)["member_count"] == 1
    assert sdk.remove_from_account(uid, acme)["accounts"] == []
    assert sdk.convert_to_account(acme)["is_account"] is True


def test_an_error_is_what_the_sdk_expects(sdk):
    answer = sdk.add_to_account(fresh(), "nobody", None)
    assert isinstance(answer["error"], str) and answer["error"]
