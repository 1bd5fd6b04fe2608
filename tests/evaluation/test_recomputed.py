"""HR@10 and NDCG@10 from saved scores, computed anew in float64 by a sort of all items: ties included."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, leave_one_out


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
