"""List where every stored result under docs/ comes from and which are older than the code, and repeat them.

python tools/results.py list [--stale] [NAME ...]      say command, commit and state of each
python tools/results.py repeat [--stale] [NAME ...]    run their commands again, from nothing, and note the new origin
python tools/results.py stamp NAME ...                 note as origin the last commit that changed the file

A NAME is a file's path under docs/. `docs/origins.json` holds, for each file, the command that makes it, the commit at
which it was made and a hash of the code that its maker can reach in the package (see `reach.py`). `--stale` with
`repeat` asks for hours where much has changed: list first. Then run `tools/notebooks.py run` for the notebooks that
`docs/README.md` names beside the file.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys

from imports import PACKAGE, ROOT, Read
from reach import code_of, differing, hashed

from recsys_tutorial.data.files import write_text

DOCS = ROOT / "docs"
ORIGINS = DOCS / "origins.json"
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


# ---- the register ----------------------------------------------------------------------------------------------------


def origins() -> dict[str, Origin]:
    """Return the register: path under docs/ -> its origin."""
    return json.loads(ORIGINS.read_text(encoding="utf-8")) if ORIGINS.exists() else {}


def is_stale(origin: Origin) -> bool:
    """Return whether the code has changed since the result was made."""
    return hashed(code_of(origin["maker"], now)) != origin["code"]


def changed(origin: Origin) -> list[str]:
    """Return the definitions that differ from those of the origin's commit; none where git does not know it."""
    try:
        return differing(code_of(origin["maker"], at(origin["commit"])), code_of(origin["maker"], now))
    except subprocess.CalledProcessError:
        return []


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
