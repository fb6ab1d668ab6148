"""What /docs and /openapi.json serve: made once, compressed once, and not sent again to who has it."""

import gzip

import pytest

from app.api import openapi

PATHS = ["/openapi.json", "/openapi.yaml", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]


@pytest.mark.parametrize("path", PATHS)
def test_it_is_sent_packed_and_only_once(api, path):
    plain, packed = (api.get(path, by=None, headers={"Accept-Encoding": one}) for one in ("identity", "gzip"))
    assert (plain.status_code, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(packed.data) == plain.data and len(packed.data) * 3 < len(plain.data)
    assert packed.headers["Vary"] == "Accept-Encoding" and packed.headers["ETag"] != plain.headers["ETag"]
    for encoding, first in (("identity", plain), ("gzip", packed)):
        known = {"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]}
        again = api.get(path, by=None, headers=known)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert api.get(path, by=None, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("by", [None, "secret"])
def test_addresses_that_people_type_ask_for_no_password(api, by):
    """cases/docs-without-slash.md"""
    for path in ("/", "/docs"):
        answered = api.get(path, by=by)
        assert (answered.status_code, answered.headers["Location"]) == (302, "/docs/")
    for path in ("/docs/", "/docs/index.html", "/openapi.json", "/openapi.yaml", "/favicon.ico"):
        assert api.get(path, by=by).status_code == 200, path
    for path in (
        "/v1",
        "/v1/",
        "/index.html",
        "/robots.txt",
        "/docs/nosuch",
        "/apple-touch-icon.png",
        "/v2/users",
        "/user/u1",
    ):
        missing = api.get(path, by=by)
        assert (missing.status_code, missing.json["code"]) == (404, "not_found"), path
        assert "WWW-Authenticate" not in missing.headers


def test_what_is_the_apis_asks_for_credentials_also_where_there_is_nothing(api):
    for path in ("/v1/nosuch", "/users/u1/nosuch", "/v1//users", "/lists/x/y/z", "/segments/", "/batch/x"):
        assert api.get(path, by=None).status_code == 401, path
        assert api.get(path).status_code == 404, path


def test_the_document_as_yaml_is_the_one_at_the_top_of_the_repository(api, root):
    served = api.get("/openapi.yaml", by=None)
    assert served.data == (root / "openapi.yaml").read_bytes() and served.mimetype == "application/yaml"


def test_the_icon_is_one(api):
    icon = api.get("/favicon.ico", by=None)
    assert icon.mimetype == "image/png" and icon.data.startswith(b"\x89PNG")


def test_the_document_is_made_once(api, monkeypatch):
    first = api.get("/openapi.json", by=None)
    monkeypatch.setattr(openapi, "document", lambda: pytest.fail("it is made again"))
    assert api.get("/openapi.json", by=None).data == first.data


def test_the_page_keeps_its_policy(api):
    for path in ("/docs/", PATHS[2]):
        assert "default-src 'none'" in api.get(path, by=None).headers["Content-Security-Policy"]
