"""/docs in a real browser, where one is installed: it asks no other host, and "Try it out" works."""

import pytest
from playwright.sync_api import sync_playwright

from tests import needs

pytestmark = pytest.mark.ci  # a browser


@pytest.fixture
def page(service):
    """A browser page at the docs of the running service, and the list of the addresses it asked for."""
    chromium = needs.program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"http://127.0.0.1:{service.port}/")
        yield page
        browser.close()


def test_the_docs_are_read_and_tried_out_in_a_browser(service, page):
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
    assert page.asked and all(url.startswith((f"http://127.0.0.1:{service.port}/", "data:")) for url in page.asked)
