"""Every stored result says where it comes from, and tools/results.py tells which are older than the code."""

import importlib.util
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("results_tool", ROOT / "tools" / "results.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


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


FILES = {
    "tools/maker.py": "import recsys_tutorial as rt\nrt.fit(1)\n",
    "recsys_tutorial/__init__.py": "from .kinds import fit\nfrom .other import unused\n",
    "recsys_tutorial/kinds/__init__.py": "from .one import fit\nfrom .two import apart\n",
    "recsys_tutorial/kinds/one.py": "from ..below import helper\ndef fit(x): return helper(x)\n",
    "recsys_tutorial/kinds/two.py": "apart = 1\n",
    "recsys_tutorial/below.py": 'def helper(x):\n    "Say."\n    return x + 1  # one\n',
    "recsys_tutorial/other.py": "unused = 1\n",
}


def code():
    return tool.code_of("tools/maker.py", FILES.get)


def test_code_is_what_the_maker_imports_directly_or_not():
    assert sorted(code()) == [
        "recsys_tutorial/__init__.py", "recsys_tutorial/below.py", "recsys_tutorial/kinds/__init__.py",
        "recsys_tutorial/kinds/one.py", "tools/maker.py",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text", "same"),
    [
        ("recsys_tutorial/below.py", "def helper(x):\n    'Speak.'\n    return x + 1\n", True),
        ("recsys_tutorial/below.py", "def helper(x):\n    return x + 2\n", False),
        ("recsys_tutorial/kinds/two.py", "apart = 2\n", True),
        ("recsys_tutorial/other.py", "unused = 2\n", True),
    ],
)
def test_prose_and_code_that_is_not_used_make_nothing_stale(path, text, same):
    changed = tool.code_of("tools/maker.py", (FILES | {path: text}).get)
    assert (tool.hashed(changed) == tool.hashed(code())) == same


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
