"""The wheel works alone: built, checked, unpacked elsewhere and run there, without the checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]


def call(*arguments: object, cwd: Path, **changes: str) -> str:
    """Return what this Python prints to stdout; what it printed besides is shown where it fails."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=os.environ | changes)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built by way of the source archive from a copy, so that no build folder stays in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "recsys_tutorial", source / "recsys_tutorial", ignore=shutil.ignore_patterns("__pycache__"))
    call("-m", "build", "--no-isolation", "--outdir", source / "dist", source, cwd=source)
    return next((source / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that holds the wheel's content and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    call("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


def run(installed: Path, cwd: Path, *arguments: object) -> str:
    """Run the installed package's command outside the checkout; the dependencies are those of this Python."""
    return call("-m", "recsys_tutorial", *arguments, cwd=cwd, PYTHONPATH=str(installed))


def test_registry_would_take_what_is_built(wheel):
    archives = sorted(wheel.parent.iterdir())
    assert [path.name.partition("-")[0] for path in archives] == ["recsys_tutorial"] * 2, "source archive and wheel"
    assert call("-m", "twine", "--no-color", "check", *archives, cwd=wheel.parent).count("PASSED") == 2


def test_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    package = ROOT / "recsys_tutorial"
    files = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
    want = {name for name in files if "__pycache__" not in name}
    have = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert have == want
    assert "recsys_tutorial/py.typed" in have, "so that type checkers read the package's types"


def test_package_that_is_imported_is_the_wheels(installed, tmp_path):
    code = "import recsys_tutorial; print(recsys_tutorial.__file__)"
    printed = call("-c", code, cwd=tmp_path, PYTHONPATH=str(installed)).strip()
    assert Path(printed) == installed / "recsys_tutorial" / "__init__.py"


def test_commands_run_outside_the_checkout(installed, tmp_path):
    names = [line["name"] for line in json.loads(run(installed, tmp_path, "datasets", "--json", "-"))]
    assert "movielens-small" in names
    how = ("--model", "popularity", "--k", 10, "--json", "-")
    records = json.loads(run(installed, tmp_path, "evaluate", "movielens-small", *how))
    assert {record["model"] for record in records} == {"popularity"}
    how = ("--objective", "denoising", "--epochs", 1, "--dim", 8, "--out", "g")
    run(installed, tmp_path, "pretrain", "movielens-small", *how)
    assert (tmp_path / "g" / "model.json").exists()
    answer = json.loads(run(installed, tmp_path, "recommend", "g", "--liked", "Toy Story", "-k", 3, "--json", "-"))
    assert len(answer) == 3
