"""Every stored result says where it comes from, and tools/results.py tells which are older than the code."""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import results as tool  # noqa: E402


def test_every_stored_result_has_its_origin_and_every_origin_its_result():
    register = tool.origins()
    assert sorted(register) == tool.results(), "python tools/results.py stamp NAME, after a line in docs/origins.json"
    for name, origin in register.items():
        assert list(origin) == ["command", "maker", "commit", "code"], name
        assert all(origin.values()), f"{name}: python tools/results.py stamp {name}"
        assert all((ROOT / path).is_file() for path in origin["maker"].split()), name


def test_stale_results_are_listed():
    stale = [name for name, origin in tool.origins().items() if tool.is_stale(origin)]
    if stale:  # a result is repeated on a quiet machine, not at every commit: this says so and does not fail
        warnings.warn(f"older than the code: {', '.join(stale)}: python tools/results.py repeat NAME", stacklevel=1)


def test_a_result_is_made_anew_and_the_old_one_comes_back_where_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "DOCS", tmp_path)
    monkeypatch.setattr(tool, "ORIGINS", tmp_path / "origins.json")
    result, maker = tmp_path / "a.json", tmp_path / "maker.py"
    result.write_text("old")
    origin = {"command": f"python {maker}", "maker": "tools/results.py", "commit": "0", "code": "0"}
    tool.ORIGINS.write_text(tool.json.dumps({"a.json": origin}))
    maker.write_text("raise SystemExit(3)")
    assert not tool.repeat("a.json")
    assert (result.read_text(), tool.is_stale(tool.origins()["a.json"])) == ("old", True)
    maker.write_text(f"open({str(result)!r}, 'x').write('new')")
    assert tool.repeat("a.json")
    assert (result.read_text(), tool.is_stale(tool.origins()["a.json"])) == ("new", False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "maker.py", "origins.json"]
