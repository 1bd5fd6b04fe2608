"""Ranking metrics against plain Python written straight from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array, csr_matrix
from sklearn.metrics import ndcg_score

from recsys_tutorial import metrics
from recsys_tutorial.errors import InputError
from recsys_tutorial.metrics.ranking import RANKING_METRICS, top_k

NAMES = sorted(RANKING_METRICS)
INF = float("inf")
FEW_SCORES = st.sampled_from([0.0, 1.0, 2.0, -1.0, -INF])  # so that ties abound, and some items are left out


def plain(name: str, scores: list[float], relevant: list[int], k: int) -> float:
    """One user's metric: items of equal score stand in index order, items of score -inf are left out."""
    ranking = sorted((i for i, s in enumerate(scores) if s > -INF), key=lambda i: (-scores[i], i))[:k]
    n = sum(relevant)
    hits = [relevant[item] for item in ranking]
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit]
    if n == 0:
        return math.nan
    match name:
        case "recall":
            return len(ranks) / min(k, n)
        case "plain_recall":
            return len(ranks) / n
        case "precision":
            return len(ranks) / k
        case "hit_rate":
            return float(bool(ranks))
        case "mrr":
            return 1 / ranks[0] if ranks else 0.0
        case "map":
            return sum(sum(hits[:rank]) / rank for rank in ranks) / min(k, n)
        case "ndcg":
            best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, n) + 1))
            return sum(1 / math.log2(rank + 1) for rank in ranks) / best


@st.composite
def tables(draw, score=FEW_SCORES):
    """Draw scores, 0/1 relevance and k."""
    users, items = draw(st.integers(1, 4)), draw(st.integers(1, 9))

    def table(cell):
        return [draw(st.lists(cell, min_size=items, max_size=items)) for _ in range(users)]

    return np.array(table(score)), np.array(table(st.integers(0, 1))), draw(st.integers(1, items))


