"""Which modules of the package a file imports, directly or not, also inside functions.

A name taken from a package (`rt.pretrain`) stands for the module that defines it; a name that its `__init__` does not
import from one module stands for the whole folder.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "recsys_tutorial"
Read = Callable[[str], str | None]  # a path from the root -> its text, None where there is no such file


@functools.cache  # most results depend on the same modules
def tree_of(source: str) -> ast.Module:
    """Return the syntax tree of a module without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, False) is not None:
            node.body = node.body[1:]
    return tree


@functools.cache
def _nodes(source: str) -> list[ast.AST]:
    """Return what in a module imports or may name a part of the package."""
    every = list(ast.walk(tree_of(source)))
    names = [node for node in every if isinstance(node, ast.Import | ast.ImportFrom | ast.Attribute)]
    return names + [node for node in every if isinstance(node, ast.Constant) and PACKAGE in str(node.value)]


def defined_by(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines, imports aside."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]


def gathers(source: str) -> bool:
    """Return whether this `__init__` imports whatever lies beside it."""
    return "iter_modules" in source


def modules(makers: list[str], read: Read) -> dict[str, str]:
    """Return ``path -> text`` of the makers and of what they import of the package, directly or not."""
    known: dict[str, str | None] = {}

    def text(path: str) -> str | None:
        if path not in known:
            known[path] = read(path)
        return known[path]

    found: dict[str, str] = {}
    waiting = list(makers)
    while waiting:
        path = waiting.pop()
        source = text(path)
        if path not in found and source is not None:
            found[path] = source
            # What a package's __init__ imports is asked for by name, where a name is taken from it.
            if not path.endswith("__init__.py") or path in makers:
                waiting += sorted(_imported(source, path, text))
    return found


def _imported(source: str, path: str, read: Read) -> Iterator[str]:
    """Yield the files of the package that a module's imports, also those inside functions, stand for."""
    here = path.removesuffix(".py").split("/")
    whole = {PACKAGE: PACKAGE}  # the names by which the whole package is known here
    for node in _nodes(source):
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
        elif isinstance(node, ast.Constant):  # code for a process of its own
            for name in re.findall(rf"import {PACKAGE}[.\w]+|from {PACKAGE}[.\w]+", str(node.value)):
                yield from _module(name.split()[1].replace(".", "/"), read)
    for node in _nodes(source):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in whole:
            yield from _named(PACKAGE, node.attr, read)


def _module(stem: str, read: Read) -> Iterator[str]:
    yield from (path for path in (f"{stem}.py", f"{stem}/__init__.py") if read(path) is not None)


def _named(folder: str, name: str, read: Read) -> Iterator[str]:
    """Yield the files that ``from folder import name`` needs."""
    if found := list(_module(f"{folder}/{name}", read)):  # a module of the folder
        yield from found
        if found[0].endswith("__init__.py"):  # a folder, which may be asked for any of its names
            yield from _imported(read(found[0]) or "", found[0], read)
        return
    init = read(f"{folder}/__init__.py")
    if init is None:  # the folder is a module
        yield from _module(folder, read)
        return
    yield f"{folder}/__init__.py"
    for node in _nodes(init):
        if isinstance(node, ast.ImportFrom) and node.level and name in [n.asname or n.name for n in node.names]:
            before = next(n.name for n in node.names if (n.asname or n.name) == name)
            stem = "/".join(filter(None, [folder, (node.module or "").replace(".", "/")]))
            yield from _named(stem, before, read)
    if gathers(init):
        yield from (path for path in _beside(folder) if read(path) is not None)
    # What the __init__ itself defines with the help of its modules needs these.
    if folder != PACKAGE and name in [defined for node in tree_of(init).body for defined in defined_by(node)]:
        yield from _imported(init, f"{folder}/__init__.py", read)


def _beside(folder: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / folder).glob("*.py"))]
