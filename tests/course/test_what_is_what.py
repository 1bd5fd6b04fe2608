"""docs/README.md and tools/README.md have a line for every file there, and the lines say who makes and who reads it."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| \[`(?P<name>[^`]+)`\]\((?P<path>[^)]+)\) \| (?P<rest>.+) \|$", re.MULTILINE)


def rows(page: str) -> dict[str, str]:
    """Return what a page's tables say of each file, by the file's path; a file that stands there twice is a fault."""
    found = [(row["path"], row["rest"]) for row in ROW.finditer(page)]
    assert len(dict(found)) == len(found), f"twice: {sorted(path for path, _ in found)}"
    return dict(found)


def files(folder: Path) -> set[str]:
    """Return the files of a folder and of those in it, but for its README and what no one commits."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    hidden = ("__pycache__", ".ipynb_checkpoints")
    return {path.as_posix() for path in paths if path.name != "README.md" and not set(hidden) & set(path.parts)}


@pytest.mark.parametrize("folder", ["docs", "tools"])
def test_every_file_has_one_line_and_every_line_its_file(folder):
    page = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert set(rows(page)) == files(ROOT / folder), "give the file its line in README.md of its folder"
    assert all(row["path"].endswith(row["name"]) for row in ROW.finditer(page)), "one file is named, another linked"


def test_line_of_a_tool_is_the_first_of_its_docstring():
    said = rows((ROOT / "tools" / "README.md").read_text(encoding="utf-8"))
    for path in sorted((ROOT / "tools").glob("*.py")):
        first = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
        assert said.get(path.name) == first.replace("``", "`")


def test_line_of_a_stored_result_names_the_notebooks_that_read_it():
    said = rows((ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    for notebook in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        code = "\n".join(cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code")
        for path, line in said.items():
            stem = re.escape(Path(path).stem)  # journals are opened by a function that adds folder and ending
            reads = path.startswith("results/") and re.search(rf'"{stem}"', code)
            reads = reads or re.search(rf"\.\./docs/{re.escape(path)}", code)
            assert not reads or f"../notebooks/{notebook.name}" in line, f"{notebook.name} reads {path}"


def test_line_of_a_tools_output_names_the_tool():
    said = rows((ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    for tool in sorted((ROOT / "tools").glob("*.py")):
        top = ast.get_docstring(ast.parse(tool.read_text(encoding="utf-8")))
        for path in set(re.findall(r"docs/([\w/]+\.(?:jsonl?|png))", top)):
            assert f"../tools/{tool.name}" in said[path], f"tools/{tool.name} writes or reads docs/{path}"


def test_file_that_stands_twice_is_found_out():
    row = "| [`cost.json`](cost.json) | figures |\n"
    with pytest.raises(AssertionError, match=r"twice: .*cost\.json"):
        rows(row * 2)
