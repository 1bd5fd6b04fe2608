"""What an update says of itself: counted by hand where it can be, and held to what is true."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.studies.updated import Before, latest, update_judged


def board(events: int, seed: int) -> rt.Interactions:
    """Two tastes on 40 items, which users meet in another order each."""
    rng = np.random.default_rng(seed)
    rows = [(u, i, 100 * seed + n) for u in range(60)
            for n, i in enumerate((2 * rng.permutation(20)[:events] + u % 2).tolist())]  # fmt: skip
    user, item, time = zip(*rows, strict=True)
    return rt.from_events(user, item, timestamp=time, name=f"board {seed}")


def test_the_latest_events_by_hand():
    timed = rt.from_events([1, 1, 2, 2, 2], [1, 2, 1, 2, 3], timestamp=[1, 5, 2, 3, 4])
    assert timed.timestamps[latest(timed)].tolist() == [5]
    untimed = rt.from_events([1, 1, 2, 2, 2, 3], [1, 2, 1, 2, 3, 1])
    assert np.flatnonzero(latest(untimed)).tolist() == [1, 4]  # who did one thing keeps it


def test_the_old_model_ranks_what_it_does_not_know_last(tiny):
    model = rt.pretrain("autoencoder", tiny, epochs=1, dim=4, progress=False)
    wider = rt.Catalogue(np.array([5, 10, 15, 20, 30]))
    scores = Before(model, wider).score(rt.Batch.from_lists([[0, 1, 3], [2]]))
    expected = model.score(rt.Batch.from_lists([[0, 1], []]))
    np.testing.assert_array_equal(scores[:, [1, 3, 4]], expected)
    assert (scores[:, [0, 2]] < expected.min(axis=1, keepdims=True)).all()


@pytest.mark.filterwarnings("ignore:Exact p-value calculation")
def test_a_model_that_knew_little_is_told_to_be_better_by_its_update():
    before, more = board(2, 0), board(16, 1)
    model = rt.pretrain("denoising", before, epochs=1, dim=16, progress=False)
    found = update_judged(model, before, more, epochs=40, progress=False)
    text = found.origin["report"]["text"]
    assert text.startswith("On the latest ")
    assert ": better." in text
    assert "of the first 10 recommended to 60 users of before" in text
    *rows, gain = found.origin["report"]["records"]
    assert [row["model"] for row in rows] == ["before", "updated"]
    assert gain["ci_low"] > 0
    assert gain["value"] == pytest.approx(rows[1]["value"] - rows[0]["value"])


def test_too_little_to_judge_by_is_said():
    before = board(6, 0)
    model = rt.pretrain("denoising", before, epochs=1, dim=8, progress=False)
    found = update_judged(model, before, rt.from_events([0, 0], [90, 91]), epochs=1, progress=False)
    assert found.origin["report"]["records"] == []
    assert found.origin["report"]["text"].startswith("Too little is new to judge it by: that takes 5 people")
    with pytest.raises(rt.InputError, match="holds nothing that is not in 'board 0' already"):
        update_judged(model, before, before)
