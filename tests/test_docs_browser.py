"""/docs in a real browser, where one is installed: it asks no other host, and "Try it out" works."""

import pytest
from playwright.sync_api import sync_playwright

from tests import needs
from tests.factories import Service

pytestmark = pytest.mark.ci  # a browser


@pytest.fixture
def open_docs():
    """Open a browser page at the docs of a running service: the page, with the list of the addresses it asked for.

    Under a prefix the browser's requests come to the service as from a proxy that has it there.
    """
    chromium = needs.program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def open_docs(service, prefix=""):
            home, page = f"http://127.0.0.1:{service.port}", browser.new_page()
            told = {"X-Forwarded-Host": f"127.0.0.1:{service.port}", "X-Forwarded-Prefix": prefix}

            def pass_on(route, request):
                url = request.url.replace(f"{home}{prefix}/", f"{home}/", 1)
                if url == request.url:
                    return route.abort()
                return route.continue_(url=url, headers={**request.headers, **told})

            if prefix:
                page.route("**", pass_on)
            page.asked = []
            page.on("request", lambda request: page.asked.append(request.url))
            page.goto(f"{home}{prefix}/docs/" if prefix else f"{home}/")
            return page

        yield open_docs
        browser.close()


def test_the_docs_are_read_and_tried_out_behind_a_prefix(new_database, open_docs):
    with Service(new_database("sqlite"), ROLLCALL_TRUSTED_PROXIES="127.0.0.1") as service:
        read_and_try_out(service, open_docs(service, "/people"), "/people")


def test_the_docs_are_read_and_tried_out_in_a_browser(service, open_docs):
    read_and_try_out(service, open_docs(service), "")


def read_and_try_out(service, page, prefix):
    service.call("PUT", "users/u144", {"first_name": "Akinyele"})
    page.wait_for_selector("text=Record something a user did.")
    page.click("button.authorize")
    form = page.locator(".auth-container", has_text="secretKey")
    form.locator("input[name=username]").fill(service.public)
    form.locator("input[name=password]").fill(service.secret)
    form.locator("button[type=submit]").click()
    page.click("button.btn-done")
    page.click("#operations-users-users_retrieve .opblock-summary-control")
    page.fill("#operations-users-users_retrieve input[placeholder=uid]", "u144")
    page.click("#operations-users-users_retrieve button.execute")
    answer = page.wait_for_selector("#operations-users-users_retrieve .live-responses-table .response").inner_text()
    assert "200" in answer and "Akinyele" in answer
    assert service.secret not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert page.asked and all(
        url.startswith((f"http://127.0.0.1:{service.port}{prefix}/", "data:")) for url in page.asked
    )
