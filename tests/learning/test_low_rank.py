"""LoRA: what it moves, by how much, and that nothing of it is left in the model."""

import numpy as np
import pytest
import torch
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial.learning.low_rank import LowRank, adapted_tables, low_rank, n_trained

ENCODERS = {
    "bag": lambda: rt.BagEncoder(20, 6, (12,)),
    "sequence": lambda: rt.SequenceEncoder(20, 8, heads=2, max_length=10),
    "both ways": lambda: rt.SequenceEncoder(20, 8, heads=2, max_length=10, causal=False),
    "features": lambda: rt.FeatureEncoder.of(torch.randn(20, 5), 6),
}


@pytest.fixture(params=ENCODERS)
def g(request):
    torch.manual_seed(0)
    return ENCODERS[request.param]().eval()


@pytest.fixture
def task(board) -> rt.ClassificationTask:
    return rt.ClassificationTask(board, np.arange(40) % 2)


def test_by_hand():
    change = LowRank(3, 2, 1)
    change.a.data, change.b.data = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0], [1.0], [10.0]])
    assert change(torch.ones(3, 2)).tolist() == [[1, 1], [2, 3], [11, 21]]


def test_nothing_changes_until_it_is_trained(g, board):
    before = {name: value.clone() for name, value in g.state_dict().items()}
    batch = rt.Batch.of(board)
    vectors = g(batch)
    with low_rank(g, 2):
        assert torch.equal(g(batch), vectors)
    assert list(g.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in g.state_dict().items())
    assert all(p.requires_grad and p.is_leaf for p in g.parameters())
    assert type(g).__name__ in ("BagEncoder", "SequenceEncoder", "FeatureEncoder")


def test_only_tables_move_by_as_much_as_the_rank_allows(g, board):
    before = {name: value.clone() for name, value in g.state_dict().items()}
    with low_rank(g, 2):
        moving = [p for p in g.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(moving, lr=0.1)
        for _ in range(3):
            loss = g(rt.Batch.of(board)).square().sum(0)[0] + g(rt.Batch.of(board))[:, 1].sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        inside = g(rt.Batch.of(board))
    torch.testing.assert_close(g(rt.Batch.of(board)), inside)  # merged, it says the same
    tables = [getattr(part, name).data_ptr() for part, name in adapted_tables(g)]
    assert tables
    moved = 0
    for name, value in g.state_dict().items():
        change = value - before[name]
        if value.data_ptr() in tables:
            rank = torch.linalg.matrix_rank(change, atol=1e-4)
            assert rank <= 2, name
            moved += int(rank > 0)
        else:
            assert not change.any(), name
    assert moved == len(tables)


def test_the_numbers_that_are_trained(g):
    with low_rank(g, 2):
        inside = sum(p.numel() for p in g.parameters() if p.requires_grad)
    assert inside == n_trained(g, 2)
    assert n_trained(ENCODERS["bag"](), 2) == 2 * (20 + 12) + 2 * (12 + 6)
    assert n_trained(ENCODERS["bag"](), 100) == 12 * (20 + 12) + 6 * (12 + 6)


def test_an_error_inside_leaves_g_as_it_was(g):
    names = list(g.state_dict())
    with pytest.raises(ZeroDivisionError), low_rank(g, 2):
        raise ZeroDivisionError
    assert list(g.state_dict()) == names
    assert all(p.requires_grad for p in g.parameters())


@pytest.mark.parametrize("objective", ["denoising", "next-item", "masked-item", "content2vec"])
def test_fine_tuned_it_has_the_form_of_any_model(objective, board, task, tmp_path):
    model = rt.pretrain(objective, board, epochs=3, dim=8, learning_rate=0.01, seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    f = rt.finetune(model, task, "lora", rank=2, validation=0, epochs=5, learning_rate=0.03, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    g = model.feature_extractor
    assert list(f.feature_extractor.state_dict()) == list(g.state_dict())
    assert not torch.equal(f.feature_extractor.item_vectors, g.item_vectors)
    rt.save_model(tmp_path, f)
    np.testing.assert_array_equal(rt.load_model(tmp_path).score(board), f.score(board))
    again = rt.finetune(model, task, "lora", rank=2, validation=0, epochs=5, learning_rate=0.03, seed=0)
    np.testing.assert_array_equal(again.score(board), f.score(board))


def test_after_a_sampled_softmax_too(board, task):
    model = rt.pretrain("next-item", board, epochs=2, dim=8, sampled_softmax=6)
    f = rt.finetune(model, task, "lora", validation=0, epochs=2)
    assert f.feature_extractor.sparse_gradients == model.feature_extractor.sparse_gradients


def test_what_does_not_fit_is_said(board, task):
    model = rt.pretrain("denoising", board, epochs=1, dim=4)
    with pytest.raises(rt.InputError, match="rank=0: it needs to be a whole number"):
        rt.finetune(model, task, "lora", rank=0)
    with pytest.raises(rt.InputError, match="LayerNorm has no linear layer and no item vectors"), low_rank(
        nn.LayerNorm(3)
    ):  # fmt: skip
        pass
