"""The losses of the sequence objectives: one switch, the same scores."""

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.engine.negatives import calibrated_power
from recsys_tutorial.objectives import build_objective
from recsys_tutorial.objectives.sequence import LOSSES

HOW = dict(epochs=100, dim=16, dropout=0.3, learning_rate=0.01)


@pytest.mark.parametrize("objective", ["next-item", "masked-item"])
@pytest.mark.parametrize("loss", LOSSES)
class TestEveryLoss:
    def test_it_learns_and_its_model_says_which_it_was(self, objective, loss, board):
        few = {} if loss == "softmax" else {"negatives": 6}
        model = rt.pretrain(objective, board, loss=loss, **few, **HOW)
        scores = model.score(rt.Batch.from_lists([[0, 1, 2], [10, 11, 12]]))
        assert scores[0, 3:10].mean() > scores[0, 10:].mean() + 0.3
        assert scores[1, 13:].mean() > scores[1, :10].mean() + 0.3
        assert model.origin["options"] == {"loss": loss, **few, "dropout": 0.3}

    def test_the_seed_decides_and_the_first_weights_are_the_same(self, objective, loss, board):
        first, second = (rt.pretrain(objective, board, epochs=2, dim=8, seed=3, loss=loss) for _ in range(2))
        np.testing.assert_array_equal(first.encode(board), second.encode(board))
        states = []
        for name in (loss, "softmax"):
            torch.manual_seed(0)
            states.append(build_objective(objective, board, 8, loss=name).state_dict())
        assert all(torch.equal(states[0][key], value) for key, value in states[1].items())

    def test_nobody_with_two_events_is_no_loss(self, objective, loss, board):
        built = build_objective(objective, board, 8, loss=loss)
        found = built.loss(rt.Batch.from_lists([[], [3]] if objective == "next-item" else [[]]))
        assert found.item() == 0
        found.backward()


def test_softmax_is_what_it_was(board):
    named, plain = (rt.pretrain("next-item", board, epochs=2, dim=8, **how) for how in ({"loss": "softmax"}, {}))
    assert np.array_equal(named.encode(board), plain.encode(board))


def test_a_sampled_softmax_of_all_items_is_the_full_one(board):
    losses = []
    for how in ({}, {"loss": "sampled-softmax", "negatives": 99, "drawn_by": "uniform"}):
        torch.manual_seed(0)
        built = build_objective("next-item", board, 8, **how).eval()
        losses.append(built.loss(rt.Batch.of(board)))
    torch.testing.assert_close(*losses)


def test_one_way_of_sampling(board):
    named, by_option = (
        rt.pretrain("next-item", board, epochs=2, dim=8, **how)
        for how in ({"loss": "sampled-softmax", "negatives": 6}, {"sampled_softmax": 6})
    )
    assert np.array_equal(named.encode(board), by_option.encode(board))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"loss": "bpr"}, "unknown loss 'bpr'"),
        ({"negatives": 4}, "negatives=4: loss='softmax' has no such setting"),
        ({"loss": "bce", "negatives": 0}, "negatives=0: it needs to be a whole number of at least 1"),
        ({"loss": "bce", "calibration": 0.5}, "calibration=0.5: loss='bce' has no such setting"),
        ({"loss": "gbce", "calibration": 1.5}, "calibration=1.5: it needs to be between 0 and 1"),
        ({"loss": "gbce", "drawn_by": "uniform"}, "drawn_by='uniform': loss='gbce' has no such setting"),
        ({"loss": "sampled-softmax", "drawn_by": "popular"}, "did you mean 'popularity'"),
        ({"loss": "bce", "sampled_softmax": 5}, "a binary loss has no softmax to sample"),
    ],
)
def test_what_does_not_fit_is_said(how, message, board):
    with pytest.raises(rt.InputError, match=message):
        rt.pretrain("next-item", board, dim=8, epochs=1, **how)


def test_a_tiny_catalogue_has_few_others(board):
    assert build_objective("next-item", board, 8, loss="gbce").negatives == 19


def test_only_gbce_is_calibrated(board):
    how = {"loss": "gbce", "negatives": 4}
    assert build_objective("next-item", board, 8, **how).power == calibrated_power(4, 20, 0.75)
    assert build_objective("next-item", board, 8, **how, calibration=1.0).power == calibrated_power(4, 20, 1.0)
    assert build_objective("next-item", board, 8, loss="bce").power == 1
