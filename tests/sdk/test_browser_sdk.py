"""`@engage_so/browser` of npm in headless Chromium, on a page of another origin, with the public key alone."""

import functools
import http.server
import subprocess
import sys
import threading
import time

import pytest
from playwright.sync_api import sync_playwright

from tests.factories import ROOT, fresh
from tests.sdk.conftest import VENDOR
from tests.test_docs_browser import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed on this machine")


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
    with sync_playwright() as playwright:
        # The SDK's chat widget asks the vendor's other hosts; they are not what is tested. Not with page.route, which
        # would answer the preflights in place of the service.
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", nowhere])
        page = browser.new_page()
        page.goto(origin)
        answer = page.evaluate(f"async () => {{ Engage.init('{service.public}'); {script} }}")
        browser.close()
        return answer


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

    command = [sys.executable, "-m", "app", "key", "origins", "add", service.public, origin]
    subprocess.run(command, cwd=ROOT, env=service.environment, check=True, capture_output=True)
    time.sleep(1.1)  # each worker remembers a key for a second
    answers = run_in_page(origin, service, script)
    assert (answers["user"]["uid"], answers["user"]["meta"]) == (uid, {"plan": "pro"})
    assert answers["event"] == {"status": "ok"}
    assert answers["again"] == {
        "id": answers["user"]["id"], "uid": uid, "email": f"{uid}@example.com", "meta": {},
    }  # fmt: skip
    stored = service.call("GET", f"users/{uid}")[1]
    assert stored["meta"] == {"plan": "pro"} and stored["last_interaction"]
