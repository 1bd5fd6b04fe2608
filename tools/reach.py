"""Which code of the package a result can reach: definitions, found from its maker by the names that code mentions.

A definition is a function, a class, a method or an assignment of a module. Reached is all of the maker; then whatever
reached code names: a bare name stands for what its module defines or imports under it, an attribute or a string for
every definition and every method of that name, whosesoever. A class brings its head, what it assigns and its special
methods; one that inherits from outside the package (`nn.Module`) brings all its methods, which others call. Only the
modules that the maker imports, directly or not, are looked at. So the answer errs on the side of too much.

A name is compared by the definitions it may stand for, as syntax trees without docstrings and comments: prose, a move
to another file and the end of a twin change nothing. How the command line reads its options is not looked at.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imports import Read, defined_by, gathers, modules, tree_of

FORMS = {"ABC", "Generic", "NamedTuple", "Protocol", "object"}  # bases that call no method of their heirs


@dataclass(frozen=True)
class Definition:
    """One definition: its module, its name there (``Class.method``), a hash of its code and the names it mentions."""

    path: str
    name: str
    code: str
    bare: frozenset[str]
    other: frozenset[str]  # attributes and strings
    bases: frozenset[str] = frozenset()
    runs: bool = False  # with the import itself

    @property
    def called(self) -> str:
        """The name by which code mentions it."""
        return self.name.rpartition(".")[2]


def code_of(maker: str, read: Read) -> dict[str, list[Definition]]:
    """Return ``name -> definitions`` that the maker (or makers, parted by spaces) can reach."""
    makers = maker.split()
    texts = modules(makers, read)
    there = {path: _parsed(path, source) for path, source in texts.items()}
    every = [d for module in there.values() for d in module.definitions]
    classes = {d.name: d for d in every if d.bases}
    found: dict[str, list[Definition]] = {}
    inside: dict[tuple[str, str], list[Definition]] = {}
    attributes: dict[str, list[Definition]] = {}
    for one in every:
        inside.setdefault((one.path, one.name), []).append(one)
        attributes.setdefault(one.called, []).append(one)
    tables = {Path(path).parent for path, source in texts.items() if gathers(source)}  # of all that lies there
    waiting = [d for d in every if d.runs or d.path in makers or (d.bases and Path(d.path).parent in tables)]
    seen: set[int] = set()
    while waiting:
        if id(one := waiting.pop()) in seen:
            continue
        seen.add(id(one))
        found.setdefault(one.called, []).append(one)
        imports = there[one.path].imports
        for name in one.bare:
            waiting += inside.get((one.path, name), [])
            if name in imports:
                waiting += [d for d in attributes.get(imports[name], []) if "." not in d.name]
        for name in one.other:
            waiting += attributes.get(name, [])
        if one.bases and _from_outside(one, classes):
            waiting += [d for d in there[one.path].definitions if d.name.startswith(f"{one.name}.")]
    return found


def hashed(code: dict[str, list[Definition]]) -> str:
    """Return one short hash of what :func:`code_of` found."""
    standing = {name: sorted({one.code for one in found}) for name, found in code.items()}
    return hashlib.sha256(json.dumps(standing, sort_keys=True).encode()).hexdigest()[:12]


def differing(before: dict[str, list[Definition]], after: dict[str, list[Definition]]) -> list[str]:
    """Return ``path:name`` of the definitions that only one of the two has."""
    two = [{(name, one.code): one for name, found in code.items() for one in found} for code in (before, after)]
    either = two[0] | two[1]
    return sorted({f"{either[key].path}:{either[key].name}" for key in two[0].keys() ^ two[1].keys()})


# ---- the definitions of a module -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Module:
    imports: dict[str, str]  # a name as this module knows it -> as it is defined elsewhere
    definitions: list[Definition]


@functools.cache  # most results depend on the same modules
def _parsed(path: str, source: str) -> _Module:
    tree = tree_of(source)
    names = [name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    imports = {name.asname or name.name: name.name for name in names}
    return _Module(imports, [one for node in tree.body for one in _definitions(path, node)])


def _definitions(path: str, node: ast.stmt) -> Iterator[Definition]:
    """Yield what a statement of a module defines; what defines nothing runs with the import."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.ClassDef):
        functions = [m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)]
        methods = [m for m in functions if not _special(m.name)]
        yield from (_definition(path, f"{node.name}.{method.name}", [method]) for method in methods)
        parts = [*node.bases, *node.keywords, *node.decorator_list, *(m for m in node.body if m not in methods)]
        bases = frozenset(ast.unparse(base).partition("[")[0] for base in node.bases)
        yield _definition(path, node.name, parts, bases or frozenset({"object"}))
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield _definition(path, node.name, [node], runs=_special(node.name))
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from (_definition(path, name, [node]) for name in defined_by(node))
    else:
        yield _definition(path, type(node).__name__, [node], runs=True)


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _definition(
    path: str, name: str, parts: list[ast.AST], bases: frozenset[str] = frozenset(), runs: bool = False
) -> Definition:
    bare: set[str] = set()
    other: set[str] = set()
    for node in (node for part in parts for node in ast.walk(part)):
        if isinstance(node, ast.Name):
            bare.add(node.id)
        elif isinstance(node, ast.Attribute):
            other.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            other |= {one.name for one in node.names}
        elif isinstance(node, ast.MatchClass):
            other |= set(node.kwd_attrs)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # for getattr; for a process of its own
            names = node.value.isidentifier() or "import " in node.value
            other |= set(re.findall(r"\w+", node.value)) if names else set()
    code = hashlib.sha256(repr(_shape(parts)).encode()).hexdigest()
    return Definition(path, name, code, frozenset(bare), frozenset(other), bases, runs)


def _shape(node: object) -> object:
    """Return a syntax tree as plain lists; what is empty is left out, since newer Pythons have more such fields."""
    if isinstance(node, ast.AST):
        fields = [(name, _shape(value)) for name, value in ast.iter_fields(node) if value not in (None, [])]
        return [type(node).__name__, *fields]
    return [_shape(one) for one in node] if isinstance(node, list) else node


def _from_outside(one: Definition, classes: dict[str, Definition]) -> bool:
    """Return whether a class inherits, directly or not, from one that the package does not define."""
    return any(_from_outside(classes[b], classes) if b in classes else b not in FORMS for b in one.bases)
