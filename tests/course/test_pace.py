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
OPENING = 7  # cells: there a reader has the question, a picture and the bet
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


ROWS = 8  # of a table that is printed unfolded
MAY_BE_LONGER = {"07 cell-23": "the guide: advice in words, a line for each case"}


def opening_faults(notebook) -> list[str]:
    """Return what a notebook's first cells lack of: a question, a picture, a bet; and whether the bet is settled."""
    ends = next(place for place, cell in enumerate(notebook.cells) if re.search("^## Exercises", cell.source, re.M))
    first, rest = notebook.cells[1:OPENING], notebook.cells[OPENING:ends]
    betting = [any(re.search(r"\bbets?\b", cell.source) for cell in cells if cell.cell_type == "markdown")
               for cells in (first, rest)]  # fmt: skip
    outputs = [output for cell in first if cell.cell_type == "code" for output in cell.outputs]
    found = {
        "no question": "**Question.**" not in notebook.cells[0].source,
        "no picture": not any("image/png" in output.get("data", {}) for output in outputs),
        "no bet": not betting[0],
        "the bet is not settled": not betting[1],
    }
    return [fault for fault, there in found.items() if there]


def rows_printed(output) -> int:
    """Return how many rows the table in an output has, 0 where there is none: HTML's, or one that was printed."""
    data = output.get("data", {})
    if "text/html" in data:
        open_ = re.sub(r"<details>.*?</details>", "", data["text/html"], flags=re.DOTALL)
        return sum(body.count("<tr") for body in re.findall(r"<tbody.*?</tbody>", open_, re.DOTALL))
    lines = (data.get("text/plain") or output.get("text", "")).splitlines()
    numbers = [len(re.findall(r"(?<!\S)[-+]?[\d,]*\.?\d+(?!\S)", line)) for line in lines]
    return sum(n >= 2 for n in numbers)


def long_tables(path: Path) -> list[str]:
    """Return the cells of a notebook that print a table of more than ``ROWS`` rows without a reason."""
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    longest = {cell.id: max(map(rows_printed, cell.outputs), default=0) for cell in code}
    return [name for name, rows in longest.items() if rows > ROWS and f"{path.stem[:2]} {name}" not in MAY_BE_LONGER]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_a_question_a_picture_and_a_bet(path):
    assert opening_faults(nbformat.read(path, 4)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_table_is_long_where_a_figure_could_stand(path):
    assert long_tables(path) == []


def test_what_counts_as_a_long_table():
    printed = {"text": "title\n" + "\n".join(f"model {n} 0.1 0.2" for n in range(9))}
    table = f"<table><thead><tr><th></thead><tbody>{'<tr><td>1' * 9}</tbody></table>"
    html, folded = ({"data": {"text/html": text}} for text in (table, f"<details>{table}</details>"))
    prose = {"text": "in 3 of 4 cells it helps\n" * 2}
    assert [rows_printed(output) for output in (printed, html, folded, prose)] == [9, 9, 0, 2]


def test_an_opening_without_its_bet_is_found_out():
    notebook = nbformat.read(NOTEBOOKS[0], 4)
    for cell in notebook.cells:
        cell.source = re.sub(r"\bbet\b", "guess", cell.source)
    assert opening_faults(notebook) == ["no bet", "the bet is not settled"]
    for cell in notebook.cells[1:OPENING]:
        if cell.cell_type == "code":
            cell.outputs = []
    assert "no picture" in opening_faults(notebook)
