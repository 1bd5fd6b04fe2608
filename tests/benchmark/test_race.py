"""The race: rows by hand, what was not run, and the figure. Nothing is timed against a bar."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial.benchmark import apart, around, quality, race
from recsys_tutorial.data.splits import held_out_users
from recsys_tutorial.errors import InputError

RATINGS = {"row": ["a", "b", "c"], "peer": ["x", "y", "z"], "data": ["d"] * 3, "metric": ["race"] * 3}


@pytest.fixture(scope="module")
def likes(movielens):
    few = movielens.binarise(at_least=4).take_users(np.arange(120)).filter_counts(per_user=5, per_item=5)
    return few


def test_every_row_is_there_and_says_why_it_was_not_run(likes):
    found = list(race.race(likes, (), 1, seed=0))
    assert [(row["row"], row["peer"]) for row in found] == list(race.ROWS)
    assert set(race.ROWS) == {*race.RACES, *race.RACES_APART, *race.NOT_RUN}
    run = [row for row in found if "why" not in row]
    assert [row["peer"] for row in run] == ["pandas"]
    assert run[0]["value"] > 0
    assert all(np.isnan(row["value"]) for row in found if "why" in row)
    assert len(race.ROWS) == len(race.RACES) + len(race.RACES_APART) + len(race.NOT_RUN)


@pytest.mark.parametrize("row", [row for row in race.RACES if row[1] not in ("pandas", "cornac")], ids=str)
def test_each_peer_runs_beside_ours_and_is_as_good(likes, row):
    if importlib.util.find_spec(row[1]) is None:
        pytest.skip(f"{row[1]} is not installed")
    found = race.RACES[row](held_out_users(likes, seed=0), 1, 0)
    assert found["value"] > 0 or found["why"] == "ours never reaches its quality"
    if row[0] == "ease":  # the same model
        assert found["quality"] == pytest.approx(found["peer_quality"], abs=0.01)
    if row[0] == "item-kNN":  # the same neighbours, whose votes are counted by the item that is scored
        assert found["quality"] > found["peer_quality"] - 0.01


def test_measures_are_held_for_the_same_work_and_for_all_that_evaluate_does(likes):
    split, asked = held_out_users(likes, seed=0), []
    found = around.measures(split, 1, lambda scores, k: asked.append((scores, k)) or (lambda: None))
    (scores, k), shown = asked[0], split.inputs.matrix.toarray() > 0
    assert (scores[shown] == -np.inf).all()
    assert np.isfinite(scores[~shown]).all()
    table = rt.evaluate(rt.Popularity().fit(split.train), split, ("ndcg", "recall"), k, progress=False)
    assert around.means(scores, split, k) == pytest.approx(table["value"].tolist())
    assert min(found["value"], found["with_intervals"]) > 0


def test_the_least_time_that_reaches_the_best_quality_by_hand(monkeypatch, likes):
    taken = [9, 9, 9, 9, 1.0, 4.0, 2.0, 8.0]  # a turn for nothing, then ours, ours, theirs, theirs
    clock = iter([time for one in taken for time in (0.0, one)]).__next__
    qualities = iter([0.2, 0.5, 0.4, 0.3])
    monkeypatch.setattr(quality, "ndcg", lambda model, split, k: next(qualities))
    found = quality.to_quality([object] * 2, [object] * 2, None, 1, clock=clock)
    assert (found["value"], found["seconds"], found["floor_seconds"]) == (2.0, 4.0, 2.0)
    assert (found["quality"], found["peer_quality"]) == (0.5, 0.4)
    assert (found["budget"], found["peer_budget"]) == (1, 0)


# ---- a peer in a process of its own: tools/race_wire.py, with a library that always scores the same -----------------

SIDE = """
import sys
sys.path.insert(0, {tools!r})
import numpy as np
from race_wire import best, rows, serve

def fit(folder, **how):
    users, items, n_items = rows(folder / "train.npz")
    counts = np.bincount(items, minlength=n_items)
    assert best(counts[None] + np.arange(n_items) * 1e-6, 2)[0, 0] == counts.argmax()
    def run():
        print("a library that talks")
        if how.get("fails"):
            raise ValueError("no such setting")
        if how.get("dies"):
            sys.exit(3)
        return lambda asked: np.tile(counts, (rows(asked / "inputs.npz")[0][-1] + 1, 1))
    return run

