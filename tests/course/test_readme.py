"""What a tool writes into README stands there as the stored results have it today."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import readme_figure  # noqa: E402  # a tool, not a module of the package


def test_the_numbers_of_readme_are_those_of_the_stored_results():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "shown to be above 0" in page
    assert readme_figure.drawn(page) == page
    assert readme_figure.drawn(page.replace("shown to be above 0", "shown to be below 0")) == page


def test_its_picture_is_there_and_named_in_it():
    assert "docs/map.png" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "docs" / "map.png").stat().st_size < 400_000
