"""`@engage_so/browser` of npm in headless Chromium, on a page of another origin, with the public key alone."""

import functools
import http.server
import threading

import pytest
from playwright.sync_api import sync_playwright

from tests import needs
from tests.factories import fresh, wait_until
from tests.sdk.conftest import VENDOR

pytestmark = pytest.mark.ci


class _Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *args):
        pass


@pytest.fixture
def origin(service, packages, tmp_path):
    """The origin of a page that loads the SDK, which is told to call the service."""
    script = (packages / "@engage_so/browser/dist/engage.js").read_text()
    assert script.count(VENDOR) == 1
    (tmp_path / "engage.js").write_text(script.replace(VENDOR, f"http://127.0.0.1:{service.port}"))
    (tmp_path / "index.html").write_text('<!doctype html><body><script src="engage.js"></script></body>')
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Silent, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run_in_page(origin, service, script):
    chromium = needs.program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        # The SDK's chat widget asks the vendor's other hosts; they are not what is tested. Not with page.route, which
        # would answer the preflights in place of the service.
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", nowhere])
        page = browser.new_page()
        page.goto(origin)
        answer = page.evaluate(f"async () => {{ Engage.init('{service.public}'); {script} }}")
        browser.close()
        return answer


def is_allowed(service, origin):
    with service.connection() as connection:
        return service.send(connection, "PUT", "users/polled", {}, "public", Origin=origin)[0] == 200


def test_a_page_on_the_list_identifies_and_tracks_and_another_may_not(service, origin):
    uid = fresh()
    script = (
        f"const user = await Engage.identify({{id: '{uid}', email: '{uid}@example.com', plan: 'pro'}});"
        f"const event = await Engage.track('{uid}', 'loggedin');"
        f"const again = await Engage.identify({{id: '{uid}', email: '{uid}@example.com'}});"
        "return {user, event, again}"
    )
    refused = run_in_page(origin, service, script)
    assert refused["user"] == {
        "error": "API connection error"
    }  # what the SDK says when the browser lets nothing through
    assert service.call("GET", f"users/{uid}")[0] == 404

    service.rollcall("key", "origins", "add", service.public, origin)
    wait_until(lambda: all(is_allowed(service, origin) for _ in range(20)))  # each worker remembers a key for a second
    answers = run_in_page(origin, service, script)
    assert (answers["user"]["uid"], answers["user"]["meta"]) == (uid, {"plan": "pro"})
    assert answers["event"] == {"status": "ok"}
    assert answers["again"] == {
        "id": answers["user"]["id"], "uid": uid, "email": f"{uid}@example.com", "meta": {},
    }  # fmt: skip
    stored = service.call("GET", f"users/{uid}")[1]
    assert stored["meta"] == {"plan": "pro"} and stored["last_interaction"]