serve({{"ease": fit, "lists": lambda folder, **how: lambda: 7}})
"""


@pytest.fixture
def side(tmp_path) -> list[str]:
    path = tmp_path / "side.py"
    path.write_text(SIDE.format(tools=str(Path(__file__).resolve().parents[2] / "tools")))
    return [sys.executable, str(path)]


def test_a_peer_apart_is_fitted_and_scored_like_ours(likes, side):
    split = held_out_users(likes, seed=0)
    with apart.opened(side, split) as (process, folder):
        number = process.ask("setup", what="ease", folder=str(folder), settings={})["number"]
        assert process.ask("run", number=number) == {}
        theirs = quality.ndcg(apart.Answers(process, folder), split)
        assert process.ask("run", number=process.ask("setup", what="lists", folder="", settings={})["number"]) == {
            "result": 7
        }
        assert process.ask("peak")["peak_mb"] > 1
    assert theirs == pytest.approx(quality.ndcg(rt.Popularity().fit(split.train), split))
    assert process.process.poll() is not None


@pytest.mark.parametrize(("how", "said"), [("fails", "ValueError: no such setting"), ("dies", "ended with 3")])
def test_a_peer_apart_that_fails_says_so(likes, side, how, said):
    with apart.opened(side, held_out_users(likes, seed=0)) as (process, folder):
        number = process.ask("setup", what="ease", folder=str(folder), settings={how: True})["number"]
        with pytest.raises(InputError, match=said):
            process.ask("run", number=number)


def test_a_row_apart_names_the_settings_and_the_memory_of_both_sides(likes, side):
    (found,) = race.race(likes, (), 1, 0, {"rectools": side}, lambda row: row == ("ease", "rectools"))
    assert found["peer_budget"] in apart.TRAINED["ease", "rectools"].settings
    assert found["budget"] == {}
    assert found["quality"] > found["peer_quality"]
    assert min(found["peak_mb"], found["peer_peak_mb"]) > 1


def test_a_row_apart_that_fails_has_its_reason(likes, side):
    (found,) = race.race(likes, (), 1, 0, {"rectools": side}, lambda row: row == ("next item", "rectools"))
    assert "KeyError" in found["why"]


# ---- the environments that tools/race.py makes ----------------------------------------------------------------------


@pytest.fixture
def environments(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "tools"))
    monkeypatch.setenv("RECSYS_TUTORIAL_CACHE", str(tmp_path))
    return importlib.import_module("race_environments")


def pretended(fails: str, steps: list[list[str]]):
    """Return what stands for ``subprocess.run``: a step whose last word begins so fails."""

    def run(step, **how):
        steps.append(step)
        Path(step[-1]).mkdir(parents=True) if "venv" in step else None
        failed = bool(fails) and step[-1].startswith(fails)
        return subprocess.CompletedProcess(step, int(failed), stderr="many words\nERROR: no such release\n")

    return run


def test_an_environment_is_made_once(environments, monkeypatch):
    steps: list[list[str]] = []
    monkeypatch.setattr(environments.subprocess, "run", pretended("torch==", steps))  # its own index is not reached
    first = environments.command("recbole")
    assert [step[-1].split("=")[0].split("<")[0] for step in steps[1:]] == ["torch", "setuptools"]
    assert environments.command("recbole") == first
    assert len(steps) == 3
    assert Path(first[1]).name == "race_recbole.py"


def test_an_environment_that_cannot_be_made_has_its_reason(environments, monkeypatch):
    monkeypatch.setattr(environments.subprocess, "run", pretended("rectools", []))
    assert environments.command("rectools") == "it does not install: ERROR: no such release"


def test_the_figure_says_who_wins_and_what_has_no_figure():
    plot = rt.plots.race(pd.DataFrame(RATINGS | {"value": [0.5, 2.0, None]}))
    assert plot.alt == (
        "Ours is ahead in 1 races, behind in 1, and 1 have no figure (d). a: x, 0.5; b: y, 2; c: z, none."
    )


def test_the_figure_has_one_line_for_two_data_sets():
    twice = RATINGS | {"row": ["a", "a", "b"], "peer": ["x", "x", "y"], "data": ["e", "d", "e"], "value": [0.5, 4, 0.2]}
    plot = rt.plots.race(pd.DataFrame(twice))
    assert "behind in 1, and 0 have no figure (d, then e). a: x, 4 and 0.5; b: y, 0.2." in plot.alt
