"""HR@10 and NDCG@10 from saved scores, computed anew in float64 by a sort of all items: ties included."""

import itertools
import warnings

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, held_out_users, leave_one_out
from recsys_tutorial.evaluation import lists
from recsys_tutorial.evaluation.lists import TiedScores
from recsys_tutorial.metrics.ranking import FROM_HITS


class Saved:
    """Scores that were saved."""

    def __init__(self, scores: np.ndarray, split: Split) -> None:
        self.rows = dict(zip(map(tuple, _histories(split)), scores, strict=True))

    def score(self, behaviour: rt.Batch) -> np.ndarray:
        items = behaviour.items.split(behaviour.lengths.tolist())
        return np.stack([self.rows[tuple(some.tolist())] for some in items])


def _histories(split: Split) -> list[list[int]]:
    shown = split.inputs
    return [shown.items[a:b].tolist() for a, b in zip(shown.offsets[:-1], shown.offsets[1:], strict=True)]


@pytest.mark.parametrize("levels", [3, 40, 10**6])  # different scores: of few, most items stand in a tie
def test_metrics_agree_with_a_plain_recomputation(tmp_path, levels):
    rng = np.random.default_rng(levels)
    lines = [" ".join(map(str, [user, *rng.permutation(60)[:7] + 1])) for user in range(40)]
    (tmp_path / "some.txt").write_text("\n".join(lines) + "\n")
    split = leave_one_out(rt.read_interactions(tmp_path / "some.txt"))
    scores = rng.integers(levels, size=(split.inputs.n_users, split.inputs.n_items)) / levels
    hits, gains = [], []
    for user, history in enumerate(_histories(split)):
        order = sorted(set(range(split.inputs.n_items)) - set(history), key=lambda item: (-scores[user][item], item))
        rank = order.index(split.targets.items[user]) + 1
        hits.append(float(rank <= 10))
        gains.append(1 / np.log2(rank + 1) if rank <= 10 else 0.0)
    found = rt.evaluate(Saved(scores, split), split, ("hit_rate", "ndcg"), 10)["value"]
    np.testing.assert_allclose(found, [np.mean(hits), np.mean(gains)], atol=1e-9)


def test_no_model_gains_by_tying():
    """All items alike: the expectation over the items' order is what chance gives."""
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        target = np.zeros((1, 50))
        target[0, rng.integers(50)] = 1
        found.append(rt.metrics.hit_rate_at_k(np.zeros((1, 50)), target, 10)[0])
    assert abs(np.mean(found) - 10 / 50) < 0.07


def few(seed: int) -> Split:
    """Five of nine items for each user, two of them targets: these and four others are left to rank."""
    rng = np.random.default_rng(seed)
    rows = [(user, int(item)) for user in range(12) for item in rng.permutation(9)[:5]]
    return held_out_users(rt.from_events(*zip(*rows, strict=True)), test_share=0.5, target_share=0.4, seed=seed)


def by_all_orders(scores: np.ndarray, left: np.ndarray, wanted: np.ndarray, k: int) -> dict[str, list[float]]:
    """Return a user's metrics by every order of the items ``left`` that their scores allow."""
    lists = {
        tuple(wanted[list(order)][:k])
        for order in itertools.permutations(left)
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    }
    hits = np.array([np.pad(one, (0, k - len(one))) for one in lists], float)
    return {name: of(hits, np.full(len(hits), wanted.sum())).tolist() for name, of in FROM_HITS.items()}


@pytest.mark.filterwarnings("ignore::recsys_tutorial.evaluation.lists.TiedScores")
@pytest.mark.parametrize("k", [1, 3, 6, 9])
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_worst_and_best_are_those_of_all_ways_to_break_the_ties(levels, k):
    split = few(seed=levels)
    scores = np.random.default_rng(k).integers(levels, size=(split.inputs.n_users, 9)) / 4.0
    found = rt.evaluate(Saved(scores, split), split, tuple(FROM_HITS), k, ties=True).set_index("metric")
    shown, targets = split.inputs.matrix.toarray() > 0, split.targets.matrix.toarray()
    ends, tied = [], []
    for row, had, wanted in zip(scores, shown, targets, strict=True):
        left = np.flatnonzero(~had)
        ends.append(by_all_orders(row, left, wanted, k))
        for one in np.flatnonzero(wanted):
            tied.append((row[left][wanted[left] == 0] == row[one]).any() and (row[left] > row[one]).sum() < k)
    for metric in FROM_HITS:
        assert found.loc[metric, "tied"] == pytest.approx(np.mean(tied))
        assert found.loc[metric, "worst"] == pytest.approx(np.mean([min(each[metric]) for each in ends]))
        assert found.loc[metric, "best"] == pytest.approx(np.mean([max(each[metric]) for each in ends]))
        assert found.loc[metric, "worst"] <= found.loc[metric, "value"] <= found.loc[metric, "best"]


@pytest.mark.filterwarnings("ignore::recsys_tutorial.evaluation.lists.TiedScores")
def test_ties_among_sampled_items_are_those_of_the_ranking_that_is_left():
    split = few(seed=0)
    alike = Saved(np.zeros((split.inputs.n_users, 9)), split)
    found = rt.evaluate(alike, split, "hit_rate", 1, ties=True, sampled=2).iloc[0]
    assert (found["tied"], found["worst"], found["best"]) == (1, 0, 1)


def test_ties_are_said_where_they_decide():
    split = few(seed=1)
    alike = Saved(np.zeros((split.inputs.n_users, 9)), split)
    said = r"alike: 100.0% of the targets have the score of other items.*is 0\.\d+, 0\.0000 with.*last.*, 1\.0000 with"
    with pytest.warns(TiedScores, match=said):
        rt.evaluate({"alike": alike}, split, ("ndcg", "hit_rate", "coverage"), 1, ties=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "tied" not in rt.evaluate({"alike": alike}, split, "ndcg", 1)  # nobody asked
        rt.evaluate({"alike": alike}, split, "recall", 9, ties=True)  # all are listed, whatever their order
        different = Saved(np.arange(9.0) + np.zeros((split.inputs.n_users, 1)), split)
        found = rt.evaluate(different, split, "ndcg", 3, ties=True).iloc[0]
    assert (found["tied"], found["worst"]) == (0, found["best"])


def test_ties_are_not_looked_for_where_nobody_asks(monkeypatch):
    split = few(seed=1)
    alike = Saved(np.zeros((split.inputs.n_users, 9)), split)
    with pytest.warns(TiedScores):
        asked = rt.evaluate(alike, split, "ndcg", 3, ties=True)
    monkeypatch.setattr(lists, "_in_ties", None)
    found = rt.evaluate(alike, split, "ndcg", 3)
    assert found["value"].tolist() == asked["value"].tolist()
