"""The folded solutions of the notebooks run, pass their own checks, and do what the notebook says of them."""

import ast
import re
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.teaching.exercises import EXERCISES

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.ipynb"))
ASKED = re.compile(r'rt\.exercises\.check\("(.*?)"')


def sources(path: Path, kind: str) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def folded(path: Path) -> list[str]:
    """Return the code inside the ``<details>`` of a notebook."""
    parts = [part for text in sources(path, "markdown") for part in re.findall(r"<details>.*?</details>", text, re.S)]
    return [code for part in parts for code in re.findall(r"```python\n(.*?)```", part, re.S)]


SOLUTIONS = {name: code for path in NOTEBOOKS for code in folded(path) for name in ASKED.findall(code)}


@pytest.fixture(autouse=True)
def known_objectives():
    """Put the register of objectives back as it was."""
    before = dict(rt.OBJECTIVES)
    yield
    rt.OBJECTIVES.clear()
    rt.OBJECTIVES.update(before)


def run(code: str) -> object:
    """Run the code as a cell of a notebook and return the value of its last line."""
    *before, last = ast.parse(code).body
    names = {"rt": rt, "torch": torch, "nn": torch.nn, "np": np, "pd": pd}
    exec(compile(ast.Module(before, []), "solution", "exec"), names)
    return eval(compile(ast.Expression(last.value), "solution", "eval"), names)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_check_takes_the_notebooks_own_solution(name):
    verdict = run(SOLUTIONS[name])
    assert verdict.done, verdict


def test_every_exercise_is_asked_once_and_has_one_solution():
    asked = Counter(name for path in NOTEBOOKS for code in sources(path, "code") for name in ASKED.findall(code))
    solved = Counter(name for path in NOTEBOOKS for code in folded(path) for name in ASKED.findall(code))
    assert asked == solved == Counter(EXERCISES.keys())


@pytest.mark.parametrize("name", SOLUTIONS)
def test_an_exercise_stands_in_its_notebook_with_a_heading_and_a_goal(name):
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith(name[:2])]
    asked = [cell for cell in sources(path, "markdown") if cell.startswith(f"### {name}: ")]
    assert len(asked) == 1
    assert "**Goal.** " in asked[0]


def test_the_objective_of_notebook_05_beats_popularity_and_not_ease(movielens):
    run(SOLUTIONS["05-objective"])
    likes = movielens.binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    split = rt.splits.held_out_users(likes, seed=0)
    models = {"mine": rt.pretrain("mine", split.train, epochs=30, dim=128, seed=0)}
    models |= {"popularity": rt.Popularity().fit(split.train), "ease": rt.EASE().fit(split.train)}
    _, per_user = rt.evaluate_users(models, split, ["ndcg"], 20)
    against = rt.compare(per_user, "mine", ["popularity", "ease"], "ndcg", 20).set_index("rival")
    assert against.loc["popularity", "ci_low"] > 0
    assert against.loc["ease", "ci_high"] < 0
    assert np.isfinite(models["mine"].history["loss"]).all()
