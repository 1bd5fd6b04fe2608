"""The examples of CONTRIBUTING.md run as they stand, and stay small."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\*\*An? ([a-z ]+)\*\*.*?^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SAID = {
    "objective": "loss", "data set": "2 users × 2 items", "baseline": "by-number", "task": "0.",
    "figure": "Bars: g 0.40", "exercise": "divides by b looks like this.",
}  # fmt: skip


def test_there_is_an_example_of_everything_that_can_be_added():
    assert [name for name, _ in EXAMPLES] == list(SAID)


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_example_runs_and_is_short(name, code):
    assert len(code.splitlines()) <= 30
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert SAID[name] in done.stdout


def test_the_answers_to_where_would_you_change_name_what_is_there():
    for name, path in re.findall(r"`([\w.]+)` (?:in|of) `([\w/]+\.py)`", PAGE):
        assert re.search(rf"\b{name.split('.')[-1]}\b", (ROOT / "recsys_tutorial" / path).read_text(encoding="utf-8"))
    for path in re.findall(r"`((?:[a-z]+/)+(?:\w+\.py)?)`", PAGE):
        assert (ROOT / path).exists() or (ROOT / "recsys_tutorial" / path).exists(), path
