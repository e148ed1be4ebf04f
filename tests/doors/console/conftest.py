"""The browser of the console's tests: it fails a test on anything a user should never meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from shuke.shops.models import Staff

LANGUAGES = ("zh-hans", "en")
WIDTHS = (360, 1440)

# Records what the content policy refused before any script of the page runs.
_WATCH_POLICY = "document.addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI))"

# Marks a page whose scripts have not all run yet: whoever follows a link and acts at once must not be quicker than them.
_MARK_LOADING = """
new MutationObserver((_, watch) => {
  if (!document.documentElement) return;
  watch.disconnect();
  document.documentElement.dataset.loading = "";
}).observe(document, { childList: true });
document.addEventListener("DOMContentLoaded", () => delete document.documentElement.dataset.loading);
"""


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def see(client: Client) -> Callable[[Staff, str], Client]:
    """A client signed in as somebody, reading in a language."""

    def sign_in(staff: Staff, language: str = "en") -> Client:
        client.force_login(staff)
        client.cookies["django_language"] = language
        return client

    return sign_in


class Guard:
    """What went wrong in a page that no test asked about."""

    def __init__(self, home: str) -> None:
        self.home = urlsplit(home).netloc
        self.faults: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", self._asked)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # The status of an answer is judged in _answered: a form refused with 422 is no fault.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console {message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self.home:
            self.faults.append(f"left the machine: {request.url}")

    def _answered(self, response: Response) -> None:
        part = response.request.resource_type not in ("document", "fetch", "xhr")
        if response.status >= 500 or (part and response.status >= 400):
            self.faults.append(f"{response.status} {response.url}")


@pytest.fixture
def open_page(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """open_page(staff, language=, width=, theme=) → a page of a browser where that person is signed in (None: nobody).

    The test fails at its end if any such page said something on the console, met a refused policy, a server error, a
    missing file, or asked another machine for anything. A patient user acts on a page when its scripts have run.
    """
    contexts: list[BrowserContext] = []
    guard = Guard(live_server.url)

    def start(
        staff: Staff | None, *, language: str = "en", width: int = 1440, theme: str = "light", patient: bool = True
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 800},
            locale="zh-CN" if language == "zh-hans" else "en-GB",
            color_scheme="dark" if theme == "dark" else "light",
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(_WATCH_POLICY)
        context.add_init_script(_MARK_LOADING)
        if staff is not None:
            client = Client()
            client.force_login(staff)
            context.add_cookies(
                [{"name": name, "value": client.cookies[name].value, "url": live_server.url} for name in ("sessionid",)]
            )
        page = context.new_page()
        guard.watch(page)
        if patient:
            page.add_locator_handler(
                page.locator("html[data-loading]"),
                lambda: page.wait_for_load_state("domcontentloaded"),
                no_wait_after=True,
            )
        return page

    yield start
    for context in contexts:
        context.close()
    assert guard.faults == []


@pytest.fixture
def check_page() -> Callable[[Page], None]:
    """Assert that a page has no accessibility fault and does not scroll sideways."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page: Page) -> None:
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        told = [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"]]
        assert told == [], page.url
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"

    return check
