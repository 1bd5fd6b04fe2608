import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from recsys_tutorial import losses
from recsys_tutorial.data.batches import Batch
from recsys_tutorial.engine.losses import linear_cross_entropy, linear_squared_loss, multinomial_loss, squared_loss


def test_by_hand():
    batch = Batch.from_lists([[0, 1], [2]])
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    expected = -(np.log(0.5) + np.log(0.25) + np.log(0.8)) / 2
    assert multinomial_loss(logits, batch).item() == pytest.approx(expected)
    outputs = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    assert squared_loss(outputs, batch).item() == pytest.approx((0 + 1 + 4 + 0) / 2)


def test_what_is_left_out_by_hand():
    wanted, shown = Batch.from_lists([[1], [2]]), Batch.from_lists([[0], []])
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    assert multinomial_loss(logits, wanted, shown).item() == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2)
    outputs = torch.tensor([[9.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    assert squared_loss(outputs, wanted, shown).item() == pytest.approx((1 + 4 + 0) / 2)


def test_what_is_left_out_gets_no_gradient():
    wanted, shown = Batch.from_lists([[1, 3]]), Batch.from_lists([[0, 2]])
    for loss in (multinomial_loss, squared_loss):
        outputs = torch.randn(1, 5, requires_grad=True)
        loss(outputs, wanted, shown).backward()
        assert outputs.grad[0, [0, 2]].abs().max() < 1e-6
        assert (outputs.grad[0, [1, 3, 4]].abs() > 1e-6).all()


@given(seed=st.integers(0, 1000), n=st.integers(1, 9), at_once=st.sampled_from([1, 20, 10_000]))
def test_linear_cross_entropy_equals_torch_in_pieces_of_any_size(seed, n, at_once):
    torch.manual_seed(seed)
    states, table = (torch.randn(rows, 4, dtype=torch.float64, requires_grad=True) for rows in (n, 7))
    targets = torch.randint(7, (n,))
    expected = F.cross_entropy(states @ table.T, targets)
    wanted = torch.autograd.grad(3 * expected, [states, table])
    before, losses._LOGITS_AT_ONCE = losses._LOGITS_AT_ONCE, at_once
    try:
        found = linear_cross_entropy(states, table, targets)
        gradients = torch.autograd.grad(3 * found, [states, table])
    finally:
        losses._LOGITS_AT_ONCE = before
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients, wanted)


def test_linear_cross_entropy_without_gradients():
    states, table = torch.eye(3), torch.eye(3)
    assert linear_cross_entropy(states, table, torch.arange(3)).item() == pytest.approx(
        F.cross_entropy(torch.eye(3), torch.arange(3)).item()
    )


@pytest.mark.parametrize("left_out", [False, True])
@pytest.mark.parametrize("users", [1, 16, 19])
def test_the_linear_squared_loss_and_its_gradients_are_those_of_the_outputs(users, left_out):
    torch.manual_seed(0)
    states, table, bias = (torch.randn(*size, dtype=torch.float64) for size in ((users, 5), (30, 5), (30,)))
    shown, target = Batch.from_lists([torch.randperm(30)[:8].tolist() for _ in range(users)]).hide(0.5)
    without = shown if left_out else None
    given = [x.clone().requires_grad_() for x in (states, table, bias)]
    linear = linear_squared_loss(*given, target, without)
    expected = squared_loss(torch.nn.functional.linear(*given), target, without)
    torch.testing.assert_close(linear, expected)
    torch.testing.assert_close(torch.autograd.grad(3 * linear, given), torch.autograd.grad(3 * expected, given))
