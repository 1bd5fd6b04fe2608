"""Write what nobody types of the site: the API by topic from the docstrings, the commands from their parser."""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
import inspect
import json
import re
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import recsys_tutorial as rt  # noqa: E402
import start  # noqa: E402
from recsys_tutorial.cli.arguments import add_common  # noqa: E402
from recsys_tutorial.cli.main import parser  # noqa: E402
from recsys_tutorial.teaching.drawings.house import FLOORS, first_line  # noqa: E402
from recsys_tutorial.teaching.drawings.house import PACKAGE as FOLDER  # noqa: E402

PACKAGE = "recsys_tutorial"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ADDRESS = PROJECT["urls"]["Repository"]
IMPORTED = re.compile(rf"^\s*from ({PACKAGE}[\w.]*) import ([\w, ]+)$", re.MULTILINE)


class Name(NamedTuple):
    """A name that people write, such as ``rt.pretrain``; the floor it belongs to; and the path where it is defined."""

    said: str
    floor: str
    path: str

    @property
    def thing(self) -> object:
        """What the name stands for."""
        return _get(self.path)


@functools.cache
def _get(path: str) -> object:
    """Return what stands at a dotted path: a module, or something in one."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def defined(path: str) -> str:
    """Return the path under which Sphinx finds the source of a class or function, else the path itself."""
    thing = _get(path)
    is_code = inspect.isclass(thing) or inspect.isroutine(thing)
    return f"{thing.__module__}.{thing.__qualname__}" if is_code else path


@functools.cache
def said_names() -> dict[str, str]:
    """Return what people write for each path, members of public modules included."""
    names = [*public(), *imported_in_notebooks()]
    said = {
        defined(f"{name.path}.{member}"): f"{name.said}.{member}"
        for name in names
        if isinstance(name.thing, ModuleType)
        for member in members(name.thing)
    }
    return said | {name.path: name.said for name in names}


def public() -> list[Name]:
    """Return every public name ``rt.NAME``, floor by floor: where a name is imported from says its topic."""
    names = [Name(f"rt.{name}", "teaching", f"{PACKAGE}.teaching.{name}") for name in rt._WHEN_ASKED_FOR]
    known = {*rt.__all__} - {*rt._WHEN_ASKED_FOR}
    for node in ast.walk(ast.parse(Path(rt.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            for alias in node.names:
                if (name := alias.asname or alias.name) in known:
                    source = ".".join(filter(None, [PACKAGE, node.module, alias.name]))
                    names.append(Name(f"rt.{name}", source.split(".")[1], defined(source)))
                    known.discard(name)
    if known:
        raise LookupError(f"public, but imported from nowhere that says its topic: {sorted(known)}")
    return sorted(names, key=lambda name: (FLOORS.index(name.floor), name.said.lower()))


def imported_in_notebooks() -> list[Name]:
    """Return what the notebooks import from deeper in the package and has no public name: people will look it up."""
    things = [name.thing for name in public()]
    things += [getattr(thing, one) for thing in things if isinstance(thing, ModuleType) for one in members(thing)]
    found = {}
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        for module, names in IMPORTED.findall(code):
            for said in (f"{module}.{name.strip()}" for name in names.split(",")):
                if module != PACKAGE and not any(_get(said) is thing for thing in things):
                    found[defined(said)] = Name(said.removeprefix(f"{PACKAGE}."), said.split(".")[1], defined(said))
    return sorted(found.values(), key=lambda name: name.said.lower())


def members(module: ModuleType) -> list[str]:
    """Return the public names of a module: its ``__all__``, else the classes and functions that it defines."""
    own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    return list(getattr(module, "__all__", [name for name in own if not name.startswith("_")]))


def _stands(path: str) -> str:
    """Return the address of the file that makes a value public."""
    file = Path(importlib.import_module(path.rpartition(".")[0]).__file__ or "").relative_to(ROOT)
    return f"{ADDRESS}/blob/main/{file.as_posix()}"


def _entry(path: str, thing: object) -> str:
    """Return the lines that let Sphinx document one class, function or value."""
    if inspect.isclass(thing):
        return f".. autoclass:: {path}\n   :members:\n   :member-order: bysource\n"
    if inspect.isroutine(thing):
        return f".. autofunction:: {path}\n"
    kind = "" if isinstance(thing, str) else ": ``" + "``, ``".join(map(str, thing)) + "``"
    said = f"A {type(thing).__name__}{kind}. (`source <{_stands(path)}>`__)"
    module, _, name = path.rpartition(".")
    return f".. py:data:: {name}\n   :module: {module}\n\n   {said}\n"


def entries(name: Name) -> str:
    """Return the lines for one name; a module has its heading, what it says of itself, and all its members."""
    if not isinstance(name.thing, ModuleType):
        return _entry(name.path, name.thing)
    title = f"``{name.said}``"
    inside = [_entry(defined(f"{name.path}.{member}"), getattr(name.thing, member)) for member in members(name.thing)]
    return "\n".join([title, "-" * len(title), "", f".. automodule:: {name.path}\n", *inside])


def api_pages() -> dict[str, str]:
    """Return the text of each API page by its path: one a floor that has names, and one that lists them."""
    names, deeper = public(), imported_in_notebooks()
    pages, topics = {}, []
    for floor in [floor for floor in FLOORS if any(name.floor == floor for name in [*names, *deeper])]:
        here, below = ([name for name in group if name.floor == floor] for group in (names, deeper))
        is_module = {name: isinstance(name.thing, ModuleType) for name in [*here, *below]}
        title = floor.capitalize()
        parts = [title, "=" * len(title), ""]
        if not any(name.path == f"{PACKAGE}.{floor}" for name in here):  # else it says so below
            parts += [f".. automodule:: {PACKAGE}.{floor}\n"]
        parts += [entries(name) for name in here if not is_module[name]]
        if below and not all(is_module[name] for name in below):
            parts += ["Also used in the notebooks", "-" * 26, ""]
            parts += [entries(name) for name in below if not is_module[name]]
        parts += [entries(name) for name in [*here, *below] if is_module[name]]
        pages[f"api/{floor}.rst"] = "\n".join(parts)
        kinds = {name: "mod" if is_module[name] else "obj" for name in [*here, *below]}
        links = ", ".join(f":py:{kinds[name]}:`{name.said} <{name.path}>`" for name in [*here, *below])
        topics.append(f":doc:`{title} <{floor}>`\n   {first_line(_source(floor))}.\n\n   {links}\n")
    head = "API\n===\n\nEvery public name, by the floor of the package that it stands on, from the ground up. After\n"
    head += "``import recsys_tutorial as rt`` each is ``rt.NAME``; the rest is imported from where it stands.\n"
    tree = [f"   {path.removeprefix('api/').removesuffix('.rst')}" for path in pages]
    pages["api/index.rst"] = "\n".join([head, *topics, ".. toctree::\n   :hidden:\n", *tree]) + "\n"
    return pages


def _source(floor: str) -> Path:
    """Return the folder or file of a floor."""
    folder = FOLDER / floor
    return folder if folder.is_dir() else folder.with_suffix(".py")


def commands(top: ArgumentParser | None = None, name: str = "") -> Iterator[tuple[str, ArgumentParser]]:
    """Yield every command that can be run, ``study map`` among them, with its parser."""
    top = top or parser()
    nested = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield name, top
    for action in nested:
        for word, one in action.choices.items():
            yield from commands(one, f"{name} {word}".strip())


def _row(action: argparse.Action) -> str:
    """Return one row of a table: how an argument is written, and what it says of itself."""
    value = action.metavar or action.dest.upper()
    takes = action.option_strings and action.nargs != 0
    written = ", ".join(action.option_strings or [str(value)]) + (f" {value}" if takes else "")
    said = (action.help or "") % {**vars(action), "prog": PACKAGE}
    if action.choices:
        said += f"{'; ' if said else ''}one of " + ", ".join(f"`{choice}`" for choice in action.choices)
    cells = [f"`{written}`", said.replace("<", "&lt;")]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(actions: list[argparse.Action]) -> str:
    """Return a table of arguments, or what to say where there are none."""
    rows = [_row(action) for action in actions]
    return "\n".join(["| argument | what it says |", "| --- | --- |", *rows]) if rows else "It has no others."


def commands_page() -> str:
    """Return the reference of the command line: what each command does, how it is called, and its arguments."""
    shared = ArgumentParser(add_help=False)
    add_common(shared)
    common = {action.dest for action in shared._actions}
    parts = [
        "# Command line",
        "Call each as `python start.py COMMAND`, or inside `.venv` as `python -m recsys_tutorial COMMAND`.",
        "Every command but those of `start.py` itself takes, beside its own arguments:",
        _table(shared._actions),
        f"## start.py\n\n```text\n{(start.__doc__ or '').strip()}\n```",
    ]
    for name, one in commands():
        own = [action for action in one._actions if action.dest not in {"help", *common}]
        positional = [str(action.metavar or action.dest) for action in own if not action.option_strings]
        usage = " ".join(["python start.py", name, *positional, "[options]"])
        parts += [f"## {name}", (one.description or "").strip(), f"```text\n{usage}\n```", _table(own)]
    return "\n\n".join(parts) + "\n"


def generated() -> dict[str, str]:
    """Return all these pages by their paths."""
    return api_pages() | {"command_line.md": commands_page()}
