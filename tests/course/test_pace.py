"""How long a notebook takes to read, whether it asks before it tells, and where the drawings are."""

import re
import statistics
from pathlib import Path

import nbformat
import pytest

from recsys_tutorial import drawings

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
PER_MINUTE = 200  # words
MEDIAN, LONGEST = 12, 20  # minutes
NOT_READ = (  # what a tool wrote, what is folded, code, formulas, where a link leads
    r"<!-- (\w+) -->.*?<!-- /\1 -->", r"<details>.*?</details>", r"```.*?```", r"\$\$.*?\$\$", r"<!--.*?-->",
    r"\]\([^)\s]*\)",
)  # fmt: skip


def words(sources: list[str]) -> int:
    """Return how many words the texts have that are read from top to bottom."""
    text = "\n".join(sources)
    for pattern in NOT_READ:
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def prose(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"]


def code(path: Path) -> str:
    return "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_read_in_twenty_minutes(path):
    assert words(prose(path)) <= LONGEST * PER_MINUTE


def test_half_of_the_notebooks_are_read_in_twelve():
    assert statistics.median(words(prose(path)) for path in NOTEBOOKS) < MEDIAN * PER_MINUTE


def test_what_counts_as_read():
    read = ["Two words.\n```python\nx = 1\n```", "<details>folded away</details> $$a + b$$ three [a b](c.md) | - |"]
    assert words(read) == 5


def test_every_drawing_stands_in_a_notebook():
    used = set(re.findall(r"rt\.drawings\.(\w+)\(", "\n".join(map(code, NOTEBOOKS))))
    assert used == set(drawings.__all__)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_drawing_has_a_question_before_it_and_a_sentence_that_reads_it(path):
    cells = nbformat.read(path, 4).cells
    drawn = ["rt.drawings." in cell.source for cell in cells]
    for place in (place for place, there in enumerate(drawn) if there):
        before = next(cell for cell in reversed(cells[:place]) if "rt.drawings." not in cell.source)
        behind = next(cell for cell in cells[place:] if "rt.drawings." not in cell.source)
        assert before.cell_type == behind.cell_type == "markdown"
        assert re.search(r"[?]|[Gg]uess|Read|show", before.source), before.source
