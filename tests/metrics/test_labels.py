import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import brier_score_loss
from sklearn.preprocessing import normalize

import recsys_tutorial as rt
from recsys_tutorial.baselines import RawLogistic, RawRidge
from recsys_tutorial.engine.ridge import RidgePath
from recsys_tutorial.metrics.labels import accuracy, auc, brier, calibration_error, log_loss, mae, rmse


def test_by_hand():
    assert rmse([1, 2, 3], [1, 2, 6]) == pytest.approx(np.sqrt(3))
    assert mae([1, 2, 3], [1, 2, 6]) == 1
    assert accuracy([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]], [0, 1, 1]) == pytest.approx(2 / 3)
    assert auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
    assert log_loss([[0.5, 0.5], [0.25, 0.75]], [0, 1]) == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)
    assert brier([[0.5, 0.5], [0.25, 0.75]], [0, 1]) == pytest.approx((0.5 + 0.125) / 2)
    sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert calibration_error(sure, [0, 0, 1, 0], bins=2) == pytest.approx((0.1 + 0.1) / 2)  # .9 right always, .6 half


def test_calibration_error_of_true_probabilities_is_small_and_brier_is_sklearns():
    rng = np.random.default_rng(0)
    p = rng.random(4000)
    labels, both = (rng.random(4000) < p).astype(int), np.column_stack([1 - p, p])
    assert calibration_error(both, labels) < 0.03
    assert calibration_error(both**8 / (both**8).sum(1, keepdims=True), labels) > 0.1
    assert brier(both, labels) == pytest.approx(2 * brier_score_loss(labels, p))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rmse([1], [1, 2]), "1 predictions for 2 true values: give one each"),
        (lambda: mae([], []), "0 predictions for 0 true values"),
        (lambda: rmse([np.nan], [1]), "a value is NaN or infinite"),
        (lambda: auc([0.1, 0.2], [1, 1]), r"AUC needs labels 0 and 1, both of them; these are \[1.0\]"),
        (lambda: log_loss([[0.5, 0.6]], [0]), "the rows do not add up to 1; apply a softmax first"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(rt.InputError, match=message):
        call()


@pytest.fixture(scope="module")
def task(movielens) -> rt.RankingTask:
    return rt.new_shelf(movielens.filter_counts(per_item=30), k=5).take(np.arange(60))


def test_raw_ridge_equals_scikit_learns_on_the_dense_table(task):
    model = RawRidge().fit(task)
    x = normalize(task.behaviour.binarise().matrix.toarray().astype(float))
    y = task.target_matrix().toarray()
    g, h = model.model.feature_extractor, model.model.classifier
    weights = (g.item_vectors @ h.weight.T).detach().numpy()
    # scikit-learn's ridge at the strength that ours chose reproduces the weights
    z = g(rt.Batch.of(task.behaviour)).detach().numpy()
    candidates = [strength * RidgePath(z, y).unit for strength in task.strengths(z)]
    closest = min(np.abs(Ridge(alpha=a).fit(x, y).coef_.T - weights).max() for a in candidates)
    assert closest < 1e-3
    assert model.score(task.behaviour).shape == y.shape


def test_raw_logistic_finds_the_group():
    rng = np.random.default_rng(0)
    pairs = [(user, int(10 * (user % 2) + item)) for user in range(60) for item in rng.permutation(10)[:4]]
    data = rt.from_events(*zip(*pairs, strict=True))
    task = rt.ClassificationTask(data, np.arange(60) % 2)
    model = RawLogistic().fit(task.take(np.arange(40)))
    rest = task.take(np.arange(40, 60))
    scores = model.score(rest.behaviour)
    assert rest.quality(scores).mean() == 1
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, rtol=1e-5)
    with pytest.raises(rt.InputError, match="class 1 has 0 users, 5 folds need as many each"):
        RawLogistic().fit(rt.ClassificationTask(data, np.zeros(60, int), 2))
    with pytest.raises(rt.InputError, match="logistic regression needs a classification task, this is regression"):
        RawLogistic().fit(rt.RegressionTask(data, np.zeros(60)))


def test_popularity_over_a_window_forgets_what_is_old():
    data = rt.from_events(["a", "b", "c"], [1, 1, 2], timestamp=[0, 86_400, 10 * 86_400])
    assert rt.Popularity().fit(data).counts.tolist() == [2, 1]
    assert rt.Popularity(days=5).fit(data).counts.tolist() == [0, 1]
    with pytest.raises(rt.InputError, match="popularity over a window needs timestamps"):
        rt.Popularity(days=5).fit(rt.from_events(["a"], [1]))
