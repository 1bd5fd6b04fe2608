import numpy as np
import pandas as pd
import pytest
from scipy import stats

import recsys_tutorial as rt
from recsys_tutorial.metrics.intervals import bootstrap_interval, seed_interval
from recsys_tutorial.studies import FROM_SCRATCH, HEADLINE, contenders, unpretrained, verdict


def results(values: dict[str, list[float]]) -> pd.DataFrame:
    common = {"strategy": "probe", "protocol": "p", "task": "t", "labels": 30, "metric": "ndcg", "k": 20, "seconds": 1}
    return pd.DataFrame(
        [
            {"model": model, "seed": seed, "value": value, **common}
            for model, row in values.items()
            for seed, value in enumerate(row)
        ]
    )


def test_paired_differences_by_hand():
    table = results({"a": [0.5, 0.7, 0.9], "b": [0.4, 0.5, 0.6]})
    gain = rt.paired(table, "a", "b").iloc[0]
    assert gain["value"] == pytest.approx(0.2)
    half = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)  # the differences .1 .2 .3 have standard deviation .1
    assert (gain["ci_low"], gain["ci_high"]) == pytest.approx((0.2 - half, 0.2 + half))
    assert rt.summarise(table).set_index("model")["value"].to_dict() == pytest.approx({"a": 0.7, "b": 0.5})
    with pytest.raises(rt.InputError, match=r"no results for \['c'\]: the table has \['a', 'b'\]"):
        rt.paired(table, "a", "c")


def test_seed_interval_equals_scipys():
    values = np.random.default_rng(0).normal(size=6)
    low, high = stats.t.interval(0.9, 5, loc=values.mean(), scale=stats.sem(values))
    assert seed_interval(values, level=0.9)[1:] == pytest.approx((low, high))
    with pytest.raises(rt.InputError, match="1 seed: an interval over seeds needs at least 2"):
        seed_interval([1.0])


def test_the_bootstrap_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for run in range(200):
        interval = bootstrap_interval(rng.exponential(size=80), draws=300, seed=run)
        hits += interval.low <= 1 <= interval.high
    assert 0.88 <= hits / 200 <= 0.99
    assert bootstrap_interval([1.0, np.nan, 1.0]) == (1, 1, 1)
    with pytest.raises(rt.InputError, match="no values: every user was without relevant items"):
        bootstrap_interval([np.nan])


@pytest.fixture(scope="module")
def planted() -> rt.Interactions:
    """Two groups of users who like the films of their group: few labels are enough when g knows the groups."""
    rng = np.random.default_rng(0)
    rows = [(user, int(60 * (user % 2) + item)) for user in range(120) for item in rng.permutation(60)[:15]]
    return rt.from_events(*zip(*rows, strict=True), weight=np.full(len(rows), 5.0), name="planted")


def test_label_efficiency_is_tidy_repeatable_and_sees_what_was_planted(planted):
    how = dict(labels=(6, 20), seeds=2, dim=8, epochs=20, draws=1)
    models = contenders("new-shelf", ["denoising"], rt.STRATEGIES)
    first = rt.label_efficiency(planted, **how)
    assert len(first) == len(models) * 2 * 2
    assert set(first["model"]) == set(models)
    again = rt.label_efficiency(planted, **how)
    pd.testing.assert_frame_equal(first.drop(columns="seconds"), again.drop(columns="seconds"))
    means = rt.summarise(first).query("labels == 20").set_index("model")["value"]
    assert means["pretrained + probe"] > means["popularity"] + 0.1


NONE = [*unpretrained("new-shelf"), HEADLINE["new-shelf"]]


def test_where_it_must_help_the_study_says_yes():
    """Two labelled users of a group say what the group wants, if g knows the groups."""
    rng = np.random.default_rng(5)
    rows = [(user, 200 * (user % 4) + int(item)) for user in range(400) for item in rng.permutation(200)[:12]]
    world = rt.from_events(*zip(*rows, strict=True), weight=np.full(len(rows), 5.0), name="four groups")
    found = rt.label_efficiency(world, (12, 20), 5, models=NONE, dim=16, epochs=60, draws=4)
    assert verdict(found, HEADLINE["new-shelf"], unpretrained("new-shelf"))[0]["verdict"] == "positive"


def test_where_labels_are_drawn_at_random_it_does_not():
    """The whole study on worlds in which nothing can be learned: it says yes in at most one of twenty."""
    said = []
    for run in range(20):
        rng = np.random.default_rng(run)
        events = [(user, int(item)) for user in range(60) for item in rng.permutation(40)[:8]]
        noise = rt.from_events(*zip(*events, strict=True), weight=np.full(len(events), 5.0), name="noise")
        how = dict(models=NONE, dim=4, epochs=2, draws=1, seed=100 * run, progress=False)
        found = rt.label_efficiency(noise, (10,), 4, **how)
        said.append(verdict(found, HEADLINE["new-shelf"], unpretrained("new-shelf"))[0]["verdict"])
    assert said.count("positive") <= 1


def test_scratch_is_drawn_further_where_it_stays_behind(planted):
    models = [HEADLINE["new-shelf"], *FROM_SCRATCH]
    found = rt.label_efficiency(planted, (6,), 2, models=models, dim=8, epochs=20, draws=1, extend=True)
    further = found[found["labels"] > 6]
    behind = found.query("labels == 6").groupby("model")["value"].mean()
    assert set(further["model"]) == {name for name in FROM_SCRATCH if behind[name] <= behind[HEADLINE["new-shelf"]]}
    assert len(further)


@pytest.mark.parametrize("task", ["top-n", "classification", "regression"])
def test_the_other_tasks(task, movielens):
    data = movielens.take_users(np.arange(300)).filter_counts(5, 20)
    found = rt.label_efficiency(data, (40,), 2, task=task, strategies=("probe", "wide"), dim=16, epochs=5, draws=1)
    assert found["metric"].unique().item() == {"top-n": "ndcg", "classification": "auc", "regression": "rmse"}[task]
    assert np.isfinite(found["value"]).all()
    assert HEADLINE[task] in set(found["model"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(task="new-shelve"), "unknown task 'new-shelve': did you mean 'new-shelf'"),
        (dict(models=["nobody"]), "unknown model 'nobody'"),
        (dict(labels=(500,)), "labels=500: only 80 users are not in the test"),
        (dict(labels=(10,), seeds=1), "seeds=1: intervals over seeds need at least 2"),
        (dict(labels=(3,)), "3 labelled users: fine-tuning needs at least 5"),
    ],
)
def test_bad_input(change, message, planted):
    with pytest.raises(rt.InputError, match=message):
        rt.label_efficiency(planted, **({"seeds": 2, "dim": 4, "epochs": 1} | change))
