"""Make an environment for each library of the race that does not install beside torch 2.13, NumPy 2 and pandas 3.

python tools/race_environments.py [NAME ...]    1.5 GB and some minutes each, once; says where, or why not

They lie in the cache folder of the package, outside the checkout, one for each list of requirements.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from recsys_tutorial.data.files import write_text
from recsys_tutorial.data.published.folders import cache_folder

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from start import CPU_INDEX  # noqa: E402

# What each asks for, and what it runs with: RecTools wants NumPy below 2 and pandas below 3; RecBole 1.2.1 bounds none,
# and uses names that NumPy 2 (np.float_) and SciPy 1.12 (dok_matrix._update) took away.
NEEDED = {
    "rectools": ["rectools[torch]>=0.19,<0.20"],
    "recbole": ["recbole==1.2.1", "numpy<2", "pandas<2.2", "scipy<1.12", "setuptools<81"],
}


def command(name: str) -> list[str] | str:
    """Return what starts the library's side of the race, or why it cannot be: its environment is made first."""
    wanted = [f"torch=={version('torch')}", *NEEDED[name]]
    folder = cache_folder() / "race" / f"{name}-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:8]}"
    python, ready = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python", folder / "ready"
    if not ready.exists():
        print(f"{name}: making {folder}", file=sys.stderr, flush=True)
        pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
        base = getattr(sys, "_base_executable", sys.executable)
        torch = ["--no-deps", "--retries", "1", "--index-url", CPU_INDEX, wanted[0]]
        for step in ([base, "-m", "venv", "--clear", str(folder)], [*pip, *torch], [*pip, *wanted]):
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode and step[-1] != wanted[0]:  # where the index is not reached, pip's own wheels may do
                return f"it does not install: {done.stderr.strip().splitlines()[-1][:200]}"
        write_text(ready, "\n".join(wanted) + "\n")
    return [str(python), str(HERE / f"race_{name}.py")]


def pinned() -> dict[str, str]:
    """Return the library and the bounds of each environment."""
    return {name: ", ".join(needed) for name, needed in NEEDED.items()}


if __name__ == "__main__":
    for chosen in sys.argv[1:] or NEEDED:
        print(chosen, command(chosen))
