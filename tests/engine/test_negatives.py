"""The binary losses: by hand, in expectation, and their gradients."""

import math

import pytest
import torch
from torch.nn import functional as F

from recsys_tutorial.engine.negatives import _ScoresOf, binary_loss, calibrated_power, other_items


def parts(n=3, n_items=6, dim=4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    states, table = torch.randn(n, dim, requires_grad=True), torch.randn(n_items, dim, requires_grad=True)
    return states, table, torch.tensor([0, 5, 2][:n])


def test_two_items_by_hand():
    """With two items the only negative is the other one: ``log(1 + e^-2) + log(1 + e^1)``, halved."""
    states, table = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 7.0], [1.0, -3.0]])
    by_hand = (math.log1p(math.exp(-2)) + math.log1p(math.exp(1))) / 2
    assert binary_loss(states, table, torch.tensor([0]), 1).item() == pytest.approx(by_hand, rel=1e-6)
    twice = (0.5 * math.log1p(math.exp(-2)) + 2 * math.log1p(math.exp(1))) / 3
    assert binary_loss(states, table, torch.tensor([0]), 2, power=0.5).item() == pytest.approx(twice, rel=1e-6)


def test_nobody_asks_nothing():
    states, table, _ = parts()
    assert binary_loss(states[:0], table, torch.empty(0, dtype=torch.int64), 4).item() == 0


def test_negatives_are_uniform_among_the_others():
    torch.manual_seed(0)
    drawn = other_items(torch.tensor([0, 3, 5]), 60_000, 6)
    for target, row in zip([0, 3, 5], drawn, strict=True):
        share = torch.bincount(row, minlength=6) / 60_000
        assert share[target] == 0
        assert (share[torch.arange(6) != target] - 0.2).abs().max() < 0.01


@pytest.mark.parametrize(("negatives", "power"), [(1, 1.0), (4, 1.0), (4, 0.3)])
def test_its_mean_is_the_loss_over_all_others(negatives, power):
    states, table, targets = parts()
    z = states @ table.T
    wanted, others = F.logsigmoid(z.gather(1, targets[:, None])), F.logsigmoid(-z)
    others = others.scatter(1, targets[:, None], 0.0).sum(1, keepdim=True) * negatives / 5
    full = -((power * wanted + others) / (negatives + 1)).mean()
    expected = torch.autograd.grad(full, [states, table])
    losses = torch.stack([binary_loss(states, table, targets, negatives, power) for _ in range(4000)])
    assert abs(losses.mean() - full) < 4 * losses.std() / 4000**0.5
    for found, wanted in zip(torch.autograd.grad(losses.mean(), [states, table]), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=0.03, rtol=0.1)


@pytest.mark.parametrize("repeated", [False, True])
def test_scores_and_their_gradients_are_those_of_the_products(repeated):
    states, table, _ = parts()
    items = torch.tensor([[1, 1, 1], [0, 1, 4], [4, 4, 2]]) if repeated else torch.arange(3).expand(3, 3)
    weights, plain = torch.randn(3, 3), (states @ table.T).gather(1, items)
    wanted = torch.autograd.grad((plain * weights).sum(), [states, table])
    scores = _ScoresOf.apply(states, table, items)
    torch.testing.assert_close(scores, plain)
    torch.testing.assert_close(torch.autograd.grad((scores * weights).sum(), [states, table]), wanted)


def test_the_calibrated_power():
    assert calibrated_power(5, 101, 0.0) == 1
    assert calibrated_power(5, 101, 1.0) == pytest.approx(0.05)
    assert calibrated_power(5, 101, 0.75) == pytest.approx(0.05 * (0.75 * (1 - 20) + 20))


def test_calibrated_to_one_it_is_least_at_the_probabilities():
    """Items are targets with probabilities p: no gradient is left where σ(z) = p; without calibration some is."""
    p = torch.tensor([0.4, 0.3, 0.1, 0.1, 0.1])
    for calibration, at_rest in ((1.0, True), (0.0, False)):
        logits = torch.logit(p)[:, None].requires_grad_()
        power, one = calibrated_power(2, 5, calibration), torch.ones(1, 1)
        torch.manual_seed(0)
        losses = [
            p[j] * binary_loss(one.expand(4000, 1), logits, torch.full((4000,), j), 2, power) for j in range(5)
        ]
        gradient = torch.autograd.grad(torch.stack(losses).sum(), logits)[0]
        assert (gradient.abs().max() < 0.004) == at_rest
