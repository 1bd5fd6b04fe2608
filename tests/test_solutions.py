"""The folded solutions of exercises run, and do what the notebook says of them."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

import recsys_tutorial as rt

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def solutions(name: str) -> list[str]:
    """Return the code inside the ``<details>`` of a notebook."""
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    folded = [part for cell in cells for part in re.findall(r"<details>.*?</details>", cell.source, re.DOTALL)]
    return [code for part in folded for code in re.findall(r"```python\n(.*?)```", part, re.DOTALL)]


@pytest.fixture
def known_objectives():
    """Put the register of objectives back as it was."""
    before = dict(rt.OBJECTIVES)
    yield
    rt.OBJECTIVES.clear()
    rt.OBJECTIVES.update(before)


def test_the_objective_of_notebook_05_beats_popularity_and_not_ease(movielens, known_objectives):
    (code,) = solutions("05_pretraining_objectives")
    exec(code, {"rt": rt, "torch": torch})
    likes = movielens.binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    split = rt.splits.held_out_users(likes, seed=0)
    models = {"mine": rt.pretrain("mine", split.train, epochs=30, dim=128, seed=0)}
    models |= {"popularity": rt.Popularity().fit(split.train), "ease": rt.EASE().fit(split.train)}
    _, per_user = rt.evaluate_users(models, split, ["ndcg"], 20)
    against = rt.compare(per_user, "mine", ["popularity", "ease"], "ndcg", 20).set_index("rival")
    assert against.loc["popularity", "ci_low"] > 0
    assert against.loc["ease", "ci_high"] < 0
    assert np.isfinite(models["mine"].history["loss"]).all()
