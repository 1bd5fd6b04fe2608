"""Neighbours in g's space and stacks of several g: known structure, never much below their parts, saved and loaded."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.engine.heads import unit as unit_rows
from recsys_tutorial.engine.heads import votes
from recsys_tutorial.engine.ridge import RidgePath
from recsys_tutorial.learning.stacking import neighbours, own_head


@pytest.fixture(scope="module")
def shelf() -> rt.RankingTask:
    """120 users of two groups: each group has its own known items, and its own items of the shelf."""
    rng = np.random.default_rng(0)
    rows = [(u, 20 * (u % 2) + i) for u in range(120) for i in rng.permutation(20)[:4]]
    shown = rt.from_events(*map(list, zip(*rows, strict=True)), name="shown")
    wanted = [(u, 100 + 5 * (u % 2) + i) for u in range(120) for i in rng.permutation(5)[:2]]
    return rt.RankingTask(shown, rt.from_events(*map(list, zip(*wanted, strict=True)), name="shelf"), k=5)


@pytest.fixture(scope="module")
def counted(shelf) -> rt.PretrainedModel:
    return rt.pretrain("counting", shelf.behaviour, dim=4)


@pytest.mark.parametrize("strategy", ["neighbours", "stack"])
def test_it_finds_the_group_and_is_saved_and_loaded(shelf, counted, strategy, tmp_path):
    labelled, test = shelf.take(np.arange(20)), shelf.take(np.arange(20, 120))
    f = rt.finetune(counted, labelled, strategy)
    assert test.value(f.score(test.behaviour)) > 0.7  # at random .35
    rt.save_model(tmp_path / "f", f)
    np.testing.assert_allclose(rt.load_model(tmp_path / "f").score(test.behaviour), f.score(test.behaviour), atol=1e-6)
    assert f.origin["strategy"] == strategy
    assert len(rt.Recommender(f).recommend([shelf.behaviour.item_ids[0]], k=3)) == 3


def test_a_stack_takes_further_models_and_the_models_own_heads(shelf):
    """Where a model scores the task's items without any label, a stack does not fall behind it."""
    behaviour = shelf.behaviour
    rng = np.random.default_rng(1)
    hidden = rng.random(behaviour.n_events) < 0.3
    task = rt.RankingTask(behaviour.keep_events(~hidden), behaviour.keep_events(hidden), k=5, without_seen=True)
    few, test = task.take(np.arange(10)), task.take(np.arange(10, 20))
    linear = rt.pretrain("linear", task.behaviour.take_users(np.arange(20, 120)), regularisation=5.0)
    network = rt.pretrain("denoising", task.behaviour.take_users(np.arange(20, 120)), epochs=20, dim=8)
    assert own_head(linear, task) is not None
    assert own_head(linear, shelf) is None
    f = rt.finetune(network, few, "stack", others=[linear])
    best = max(test.value(m.score(test.behaviour)) for m in (linear, network))
    assert test.value(f.score(test.behaviour)) > best - 0.05


def test_of_labels_a_stack_keeps_their_unit(shelf, counted):
    numbers = rt.RegressionTask(shelf.behaviour, np.where(np.arange(120) % 2, 3.0, 5.0))
    f = rt.finetune(counted, numbers.take(np.arange(40)), "stack")
    found = f.score(numbers.behaviour)[40:, 0]
    assert np.abs(found - numbers.labels[40:]).mean() < 0.5


def test_the_number_of_voters_is_below_that_of_the_labelled_users(shelf, counted):
    few = shelf.take(np.arange(5))
    assert neighbours(counted.feature_extractor, counted.encode(few.behaviour), few).h.config["k"] == 4


def test_the_same_labels_give_the_same_stack(shelf, counted):
    labelled = shelf.take(np.arange(20))
    one, two = (rt.finetune(counted, labelled, "stack", seed=seed).score(shelf.behaviour) for seed in (0, 1))
    np.testing.assert_array_equal(one, two)


def test_others_are_for_a_stack_alone(shelf, counted):
    with pytest.raises(rt.InputError, match="others are for strategy='stack', this is 'probe'"):
        rt.finetune(counted, shelf.take(np.arange(20)), "probe", others=[counted])


def test_what_a_part_says_without_a_user_is_what_it_says_when_refitted_without_them(shelf, counted):
    """Of somebody who shows one event, too: the closed form against ten heads, each fitted on the nine others."""
    few = shelf.take(np.arange(10))
    one_event = few.showing(1, 0).behaviour
    g, z, at = counted.feature_extractor, counted.encode(few.behaviour), counted.encode(one_event)
    path = RidgePath(z, few.target_matrix())
    unit = path.unit
    for strength in (0.1, 3.0):
        refitted = []
        for user in range(10):
            others = np.delete(np.arange(10), user)
            alone = RidgePath(z[others], few.target_matrix()[others])
            weights, bias = alone.solve(strength * unit / alone.unit)
            refitted.append(at[user] @ weights + bias)
        np.testing.assert_allclose(path.leave_one_out(strength, at=at), refitted, atol=1e-8)
        np.testing.assert_allclose(path.leave_one_out(strength, at=z), path.leave_one_out(strength), atol=1e-8)
    near = neighbours(g, z, few)
    k = near.h.config["k"]
    alone = [
        votes(unit_rows(at[[u]]) @ unit_rows(np.delete(z, u, 0)).T, few.target_matrix()[np.arange(10) != u], k)[0]
        for u in range(10)
    ]
    np.testing.assert_allclose(near.left_out(at), alone, atol=1e-6)


def test_whoever_shows_more_is_weighed_otherwise(shelf, counted):
    f = rt.finetune(counted, shelf.take(np.arange(40)), "stack")
    assert f.classifier.edges == (2, 6)
    assert f.classifier.weights.shape[0] == 3
    np.testing.assert_allclose(f.classifier.weights.sum(1), 1, rtol=1e-5)
    z = f.encode(shelf.behaviour)
    assert z[:, -1].tolist() == shelf.behaviour.events_per_user.tolist()
