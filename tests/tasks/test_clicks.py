from dataclasses import replace

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.metrics.labels import auc
from recsys_tutorial.system import extras
from recsys_tutorial.tasks.clicks import ClickModel, bought_or_not, hold_out, liked_or_not, train_clicks

needs_ctr = pytest.mark.skipif(not extras.installed("ctr"), reason=extras.how_to_install("ctr"))


@pytest.fixture(scope="module")
def shown():
    """Two groups, each of which likes its own half of the films; everybody is shown both halves in turn."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(90), 12)
    items = np.concatenate([rng.permutation(20)[:12] for _ in range(90)])
    weights = np.where((items < 10) == (users % 2 == 0), 5.0, 1.0)
    times = np.repeat(rng.permutation(90), 12) * 100 + np.tile(np.arange(12), 90)
    genres = {item: ("Blue",) if item < 10 else ("Red", "Long") for item in range(20)}
    return liked_or_not(rt.from_events(users, items, weights, times, genres=genres, name="two groups"), 4)


def pretrained(behaviour) -> rt.PretrainedModel:
    how = {"dim": 8, "loss": "multinomial", "epochs": 30, "learning_rate": 1e-2}
    return rt.pretrain("denoising", behaviour, progress=False, **how)


def test_a_history_is_what_was_liked_before_by_hand():
    data = rt.from_events([1] * 4 + [2], [10, 20, 30, 40, 10], [5.0, 1.0, 4.0, 5.0, 2.0], [1, 2, 3, 9, 8])
    train, test, behaviour = liked_or_not(data, 4, (0.3, 0.6))
    # Times 1, 2, 3, 8, 9: 1 and 2 lie before the first point, 8 and 9 behind the second.
    assert train.items.tolist() == [2]
    assert train.history.items.tolist() == [0]
    assert train.clicked.tolist() == [1.0]
    assert test.items.tolist() == [3, 0]
    assert test.history.items.tolist() == [0, 2]
    assert test.history.lengths.tolist() == [2, 0]
    assert test.clicked.tolist() == [1.0, 0.0]
    assert behaviour.items.tolist() == [0]


def test_time_parts_pretraining_training_and_test(movielens):
    train, test, behaviour = liked_or_not(movielens, 4)
    assert behaviour.timestamps.max() <= np.quantile(movielens.timestamps, 0.4)
    assert len(train) + len(test) == pytest.approx(0.6 * movielens.n_events, rel=0.001)
    assert int(train.history.lengths.max()) == 50


def test_what_is_bought_of_what_is_viewed_by_hand():
    views = rt.from_events([1, 1, 1, 2, 2, 3, 3], [10, 20, 30, 10, 20, 20, 30], name="shop")
    bought = rt.from_events([1, 3], [20, 30], name="bought")
    with pytest.raises(rt.InputError, match="'shop' has no labels: purchases are needed"):
        bought_or_not(views)
    parts = bought_or_not(replace(views, labels=bought), seed=0)
    both = {}
    for part in parts[:2]:
        shown = zip(part.users.tolist(), part.items.tolist(), strict=True)
        both |= dict(zip(shown, part.clicked.tolist(), strict=True))
    wanted = {(0, 0): 0.0, (0, 1): 1.0, (0, 2): 0.0, (1, 0): 0.0, (1, 1): 0.0, (2, 1): 0.0, (2, 2): 1.0}
    assert both.items() <= wanted.items()
    assert len(both) == 7 - parts[2].n_events
    for part in parts[:2]:
        rows = part.history.rows
        assert not (part.history.items == part.items[rows]).any(), "the item itself is in its own history"
    assert parts[2].labels is not None  # of the people g is pretrained on, nothing of it is read


def test_the_rate_of_an_item_never_holds_the_answer_that_is_asked():
    """An item that one person alone was shown says nothing of the others: its rate is the mean, whatever they did."""
    rng = np.random.default_rng(1)
    users, items = np.repeat(np.arange(50), 4), np.arange(200)
    data = rt.from_events(users, items, rng.choice([1.0, 5.0], 200), rng.permutation(200))
    train = liked_or_not(data, 4, (0.1, 0.9))[0]
    assert train.context[:, 0].std() < 1e-4


def test_h_learns_what_g_knows_and_g_stays(shown):
    train, test, behaviour = shown
    model = pretrained(behaviour)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    f = train_clicks(model, train, epochs=20, batch_size=32, learning_rate=1e-2)
    known = test.take((test.history.lengths > 2).nonzero()[:, 0])
    assert auc(f.predict(known), known.clicked) > 0.9
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    again = train_clicks(model, train, epochs=20, batch_size=32, learning_rate=1e-2)
    np.testing.assert_array_equal(again.predict(test), f.predict(test))


def test_people_are_held_out_whole(shown):
    train, held_out = hold_out(shown[0])
    assert not set(train.users) & set(held_out.users)
    assert len(train) + len(held_out) == len(shown[0])


@needs_ctr
def test_deepfm_learns_repeats_itself_and_is_fed_with_g(shown, capfd):
    from recsys_tutorial.bridges.deepctr import DeepFM

    train, test, behaviour = shown
    model = pretrained(behaviour)
    vectors, state = ClickModel(model), torch.random.get_rng_state()
    fed = DeepFM(vectors, epochs=15).fit(train).predict(test)
    known = (test.history.lengths > 2).numpy()
    assert auc(fed[known], test.clicked[known]) > 0.8
    np.testing.assert_array_equal(DeepFM(vectors, epochs=15).fit(train).predict(test), fed)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.isfinite(DeepFM(epochs=1).fit(train).predict(test)).all()
    assert capfd.readouterr().out == ""
