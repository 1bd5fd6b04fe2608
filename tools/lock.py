"""Write constraints.txt anew: one exact version of everything that pyproject.toml and all its extras need.

python tools/lock.py            keep the versions that still fit, add what is missing, drop what nobody needs
python tools/lock.py --upgrade  take the newest version of everything within the bounds of pyproject.toml

Needs uv (`pip install uv`), which solves for every system and every Python that pyproject.toml allows at once: where
they differ, a version has a condition behind it. start.py gives the file to pip; afterwards run all tests, then commit.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = "# Exact versions for `pip install -c constraints.txt`, written by tools/lock.py: do not edit.\n"
# A name, a plain version, perhaps a condition. No address, no path, no +cpu, which only one index has.
LINE = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)(?: ; (?P<marker>[^;]+))?")


def faults(text: str) -> list[str]:
    """Return the lines of a constraints file that are neither a comment nor one exact version of one package."""
    return [line for line in text.splitlines() if not line.startswith("#") and not LINE.fullmatch(line)]


def solve(upgrade: bool) -> str:
    """Return what uv finds, one line a package; raise CalledProcessError when the bounds cannot all be kept."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    options = ["--universal", "--all-extras", "--no-header", "--no-annotate", "--quiet"]
    options += ["--python-version", project["requires-python"].removeprefix(">=")]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / CONSTRAINTS.name  # uv keeps the versions that it finds in the file it writes to
        if CONSTRAINTS.exists() and not upgrade:
            shutil.copy(CONSTRAINTS, out)
        command = ["uv", "pip", "compile", "pyproject.toml", *options, "--output-file", str(out)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return out.read_text(encoding="utf-8")


def main(argv: list[str]) -> int:
    """Write the file, or say in one line why not and leave the old one as it is; return the exit code."""
    if argv not in ([], ["--upgrade"]):
        print(__doc__)
        return 2
    if shutil.which("uv") is None:
        print("tools/lock.py: there is no uv on the PATH: pip install uv", file=sys.stderr)
        return 1
    try:
        text = HEADER + solve(upgrade=bool(argv))
    except subprocess.CalledProcessError:
        print("tools/lock.py: uv found no versions that fit pyproject.toml (above it says why)", file=sys.stderr)
        return 1
    if faults(text):
        print(f"tools/lock.py: not an exact version from a registry: {faults(text)[0]!r}", file=sys.stderr)
        return 1
    CONSTRAINTS.write_text(text, encoding="utf-8")
    print(f"{CONSTRAINTS.name}: {len(text.splitlines()) - 1} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
