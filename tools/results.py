"""List where every stored result under docs/ comes from and which are older than the code, and repeat them.

python tools/results.py list [--stale] [NAME ...]      say command, commit and state of each
python tools/results.py repeat [--stale] [NAME ...]    run their commands again, from nothing, and note the new origin
python tools/results.py stamp NAME ...                 note as origin the last commit that changed the file

A NAME is a file's path under docs/. `docs/origins.json` holds, for each file, the command that makes it, the commit at
which it was made and a hash of the code: of the maker and of every module of the package that it imports, directly or
not, as syntax trees without docstrings and comments, so that prose makes no result stale. A name taken from a package
(`rt.pretrain`) stands for the module that defines it; a name that its `__init__` does not import from one module stands
for the whole folder. `--stale` with `repeat` asks for hours where much has changed: list first.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from recsys_tutorial.data.files import write_text

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ORIGINS = DOCS / "origins.json"
PACKAGE = "recsys_tutorial"
Read = Callable[[str], str | None]  # a path from the root -> its text, None where there is no such file
Origin = dict[str, str]  # command, maker, commit, code


def results() -> list[str]:
    """Return the paths under docs/ of all stored results: whatever is no page and not the register itself."""
    paths = [p for p in DOCS.rglob("*") if p.is_file() and p.suffix in (".json", ".jsonl", ".png")]
    return sorted(p.relative_to(DOCS).as_posix() for p in paths if p != ORIGINS)


def now(path: str) -> str | None:
    """Return the text of a file as it is in the working tree."""
    return (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else None


def at(commit: str) -> Read:
    """Return a reader of files as they were at a commit."""
    found = subprocess.run(["git", "ls-tree", "-r", "--name-only", commit], cwd=ROOT, capture_output=True, text=True)
    there = set(found.stdout.splitlines())
    return lambda path: _git("show", f"{commit}:{path}") if path in there else None


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


# ---- the code that a result depends on -------------------------------------------------------------------------------


def code_of(maker: str, read: Read) -> dict[str, str]:
    """Return ``path -> hash`` of the maker (of all, parted by spaces) and of what it imports of the package."""
    known: dict[str, str | None] = {}

    def text(path: str) -> str | None:
        if path not in known:
            known[path] = read(path)
        return known[path]

    found: dict[str, str] = {}
    makers = maker.split()
    waiting = list(makers)
    while waiting:
        path = waiting.pop()
        source = text(path)
        if path in found or source is None:
            continue
        _, nodes, found[path] = _parsed(source)
        # What a package's __init__ imports is asked for by name, where a name is taken from it.
        waiting += [] if path.endswith("__init__.py") and path not in makers else sorted(_imported(nodes, path, text))
    return found


def hashed(code: dict[str, str]) -> str:
    """Return one short hash of the paths and hashes of :func:`code_of`."""
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()[:12]


@functools.cache  # most results depend on the same modules
def _parsed(source: str) -> tuple[list[ast.stmt], list[ast.AST], str]:
    """Return of a module its statements without docstrings, what in them names things, and a hash of them."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, False) is not None:
            node.body = node.body[1:]
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom | ast.Attribute)]
    return tree.body, nodes, hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _imported(nodes: list[ast.AST], path: str, read: Read) -> Iterator[str]:
    """Yield the files of the package that a module's imports, also those inside functions, stand for."""
    here = path.removesuffix(".py").split("/")
    whole = {PACKAGE: PACKAGE}  # the names by which the whole package is known here
    for node in nodes:
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name == PACKAGE:
                    whole[name.asname or name.name] = PACKAGE
                elif name.name.startswith(f"{PACKAGE}."):
                    yield from _module(name.name.replace(".", "/"), read)
        elif isinstance(node, ast.ImportFrom):
            if not node.level and node.module and here[:-1]:  # a tool beside this one
                yield from _module("/".join([*here[:-1], node.module.replace(".", "/")]), read)
            base = here[: len(here) - node.level] if node.level else []
            folder = "/".join([*base, *(node.module.split(".") if node.module else [])])
            if folder.split("/")[0] == PACKAGE:
                for name in node.names:
                    yield from _named(folder, name.name, read)
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in whole:
            yield from _named(PACKAGE, node.attr, read)


def _module(stem: str, read: Read) -> Iterator[str]:
    yield from (path for path in (f"{stem}.py", f"{stem}/__init__.py") if read(path) is not None)


