"""Answer tools/race.py in a process of another library's environment: JSON lines in and out, arrays through files.

Nothing of recsys_tutorial is imported here: these environments hold an older NumPy and pandas. `setups` maps what can
be asked for to a function of the folder and of settings, which prepares (untimed) and returns what is timed. What that
returns may be a function of a folder that gives scores, (users, items), for the behaviour in its inputs.npz.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Setup = Callable[..., Callable[[], Any]]


def rows(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Return users and items of all events, user by user in their order, and the number of items."""
    with np.load(path) as stored:
        lengths = np.diff(stored["offsets"])
        return np.repeat(np.arange(len(lengths)), lengths), stored["items"].astype(np.int64), int(stored["n_items"])


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the k best items of each row, the best first."""
    found = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, found, 1), axis=1, kind="stable")
    return np.take_along_axis(found, order, 1)


def serve(setups: dict[str, Setup]) -> None:
    """Read requests until the other side closes: ``setup``, ``run``, ``scores`` and ``peak``."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    prepared: dict[int, Callable[[], Any]] = {}
    result: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        told: dict[str, Any] = {}
        try:
            if asked["do"] == "setup":
                number = len(prepared)
                prepared[number] = setups[asked["what"]](Path(asked["folder"]), **asked["settings"])
                told = {"number": number}
            elif asked["do"] == "run":
                result = prepared[asked["number"]]()
                told = {} if callable(result) else {"result": result}
            elif asked["do"] == "scores":
                np.save(asked["to"], np.asarray(result(Path(asked["folder"])), np.float32))
            elif asked["do"] == "peak":
                status = Path("/proc/self/status").read_text()
                told = {"peak_mb": int(status.split("VmHWM:")[1].split()[0]) / 2**10}
        except Exception as error:
            traceback.print_exc()
            told = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(told), file=out, flush=True)
