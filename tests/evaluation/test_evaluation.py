import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, held_out_users
from recsys_tutorial.engine.sparse import binary_rows
from recsys_tutorial.evaluation.evaluation import holm


class Fixed:
    """A model that looks up the scores of the users of one split."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores, self.row = scores, 0

    def score(self, behaviour: rt.Batch) -> np.ndarray:
        self.row += len(behaviour)
        return self.scores[self.row - len(behaviour) : self.row]


def world(users: int = 300, items: int = 60, seed: int = 0) -> Split:
    rng = np.random.default_rng(seed)
    rows = [(user, int(item)) for user in range(users) for item in rng.permutation(items)[:12]]
    return held_out_users(rt.from_events(*zip(*rows, strict=True)), test_share=0.6, target_share=0.25, seed=seed)


def test_an_oracle_gets_one_and_its_opposite_nothing():
    split = world()
    truth = split.targets.matrix.toarray()
    metrics = ("ndcg", "recall", "plain_recall", "hit_rate", "mrr", "map")
    best = rt.evaluate(Fixed(truth), split, metrics, k=10)
    assert best["value"].tolist() == [1] * len(metrics)
    assert (best["ci_low"] == 1).all()
    worst = rt.evaluate(Fixed(-truth), split, metrics, k=10)
    assert worst["value"].tolist() == [0] * len(metrics)


def test_random_scores_get_what_chance_gives():
    split = world(users=1500)
    scores = np.random.default_rng(1).random((split.inputs.n_users, split.inputs.n_items))
    found = rt.evaluate(Fixed(scores), split, ("recall", "precision", "hit_rate", "ndcg"), k=5).set_index("metric")
    n, relevant, k = 60 - 9, 3, 5  # 12 items each, 3 of them targets, 9 shown and left out
    misses = np.prod([(n - relevant - draw) / (n - draw) for draw in range(k)])
    discounts = 1 / np.log2(np.arange(2, k + 2))
    expected = {
        "recall": k / n, "precision": relevant / n, "hit_rate": 1 - misses,
        "ndcg": relevant / n * discounts.sum() / discounts[:relevant].sum(),
    }  # fmt: skip
    for metric, value in expected.items():
        assert found.loc[metric, "ci_low"] <= value <= found.loc[metric, "ci_high"], metric


def test_what_was_shown_is_left_out():
    split = world()
    shown = binary_rows(rt.Batch.of(split.inputs), split.inputs.n_items).toarray()
    found = rt.evaluate(Fixed(10 * shown + split.targets.matrix.toarray()), split, ("ndcg",), k=10)
    assert found["value"].tolist() == [1]


@given(seed=st.integers(0, 1000))
def test_the_batch_size_and_the_order_of_users_change_nothing(seed):
    split = world(users=40, seed=seed)
    model = rt.ItemKNN().fit(split.train)
    whole, per_user = rt.evaluate_users(model, split, k=5)
    small, _ = rt.evaluate_users(model, split, k=5, batch_size=3)
    pd.testing.assert_frame_equal(whole.drop(columns="seconds"), small.drop(columns="seconds"))
    order = np.random.default_rng(seed).permutation(split.inputs.n_users)
    turned = Split(split.protocol, split.train, split.inputs.take_users(order), split.targets.take_users(order))
    again = rt.evaluate_users(model, turned, k=5)[1].loc[per_user.index]
    pd.testing.assert_frame_equal(per_user, again)


def test_sampled_negatives_flatter_every_model():
    split = world()
    models = {"popularity": rt.Popularity().fit(split.train), "ease": rt.EASE(10).fit(split.train)}
    full = rt.evaluate(models, split, ("hit_rate",), k=5)
    sampled = rt.evaluate(models, split, ("hit_rate",), k=5, sampled=10)
    assert (sampled["value"] > full["value"] + 0.2).all()
    assert sampled["protocol"].str.endswith("10 sampled negatives").all()


def test_properties_of_the_lists_by_hand():
    data = rt.from_events(["a", "a", "b", "b", "c", "c"], [0, 1, 0, 2, 0, 3])
    split = Split("p", data.take_users([2]), data.take_users([0, 1]).keep_events(np.array([1, 0, 1, 0], bool)),
                  data.take_users([0, 1]).keep_events(np.array([0, 1, 0, 1], bool)))  # fmt: skip
    same = np.array([[0.0, 3, 2, 1], [0.0, 3, 2, 1]])
    found = rt.evaluate(Fixed(same), split, ("coverage", "gini", "novelty"), k=1).set_index("metric")["value"]
    assert found["coverage"] == 0.25  # item 1 for both, of four
    assert found["gini"] == 0.75
    assert found["novelty"] == pytest.approx(-np.log2(1 / 2))  # nobody trained on has item 1: (0 + 1) / (1 + 1)


def test_compare_is_paired_and_corrected():
    split = world()
    truth = split.targets.matrix.toarray()
    noise = np.random.default_rng(0).random(truth.shape)
    models = {"good": Fixed(truth + noise), "fair": Fixed(0.3 * truth + noise), "same": Fixed(0.3 * truth + noise)}
    _, per_user = rt.evaluate_users(models, split, k=10)
    found = rt.compare(per_user, "good", ["fair", "same"], k=10)
    assert (found["ci_low"] > 0).all()
    assert (found["p_holm"] >= found["p"]).all()
    tie = rt.compare(per_user, "fair", ["same"], k=10).iloc[0]
    assert (tie["value"], tie["p_holm"]) == (0, 1)
    with pytest.raises(rt.InputError, match=r"no values for \('good', 'ndcg', 99\): evaluate that first"):
        rt.compare(per_user, "good", ["fair"], k=99)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_ease_equals_a_textbook_inverse(movielens):
    few = movielens.filter_counts(per_item=60)
    x = (few.matrix.toarray() > 0).astype(float)
    p = np.linalg.inv(x.T @ x + 50 * np.eye(few.n_items))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    np.testing.assert_allclose(rt.EASE(50).fit(few).score(few), x @ b, rtol=1e-4, atol=1e-4)


def test_item_knn_equals_scikit_learns_cosine(movielens):
    from sklearn.metrics.pairwise import cosine_similarity

    few = movielens.filter_counts(per_item=80)
    x = (few.matrix.toarray() > 0).astype(float)
    similarity = cosine_similarity(x.T)
    np.fill_diagonal(similarity, 0)
    np.testing.assert_allclose(rt.ItemKNN(few.n_items).fit(few).score(few), x @ similarity, rtol=1e-4, atol=1e-4)
    strongest = np.sort(similarity, axis=1)[:, -5:].sum(1)  # every item's five nearest, whichever way ties fall
    kept = rt.ItemKNN(5).fit(few).similarity
    np.testing.assert_allclose(np.asarray(kept.sum(axis=0)).ravel(), strongest, rtol=1e-4)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (dict(metrics=("ndgc",)), r"unknown metric 'ndgc': did you mean 'ndcg'\?"),
        (dict(k=0), r"k=0: it needs to be a whole number between 1 and 60"),
        (dict(k=61), r"k=61: it needs to be a whole number between 1 and 60"),
        (dict(sampled=60), r"sampled=60: there are only 60 items"),
    ],
)
def test_bad_settings(how, message):
    split = world()
    with pytest.raises(rt.InputError, match=message):
        rt.evaluate(Fixed(np.zeros((split.inputs.n_users, 60))), split, **({"k": 5} | how))


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (lambda n: np.full((n, 60), np.nan), r"Fixed gives scores that are NaN or infinite: mend the model"),
        (lambda n: np.full((n, 60), np.inf), r"Fixed gives scores that are NaN or infinite"),
        (lambda n: np.zeros((n, 59)), r"Fixed scores \(180, 59\) for 180 users and 60 items: other items\?"),
    ],
)
def test_bad_models(scores, message):
    split = world()
    with pytest.raises(rt.InputError, match=message):
        rt.evaluate(Fixed(scores(split.inputs.n_users)), split, k=5)
    with pytest.raises(rt.InputError, match="regularisation=0: it needs to be above 0"):
        rt.EASE(0)


def test_models_of_other_items_are_refused():
    split, other = world(), rt.from_events([0, 0, 1, 1, 2], [1, 2, 1, 3, 2], name="other")
    with pytest.raises(rt.InputError, match=r"item number \d+ for a model of 3 items: it was fitted on other items"):
        rt.evaluate(rt.EASE().fit(other), split, k=5)
    model = rt.pretrain("denoising", other, epochs=1, dim=2)
    with pytest.raises(rt.InputError, match=r"the split of 'interactions' has another catalogue \(60 items"):
        rt.evaluate(model, split, k=5)


def test_where_nothing_is_relevant_it_is_said_what_would_be(board):
    users, items = np.repeat(np.arange(20), 3), np.tile(np.arange(3), 20)
    negative = rt.from_events(users, items, np.full(60, -2.0), name="dislikes")
    split = rt.splits.held_out_users(negative, seed=0)
    with pytest.raises(rt.InputError, match=r"'dislikes'.* relevant where its weight is above 0, .*-2 to -2"):
        rt.evaluate(rt.Popularity().fit(split.train), split, "ndcg", 1, progress=False)
