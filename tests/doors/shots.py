"""Pictures of the console for people to look at: make shots, or python -m tests.doors.shots [address] [folder]

Signs in to a running console (`make demo` or `make serve` in another window) and saves every page at phone and desktop
width, in both languages, light and dark; says which page scrolls sideways. SHOTS_USER and SHOTS_PASSWORD say who signs
in, by default the owner of the demo; SHOTS_ONLY keeps pages whose name has that word.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = {
    "dashboard": "/",
    "members": "/members",
    "imports": "/imports",
    "charter": "/charter",
    "missing": "/no-such-page",
}
SIZES = {"360": (360, 740), "1440": (1440, 900)}


def main(address: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for language in ("zh-Hans", "en"):
            for theme in ("light", "dark"):
                for width, size in SIZES.items():
                    _round(browser, address, folder, language, theme, width, size)
        browser.close()


def _round(
    browser: Browser, address: str, folder: Path, language: str, theme: str, width: str, size: tuple[int, int]
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale="zh-CN" if language == "zh-Hans" else "en-GB",
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    name = f"{language}-{theme}-{width}.png"
    page.goto(f"{address}/sign-in")
    page.screenshot(path=folder / f"sign-in-{name}", full_page=True)
    user, password = _account()
    page.fill("#username", user)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_selector("#main")
    only = os.environ.get("SHOTS_ONLY", "")
    for title, path in PAGES.items():
        if only in title:
            page.goto(address + path)
            _save(page, folder / f"{title}-{name}")
    if not only or only in "member":
        page.goto(f"{address}/members")
        first = page.locator("main table a[href^='/members/']").first
        if first.count():
            page.goto(address + str(first.get_attribute("href")))
            _save(page, folder / f"member-{name}")
    context.close()


def _account() -> tuple[str, str]:
    """Who signs in: as told, else the owner of the demo that was made here."""
    password = os.environ.get("SHOTS_PASSWORD", "")
    if password:
        return os.environ.get("SHOTS_USER", "owner"), password
    kept = sorted(Path(os.environ.get("SHUKE_HOME", "var")).glob("demo/*/password"))
    if not kept:
        raise SystemExit("Who signs in? Set SHOTS_USER and SHOTS_PASSWORD, or make a demo here first: make demo")
    owners = {"completejourney": "cedar.owner", "taobao": "xiaoman.owner"}
    return os.environ.get("SHOTS_USER", owners[kept[0].parent.name]), kept[0].read_text().strip()


def _save(page: Page, path: Path) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    print(path.name, "SIDEWAYS SCROLL" if wide > 0 else "ok")
    page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000",
        Path(sys.argv[2] if len(sys.argv) > 2 else "shots"),
    )
