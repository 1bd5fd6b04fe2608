"""What tools/mutation.py changes, and what it leaves alone."""

import importlib.util
import json
import os
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("mutation_tool", ROOT / "tools" / "mutation.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("a < b", {"a <= b"}),
        ("a + 1", {"a - 1", "a + 2"}),
        ("not a", {"a"}),
        ("b if a else c", {"b if not a else c"}),
        ("f(x=True)", {"f(x=False)"}),
        ("a or b and c", {"a and (b and c)", "a or (b or c)"}),
        ("'text' f'{a + b}'", set()),
    ],
)
def test_small_changes_one_at_a_time(code, changed):
    assert {source for _, source in tool.mutants(code)} == changed


def test_what_is_data_in_a_file_of_exercises_is_left_alone():
    source = """
def right(x): return x + x
def cases(): return {'1': (1,)}
def wrong(x): return x * 3
EXERCISES = (compared('99-double', 'Double.', 'Add.', right, cases, {'triples': wrong, 'halves': lambda x: x / 2}),)
"""
    assert [what for what, _ in tool.mutants(source)] == ["line 2: 'x + x' -> 'x - x'"]


def test_every_target_is_there():
    for files, tests in tool.TARGETS.values():
        assert all((tool.PACKAGE / path).is_file() for path in files)
        assert all((ROOT / path).is_file() for path in tests if path.endswith(".py"))


def test_a_file_s_counts_take_the_place_of_older_ones():
    found = tool.added([], "splits", {"splits.py": {"noticed": 5, "changes": 6}})
    found = tool.added(found, "exercises", {"exercises/base.py": {"noticed": 1, "changes": 2}})
    found = tool.added(found, "exercises", {"exercises/a.py": {"noticed": 2, "changes": 2}})
    found = tool.added(found, "exercises", {"exercises/base.py": {"noticed": 2, "changes": 3}})
    assert [tuple(record.values())[:4] for record in found] == [("exercises", 4, 5, 0.8), ("splits", 5, 6, 0.833)]


def test_of_the_changes_to_each_target_85_percent_were_noticed():
    records = json.loads((ROOT / "docs" / "mutation.json").read_text(encoding="utf-8"))
    assert [record["target"] for record in records] == sorted(tool.TARGETS)
    for record in records:
        assert list(record["files"]) == sorted(tool.TARGETS[record["target"]][0])
        assert record["changes"] == sum(counts["changes"] for counts in record["files"].values())
        assert record["noticed"] == sum(counts["noticed"] for counts in record["files"].values())
        assert record["noticed"] >= 0.85 * record["changes"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("hang", [lambda: time.sleep(100), lambda: all(iter(object, None))], ids=["waits", "counts"])
def test_a_change_that_makes_a_test_hang_ends_and_counts_as_noticed(monkeypatch, hang):
    monkeypatch.setattr(tool, "_run", lambda tests: hang())
    started = time.monotonic()
    assert tool.noticed("metrics/ranking.py", "", [], limit=0.3)
    assert 0.3 <= time.monotonic() - started < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("code", [0, 1])
def test_a_run_that_ends_says_whether_the_tests_failed(monkeypatch, code):
    monkeypatch.setattr(tool, "_run", lambda tests: code)
    assert tool.noticed("metrics/ranking.py", "", [], limit=30) == bool(code)
