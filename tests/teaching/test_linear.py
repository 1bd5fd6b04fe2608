"""The linear worlds of notebook 03: fewer labels suffice when g is good, and the theory of least squares is met."""

from __future__ import annotations

import numpy as np
import pytest

from recsys_tutorial import InputError, paired, plots
from recsys_tutorial.metrics.intervals import seed_interval
from recsys_tutorial.teaching import linear

X, BAD, GOOD, TRUE = "x itself", "g from 50 users", "g from 1,000 users", "true g"


@pytest.fixture(scope="module")
def results():
    return linear.few_labels(labels=(20, 50, 200), seeds=6, seed=100)


@pytest.mark.parametrize("model", [GOOD, TRUE])
def test_good_features_need_fewer_labels(results, model):
    gain = paired(results, X, model)  # error of x itself minus error of g
    assert (gain["ci_low"] > 0).all()
    fewer = results.query("model == @model and labels == 50")["value"].to_numpy()
    more = results.query("model == @X and labels == 200")["value"].to_numpy()
    assert seed_interval(more - fewer).low > 0  # 50 labels with g are worth more than 200 without


def test_bad_features_do_not(results):
    gain = paired(results, X, BAD).set_index("labels")
    assert gain.loc[20, "ci_low"] < 0
    assert gain.loc[200, "ci_high"] < 0  # what they lost no label brings back


@pytest.mark.parametrize("seed", [0, 1000])
def test_least_squares_errs_as_much_as_theory_says(seed):
    results = linear.few_labels((30, 60), (50,), seeds=40, seed=seed, n_inputs=10, dim=3, strengths=[1e-12])
    for (model, labels), rows in results.groupby(["model", "labels"]):
        value, low, high = seed_interval(rows["value"] - rows["theory"], level=0.999)
        assert low < 0 < high, (model, labels)
        assert abs(value) < 0.15 * rows["theory"].mean(), (model, labels)


def test_the_test_of_theory_can_fail(monkeypatch):
    right = linear.least_squares_error
    monkeypatch.setattr(linear, "least_squares_error", lambda n, p, unexplained: 1.3 * right(n, p, unexplained))
    with pytest.raises(AssertionError):
        test_least_squares_errs_as_much_as_theory_says(0)


def test_expected_error_is_that_of_sampled_users():
    """The error worked out is the one that 200,000 drawn users show."""
    rng = np.random.default_rng(0)
    b, w = np.linalg.qr(rng.normal(size=(8, 2)))[0], np.array([0.6, 0.8])
    v, slope, bias = rng.normal(size=(8, 3)), rng.normal(size=3), 0.3
    u, x = linear._users(rng, 200_000, b, 2.0)
    y = u @ w + 0.5 * rng.normal(size=len(u))
    worked_out = linear.expected_error(v, slope, bias, b, w, signal=2.0, noise=0.5)
    assert ((x @ v @ slope + bias - y) ** 2).mean() == pytest.approx(worked_out, rel=0.02)


def test_unexplained_is_what_the_best_linear_guess_leaves():
    rng = np.random.default_rng(0)
    b, w, v = np.linalg.qr(rng.normal(size=(8, 2)))[0], np.array([0.6, 0.8]), rng.normal(size=(8, 3))
    u, x = linear._users(rng, 200_000, b, 2.0)
    y = u @ w + 0.5 * rng.normal(size=len(u))
    left = y - x @ v @ np.linalg.lstsq(x @ v, y, rcond=None)[0]
    assert left.var() == pytest.approx(linear.unexplained(v, b, w, signal=2.0, noise=0.5), rel=0.02)


def test_theory_needs_more_labels_than_features():
    assert np.isnan(linear.least_squares_error(7, 5, 1.0))
    assert linear.least_squares_error(8, 5, 1.0) == pytest.approx(1.125 * 6)


def test_too_few_users():
    with pytest.raises(InputError, match="dim=5: it needs to be below"):
        linear.few_labels(labels=(5,))


def test_figure_has_a_line_per_model(results):
    plot = plots.simulated_few_labels(linear.summarise(results))
    labels = [text.get_text() for text in plot.figure.axes[0].get_legend().get_texts()]
    assert len(labels) == 5
    assert "true g from" in plot.alt
