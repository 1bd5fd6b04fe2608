"""Every number in the prose of a notebook, of README or of a page stands on a stored output, on the code, or on a mark.

A number is digits outside code, formulas, addresses, generated tables and titles in italics. It has to be, to the
digits it is written with, in an output of the same notebook or in its code; a percentage may be there as a share.
README's may be in the outputs of the first two notebooks, in notebooks/measured.json or in docs/demo.json. Free are
whole numbers up to 12, years, the k of NDCG@k, and 95 %. A number from elsewhere (a paper, a limit of Binder) is marked
in its cell, with where it is from: ``<!-- given: 18, 7 | Ferrari Dacrema et al. 2019 -->``.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
NUMBER = re.compile(r"(?<![\w.,])[-+−±]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?!\w*\d)(?:e-?\d+)?(?:\s?%)?")
ABOUT = re.compile(r"\b(?:about|around|nearly|almost|roughly|some|over|more than|below|under)\s$", re.IGNORECASE)
GIVEN = re.compile(r"<!-- given: (?P<numbers>[^|>]*)\|(?P<where>[^>]*)-->")
NOT_PROSE = [
    (r"<!-- (\w+) -->.*?<!-- /\1 -->", re.DOTALL),  # tables that a tool writes, and a test holds
    (r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL),  # code, formulas
    (r"<!--.*?-->|\]\([^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)|https?://\S+|doi:\S+|arXiv:\S+", re.DOTALL),
    (r"(?<![*\w])\*(?![*\s])[^*\n]+\*(?!\*)", 0),  # titles: *28 Days Later*
    (r"^\*\*Takes\*\*.*$|^#+ .*$|^\s*\d+\. |\[[A-Z]\w*\d{4}\]", re.MULTILINE),  # measured; headings; lists; keys
    (r"@\d+|\b(?:1[89]|20)\d\d\b|\b95 %|\b95 of 100\b|\bnotebooks? [\d, and]+|\b\d+\(\d+\)", 0),  # years ...
]  # fmt: skip


def claims(text: str) -> list[tuple[str, bool]]:
    """Return the numbers that a text claims, as written, and whether it says "about" before them."""
    for pattern, flags in NOT_PROSE:
        text = re.sub(pattern, " ", text, flags=flags)
    found = [(match[0].strip(), bool(ABOUT.search(text[: match.start()]))) for match in NUMBER.finditer(text)]
    return [(number, about) for number, about in found if not free(number)]


def free(number: str) -> bool:
    """Return whether a number needs no ground: a whole one up to 12, as in a list of things."""
    return re.fullmatch(r"[-+−±]?\d+", number) is not None and value(number) <= 12


def value(number: str) -> float:
    """Return the size of a written number, without its sign."""
    return abs(float(re.sub(r"[^\d.e-]", "", number.replace("−", "-")).lstrip("-")))


def numbers_in(text: str) -> set[float]:
    """Return the sizes of all numbers in an output, in code, or in a data file; a percentage as a share too."""
    found = list(re.finditer(r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+(?:e[-+]?\d+)?)(\s?%)?", text))
    return {value(match[1]) for match in found} | {value(match[1]) / 100 for match in found if match[2]}


def grounded(number: str, about: bool, known: set[float]) -> bool:
    """Return whether one of the known numbers is the written one, to the digits that are written."""
    size = value(number)
    decimals = len(number.split(".")[1].rstrip("% ")) if "." in number else 0
    unit = 10**-decimals
    near = max(unit / 2, 0.03 * size if about else 0) + 1e-9
    scale = 100 if "%" in number else 1
    return any(abs(one * scale - size) <= near for one in known)


def outputs(notebook) -> str:
    """Return all that a notebook's cells have printed and shown, pictures by their alternative text."""
    said = []
    for output in (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs):
        said.append(output.get("text", ""))
        said += [str(part) for kind, part in output.get("data", {}).items() if kind.startswith("text/plain")]
        said += [str(part.get("alt", "")) for part in output.get("metadata", {}).values() if isinstance(part, dict)]
    return "\n".join(said)


