"""The browser, and pages that are open in it; whatever a page says on its console is a failure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

OPTIONS = ("--browser-program", "--pages", "--seen")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer what run.py says: the browser, where pages lie, and where pictures of them go."""
    for option in OPTIONS:
        parser.addoption(option, required=True)


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Give the system's browser; its sandbox does not start for root."""
    with sync_playwright() as playwright:
        program = pytestconfig.getoption("--browser-program")
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser: Browser, pytestconfig: pytest.Config) -> Iterator[Callable[..., Page]]:
    """Open a page by its name; at the end none may have said anything or asked for anything."""
    said: list[str] = []
    pages: list[Page] = []

    def open_page(name: str, **options: object) -> Page:
        page = browser.new_page(**options)
        pages.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        page.goto(f"file://{pytestconfig.getoption('--pages')}/{name}.html")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []


@pytest.fixture
def seen(pytestconfig: pytest.Config) -> Path:
    """Give the directory for pictures."""
    return Path(pytestconfig.getoption("--seen"))
