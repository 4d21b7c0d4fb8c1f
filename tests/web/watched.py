"""Pages in a browser, watched: each request, message, error, dialog and breach of the page's policy is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, Route

SHOTS = Path(__file__).parents[2] / "build" / "web"
"""Where pictures of pages go: out of git."""

_BREACHES = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) => window.breaches.push(event.violatedDirective));
"""
PHONE = 390


@dataclass
class Opener:  # without slots: Playwright marks the handlers that it is given
    """Opens pages that it watches, each in a context of its own. `troubles` is what went wrong on any of them."""

    browser: Browser
    folder: Path
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)
    _pages: list[Page] = field(default_factory=list)

    def file(self, text: str, name: str = "report.html", hash_: str = "", **context: Any) -> Page:
        """Open a page that is one file, and wait until it has drawn."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return self.at(path.as_uri() + hash_, **context)

    def at(self, url: str, *, ready: bool = True, allowed: str = "", **context: Any) -> Page:
        """Open an address. Of what else the page asks for, it gets what begins with `allowed`."""
        page = self._page(url.partition("#")[0], allowed, {"width": 1280, "height": 900}, context)
        page.goto(url)
        if ready:
            page.wait_for_selector("html[data-ready=true]", state="attached")
        return page

    def phone(self, text: str, **context: Any) -> Page:
        """Open a page that is one file on a small screen."""
        return self.file(text, viewport={"width": PHONE, "height": 844}, device_scale_factor=2, **context)

    def forgive(self, text: str) -> None:
        """Take messages with this text for what the test meant to happen."""
        self.troubles = [each for each in self.troubles if text not in each]

    def close(self) -> None:
        """Write down what the pages did against their policy, and close them."""
        for page in self._pages:
            if not page.is_closed():
                self.troubles += [f"breach of the policy: {each}" for each in page.evaluate("window.breaches")]
        for context in self._contexts:
            context.close()

    def _page(self, own: str, allowed: str, size: dict[str, int], options: dict[str, Any]) -> Page:
        context = self.browser.new_context(**{"viewport": size, "color_scheme": "light", **options})
        context.set_default_timeout(10_000)
        context.add_init_script(_BREACHES)
        page = context.new_page()

        context.route("**/*", lambda route, request: self._route(route, request, own, allowed))
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.troubles.append(f"an error: {error}"))
        page.on("dialog", self._asked)
        self._contexts.append(context)
        self._pages.append(page)
        return page

    def _route(self, route: Route, request: Request, own: str, allowed: str) -> None:
        if request.url.partition("#")[0] == own or (allowed and request.url.startswith(allowed)):
            route.continue_()
        else:
            self.requests.append(request.url)
            self.troubles.append(f"a request to {request.url}")
            route.abort()

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.troubles.append(said.text)

    def _asked(self, dialog: Dialog) -> None:
        self.troubles.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


def rest(page: Page) -> None:
    """Wait until nothing moves any more."""
    page.evaluate("Promise.allSettled(document.getAnimations().map(each => each.finished)).then(() => null)")


def shoot(page: Page, name: str, *, whole: bool = False) -> Path:
    """Keep a picture of a page for people to look at."""
    path = SHOTS / f"{name}.png"
    rest(page)
    page.screenshot(path=path, full_page=whole)
    return path


def complaints(page: Page) -> str:
    """Return what axe-core finds wrong with a page, "" for nothing."""
    rest(page)
    found = Axe().run(page)
    return found.generate_report() if found.violations_count else ""


def scrolls_sideways(page: Page) -> bool:
    """Say whether the page as a whole is wider than the screen."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth"))
