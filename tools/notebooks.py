"""Execute, measure and clean the committed notebooks, and write what was measured where people read it.

python tools/notebooks.py run [NAME ...]    execute (all, or those whose name begins so), measure, clean, save
python tools/notebooks.py check [NAME ...]  execute copies and say which outputs would change; 1 if any
python tools/notebooks.py clean [NAME ...]  clean and mark slides, without executing

``run`` stores seconds and peak memory in notebooks/measured.json, in each notebook's line that begins with
``**Takes**``, and in README's table. Close other programs first: the numbers are promises. After ``run`` and
``clean`` the Chinese edition, which has the same code and outputs, is rendered anew (tools/chinese.py).
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
MEASURED = NOTEBOOKS / "measured.json"
README = ROOT / "README.md"
TABLE = re.compile(r"(<!-- notebooks -->\n).*?(<!-- /notebooks -->)", re.DOTALL)
SLIDES = re.compile(r"# 0[0-2]\. ")  # the titles of the notebooks that are shown as slides
CELL = re.compile(r"cell-(\d{2,})([a-z]*)")  # what a cell is called
PROBE = "from recsys_tutorial.system.machine import peak_mb\nprint(peak_mb())"


def execute(notebook: NotebookNode) -> tuple[NotebookNode, float, float]:
    """Return the notebook executed and clean, the seconds it took and the peak memory of its kernel in MB."""
    notebook = copy.deepcopy(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    started = time.perf_counter()
    NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False, coalesce_streams=True,
                   resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()  # fmt: skip
    seconds = time.perf_counter() - started
    peak = float(notebook.cells.pop().outputs[0]["text"])
    return clean(notebook), seconds, peak


def clean(notebook: NotebookNode) -> NotebookNode:
    """Keep what a reader needs: source, outputs and counts, ids in order; no widget state, no versions."""
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    name_cells(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in ("tags",) if key in cell.metadata})
    if SLIDES.match(notebook.cells[0].source):
        mark_slides(notebook)
    return notebook


def name_cells(notebook: NotebookNode) -> None:
    """Keep the ids of the cells, since translations are keyed by them; a new cell is called after the one before it."""
    last = (-1, "")
    for cell in notebook.cells:
        found = CELL.fullmatch(cell.id)
        name = (int(found[1]), found[2]) if found else last
        last = name if name > last else after(*last)
        cell.id = f"cell-{last[0]:02d}{last[1]}"


def after(number: int, letters: str) -> tuple[int, str]:
    """Return the first name behind another: behind 7 there is 7a, behind that 7b."""
    if number < 0:
        return 0, ""
    return number, f"{letters[:-1]}{chr(ord(letters[-1]) + 1)}" if letters and letters[-1] < "z" else f"{letters}a"


def mark_slides(notebook: NotebookNode) -> None:
    """Mark slides: a heading begins one, a claim after an output the one below it; folded answers are left out.

    The marks are JupyterLab's own (cell metadata ``slideshow``); ``-`` goes on with the slide before.
    """
    shown = False  # whether the slide has an output
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kind = "-" if cell.outputs or shown else "skip" if is_imports(cell.source) else "-"
            shown = shown or bool(cell.outputs)
        elif "<details>" in cell.source:
            kind = "skip"
        else:
            kind = "slide" if cell.source.startswith(("# ", "## ")) else "subslide" if shown else "-"
            shown = shown and kind == "-"
        cell.metadata["slideshow"] = {"slide_type": kind}


def is_imports(source: str) -> bool:
    """Return whether a cell only imports, and sets threads."""
    return all(re.match(r"import |from |torch\.set_num_threads|\s*$", line) for line in source.splitlines())


def load(path: Path) -> NotebookNode:
    """Return the notebook at ``path``."""
    return nbformat.read(path, as_version=4)


def said(notebook: NotebookNode, word: str) -> str:
    """Return what stands behind ``**word**`` in the notebook's first cell."""
    found = re.search(rf"^\*\*{word}\.?\*\*\s*(.+)$", notebook.cells[0].source, re.MULTILINE)
    if not found:
        raise SystemExit(f"the first cell has no line that begins with **{word}**")
    return found[1].strip()


