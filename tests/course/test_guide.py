"""The workshop guide adds up, speaks of every notebook, and README and guide can be followed word by word."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import nbformat
import pytest

import recsys_tutorial as rt
from recsys_tutorial.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
import start  # noqa: E402


def tool(name: str):
    """Return a module of tools/."""
    spec = importlib.util.spec_from_file_location(f"{name}_tool", ROOT / "tools" / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


guide, follow, notebooks = tool("guide"), tool("follow"), tool("notebooks")
TEXT = guide.GUIDE.read_text(encoding="utf-8")
STEPS = follow.steps()


def totals(text: str) -> dict[int, int]:
    """Return what each agenda adds up to, in minutes, by what it promises."""
    found = {}
    for agenda in guide.AGENDA.finditer(text):
        hours, minutes = guide.rows(agenda["table"])[-1][3].split(":")
        found[int(agenda["minutes"])] = 60 * int(hours) + int(minutes)
    return found


def test_the_minutes_are_added_up_from_what_was_measured():
    assert guide.filled(TEXT) == TEXT, "run: python tools/guide.py"
    for agenda in guide.AGENDA.finditer(TEXT):
        minutes = [guide.run_minutes(what) + int(talk) for what, _, talk, _ in guide.rows(agenda["table"])]
        assert totals(TEXT)[int(agenda["minutes"])] == sum(minutes)


def test_every_agenda_keeps_to_its_time():
    assert list(totals(TEXT)) == [90, 210, 420]
    assert all(0.9 * promised <= total <= promised for promised, total in totals(TEXT).items()), totals(TEXT)


def test_an_agenda_that_grows_is_found_out():
    longer = guide.filled(TEXT.replace("| 20 |", "| 40 |", 1))
    assert longer != TEXT
    assert totals(longer)[90] > 90


def test_every_notebook_has_its_section():
    numbers = [path.stem[:2] for path in notebooks.NOTEBOOKS.glob("[0-9]*.ipynb")]
    parts = dict(re.findall(r"^### (\d\d) (?!minutes)[^\n]*\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
    assert sorted(parts) == sorted(numbers)
    assert all("*People get wrong:*" in part and "*Ask the room:*" in part for part in parts.values())


@pytest.mark.parametrize("name", ["00_start_here", "01_background", "02_concepts"])
def test_slides_are_short_and_begin_with_headings(name):
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4).cells
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in cells]
    assert kinds[0] == "slide"
    for kind, cell in zip(kinds, cells, strict=True):
        assert (kind == "skip") or "<details>" not in cell.source
        assert kind in ("slide", "skip") or not cell.source.startswith("## ")
    marks = "".join({"slide": "s", "subslide": "s", "skip": ""}.get(kind, "-") for kind in kinds)
    assert max(map(len, re.findall(r"s-*", marks))) <= 6, "cells on one slide"


@pytest.mark.parametrize("step", [step for step in STEPS if step.kind == "shell"], ids=lambda step: step.text[:60])
def test_every_command_is_one_that_there_is(step):
    words = shlex.split(step.text.replace("[", "").replace("]", ""), comments=True)  # brackets: it may be left out
    if words[:2] == ["python", "start.py"] and len(words) > 2:
        assert words[2] in start.PACKAGE_COMMANDS
        parser().parse_args([word for word in words[2:] if word != "--extras"])
    elif words[0] == "torchrun":
        parser().parse_args(words[words.index("recsys_tutorial") + 1 :])
    else:
        assert words[0] in ("git", "python", "PIP_NO_INDEX=1", "jupyter", "curl")


def test_every_page_with_something_to_run_is_followed():
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.md")]
    for page in pages:
        blocks = follow.BLOCK.findall(page.read_text(encoding="utf-8"))
        runs = [text for kind, text in blocks if kind == "python" or (not kind and follow.PICTURE not in text)]
        assert not runs or page.relative_to(ROOT).as_posix() in follow.PAGES, page


@pytest.mark.parametrize("step", [step for step in STEPS if step.kind == "python"], ids=lambda step: step.text[-40:])
def test_every_block_of_python_uses_what_there_is(step):
    compile(step.text, step.page, "exec")
    assert all(hasattr(rt, name) for name in re.findall(r"\brt\.(\w+)", step.text))


def test_the_quick_steps_are_followed_in_an_empty_folder(tmp_path, capfd):
    home = tmp_path / "recsys-tutorial"
    quick = ("git clone", "shop.csv", "runs/shop-labels", "--users", "users_a.csv", "python start.py doctor", "jupyter")
    steps = [step for step in STEPS if any(part in step.text for part in quick)]
    later = [step.text for step in steps if step.kind == "python"]  # a page's Python goes on from block to block
    steps = [step for step in steps if not any(text.startswith(step.text) and text != step.text for text in later)]
    assert len(steps) >= 5
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: there is nothing to clone from")
    reader = follow.Reader(home, sys.executable)
    for step in steps:
        assert reader.take(step) == 0, (step, capfd.readouterr().err[-2000:])
        if not (home / "shop.csv").exists():
            follow.make_files(home)
    assert (home / "runs" / "shop" / "model.json").exists()
    assert (home / "classes.csv").read_text(encoding="utf-8").count("\n") == 61  # a header, and sixty customers
    assert (home / "lists.csv").read_text(encoding="utf-8").count("\n") == 1 + 60 * 10
    assert (home / "big" / "interactions.json").exists()
    assert (home / "slides" / "00_start_here.slides.html").stat().st_size > 100_000
