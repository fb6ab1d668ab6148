"""What /docs and /openapi.json serve: made once, compressed once, and not sent again to who has it."""

import gzip

import pytest

from app.api import openapi

PATHS = ["/openapi.json", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]


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


def test_the_document_is_made_once(api, monkeypatch):
    first = api.get("/openapi.json", by=None)
    monkeypatch.setattr(openapi, "document", lambda: pytest.fail("it is made again"))
    assert api.get("/openapi.json", by=None).data == first.data


def test_the_page_keeps_its_policy(api):
    for path in ("/docs/", PATHS[1]):
        assert "default-src 'none'" in api.get(path, by=None).headers["Content-Security-Policy"]
