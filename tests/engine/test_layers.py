import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recsys_tutorial.engine.layers import Dropout, unit_rows


@pytest.mark.parametrize("length", [1.0, 14.0])
def test_unit_rows_and_their_gradient_are_those_of_torch(length):
    torch.manual_seed(0)
    table = torch.randn(6, 5, dtype=torch.float64)
    table[2], table[3] = 0.0, 1e-3 * table[3]
    wanted, weights = (table.clone().requires_grad_() for _ in range(2)), torch.randn_like(table)
    ours, torchs = wanted
    (weights * unit_rows(ours, length)).sum().backward()
    (weights * length * F.normalize(torchs, dim=1)).sum().backward()
    torch.testing.assert_close(unit_rows(ours, length), length * F.normalize(torchs, dim=1))
    torch.testing.assert_close(ours.grad, torchs.grad)


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.5, 0.99])
def test_dropout_drops_a_share_and_makes_up_for_it(rate):
    torch.manual_seed(0)
    x = torch.ones(501, 401, requires_grad=True)  # not a multiple of the four numbers of a draw
    out = Dropout(rate)(x)
    assert (out == 0).float().mean().item() == pytest.approx(rate, abs=0.005)
    assert out.unique().tolist() == pytest.approx([0, 1 / (1 - rate)], rel=1e-3)
    assert out.mean().item() == pytest.approx(1, abs=0.03)
    out.sum().backward()
    assert torch.equal(x.grad, out)  # what was dropped gets no gradient


def test_dropout_drops_rows_columns_and_neighbours_independently():
    torch.manual_seed(0)
    kept = Dropout(0.5)(torch.ones(400, 400)) > 0
    for axis in (0, 1):
        assert kept.float().mean(axis).std().item() == pytest.approx(0.5 / 20, rel=0.2)
    for far in (1, 2, 3, 4):  # of the numbers that share a draw
        both = kept.flatten()[far:] & kept.flatten()[:-far]
        assert both.float().mean().item() == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize("module", [Dropout(0.5).eval(), Dropout(0.0)])
def test_dropout_of_nothing_and_outside_training_is_the_same(module):
    x = torch.randn(3, 4)
    assert torch.equal(module(x), x)


def test_dropout_drops_the_same_with_one_thread_and_two():
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(3)
        found.append(Dropout(0.4)(torch.ones(300, 1000)))
    torch.set_num_threads(before)
    assert torch.equal(*found)


def test_dropout_keeps_shape_type_and_an_empty_table():
    for x in (torch.ones(2, 3, 5, dtype=torch.bfloat16), torch.ones(0, 4), torch.ones(3, dtype=torch.float64)):
        out = Dropout(0.5)(x)
        assert (out.shape, out.dtype) == (x.shape, x.dtype)
    assert isinstance(Dropout(0.5), nn.Dropout)
