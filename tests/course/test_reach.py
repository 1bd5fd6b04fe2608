"""tools/reach.py: which code a result can reach, so that a change elsewhere does not make it stale."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import reach as tool  # noqa: E402

FILES = {
    "tools/maker.py": "import recsys_tutorial as rt\nrt.fit(1).run()\nasked = 'by_name'\n",
    "recsys_tutorial/__init__.py": "from .kinds import fit, KINDS\nfrom .other import unused\n",
    "recsys_tutorial/kinds/__init__.py": (
        "from .one import fit\nfrom .two import apart\nKINDS: dict[str, object] = {'apart': apart}\n"
    ),
    "recsys_tutorial/kinds/one.py": (
        "from ..below import helper as h, Base\n"
        "def fit(x): return Model(h(x))\n"
        "def beside(x): return x\n"
        "class Model(Base):\n"
        "    def __init__(self, x): self.x = LIMIT + x\n"
        "    def run(self): return self.step()\n"
        "    def step(self): return self.x\n"
        "    def rest(self): return 0\n"
        "LIMIT = 3\n"
        "OTHER = 4\n"
    ),
    "recsys_tutorial/kinds/two.py": "apart = 1\n",
    "recsys_tutorial/below.py": (
        'def helper(x):\n    "Say."\n    return x + 1  # one\n'
        "class Base:\n    def step(self): return by_name\n    def free(self): return 1\n"
        "by_name = 5\n"
    ),
    "recsys_tutorial/other.py": "unused = 1\n",
}
ONE, BELOW = "recsys_tutorial/kinds/one.py", "recsys_tutorial/below.py"


def code(**changed):
    return tool.code_of("tools/maker.py", (FILES | changed).get)


def test_reached_are_the_maker_and_whatever_reached_code_names():
    found = {f"{one.path}:{one.name}" for several in code().values() for one in several}
    assert found == {
        "tools/maker.py:Expr", "tools/maker.py:asked", f"{ONE}:fit", f"{ONE}:Model", f"{ONE}:Model.run",
        f"{ONE}:Model.step", f"{ONE}:LIMIT", f"{BELOW}:helper", f"{BELOW}:Base", f"{BELOW}:Base.step",
        f"{BELOW}:by_name",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "before", "after", "same"),
    [
        (BELOW, '"Say."', '"Speak."', True),
        (BELOW, "# one", "# two", True),
        (BELOW, "x + 1", "x + 2", False),
        (BELOW, "by_name = 5", "by_name = 6", False),
        (BELOW, "return 1", "return 2", True),  # Base.free
        (ONE, "LIMIT = 3", "LIMIT = 4", False),
        (ONE, "OTHER = 4", "OTHER = 5", True),
        (ONE, "LIMIT + x", "LIMIT - x", False),
        (ONE, "return self.x", "return -self.x", False),
        (ONE, "return 0", "return 1", True),  # Model.rest
        (ONE, "def beside(x): return x", "def beside(x): return -x", True),
        (ONE, "class Model(Base):\n", "class Model(Base):\n    by = 1\n", False),
        ("recsys_tutorial/kinds/two.py", "1", "2", True),
        ("recsys_tutorial/other.py", "1", "2", True),
    ],
)
def test_only_what_is_reached_makes_a_result_stale(path, before, after, same):
    changed = FILES[path].replace(before, after)
    assert changed != FILES[path]
    assert (tool.hashed(code(**{path: changed})) == tool.hashed(code())) == same


def test_a_move_to_another_file_and_the_end_of_a_twin_change_nothing():
    helper, rest = FILES[BELOW].split("class ")
    moved = {"recsys_tutorial/moved.py": helper, BELOW: f"class {rest}"}
    moved[ONE] = FILES[ONE].replace(
        "from ..below import helper as h, Base", "from ..moved import helper as h\nfrom ..below import Base"
    )
    assert tool.hashed(code(**moved)) == tool.hashed(code())
    twin = FILES[BELOW].replace("def free", "def run(self): return self.step()\n    def free")
    assert tool.hashed(code(**{BELOW: twin})) == tool.hashed(code())


def test_methods_that_a_library_calls_come_with_their_class():
    library = FILES[BELOW].replace("class Base:", "class Base(nn.Module):")
    names = {one.name for several in code(**{BELOW: library}).values() for one in several}
    assert {"Model.rest", "Base.free"} <= names


def test_a_table_of_kinds_brings_the_kinds_and_code_for_another_process_its_modules():
    table = FILES["tools/maker.py"] + "rt.KINDS\n"
    assert "apart" in code(**{"tools/maker.py": table})
    run = FILES["tools/maker.py"] + "code = f'from recsys_tutorial.other import unused; print({1})'\n"
    assert "unused" in code(**{"tools/maker.py": run})


def test_a_folder_that_gathers_its_modules_brings_their_classes():
    init = "import pkgutil\nfrom .one import fit\ndef kinds(): return pkgutil.iter_modules(__path__)\n"
    more = {"recsys_tutorial/kinds/__init__.py": init, ONE: FILES[ONE] + "class Kind:\n    def __init__(self): pass\n"}
    assert "Kind" not in code(**{ONE: more[ONE]})
    assert "Kind" in code(**more)


def test_what_differs_is_named():
    other = code(**{BELOW: FILES[BELOW].replace("x + 1", "x + 2")})
    assert tool.differing(code(), other) == [f"{BELOW}:helper"]


MAKER = """
import recsys_tutorial as rt
from recsys_tutorial.data.splits import random_holdout
from recsys_tutorial.data.synthetic import synthetic
from recsys_tutorial.tasks import TASKS

data = synthetic(users=60, items=40, events=900, seed=0)
task = TASKS["new-shelf"](data, seed=0)
split = random_holdout(task.behaviour, seed=0)
model = rt.pretrain("next-item", split.train, epochs=1, dim=8, seed=0)
rt.evaluate(model, split, k=5)
rt.finetune(model, task, strategy="wide", seed=0)
"""
WATCHED = """
import sys
maker, ran = compile(open(sys.argv[1]).read(), "maker", "exec"), set()
exec(maker, {})  # imports, which run what no result rests on
def watch(frame, event, _):
    if event == "call":
        ran.add((frame.f_code.co_filename, frame.f_code.co_qualname))
sys.setprofile(watch)
exec(maker, {})
sys.setprofile(None)
print("\\n".join(map(":".join, ran)))
"""


def test_what_a_maker_runs_is_reached(tmp_path):
    maker = tmp_path / "maker.py"
    maker.write_text(MAKER)
    done = subprocess.run([sys.executable, "-c", WATCHED, maker], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    on_disk = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "recsys_tutorial").rglob("*.py")}
    texts = {name: path.read_text("utf-8") for name, path in (on_disk | {"maker.py": maker}).items()}
    found = tool.code_of("maker.py", texts.get)
    reached = {f"{one.path}:{one.name}" for several in found.values() for one in several}
    ran = set()
    for path, name in (line.rsplit(":", 1) for line in done.stdout.splitlines() if line.startswith(f"{ROOT}/rec")):
        parts = name.split(".<locals>")[0].split(".")
        with_class = parts[-1].startswith(("__", "<"))  # a special method, a default
        ran.add(f"{path.removeprefix(f'{ROOT}/')}:{parts[0] if with_class else '.'.join(parts[:2])}")
    assert len(ran) > 100
    assert ran <= reached
