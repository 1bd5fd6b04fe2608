"""A link from a notebook or a page to another leads somewhere: the file is there, and so is the heading."""

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *ROOT.glob("notebooks/[0-9]*.ipynb"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("docs/*.md"),
    *ROOT.glob("tools/*.md"), ROOT / "README.md",
]  # fmt: skip
LINK = re.compile(r"\]\((?!https?:|mailto:|attachment:)([^)\s]+)\)")


def text_of(path: Path) -> str:
    """Return the Markdown of a page or a notebook."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")


def anchors(path: Path) -> set[str]:
    """Return what a link to a heading of ``path`` may say: JupyterLab's form in notebooks, GitHub's in pages."""
    headings = re.findall(r"^#{1,6} (.+)$", re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL), re.MULTILINE)
    if path.suffix == ".ipynb":
        return {re.sub(r"[`*]", "", heading).strip().replace(" ", "-") for heading in headings}
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def dead(path: Path, text: str) -> list[str]:
    """Return the links in ``text``, which stands in ``path``, that lead nowhere."""
    found = []
    for link in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        place, _, heading = unquote(link).partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (heading and heading not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    assert dead(path, text_of(path)) == []


@pytest.mark.parametrize(
    "link",
    ["[x](99_nothing.ipynb)", "[x](02_concepts.ipynb#No-such-heading)", "[x](../docs/nothing.md)", "[x](#Nowhere)"],
)
def test_a_dead_link_is_found_out(link):
    assert len(dead(ROOT / "notebooks" / "00_start_here.ipynb", link)) == 1


def test_a_live_link_is_not():
    good = "[x](02_concepts.ipynb#A-metric,-by-hand) [y](../docs/glossary.md) [z](https://example.org/nothing)"
    assert dead(ROOT / "notebooks" / "00_start_here.ipynb", good) == []
