"""The gate before nbval: nbval compares only what is stored, so what is stored must be whole, in order and enough."""

import copy
import importlib.util
import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest

from recsys_tutorial.teaching.exercises import EXERCISES

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
MEASURED = json.loads((ROOT / "notebooks" / "measured.json").read_text())
IGNORED = "nbval-ignore-output"

spec = importlib.util.spec_from_file_location("notebooks_tool", ROOT / "tools" / "notebooks.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def headings(notebook) -> list[int]:
    """Return the level of every heading, code blocks left aside."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [len(marks) for marks in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", prose, flags=re.S), re.M)]


def in_order(levels: list[int]) -> bool:
    """Return whether there is one title, at the beginning, and no heading skips a level downwards."""
    steps = itertools.pairwise(levels)
    return levels[:1] == [1] and levels.count(1) == 1 and all(after <= before + 1 for before, after in steps)


def html(notebook) -> list[str]:
    """Return all that a browser would show as HTML: prose, and outputs."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = [output.get("data", {}).get("text/html", "") for output in outputs]
    return shown + [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


# Of data, whose ids and stars are the same on every machine. The last bits of trained weights are not, nor their hash.
FINGERPRINTS = {
    "e0dacf7ba677", "6582bf6a5c67", "c027957cf655", "d338c0314f11", "a0da9ac3861d",
    "83073ef5f8f4", "98efc8211821", "17864cebfa80", "d7caa3333ce1",
}  # fmt: skip


def hashes(output) -> set[str]:
    """Return the hexadecimal numbers of at least eight digits in an output's text that are no data's fingerprint."""
    shown = [value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
    words = re.findall(r"\b(?=\w*[a-f])(?=\w*\d)[0-9a-f]{8,}\b", json.dumps([output.get("text", ""), shown]))
    return set(words) - FINGERPRINTS


def faults(notebook) -> list[str]:
    """Return what is wrong with the stored notebook, as far as it can be seen without running it."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    compared = [cell for cell in code if cell.outputs and IGNORED not in cell.metadata.get("tags", [])]
    outputs = [output for cell in code for output in cell.outputs]
    bundles = [output for output in outputs if "data" in output]
    pictures = [bundle for bundle in bundles if "image/png" in bundle["data"]]
    found = {
        "not run top to bottom": [cell.execution_count for cell in code] != list(range(1, len(code) + 1)),
        "too few code cells have a compared output": len(compared) < 0.6 * len(code),
        "too many ignored": sum(IGNORED in cell.metadata.get("tags", []) for cell in code) > 3,
        "an error is stored": any(output.output_type == "error" for output in outputs),
        "a warning is stored": any(output.get("name") == "stderr" for output in outputs),
        "a comment mark of nbval": any("NBVAL" in cell.source for cell in code),
        "a cell is longer than 20 lines": any(len(cell.source.splitlines()) > 20 for cell in code),
        "an empty code cell": any(not cell.source.strip() for cell in code),
        "widget state is stored": "widgets" in notebook.metadata,
        "no alternative text": any(len(picture["metadata"].get("image/png", {}).get("alt", "")) < 20
                                   for picture in pictures),
        "not cleaned by tools/notebooks.py": tool.clean(copy.deepcopy(notebook)) != notebook,
        "the first cell lacks its lines": any(f"**{word}" not in notebook.cells[0].source
                                              for word in ("Question.", "You will be able to", "You need", "Takes")),
        "an image without alternative text": any(re.search(r"!\[\]\(|<img (?![^>]*\balt=\"[^\"]{20})", text)
                                                 for text in html(notebook)),
        "headings out of order": not in_order(headings(notebook)),
        "a table without headers": any("<table" in text and "<th" not in text for text in html(notebook)),
        "a hash of weights is stored": any(hashes(output) for output in outputs),
        "a path of this machine is stored": any(path in json.dumps(notebook) for path in ("/home/", "/root/", "/tmp/")),
    }  # fmt: skip
    return [fault for fault, there in found.items() if there]


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


def test_there_are_the_notebooks_of_the_course():
    assert [path.stem for path in NOTEBOOKS][:5] == [
        "00_start_here", "01_background", "02_concepts", "03_mathematics", "04_pytorch_example",
    ]  # fmt: skip


def test_what_is_stored_is_whole(path):
    assert faults(nbformat.read(path, as_version=4)) == []
    assert path.stat().st_size < 1_000_000


def test_what_was_measured_is_within_the_limits_and_said(path):
    cost = MEASURED[path.stem]
    assert cost["seconds"] < 90
    assert cost["peak_mb"] < 900
    line = f"**Takes** {tool.minutes(cost['seconds'])} and {tool.round_up(cost['peak_mb'], 50)} MB of memory"
    assert line in tool.load(path).cells[0].source


def test_readme_and_the_first_notebook_hold_the_measured_table():
    table = tool.table()
    assert any(table in cell.source for cell in tool.load(NOTEBOOKS[0]).cells)
    assert table.replace("](", "](notebooks/") in (ROOT / "README.md").read_text()


def test_a_notebook_ends_with_exercises_questions_and_three_lines_to_remember(path):
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    titles = re.findall(r"^## (.*)$", "\n".join(cells), re.M)
    assert titles[-3:] == ["Exercises", "Questions to think about", "What to remember"]
    assert len(re.findall(r"^[-*] ", cells[-1].split("## What to remember")[1], re.M)) == 3
    (asked,) = [cell for cell in cells if cell.startswith("## Questions to think about")]
    questions, answers = re.findall(r"^\d\. .*\?$", asked, re.M), re.findall(r"<details>.*?</details>", asked, re.S)
    assert 2 <= len(questions) == len(answers) <= 4
    assert 2 <= len([name for name in EXERCISES if name[:2] == path.stem[:2]]) <= 4


def test_a_new_cell_is_called_after_the_one_before_it_and_the_others_keep_their_names():
    names = ["cell-99", "cell-100", *[f"new-{n}" for n in range(28)], "cell-102", "cell-101"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("", id=name) for name in names])
    tool.name_cells(notebook)
    found = [cell.id for cell in notebook.cells]
    assert found[:4] == ["cell-99", "cell-100", "cell-100a", "cell-100b"]
    assert found[-4:] == ["cell-100za", "cell-100zb", "cell-102", "cell-102a"]
    assert tool.after(-1, "") == (0, "")


def broken(change) -> list[str]:
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    change(notebook, [cell for cell in notebook.cells if cell.cell_type == "code"])
    return faults(notebook)


def printed(text: str):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def clear(cells) -> None:
    for cell in cells:
        cell.outputs = []


def forget_alt(cells) -> None:
    for output in (output for cell in cells for output in cell.outputs if "data" in output):
        output["metadata"] = {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda notebook, code: code[1].update(execution_count=None), "not run top to bottom"),
        (lambda notebook, code: code[0].update(outputs=[printed("a2b4ccc6ae74.st")]), "a hash of weights is stored"),
        (lambda notebook, code: code.reverse() or code[0].update(execution_count=1), "not run top to bottom"),
        (lambda notebook, code: clear(code), "too few code cells have a compared output"),
        (lambda notebook, code: [cell.metadata.update(tags=[IGNORED]) for cell in code[:4]], "too many ignored"),
        (lambda notebook, code: notebook.metadata.update(widgets={}), "widget state is stored"),
        (lambda notebook, code: code[2].update(source="# NBVAL_CHECK_OUTPUT (why)"), "a comment mark of nbval"),
        (lambda notebook, code: code[2].update(source="x = 1\n" * 21), "a cell is longer than 20 lines"),
        (lambda notebook, code: code[2].update(id="abc"), "not cleaned by tools/notebooks.py"),
        (lambda notebook, code: notebook.cells[0].update(source="# Title"), "the first cell lacks its lines"),
        (lambda notebook, code: forget_alt(code), "no alternative text"),
        (lambda notebook, code: notebook.cells[2].update(source="![](a.png)"), "an image without alternative text"),
        (lambda notebook, code: notebook.cells[2].update(source='<img src="a">'), "an image without alternative text"),
        (lambda notebook, code: notebook.cells[2].update(source="### Too deep"), "headings out of order"),
        (lambda notebook, code: notebook.cells[2].update(source="# A second title"), "headings out of order"),
        (lambda notebook, code: notebook.cells[2].update(source="<table><tr><td>1"), "a table without headers"),
    ],
)  # fmt: skip
def test_the_gate_can_fail(change, fault):
    assert fault in broken(change)
