"""Follow README, the pages that go on from it and the workshop guide word by word: their code blocks as a script.

python tools/follow.py               show the script
python tools/follow.py run FOLDER    run it there, as a stranger would: sets up .venv, 2 GB and some minutes
python tools/follow.py run FOLDER --with PYTHON    run it with the packages that this Python has, and set up nothing

A line of shell that an earlier page has already is taken once; Python goes on from block to block of a page.
What a stranger has and a script has not is put in its place: the address is not public yet, so a clone of this
repository is taken; JupyterLab is started and ended, a service ended when all is done; the files of events that the
page names are made; what is in brackets is left out; what is for a machine without a network is only read.
"""

from __future__ import annotations

import csv
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md", "docs/your_own_data.md", "docs/commands.md", "docs/objectives.md", "docs/cost.md",
    "docs/other_tools.md", "docs/package.md", "notebooks/README.md",
)  # fmt: skip
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = "──>"  # a block that is a drawing
OPENS_LAB = "python start.py"
START = (sys.executable, "start.py")
MAY_BE_LEFT_OUT = re.compile(r" \[--[^]]*\]")
NEEDS_WHEELS = ("pip download", "PIP_NO_INDEX")


class Step(NamedTuple):
    """One line of shell, or one block of Python, and the page that it is from."""

    page: str
    kind: str
    text: str


def steps() -> list[Step]:
    """Return what the pages tell a reader to do, in order."""
    found = []
    for page in PAGES:
        before = ""  # a reader's Python goes on from block to block
        for language, text in BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
            if language == "python":
                found.append(Step(page, "python", before + text))
                before += text
            elif PICTURE not in text and not language:
                known = {step.text for step in found}
                lines = [line for line in text.splitlines() if line.strip()]
                found += [Step(page, "shell", line) for line in lines if line not in known]
    return found


def make_files(folder: Path) -> None:
    """Write the readers' own files that the pages name, with the columns that they name, and labels of some users."""
    standard = ["user", "item", "rating", "timestamp"]
    files = {"shop.csv": ["customer", "sku", "stars", "when"], "users_a.csv": standard, "users_b.csv": standard}
    for name, columns in files.items():
        with open(folder / name, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            for user in range(60):
                items = [f"{(user * 7 + i) % 20:04d}" for i in range(8)]
                rows.writerows([f"{name[:7]}{user}", item, 4, 10**9 + i] for i, item in enumerate(items))
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:  # whose items begin with low numbers
        csv.writer(file).writerows([["user", "label"], *([f"shop.cs{u}", "ab"[u * 7 % 20 < 10]] for u in range(40))])


class Reader:
    """Somebody who takes the steps, one by one.

    Args:
        home: the folder of the clone, there or not yet.
        python: has the packages; None sets up a ``.venv`` in ``home``, as the page says.
    """

    def __init__(self, home: Path, python: str | None = None) -> None:
        self.home, self.python = home, python
        self.programs = Path(python or home / ".venv/bin/python").parent
        self.services: list[subprocess.Popen] = []

    def take(self, step: Step) -> int:
        """Take one step and return its exit code."""
        if step.kind == "python":
            return self.run([self.python or str(self.programs / "python"), "-c", step.text])
        if step.text.startswith("git clone"):
            return 0 if self.home.exists() else subprocess.run(["git", "clone", "-q", ROOT, self.home]).returncode
        if any(part in step.text for part in NEEDS_WHEELS):
            return 0
        if step.text == OPENS_LAB:
            lab = [self.python, "-m", "jupyterlab", "--allow-root"] if self.python else [*START, "lab"]
            return self.start([*lab, "--no-browser"], "is running at")
        words = self.words(step.text)
        return self.start(words, "http://") if "serve" in words else self.run(words)

    def words(self, line: str) -> list[str]:
        """Return a line of shell as the command to run."""
        words = shlex.split(MAY_BE_LEFT_OUT.sub("", line), comments=True)
        if words[:2] == ["python", "start.py"]:
            asked = [word for word in words[2:] if word != "--extras" or not self.python]
            return [self.python, "-m", "recsys_tutorial", *asked] if self.python else [*START, *asked]
        programs = {"python": [sys.executable], "curl": ["curl", "--fail"]}
        programs |= {name: [str(self.programs / name)] for name in ("jupyter", "torchrun")}
        return [*programs.get(words[0], words[:1]), *words[1:]]

    def run(self, command: list[str]) -> int:
        """Run a command to its end, with this copy of the package first."""
        return subprocess.run(command, cwd=self.home, env=self.environment()).returncode

    def start(self, command: list[str], says: str) -> int:
        """Start a service and return 0 as soon as it says on stderr that it serves; it goes on meanwhile."""
        piped = dict(stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.services.append(subprocess.Popen(command, cwd=self.home, env=self.environment(), **piped))
        until = time.monotonic() + 900
        for line in self.services[-1].stderr or ():
            if says in line:
                return 0
            if time.monotonic() > until:
                break
        return 1

    def environment(self) -> dict[str, str]:
        """Return what the commands see."""
        return os.environ | {"PYTHONPATH": str(self.home)}

    def leave(self) -> None:
        """End what was started."""
        for service in self.services:
            if service.poll() is None:
                os.killpg(service.pid, signal.SIGTERM)
            service.wait(60)


def main(folder: Path, python: str | None) -> int:
    """Take all steps; return how many failed."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    reader, failed = Reader(folder / "recsys-tutorial", python), 0
    try:
        for step in steps():
            print(f"--- {step.page}: {step.text.strip()}", flush=True)
            started = time.monotonic()
            code = reader.take(step)
            failed += code != 0
            told = f"failed: {code}" if code else "done"
            print(f"--- {told}, {time.monotonic() - started:.0f} s", flush=True)
            if not (reader.home / "shop.csv").exists():
                make_files(reader.home)
    finally:
        reader.leave()
    print(f"{len(steps())} steps, {failed} failed")
    return failed


if __name__ == "__main__":
    if sys.argv[1:] == []:
        print("\n".join(f"{step.page}: {step.text.strip()}" for step in steps()))
    elif sys.argv[1] == "run" and len(sys.argv) in (3, 5):
        sys.exit(min(1, main(Path(sys.argv[2]).resolve(), sys.argv[4] if len(sys.argv) == 5 else None)))
    else:
        sys.exit(__doc__)