def state(notebook: NotebookNode, seconds: float, peak: float) -> None:
    """Write what was measured into the line ``**Takes**`` of the first cell."""
    said(notebook, "Takes")
    line = f"**Takes** {minutes(seconds)} and {round_up(peak, 50)} MB of memory on 2 cores (measured)."
    notebook.cells[0].source = re.sub(r"^\*\*Takes\*\*.*$", line, notebook.cells[0].source, flags=re.MULTILINE)


def minutes(seconds: float) -> str:
    """Return seconds as people say them."""
    return f"{round_up(seconds, 10)} seconds" if seconds <= 90 else f"{seconds / 60:.1f} minutes"


def round_up(value: float, step: int) -> int:
    """Return the next multiple of ``step``."""
    return int(-(-value // step) * step)


def table() -> str:
    """Return the table of notebooks from measured.json and the notebooks' first cells."""
    measured = json.loads(MEASURED.read_text())
    lines = ["| notebook | the question it answers | time | memory |", "| --- | --- | --- | --- |"]
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        cost = measured[path.stem]
        link = f"[`{path.stem}`]({path.name})"
        question = said(load(path), "Question")
        lines.append(f"| {link} | {question} | {minutes(cost['seconds'])} | {round_up(cost['peak_mb'], 50)} MB |")
    return "\n".join(lines)


def write_tables() -> None:
    """Write the table between its two marks, in README and in the first notebook."""
    text = table()
    if README.exists():
        linked = text.replace("](", "](notebooks/")
        README.write_text(TABLE.sub(lambda found: f"{found[1]}{linked}\n{found[2]}", README.read_text()))
    first = load(NOTEBOOKS / "00_start_here.ipynb")
    for cell in first.cells:
        cell.source = TABLE.sub(lambda found: f"{found[1]}{text}\n{found[2]}", cell.source)
    nbformat.write(first, NOTEBOOKS / "00_start_here.ipynb")


def chosen(names: list[str]) -> list[Path]:
    """Return the notebooks whose names begin with one of ``names``, all when there is none."""
    paths = [path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")) if not names or path.stem.startswith(tuple(names))]
    if not paths:
        raise SystemExit(f"no notebook is called {names}")
    return paths


def run(names: list[str]) -> int:
    """Execute, measure, clean and save."""
    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    for path in chosen(names):
        done, seconds, peak = execute(load(path))
        seconds, peak = round(seconds, 1), round(peak)
        state(done, seconds, peak)
        nbformat.write(done, path)
        measured[path.stem] = {"seconds": seconds, "peak_mb": peak}
        print(f"{path.stem}: {seconds:.1f} s, {peak:.0f} MB")
        MEASURED.write_text(json.dumps(dict(sorted(measured.items())), indent=2) + "\n")
    if all(path.stem in measured for path in NOTEBOOKS.glob("[0-9]*.ipynb")):
        write_tables()
    return 0


def clean_all(names: list[str]) -> int:
    """Clean, and mark slides, what is stored."""
    for path in chosen(names):
        nbformat.write(clean(load(path)), path)
    return 0


def without_pictures(notebook: NotebookNode) -> list[object]:
    """Return all outputs as plain data, pictures left out."""
    return [
        {
            key: value
            for key, value in (output.get("data") or {"text": output.get("text")}).items()
            if "image" not in key
        }
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def check(names: list[str]) -> int:
    """Execute copies and compare."""
    changed = 0
    for path in chosen(names):
        stored = load(path)
        same = without_pictures(stored) == without_pictures(execute(stored)[0])
        changed += not same
        print(f"{path.stem}: {'same' if same else 'CHANGED'}")
    return int(changed > 0)


if __name__ == "__main__":
    commands = {"run": run, "check": check, "clean": clean_all}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    code = commands[sys.argv[1]](sys.argv[2:])
    if sys.argv[1] != "check":
        import chinese  # beside this file

        chinese.main([])
    sys.exit(code)
