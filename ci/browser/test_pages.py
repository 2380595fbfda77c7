"""The pages as whoever opens them finds them: quick, without errors, for every reader, on every screen and on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    Opened = Callable[..., Page]

NAMES: Final = ("run", "short", "sound", "hostile", "comparison", "history")
DESKTOP: Final[dict[str, Any]] = {"viewport": {"width": 1280, "height": 900}}
PHONE: Final[dict[str, Any]] = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "has_touch": True}
DARK: Final[dict[str, Any]] = {**DESKTOP, "color_scheme": "dark"}
SCREENS: Final = {"desktop": DESKTOP, "phone": PHONE, "dark": DARK}
SCANNED: Final = [*((name, "desktop") for name in NAMES), ("short", "phone"), ("short", "dark"), ("comparison", "dark")]
"""What is looked at for whom it shuts out; that takes as long as a page."""
LOADED: Final = "performance.getEntriesByType('navigation')[0].loadEventEnd"
MILLISECONDS: Final = 2000
GRAVE: Final = ("serious", "critical")


def test_a_long_page_is_there_in_two_seconds(opened: Opened) -> None:
    times = [opened("run", **DESKTOP).evaluate(LOADED) for _ in range(3)]
    assert min(times) < MILLISECONDS, times


def test_requirements_are_filtered_by_words_and_by_verdict(opened: Opened) -> None:
    page = opened("run", **DESKTOP)
    shown = page.locator("#requirement-list [data-item]:not([hidden])")
    every = shown.count()
    form = page.locator("form[data-list=requirement-list]")
    form.get_by_label("Verdict").select_option("failed")
    broken = shown.count()
    assert 0 < broken < every
    form.get_by_label("Search").fill("nam-0")
    assert 0 < shown.count() <= broken
    form.get_by_label("Search").fill("there is no such thing")
    assert shown.count() == 0
    assert form.locator("output").inner_text() == f"0 of {every} shown"


def test_a_failure_is_followed_to_its_picture_by_keyboard_alone(opened: Opened) -> None:
    page = opened("run", **DESKTOP)
    page.keyboard.press("/")
    page.keyboard.type("check_2")
    page.locator("form[data-list=requirement-list] select[name=verdict]").press("f")
    first = page.locator("#requirement-list [data-item]:not([hidden])").first
    first.locator("summary").press("Enter")
    first.locator("a[href^='#cause-']").first.press("Enter")
    cause = page.url.partition("#")[2]
    assert cause.startswith("cause-")
    picture = page.locator(f"#{cause} svg")
    assert picture.is_visible()
    assert page.evaluate(f"document.getElementById('{cause}').getBoundingClientRect().top < innerHeight")


def test_a_check_is_found_in_the_list_of_all(opened: Opened) -> None:
    page = opened("run", **DESKTOP)
    page.locator("form[data-list=check-list] input").fill("check_300[1]")
    shown = page.locator("#check-list [data-item]:not([hidden])")
    assert shown.count() == 1
    assert shown.is_visible()


@pytest.mark.parametrize(("name", "screen"), SCANNED)
def test_nobody_is_shut_out(opened: Opened, name: str, screen: str) -> None:
    page = opened(name, **SCREENS[screen])
    found = Axe().run(page).response["violations"]
    grave = [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found if one["impact"] in GRAVE]
    assert grave == []


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_shows_a_page_in_its_width(opened: Opened, seen: Path, name: str) -> None:
    page = opened(name, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=seen / f"{name}-phone.png")


def test_what_an_adapter_says_does_nothing(opened: Opened) -> None:
    page = opened("hostile", **DESKTOP)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.title().startswith("evil")
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, a[href^=javascript]").count() == 0
    assert page.locator("main").count() == 1


def test_without_scripts_everything_is_there(opened: Opened) -> None:
    page = opened("run", **DESKTOP, java_script_enabled=False)
    assert page.locator("form.filter").first.is_hidden()
    assert page.locator("#requirement-list [data-item]").count() > 100
    assert page.locator("#cause-1 svg").is_visible()


def test_on_paper_every_cause_has_its_picture(opened: Opened, seen: Path) -> None:
    page = opened("run", **DESKTOP)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("nav").is_hidden()
    assert page.locator("article svg").last.is_visible()
    page.pdf(path=seen / "run.pdf", format="A4")
    assert (seen / "run.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("screen", SCREENS)
def test_pictures_are_taken_for_whoever_looks(opened: Opened, seen: Path, screen: str) -> None:
    for name in NAMES:
        page = opened(name, **SCREENS[screen])
        page.screenshot(path=seen / f"{name}-{screen}.png")
        assert (seen / f"{name}-{screen}.png").stat().st_size > 1000