def _named(folder: str, name: str, read: Read) -> Iterator[str]:
    """Yield the files that ``from folder import name`` needs."""
    if found := list(_module(f"{folder}/{name}", read)):  # a module of the folder
        yield from found
        return
    init = read(f"{folder}/__init__.py")
    if init is None:  # the folder is a module
        yield from _module(folder, read)
        return
    yield f"{folder}/__init__.py"
    body, nodes, _ = _parsed(init)
    gathers = "iter_modules" in init  # an __init__ that imports whatever lies beside it
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level and name in [n.asname or n.name for n in node.names]:
            before = next(n.name for n in node.names if (n.asname or n.name) == name)
            stem = "/".join(filter(None, [folder, (node.module or "").replace(".", "/")]))
            yield from _named(stem, before, read)
    if gathers:
        yield from (path for path in _beside(folder) if read(path) is not None)
    # What the __init__ itself defines with the help of its modules needs these.
    defined = {n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assigned = {t.id for n in body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    if name in defined | assigned and folder != PACKAGE:
        yield from _imported(nodes, f"{folder}/__init__.py", read)


def _beside(folder: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / folder).glob("*.py"))]


# ---- the register ----------------------------------------------------------------------------------------------------


def origins() -> dict[str, Origin]:
    """Return the register: path under docs/ -> its origin."""
    return json.loads(ORIGINS.read_text(encoding="utf-8")) if ORIGINS.exists() else {}


def is_stale(origin: Origin) -> bool:
    """Return whether the code has changed since the result was made."""
    return hashed(code_of(origin["maker"], now)) != origin["code"]


def changed(origin: Origin) -> list[str]:
    """Return the files whose code differs from that of the origin's commit; none where git does not know it."""
    try:
        before, after = code_of(origin["maker"], at(origin["commit"])), code_of(origin["maker"], now)
    except subprocess.CalledProcessError:
        return []
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def note(name: str, commit: str, read: Read) -> None:
    """Write the origin of a result into the register."""
    register = origins()
    origin = register[name]
    origin |= {"commit": commit, "code": hashed(code_of(origin["maker"], read))}
    write_text(ORIGINS, json.dumps(dict(sorted(register.items())), indent=1) + "\n")


def stamp(name: str) -> None:
    """Note as origin the last commit that changed the file."""
    commit = _git("log", "-1", "--format=%h", "--", f"docs/{name}").strip()
    note(name, commit, at(commit))


def repeat(name: str) -> bool:
    """Make a result anew; the old one comes back where the command fails. Return whether it was made."""
    path, kept = DOCS / name, DOCS / f"{name}.before"
    path.replace(kept)  # what goes on with a file that is there begins anew
    words = shlex.split(origins()[name]["command"])
    words[:1] = [sys.executable] if words[0] == "python" else [sys.executable, "-m", PACKAGE]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    try:
        done = subprocess.run(words, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths})
        made = done.returncode == 0 and path.exists()
    finally:
        if not path.exists() or done.returncode:
            kept.replace(path)
    if made:
        kept.unlink()
        note(name, _git("rev-parse", "--short", "HEAD").strip(), now)
    return made


def chosen(names: list[str], stale: bool) -> list[str]:
    """Return the results that are asked for: those named or all, with ``stale`` of these the stale ones."""
    register = origins()
    if unknown := sorted(set(names) - set(register)):
        sys.exit(f"no stored result is called {unknown[0]!r}: there are {', '.join(sorted(register))}")
    return [name for name in names or sorted(register) if not stale or is_stale(register[name])]


def main(words: list[str]) -> int:
    """List, repeat or stamp; return the exit code."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("list", "repeat", "stamp"))
    options.add_argument("names", nargs="*", metavar="NAME")
    options.add_argument("--stale", action="store_true", help="only those that are older than the code")
    given = options.parse_args(words)
    failed = 0
    for name in chosen(given.names, given.stale):
        if given.what == "stamp":
            stamp(name)
        elif given.what == "repeat":
            print(f"{name}: {origins()[name]['command']}", flush=True)
            failed += not repeat(name)
        else:
            origin = origins()[name]
            state = "stale" if is_stale(origin) else "as the code"
            print(f"{name}: {state}; {origin['commit']}; {origin['command']}")
            if state == "stale" and (given.names or given.stale):
                print("   changed since: " + ", ".join(changed(origin)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
