"""The site as it is built: every name and notebook on its page, and its pages, searching and links in a browser."""

from __future__ import annotations

import html
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import browser
import lab
import site_build
import site_pages

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sphinx_book_theme") is None, reason='pip install -e ".[docs]", as start.py site does'
)
ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "index", "notebooks/00_start_here", "notebooks/03_mathematics", "notebooks/06_does_pretraining_help",
    "docs/glossary", "docs/when_something_goes_wrong", "api/data", "api/learning", "command_line",
    "zh/index", "zh/notebooks/zh/06_does_pretraining_help",
)  # fmt: skip
WIDTHS = (400, 1400)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `python start.py site` builds it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_build, "SITE", folder)
        assert site_build.main([]) == 0
    assert [path.name for path in folder.iterdir()] == ["html"], "nothing is left lying about"
    return folder / "html"


def test_every_public_name_is_on_its_page_with_its_source(site):
    for name in site_pages.public():
        page = (site / "api" / f"{name.floor}.html").read_text(encoding="utf-8")
        ids = (f'id="{name.path}"', f'id="module-{name.path}"')
        assert any(one in page for one in ids), name
        assert f'<span class="pre">{name.said}</span>' in (site / "api" / "index.html").read_text(encoding="utf-8")
    page = (site / "api" / "learning.html").read_text(encoding="utf-8")
    assert "_modules/recsys_tutorial/learning/pretraining.html#pretrain" in page
    assert re.search(r'rt\.</span></span><span class="sig-name descname"><span class="pre">pretrain<', page)


def test_notebooks_stand_as_stored(site):
    page = html.unescape((site / "notebooks" / "01_background.html").read_text(encoding="utf-8"))
    stored = nbformat.read(ROOT / "notebooks" / "01_background.ipynb", 4)
    alts = [output.metadata["image/png"]["alt"] for cell in stored.cells if cell.cell_type == "code"
            for output in cell.outputs if "image/png" in output.get("data", {})]  # fmt: skip
    assert all(f'alt="{alt}"' in page for alt in alts)
    assert f"mybinder.org/v2/gh/{site_pages.ADDRESS.removeprefix('https://github.com/')}/main" in page
    assert "colab.research.google.com/github/" in page
    assert "tex-svg.js" in page
    assert 'href="../zh/notebooks/zh/01_background.html" lang="zh">中文' in page


# --- in a browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    if why := lab.missing():
        pytest.skip(why)
    with lab.browser_page() as page:
        page.set_default_timeout(20_000)
        yield page


@pytest.fixture
def page(chromium) -> Iterator:
    """A page that has asked the network for nothing, and told no error, when the test is over."""
    elsewhere, errors = [], []

    def asked(request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            elsewhere.append(request.url)

    def told(message) -> None:
        if message.type == "error":
            errors.append(message.text)

    def failed(error) -> None:
        errors.append(str(error))

    listeners = {"request": asked, "console": told, "pageerror": failed}
    for event, listener in listeners.items():
        chromium.on(event, listener)
    yield chromium
    for event, listener in listeners.items():
        chromium.remove_listener(event, listener)
    assert elsewhere == []
    assert errors == []


def too_wide(page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_a_desk(page, site, name, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert too_wide(page) <= 0
    empty = "all => all.filter(one => !one.naturalWidth).map(one => one.src)"
    assert page.locator("article img").evaluate_all(empty) == [], "a picture that cannot be shown"
    browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=browser.SCREENSHOTS / f"site_{name.replace('/', '_')}_{width}.png")


@pytest.mark.parametrize("width", WIDTHS)
def test_mathematics_is_set(page, site, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "notebooks" / "03_mathematics.html").as_uri())
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise.then(() => true)")
    formulas = page.locator("article .math").count()
    assert formulas > 100
    assert page.locator("article .math mjx-container svg").count() >= formulas
    assert page.locator("article mjx-merror, article [data-mjx-error]").count() == 0
    assert page.locator("article .math mjx-container svg").first.bounding_box()["width"] > 5
    assert too_wide(page) <= 0


@pytest.mark.parametrize("width", WIDTHS)
def test_searching_finds_a_name_and_its_page_and_source_open(page, site, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "search.html").as_uri() + "?q=finetune")
    # The list is whole: nothing moves under the mouse.
    page.wait_for_function("Search._pulse_status < 0", timeout=60_000)
    found = page.locator("#search-results li a[href*='api/learning']").first
    found.wait_for()
    assert page.locator("#search-results li").count() > 3
    assert too_wide(page) <= 0
    found.click()
    page.wait_for_url("**/api/learning.html*")
    entry = page.locator("dt.sig", has_text="rt.finetune(").first
    assert entry.is_visible()
    entry.locator("a", has_text="[source]").click()
    page.wait_for_url("**/_modules/recsys_tutorial/learning/finetuning.html*")
    assert "def finetune(" in page.locator("article, main").first.inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_chinese_is_found_read_and_left_for_english(page, site, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "zh" / "search.html").as_uri() + "?q=预训练模型")
    page.wait_for_function("Search._pulse_status < 0", timeout=60_000)
    page.locator("#search-results li a[href*='02_concepts']").first.click()
    page.wait_for_url("**/zh/notebooks/zh/02_concepts.html*")
    assert "预训练模型" in page.locator("article").first.inner_text()
    box = page.locator("a.language").bounding_box()
    assert box["y"] >= 0, "the switch is not cut off"
    page.locator("a.language").click()
    page.wait_for_url("**/html/notebooks/02_concepts.html")
    page.locator("a.language", has_text="中文").click()
    page.wait_for_url("**/zh/notebooks/zh/02_concepts.html")


def test_the_field_in_the_menu_searches(page, site):
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.keyboard.type("ndcg")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=ndcg*")
    page.locator("#search-results li").first.wait_for()


def test_a_name_of_the_overview_leads_to_its_entry(page, site):
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto((site / "api" / "index.html").as_uri())
    page.locator("article a", has_text="rt.Recommender").first.click()
    page.wait_for_url("**/api/serving.html#*")
    assert page.locator("dt.sig", has_text="rt.Recommender").first.is_visible()


def test_the_last_notebook_is_reached_by_going_on(page, site):
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto((site / "index.html").as_uri())
    seen = []
    for _ in range(20):
        page.locator("a.right-next").click()
        seen.append(page.url.rpartition("/")[2])
        if seen[-1].startswith("14_"):
            break
    assert [name[:2] for name in seen] == [f"{number:02d}" for number in range(15)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_by_day_and_by_night(page, site, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto((site / "notebooks" / "03_mathematics.html").as_uri())
    shades = page.evaluate("""() => ['article p', 'article pre span', 'article code', 'nav a.reference'].map(what => {
        const grey = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
            .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b }
        let one = document.querySelector(what), behind = one
        while (/, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor) && behind.parentElement)
            behind = behind.parentElement
        const pair = [grey(getComputedStyle(one).color), grey(getComputedStyle(behind).backgroundColor)].sort()
        return (Math.max(...pair) + .05) / (Math.min(...pair) + .05)
    })""")
    page.emulate_media(color_scheme="light")
    assert min(shades) >= 4.5, "the least contrast of WCAG 2, AA"