def noise(users: int, items: int, relevant: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random scores, all different, and exactly ``relevant`` items for each user."""
    rng = np.random.default_rng(seed)
    return rng.random((users, items)), (rng.random((users, items)).argsort(1) < relevant).astype(int)


def test_by_hand():
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5]])
    relevant = np.array([[0, 1, 0, 1, 1]])  # hits at ranks 2, 4 and 5
    wanted = {
        "recall": 1 / 3,
        "plain_recall": 1 / 3,
        "precision": 1 / 3,
        "hit_rate": 1,
        "mrr": 1 / 2,
        "map": (1 / 2) / 3,
        "ndcg": (1 / math.log2(3)) / (1 + 1 / math.log2(3) + 1 / 2),
    }
    assert sorted(wanted) == NAMES
    for name, value in wanted.items():
        assert RANKING_METRICS[name](scores, relevant, 3) == pytest.approx([value])
    assert metrics.recall_at_k(scores, relevant, 2) == pytest.approx([1 / 2])
    assert metrics.plain_recall_at_k(scores, relevant, 2) == pytest.approx([1 / 3])
    assert metrics.map_at_k(scores, relevant, 5) == pytest.approx([(1 / 2 + 2 / 4 + 3 / 5) / 3])


@pytest.mark.parametrize("name", NAMES)
@given(tables())
def test_equals_its_plain_definition_with_ties_and_items_left_out(name, drawn):
    scores, relevant, k = drawn
    wanted = [plain(name, s, r, k) for s, r in zip(scores.tolist(), relevant.tolist(), strict=True)]
    assert RANKING_METRICS[name](scores, relevant, k) == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_equals_its_plain_definition_on_a_larger_table(name):
    scores, relevant = noise(40, 60, 5)
    for table in (scores, np.round(scores, 1)):  # without ties, and with many
        for k in (1, 10, 60):
            wanted = [plain(name, s, r, k) for s, r in zip(table.tolist(), relevant.tolist(), strict=True)]
            assert RANKING_METRICS[name](table, relevant, k) == pytest.approx(wanted)


@given(tables(st.integers(-(10**6), 10**6).map(float)))
def test_ndcg_agrees_with_scikit_learn_where_no_scores_tie(drawn):
    scores, relevant, k = drawn
    users = [u for u in range(len(scores)) if len(set(scores[u])) == scores.shape[1] > 1 and relevant[u].any()]
    ours = metrics.ndcg_at_k(scores, relevant, k)
    for user in users:
        assert ours[user] == pytest.approx(ndcg_score(relevant[[user]], scores[[user]], k=k))


# ---- what any ranking metric must do -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(tables(), st.randoms(use_true_random=False))
def test_reordering_users_reorders_the_values(name, drawn, random):
    scores, relevant, k = drawn
    order = random.sample(range(len(scores)), len(scores))
    metric = RANKING_METRICS[name]
    assert metric(scores[order], relevant[order], k) == pytest.approx(metric(scores, relevant, k)[order], nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_reordering_items_changes_nothing_without_ties(name):
    scores, relevant = noise(30, 12, 3)
    order = np.random.default_rng(1).permutation(12)
    metric = RANKING_METRICS[name]
    assert metric(scores[:, order], relevant[:, order], 5) == pytest.approx(metric(scores, relevant, 5))


@pytest.mark.parametrize("name", NAMES)
def test_only_the_order_of_scores_counts(name):
    scores, relevant = noise(30, 12, 3)
    metric = RANKING_METRICS[name]
    assert (metric(np.exp(5 * scores) - 7, relevant, 5) == metric(scores, relevant, 5)).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 3, 10])
def test_an_oracle_gets_one(name, k):
    relevant = noise(50, 10, 3)[1]
    values = RANKING_METRICS[name](relevant.astype(float), relevant, k)
    best = {"precision": min(k, 3) / k, "plain_recall": min(k, 3) / 3}.get(name, 1)
    assert values == pytest.approx([best] * 50)


@pytest.mark.parametrize("name", ["precision", "plain_recall", "recall", "ndcg", "hit_rate", "mrr"])
def test_random_scores_get_what_chance_gives(name):
    items, n, k = 20, 3, 5
    values = RANKING_METRICS[name](*noise(20_000, items, n), k)
    discounts = [1 / math.log2(rank + 1) for rank in range(1, k + 1)]
    miss = [math.comb(items - rank, n) / math.comb(items, n) for rank in range(k + 1)]  # no hit up to this rank
    wanted = {
        "precision": n / items,
        "plain_recall": k / items,
        "recall": k / items,
        "ndcg": sum(discounts) * n / items / sum(discounts[:n]),
        "hit_rate": 1 - miss[k],
        "mrr": sum((miss[rank - 1] - miss[rank]) / rank for rank in range(1, k + 1)),
    }[name]
    assert values.mean() == pytest.approx(wanted, abs=4 * values.std() / math.sqrt(len(values)))


@pytest.mark.parametrize("name", NAMES)
def test_a_user_without_relevant_items_gets_nan(name):
    values = RANKING_METRICS[name](np.ones((3, 4)), np.array([[0] * 4, [1] * 4, [0] * 4]), 2)
    assert np.isnan(values).tolist() == [True, False, True]


@pytest.mark.parametrize("name", NAMES)
def test_an_item_left_out_is_no_hit(name):
    metric = RANKING_METRICS[name]
    assert metric(np.array([[1.0, -INF, -INF]]), np.array([[0, 1, 0]]), 3).tolist() == [0]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_table_gives_the_same(name):
    scores, relevant = noise(30, 12, 3)
    scores[scores < 0.1] = -INF
    metric = RANKING_METRICS[name]
    wanted = metric(scores, relevant, 5)
    for kind in (csr_array, csr_matrix, coo_array):
        assert metric(scores, kind(relevant), 5) == pytest.approx(wanted)
    assert metric(torch.tensor(scores), relevant.astype(bool), 5) == pytest.approx(wanted)
    assert metric(scores.tolist(), (relevant * 4.5).tolist(), 5) == pytest.approx(wanted)
    assert metric(np.asfortranarray(scores), csr_array(relevant * 4.5), 5) == pytest.approx(wanted)


# ---- the ranking itself --------------------------------------------------------------------------------------


def test_ties_are_broken_by_item_index():
    scores = np.array([[1.0, 3.0, 3.0, 2.0, 3.0, 2.0], [0.0] * 6])
    assert top_k(scores, 2).tolist() == [[1, 2], [0, 1]]
    assert top_k(scores, 6).tolist() == [[1, 2, 4, 3, 5, 0], [0, 1, 2, 3, 4, 5]]


@given(tables())
def test_top_k_equals_a_stable_sort(drawn):
    scores, _, k = drawn
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    expected[np.take_along_axis(scores, expected, 1) == -np.inf] = -1  # places left empty
    assert top_k(scores, k).tolist() == expected.tolist()


@pytest.mark.parametrize("kind", [np.float32, np.int8, np.uint8, torch.tensor, lambda a: torch.tensor(a).bfloat16()])
def test_top_k_of_a_wide_table_with_many_ties(kind):
    levels = np.random.default_rng(0).integers(0, 50, (240, 5000))  # more scores than are looked at together
    scores = kind(levels)
    assert (top_k(scores, 100) == np.argsort(-levels, axis=1, kind="stable")[:, :100]).all()
    assert top_k(scores[:0], 3).shape == (0, 3)


def test_scores_are_left_as_they_were():
    scores = np.array([[1.0, 2.0, 2.0]])
    scores.flags.writeable = False
    assert top_k(scores, 2).tolist() == [[1, 2]]
    assert scores.tolist() == [[1, 2, 2]]
    assert top_k(np.broadcast_to(np.array([1.0, 5.0]), (3, 2)), 1).tolist() == [[1]] * 3


def test_no_users_no_values():
    assert metrics.ndcg_at_k(np.zeros((0, 4)), np.zeros((0, 4)), 2).shape == (0,)


@pytest.mark.parametrize("k", [0, -1, 4, 2.0, True, "2", None])
@pytest.mark.parametrize("name", NAMES)
def test_k_out_of_bounds_is_refused(name, k):
    with pytest.raises(InputError) as caught:
        RANKING_METRICS[name](np.ones((2, 3)), np.ones((2, 3)), k)
    assert str(caught.value) == f"k={k!r}: it needs to be a whole number between 1 and 3, the number of items"


def test_k_from_numpy_is_a_whole_number():
    assert metrics.recall_at_k(np.ones((1, 3)), np.ones((1, 3)), np.int64(3)).tolist() == [1]


@pytest.mark.parametrize("bad", [math.nan, INF])
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_scores_that_are_not_numbers_are_refused(bad, kind):
    for row in ([bad, 1.0, 2.0], [1.0, 2.0, bad]):
        with pytest.raises(InputError) as caught:
            top_k(kind([[1.0, 2.0, 3.0], row]), 1)
        message = "scores hold NaN or +inf: mend the model; -inf alone is allowed, for items left out"
        assert str(caught.value) == message


@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_differ_are_refused(name):
    with pytest.raises(InputError, match=r"^scores \(2, 3\) and relevant \(2, 4\) differ in shape$"):
        RANKING_METRICS[name](np.ones((2, 3)), np.ones((2, 4)), 2)
    with pytest.raises(InputError, match=r"^scores have shape \(3,\): they need to be \(users, items\)$"):
        RANKING_METRICS[name](np.ones(3), np.ones(3), 2)


@pytest.mark.parametrize(("gains", "gain"), [("linear", lambda r: r), ("exponential", lambda r: 2.0**r - 1)])
def test_graded_relevance_is_what_scikit_learn_says(gains, gain):
    rng = np.random.default_rng(0)
    scores, grades = rng.random((30, 12)), rng.integers(0, 4, (30, 12)) * (rng.random((30, 12)) < 0.5)
    grades[3] = 0
    for relevant in (grades, csr_array(grades)):
        found = metrics.ndcg_at_k(scores, relevant, 5, gains=gains)
        assert np.isnan(found[3])
        expected = [ndcg_score(gain(grades[[u]]), scores[[u]], k=5) for u in range(30) if u != 3]
        np.testing.assert_allclose(np.delete(found, 3), expected, atol=1e-12)


def test_grades_by_hand():
    # 3 stands second, 1 third, nothing first: (3 / log2 3 + 1 / 2) / (3 + 1 / log2 3)
    found = metrics.ndcg_at_k(np.array([[2.0, 3.0, 1.0]]), np.array([[3, 0, 1]]), 3, gains="linear")
    assert found == pytest.approx((3 / np.log2(3) + 0.5) / (3 + 1 / np.log2(3)))


@pytest.mark.parametrize("metric", RANKING_METRICS.values(), ids=RANKING_METRICS)
def test_grades_are_refused_where_0_and_1_are_read(metric):
    for relevant in ([[3, 0, 1]], csr_array([[0.5, 0, 1]]), [[-1, 0, 1]]):
        with pytest.raises(InputError, match=r"relevant holds .*: it needs 0, and one number for all"):
            metric(np.array([[2.0, 3.0, 1.0]]), relevant, 2)


def test_gains_and_grades_that_are_none():
    with pytest.raises(InputError, match="unknown gains 'square'"):
        metrics.ndcg_at_k(np.eye(2), np.eye(2), 1, gains="square")
    with pytest.raises(InputError, match="negative grades"):
        metrics.ndcg_at_k(np.eye(2), -np.eye(2), 1, gains="linear")