def groundless(text: str, known: set[float]) -> list[str]:
    """Return the numbers in a text without a ground, and marks that mark nothing or do not say from where."""
    marks = list(GIVEN.finditer(text))
    given = [number.strip() for mark in marks for number in mark["numbers"].split(", ")]
    claimed = claims(text)
    written = {number for number, _ in claimed}
    found = [n for n, about in claimed if n not in given and not grounded(n, about, known)]
    found += [f"marked, and not in the text: {number}" for number in given if number not in written]
    return found + ["a mark that does not say from where" for mark in marks if len(mark["where"].strip()) < 5]


def faults(notebook) -> dict[str, list[str]]:
    """Return the groundless numbers of each Markdown cell."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    known = numbers_in(outputs(notebook)) | numbers_in(code)
    cells = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
    return {name: found for name, source in cells.items() if (found := groundless(source, known))}


def of_readme() -> set[float]:
    """Return what README's numbers may stand on."""
    said = [outputs(nbformat.read(path, 4)) for path in NOTEBOOKS[:2]]
    files = [(ROOT / name).read_text(encoding="utf-8") for name in ("notebooks/measured.json", "docs/demo.json")]
    return numbers_in("\n".join(said + files))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_number_in_a_notebook_has_a_ground(path):
    assert faults(nbformat.read(path, 4)) == {}


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{name}.md" for name in ("commands", "cost", "objectives", "other_tools", "package")),
             "docs/your_own_data.md"],
)  # fmt: skip
def test_every_number_in_readme_and_in_the_pages_that_go_on_from_it_has_a_ground(page):
    assert groundless((ROOT / page).read_text(encoding="utf-8"), of_readme()) == []


def changed(name: str, old: str, new: str) -> list[str]:
    """Return the faults of a copy of a notebook in whose prose ``old`` is replaced."""
    (path,) = (ROOT / "notebooks").glob(f"{name}*.ipynb")
    notebook = copy.deepcopy(nbformat.read(path, 4))
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown" and old in cell.source]
    assert cells, f"{old!r} is not in the prose of {name}"
    for cell in cells:
        cell.source = cell.source.replace(old, new)
    return [number for found in faults(notebook).values() for number in found]


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("02", "its mean is 0.300", "its mean is 0.309", "0.309"),
        ("02", "from 0.281 to 0.320", "from 0.281 to 0.329", "0.329"),
        ("02", "450 users", "460 users", "460"),
        ("04", "671", "673", "673"),
        ("01", "only about 150 films", "only about 1,700 films", "1,700"),
        ("01", "<!-- given: 2,000 ", "<!-- given: 3,000 ", "marked, and not in the text: 3,000"),
        ("01", "<!-- given: 2,000 ", "<!-- taken: 2,000 ", "2,000"),
    ],
)
def test_a_wrong_number_is_found_out(name, old, new, found):
    assert found in changed(name, old, new)


@pytest.mark.parametrize(
    ("text", "known", "found"),
    [
        ("a gain of +0.013", "0.0132 and 0.5", []),
        ("a gain of +0.014", "0.0132 and 0.5", ["+0.014"]),
        ("52 % of them", "filled: 0.52", []),
        ("53 % of them", "filled: 0.52", ["53 %"]),
        ("2,078 films", "659 users × 2,078 items", []),
        ("about 150 films", "151", []),
        ("exactly 150 films", "151", ["150"]),
        ("*28 Days Later* (2002), NDCG@20, $x_{17}$, `k=99`, [Steck2019], three and 12 of them", "", []),
        ("18 of them <!-- given: 18 | Doe 2020 -->", "", []),
        ("18 of them <!-- given: 18 | -->", "", ["a mark that does not say from where"]),
    ],
)
def test_what_counts(text, known, found):
    assert groundless(text, numbers_in(known)) == found
