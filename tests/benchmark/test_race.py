"""The race: rows by hand, what was not run, and the figure. Nothing is timed against a bar."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial.benchmark import race
from recsys_tutorial.data.splits import held_out_users

RATINGS = {"row": ["a", "b", "c"], "peer": ["x", "y", "z"], "data": ["d"] * 3, "metric": ["race"] * 3}


@pytest.fixture(scope="module")
def likes(movielens):
    few = movielens.binarise(at_least=4).take_users(np.arange(120)).filter_counts(per_user=5, per_item=5)
    return few


def test_every_row_is_there_and_says_why_it_was_not_run(likes):
    found = list(race.race(likes, (), 1, seed=0))
    assert [(row["row"], row["peer"]) for row in found] == [*race.RACES, *race.NOT_RUN]
    run = [row for row in found if "why" not in row]
    assert [row["peer"] for row in run] == ["pandas"]
    assert run[0]["value"] > 0
    assert all(np.isnan(row["value"]) for row in found if "why" in row)
    assert not set(race.RACES) & set(race.NOT_RUN)


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


def test_the_least_time_that_reaches_the_best_quality_by_hand(monkeypatch, likes):
    clock = iter([9, 9, 9, 9, 1.0, 4.0, 2.0, 8.0])  # a turn for nothing, then ours, ours, theirs, theirs
    qualities = iter([0.2, 0.5, 0.4, 0.3])

    def seconds(run):
        run()
        return next(clock)

    monkeypatch.setattr(race, "seconds", seconds)
    monkeypatch.setattr(race, "ndcg", lambda model, split: next(qualities))
    found = race._to_quality([object] * 2, [object] * 2, None, 1)
    assert (found["value"], found["seconds"], found["floor_seconds"]) == (2.0, 4.0, 2.0)
    assert (found["quality"], found["peer_quality"]) == (0.5, 0.4)


def test_the_figure_says_who_wins_and_what_has_no_figure():
    plot = rt.plots.race(pd.DataFrame(RATINGS | {"value": [0.5, 2.0, None]}))
    assert plot.alt == "Ours is ahead in 1 rows, behind in 1, and 1 have no figure. a: x 0.5; b: y 2; c: z none."
