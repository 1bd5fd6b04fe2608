"""README is one page, and what a tool writes into it and docs/commands.md is what the stored results have today."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import readme_figure  # noqa: E402  # a tool, not a module of the package

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "words"), [("README.md", "shown to be above 0"), ("docs/commands.md", "| 0.050 [")])
def test_the_numbers_are_those_of_the_stored_results(page, words):
    told = (ROOT / page).read_text(encoding="utf-8")
    assert ROOT / page in readme_figure.PAGES
    assert words in told
    assert readme_figure.drawn(told) == told
    assert readme_figure.drawn(told.replace(words, "changed by hand")) == told


def test_its_picture_is_there_and_named_in_it():
    assert "docs/map.png" in README
    assert (ROOT / "docs" / "map.png").stat().st_size < 400_000


def test_readme_is_one_page_that_begins_with_the_question():
    first, *lines = README.splitlines()
    assert first == "# Are there pretrained models for recommender systems, and when do they help?"
    assert len(lines) < 125
    words = len(re.sub(r"!?\[.*?\]\(.*?\)|<!--.*?-->", " ", README.partition("python start.py\n")[0]).split())
    assert words < 220, "from the top to the second command in about a minute"
    sections = ["Start", "What was found", "Your own data", "What is in the course", "Cite"]
    assert re.findall(r"^## (.*)$", README, re.MULTILINE) == sections


def test_readme_leads_to_every_page():
    pages = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [page for page in pages if f"]({page})" not in README] == []
