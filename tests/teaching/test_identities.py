"""Every identity of notebook 03 holds, and every one of these tests can fail."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial import identities
from recsys_tutorial.engine.ridge import RidgePath, ridge_head

SEEDS = range(4)
TIGHT, SINGLE = 1e-10, 2e-6  # float64; float32


def interactions(seed: int, n_users: int = 30, n_items: int = 12) -> rt.Interactions:
    """Random ratings in which every user and every item has an event; two tastes, so that directions differ."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(0, 2, n_users)[:, None] == (np.arange(n_items) % 2)
    table = (rng.random((n_users, n_items)) < np.where(taste, 0.7, 0.15)) * rng.integers(1, 6, (n_users, n_items))
    table[np.arange(n_users), np.arange(n_users) % n_items] = 3
    users, items = np.nonzero(table)
    return rt.from_events(users, items, table[users, items].astype(float))


def vectors(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """z (users, dim) and y (users, outputs), with more users than dim or fewer."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rng.integers(8, 25), rng.integers(1, 15))) + rng.normal()
    return z, rng.normal(size=(len(z), 3))


def model(data: rt.Interactions, seed: int, **how) -> rt.PretrainedModel:
    torch.manual_seed(seed)
    return rt.PretrainedModel.compose(rt.BagEncoder(data.n_items, 5, **how), nn.Linear(5, data.n_items))


def task(seed: int) -> rt.RankingTask:
    return rt.new_shelf(interactions(seed), at_least=3, k=2, seed=seed)


def value(name: str, seed: int) -> tuple[float, float]:
    """What the identity returns for random data, and what it may return."""
    data = interactions(seed)
    batch, f, (z, y) = rt.Batch.of(data), model(data, seed), vectors(seed)
    logits = 3 * torch.randn(len(batch), data.n_items, generator=torch.Generator().manual_seed(seed))
    strength = 10.0 ** (seed - 2)
    identity = getattr(identities, name)
    match name:
        case "dense_equals_jagged":
            return identity(f.feature_extractor, batch), TIGHT
        case "chain_rule" | "frozen_gradient":
            return identity(f, batch, batch), TIGHT
        case "frozen_g":
            pretrained = rt.pretrain("denoising", task(seed).behaviour, epochs=2, dim=4, progress=False)
            return identity(pretrained, task(seed)), 0.0
        case "linear_autoencoder_is_pca":
            return identity(batch.dense(data.n_items).double().numpy(), 1 + seed % 2, seed), TIGHT
        case "pca_is_the_projection":
            return identity(data, 1 + seed), SINGLE
        case "multinomial_equals_cross_entropy" | "squared_loss_equals_dense":
            return identity(logits, batch), TIGHT
        case "popularity_is_the_best_constant":
            return identity(data), TIGHT
        case "ridge_normal_equations":
            return identity(z, y, strength), SINGLE
        case "leave_one_out" | "any_axes_will_do":
            return identity(z, y, strength), TIGHT
    raise AssertionError(f"{name} has no data here")


NAMES = [name for name, one in inspect.getmembers(identities, inspect.isfunction)
         if one.__module__ == identities.__name__ and not name.startswith("_")]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
def test_identity_holds(name, seed):
    difference, bound = value(name, seed)
    assert difference <= bound


def scaled(old, factor=1.001):
    """The function with its result, or the first part of it, a thousandth too large."""

    def changed(*args, **kwargs):
        result = old(*args, **kwargs)
        return (result[0] * factor, *result[1:]) if isinstance(result, tuple) else result * factor

    return changed


def full_instead(old):
    return lambda pretrained, labelled, strategy, **how: old(pretrained, labelled, "full", **how)


def one_direction_less(old):
    return lambda data, dim: old(data, dim - 1)


def another_strength(old):
    return lambda z, y, strengths: old(z, y, strengths=[1.01 * strengths[0]])


def dropout_in_the_loss(old):
    """The three ways no longer see the same."""
    return lambda o, y: old(nn.functional.dropout(o, 0.5), y)


def counts_plus_one(old):
    return property(lambda self: old.fget(self) + 1)


def ridge_that_knows_axes(old):
    """One axis is treated differently."""

    def solve(self, strength):
        weights, bias = old(self, strength)
        weights[0] *= 0.9
        return weights, bias

    return solve


MUTATIONS = {
    "dense_equals_jagged": (rt.BagEncoder, "_input_weights", scaled),
    "chain_rule": (identities, "squared_loss", scaled),
    "frozen_gradient": (identities, "multinomial_loss", dropout_in_the_loss),
    "frozen_g": (identities, "finetune", full_instead),
    "linear_autoencoder_is_pca": (identities, "linear_autoencoder", scaled),
    "pca_is_the_projection": (identities, "pca", one_direction_less),
    "multinomial_equals_cross_entropy": (identities, "multinomial_loss", scaled),
    "squared_loss_equals_dense": (identities, "squared_loss", scaled),
    "popularity_is_the_best_constant": (rt.Interactions, "events_per_item", counts_plus_one),
    "ridge_normal_equations": (identities, "ridge_head", another_strength),
    "leave_one_out": (RidgePath, "leave_one_out", scaled),
    "any_axes_will_do": (RidgePath, "solve", ridge_that_knows_axes),
}


@pytest.mark.parametrize("name", NAMES)
def test_identity_can_fail(name, monkeypatch):
    where, what, how = MUTATIONS[name]
    monkeypatch.setattr(where, what, how(inspect.getattr_static(where, what)))
    difference, bound = value(name, 1)
    assert difference > 100 * bound


@pytest.mark.parametrize("weighting", rt.encoders.bag.WEIGHTINGS)
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("hidden", [(), (7,)])
def test_dense_equals_jagged_for_every_weighting(weighting, normalise, hidden):
    data = interactions(0)
    g = model(data, 0, weighting=weighting, normalise=normalise, hidden=hidden, activation="relu").feature_extractor
    assert identities.dense_equals_jagged(g, rt.Batch.of(data)) < TIGHT


def test_chain_rule_is_that_of_tanh():
    data = interactions(0)
    batch = rt.Batch.of(data)
    assert identities.chain_rule(model(data, 0, activation="relu"), batch, batch) > 1e-3


def test_differences_that_are_no_numbers_are_not_lost():
    data = interactions(0)
    batch = rt.Batch.of(data)
    broken = replace(batch, weights=batch.weights * torch.nan)
    assert np.isnan(identities.multinomial_equals_cross_entropy(torch.zeros(len(batch), data.n_items), broken))
    with pytest.raises(ValueError, match="only equal shapes"):
        identities._largest([np.zeros(3)], [np.zeros((3, 1))])


def test_full_fine_tuning_moves_g():
    pretrained = rt.pretrain("denoising", task(0).behaviour, epochs=2, dim=4, progress=False)
    assert identities.frozen_g(pretrained, task(0), "full") > 1e-5


@pytest.mark.parametrize("n_users", [8, 40])
@pytest.mark.parametrize("dim", [1, 3])
def test_pca_takes_more_users_than_items_and_fewer(n_users, dim):
    assert identities.pca_is_the_projection(interactions(0, n_users=n_users), dim) < SINGLE


def test_ridge_head_is_the_path_at_its_best_strength():
    z, y = vectors(0)
    path = RidgePath(z, y)
    errors = {s: ((path.leave_one_out(s) - y) ** 2).mean() for s in rt.ridge.STRENGTHS}
    weights, bias = path.solve(min(errors, key=errors.get))
    head = ridge_head(z, y)
    assert torch.equal(head.weight, torch.from_numpy(weights.T).float())
    assert torch.equal(head.bias, torch.from_numpy(bias).float())
