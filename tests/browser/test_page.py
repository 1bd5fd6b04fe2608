"""The page of ``serve``: by keyboard alone, on a phone, without the internet."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import recsys_tutorial as rt
from recsys_tutorial.system import extras

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import browser
import lab

pytestmark = [
    pytest.mark.skipif(bool(lab.missing()), reason=lab.missing()),
    pytest.mark.skipif(not extras.installed("serve"), reason=extras.how_to_install("serve")),
]
FAMILY, LION = "Toy Story (1995)", "Lion King, The (1994)"


@pytest.fixture(scope="module")
def recommender(movielens) -> rt.Recommender:
    likes = movielens.binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    return rt.Recommender(rt.pretrain("linear", likes, dim=64, seed=0))


@pytest.fixture(scope="module")
def address(recommender, tmp_path_factory) -> Iterator[str]:
    """Where the command serves the model."""
    folder = tmp_path_factory.mktemp("model")
    recommender.save(folder)
    command = [sys.executable, "-m", "recsys_tutorial", "serve", str(folder), "--port", "0", "--threads", "1"]
    service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield re.search(r"http://127\.0\.0\.1:\d+", service.stderr.readline())[0]
    finally:
        service.terminate()
        service.wait(20)


@pytest.fixture(scope="module")
def chromium():
    with lab.browser_page() as page:
        page.set_default_timeout(20_000)
        yield page


@pytest.fixture
def page(chromium, address):
    """A page that has asked for nothing elsewhere, and told no error, when the test is over."""
    elsewhere, errors = [], []
    chromium.on("request", lambda request: request.url.startswith(address) or elsewhere.append(request.url))
    chromium.on("pageerror", lambda error: errors.append(str(error)))
    chromium.on("console", lambda told: told.type == "error" and "404" not in told.text and errors.append(told.text))
    chromium.goto(address)
    yield chromium
    assert [url for url in elsewhere if not url.startswith("data:")] == []
    assert errors == []


def add(page, text: str) -> None:
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def names(page, of: str) -> list[str]:
    return page.locator(f"#{of} li > span").evaluate_all("all => all.map(one => one.firstChild.textContent)")


def said(page, words: str) -> None:
    page.wait_for_function("words => document.getElementById('status').textContent.includes(words)", arg=words)


def test_a_list_by_keyboard_alone(page, recommender):
    said(page, "Nothing is named yet.")
    add(page, FAMILY)  # the field has the focus from the start
    said(page, "10 recommended, from 1 of yours.")
    expected = recommender.recommend([FAMILY], 10)["title"].tolist()
    assert names(page, "list") == [f"{rank}. {title}" for rank, title in enumerate(expected, start=1)]
    add(page, "the lion king")  # as a person types it: it takes the name that the catalogue has
    said(page, "from 2 of yours.")
    assert names(page, "liked") == [FAMILY, LION]
    rows = recommender.recommend([FAMILY, LION], 10)
    assert names(page, "list") == [f"{rank}. {title}" for rank, title in enumerate(rows["title"], start=1)]
    why = recommender.explain([FAMILY, LION], rows["item"].tolist()).iloc[0]
    first, adds = page.locator("#list li small").first.inner_text(), f"{why['adds']:.2g}"
    assert first.startswith(f"because of {why['because_title']} (+{float(adds):g})")
    for _ in range(2):  # from the field to its button, and to the first of what is liked
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Remove {FAMILY}"
    page.keyboard.press("Enter")
    said(page, "from 1 of yours.")
    assert names(page, "liked") == [LION]
    assert page.evaluate("document.activeElement.id") == "item"


def test_completion_offers_titles_and_a_recommendation_can_be_added(page):
    page.keyboard.type("star wa")
    page.locator("#known option").first.wait_for(state="attached")
    offered = page.locator("#known option").evaluate_all("all => all.map(one => one.value)")
    assert all("star wa" in title.casefold() for title in offered)
    page.locator("#item").fill(offered[0])  # as choosing from the list does
    page.keyboard.press("Enter")
    said(page, "from 1 of yours.")
    first = names(page, "list")[0].removeprefix("1. ")
    page.locator("#list button").first.click()
    said(page, "from 2 of yours.")
    assert names(page, "liked") == [offered[0], first]


def test_what_is_wrong_is_said_and_nothing_is_lost(page):
    add(page, FAMILY)
    said(page, "from 1 of yours.")
    add(page, "Toy Stroy")
    said(page, "did you mean 'Toy Story (1995)'")
    assert names(page, "liked") == [FAMILY]
    assert page.locator("#item").input_value() == "Toy Stroy"
    page.locator("#item").fill(FAMILY)
    page.keyboard.press("Enter")
    said(page, f"{FAMILY} is among yours.")


@pytest.mark.parametrize("width", [400, 1400])
def test_it_fits_a_phone_and_a_desk(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    add(page, FAMILY)
    said(page, "from 1 of yours.")
    add(page, LION)
    said(page, "from 2 of yours.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=browser.SCREENSHOTS / f"serve_{width}.png", full_page=True)


def test_titles_are_text_and_every_control_has_a_name(page):
    unnamed = """[...document.querySelectorAll('input, button')].filter(one =>
        !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label')))"""
    add(page, FAMILY)
    said(page, "from 1 of yours.")
    assert page.evaluate(f"{unnamed}.length") == 0
    add(page, "<img src=x onerror=alert(1)>")
    said(page, "unknown item")
    assert page.locator("img").count() == 0


def test_the_page_for_programs_needs_no_other_host_either(page, address):
    page.goto(f"{address}/docs")
    page.wait_for_selector("text=/recommend")
    page.wait_for_selector("text=/items")
