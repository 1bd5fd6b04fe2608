"""The comparison over domains, and the stored results that notebook 08 shows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial.errors import InputError
from recsys_tutorial.evaluation import domains

STORED = json.loads((Path(__file__).parents[2] / "docs" / "four_domains.json").read_text(encoding="utf-8"))


def test_one_comparison(movielens):
    some = movielens.binarise(4).take_users(range(150)).filter_counts(per_user=5, per_item=5)
    table = domains.compare_models(some, seed=1, epochs=2)
    assert table["model"].tolist() == ["popularity", "item-knn", "ease", "pca", "pretrained"]
    assert table["value"].between(0, 1).all()
    assert (table["seed"] == 1).all()
    assert table["protocol"].nunique() == 1


def test_mean_and_spread_by_hand():
    results = pd.DataFrame({"domain": "b", "model": ["m", "n", "m", "n"], "value": [1.0, 5.0, 3.0, 5.0]})
    table = domains.over_seeds(results)
    assert table["model"].tolist() == ["m", "n"]
    assert table["mean"].tolist() == [2, 5]
    assert table["spread"].round(4).tolist() == [1.4142, 0]


def test_a_domain_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("RECSYS_TUTORIAL_DATA", str(tmp_path))
    monkeypatch.setenv("RECSYS_TUTORIAL_CACHE", str(tmp_path))
    assert domains.at_hand("films")
    assert not domains.at_hand("news")
    assert "'mind' is not on this machine, 53 MB" in domains.how_to_get("news")
    with pytest.raises(InputError, match="unknown domain 'film': did you mean 'films'"):
        domains.likes("film")


def test_the_stored_results_are_of_the_data_that_the_course_has():
    facts = {row["domain"]: row for row in STORED["facts"]}
    assert domains.likes("films").fingerprint == facts["films"]["fingerprint"]
    records = pd.DataFrame(STORED["records"])
    assert records.groupby(["domain", "model"])["seed"].nunique().eq(5).all()
    assert set(records["domain"]) | set(STORED["not_at_hand"]) == set(domains.DOMAINS)


def test_the_figure_says_its_numbers():
    summary = domains.over_seeds(pd.DataFrame(STORED["records"]))
    plot = rt.plots.domains(summary)
    assert plot.alt.startswith("NDCG@20 of each model, a row of points per domain. films: ")
    for row in summary.to_dict("records"):
        assert f"{row['model']} {row['mean']:.3f}" in plot.alt
    assert plot.png()
