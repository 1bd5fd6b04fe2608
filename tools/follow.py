"""Follow README and the workshop guide word by word in an empty folder: their code blocks, in order, as a script.

python tools/follow.py               show the script
python tools/follow.py run FOLDER    run it there, as a stranger would: sets up .venv, 2 GB and some minutes
python tools/follow.py run FOLDER --with PYTHON    run it with the packages that this Python has, and set up nothing

What a stranger has and a script has not is put in its place: the address is not public yet, so a clone of this
repository is taken; JupyterLab is started and ended; ``shop.csv`` is made, with the columns that the page names; what
is for a machine without a network is only read.
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
PAGES = ("README.md", "notebooks/README.md")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = "──>"  # a block that is a drawing
OPENS_LAB = "python start.py"
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
        imports = ""  # a reader's Python goes on from block to block
        for language, text in BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
            if language == "python":
                found.append(Step(page, "python", imports + text))
                imports += "".join(re.findall(r"^(?:import|from) .*\n", text, re.MULTILINE))
            elif PICTURE not in text and not language:
                found += [Step(page, "shell", line) for line in text.splitlines() if line.strip()]
    return found


def make_shop(folder: Path) -> None:
    """Write ``shop.csv`` with the columns that README names, so that its readers' own file is there."""
    with open(folder / "shop.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["customer", "sku", "stars", "when"])
        for customer in range(60):
            rows.writerows([f"c{customer}", f"{(customer * 7 + i) % 20:04d}", 4, 10**9 + i] for i in range(8))


def follow(step: Step, home: Path, python: str | None) -> int:
    """Take one step in ``home``, the folder of the clone, and return its exit code."""
    command = step.text
    if step.kind == "python":
        return run([python or str(home / ".venv/bin/python"), "-c", command], home)
    if command.startswith("git clone"):
        return 0 if home.exists() else run(["git", "clone", "-q", str(ROOT), str(home)], home.parent)
    if any(part in command for part in NEEDS_WHEELS):
        return 0
    if command == OPENS_LAB:
        return open_lab(home, python)
    words = shlex.split(command)
    if words[:2] == ["python", "start.py"] and python:
        return run([python, "-m", "recsys_tutorial", *words[2:]], home)
    if words[0] == "jupyter":
        words[0] = str(Path(python or home / ".venv/bin/python").parent / "jupyter")
    return run([sys.executable if word == "python" else word for word in words], home)


def run(command: list[str], folder: Path) -> int:
    """Run a command there, with this copy of the package first."""
    return subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}).returncode


def open_lab(home: Path, python: str | None) -> int:
    """Open JupyterLab without a browser until it says that it serves, and end it."""
    lab = [python, "-m", "jupyterlab", "--allow-root"] if python else [sys.executable, "start.py", "lab"]
    piped = dict(stderr=subprocess.PIPE, text=True, start_new_session=True)
    child = subprocess.Popen([*lab, "--no-browser"], cwd=home, **piped)
    until, served = time.monotonic() + 900, False
    for line in child.stderr or ():
        if served := "is running at" in line or time.monotonic() > until:
            break
    os.killpg(child.pid, signal.SIGTERM)
    child.wait(60)
    return 0 if served else 1


def main(folder: Path, python: str | None) -> int:
    """Take all steps; return how many failed."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    home, failed = folder / "recsys-tutorial", 0
    for step in steps():
        print(f"--- {step.page}: {step.text.strip()}", flush=True)
        code = follow(step, home, python)
        failed += code != 0
        print(f"--- {'failed: ' + str(code) if code else 'done'}", flush=True)
        if not (home / "shop.csv").exists():
            make_shop(home)
    return failed


if __name__ == "__main__":
    if sys.argv[1:] == []:
        print("\n".join(f"{step.page}: {step.text.strip()}" for step in steps()))
    elif sys.argv[1] == "run" and len(sys.argv) in (3, 5):
        sys.exit(min(1, main(Path(sys.argv[2]).resolve(), sys.argv[4] if len(sys.argv) == 5 else None)))
    else:
        sys.exit(__doc__)
