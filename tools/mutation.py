"""Change the code in small ways, one at a time, and count how many of the changes a test notices.

python tools/mutation.py [TARGET ...] [--json FILE]    prints each change that lives, and adds the counts to FILE

A target is metrics, splits or exercises (no name: all of them), or one of their files, such as exercises/concepts.py.
Each change (a mutant) is tried in a fork of this process, which has the big libraries loaded: about a second each.
What is data in the exercises (their cases, and the wrong answers that people give) is left alone. Linux and macOS.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import importlib.machinery
import importlib.util
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "recsys_tutorial"
TARGETS = {
    "metrics": (["metrics/ranking.py"], ["tests/metrics/test_ranking.py"]),
    "splits": (["data/splits.py"], ["tests/data/test_splits.py"]),
    "exercises": (
        [f"teaching/exercises/{path.name}" for path in sorted((PACKAGE / "teaching" / "exercises").glob("*.py"))],
        ["tests/teaching/test_exercises.py", "tests/teaching/test_exercise_checks.py",
         "tests/teaching/test_solutions.py", "--deselect",
         "tests/teaching/test_solutions.py::test_the_objective_of_notebook_05_beats_popularity_and_not_ease"],
    ),
}  # fmt: skip
# A change that makes a test hang counts as noticed: after so many seconds, and times of the unchanged run's.
LEAST, TIMES = 30.0, 10.0
OTHERS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
    ast.MatMult: ast.Add, ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


def others(node: ast.AST) -> Iterator[ast.AST]:
    """Yield small changes of one node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHERS:
        yield _with(node, ops=[OTHERS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in OTHERS:
        yield _with(node, op=OTHERS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp | ast.If) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield what was changed, in words, and the whole source with that one change."""
    tree = ast.parse(source)
    for parent, name, index, node in _places(tree, data_of(tree)):
        for other in others(node):
            _put(parent, name, index, other)
            what = f"line {node.lineno}: {ast.unparse(node)[:60]!r} -> {ast.unparse(other)[:60]!r}"
            yield what, ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, name, index, node)


def data_of(tree: ast.Module) -> set[str]:
    """Return the names at the top of a file that are data of exercises: the register, its cases and wrong answers."""
    register = [node for node in tree.body if isinstance(node, ast.Assign) and _named(node) == "EXERCISES"]
    used = {name.id for assign in register for part in ast.walk(assign) if isinstance(part, ast.Dict)
            for name in ast.walk(part) if isinstance(name, ast.Name)}  # fmt: skip
    calls = [part for assign in register for part in ast.walk(assign) if isinstance(part, ast.Call)]
    asked = {argument.id for call in calls for argument in call.args[3:4] if isinstance(argument, ast.Name)}
    cases = {argument.id for call in calls for argument in call.args[4:5] if isinstance(argument, ast.Name)}
    return (used - asked) | cases | {"EXERCISES"} if register else set()


def _places(tree: ast.Module, data: set[str]) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield every node that a change may replace, and where it hangs; docstrings, types and data are left alone."""
    body = [node for node in tree.body if getattr(node, "name", None) not in data]
    waiting: list[ast.AST] = [node for node in body if not (isinstance(node, ast.Assign) and _named(node) in data)]
    while waiting:
        parent = waiting.pop(0)
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for index, node in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(node, ast.AST) and not isinstance(node, ast.JoinedStr):
                    yield parent, name, index if isinstance(value, list) else None, node
                    waiting.append(node)


def _named(node: ast.Assign) -> str:
    return getattr(node.targets[0], "id", "")


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def noticed(path: str, source: str, tests: list[str], limit: float = 600.0) -> bool:
    """Return whether the tests fail, or take over ``limit`` seconds, with this source in the file's place.

    They run in a fork, which is killed with all that it started: one that waits for ever takes no time of a processor.
    """
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            _replace(PACKAGE / path, source)
            os._exit(_run(tests))
        os._exit(1)
    end = time.monotonic() + limit
    try:
        while time.monotonic() < end:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return bool(status)
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left, or the group is not yet there
            os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _replace(path: Path, source: str) -> None:
    """Let an import of this file compile ``source`` instead."""

    class Loader(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> object:
            return compile(source, self.path, "exec")

    class Finder:
        @staticmethod
        def find_spec(fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
            if fullname != ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"):
                return None
            return importlib.util.spec_from_file_location(fullname, path, loader=Loader(fullname, str(path)))

    sys.meta_path.insert(0, Finder)


def _run(tests: list[str]) -> int:
    return int(sys.modules["pytest"].main(["-x", "-q", "-p", "no:cacheprovider", *tests]))


def load_libraries() -> None:
    """Import what the tests need, and nothing of the package itself: every fork begins from here."""
    for name in ("hypothesis", "nbformat", "pandas", "pyarrow.parquet", "pytest", "scipy.stats", "sklearn.metrics"):
        importlib.import_module(name)
    importlib.import_module("torch").set_num_threads(1)


def files_of(name: str) -> list[tuple[str, str]]:
    """Return the targets and files that a name stands for: a target, or one of its files."""
    found = [(target, path) for target, (files, _) in TARGETS.items() for path in files if name in (target, path)]
    return found or sys.exit(f"no target is called {name!r}: there are {', '.join(TARGETS)}, and the files of each")


def survey(target: str, path: str) -> dict[str, int]:
    """Try every mutant of a file, print those that no test notices, and return how many were noticed and tried."""
    whole, tests = (PACKAGE / path).read_text(), TARGETS[target][1]
    number = re.search(r'^        "(\d\d-)', whole, re.M)  # of the notebook whose exercises these are
    tests = [*tests, "-k", number[1]] if number else tests
    started = time.monotonic()
    if noticed(path, whole, tests):
        sys.exit(f"{path}: the tests fail before anything is changed")
    limit = LEAST + TIMES * (time.monotonic() - started)
    found = {"noticed": 0, "changes": 0}
    for what, source in mutants(whole):
        seen = noticed(path, source, tests, limit)
        found["noticed"] += seen
        found["changes"] += 1
        if not seen:
            print("lives:", path, what, flush=True)
    return found


def added(records: list[dict], target: str, files: dict[str, dict[str, int]]) -> list[dict]:
    """Return the records, one a target, with these files' counts in the place of older ones, and the sums anew."""
    known = {record["target"]: record["files"] for record in records}
    known[target] = known.get(target, {}) | files
    sums = {
        name: [sum(each[what] for each in known[name].values()) for what in ("noticed", "changes")] for name in known
    }
    return [
        {"target": name, "noticed": noticed, "changes": changes, "share": round(noticed / changes, 3),
         "files": dict(sorted(known[name].items()))}
        for name, (noticed, changes) in sorted(sums.items())
    ]  # fmt: skip


def main(words: list[str]) -> int:
    """Survey the targets that are named, or all."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("targets", nargs="*", default=list(TARGETS))
    options.add_argument("--json", type=Path, help="where the counts are kept")
    given = options.parse_args(words)
    kept, records = given.json and given.json.resolve(), []
    os.chdir(ROOT)
    load_libraries()
    for target, path in [pair for name in given.targets for pair in files_of(name)]:
        found = survey(target, path)
        print(f"{path}: {found['noticed']} of {found['changes']} changes noticed", flush=True)
        records = json.loads(kept.read_text()) if kept and kept.exists() else records
        records = added(records, target, {path: found})
        if kept:
            part = kept.with_name(f"{kept.name}.part")
            part.write_text(json.dumps(records, indent=2) + "\n")
            part.replace(kept)  # whole, or as it was
    for record in records:
        print(f"{record['target']}: {record['noticed']} of {record['changes']}, {record['share']:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
