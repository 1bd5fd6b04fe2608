"""Lists that no batch, no thread and no neighbour in a table can change, to the last bit."""

import numpy as np
import pytest
import torch
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial.data.batches import in_order
from recsys_tutorial.encoders import Together
from recsys_tutorial.engine.heads import StackHead
from recsys_tutorial.metrics.ranking import top_k
from recsys_tutorial.serving.ranking import Ranking

ITEMS = 300


def encoder(kind: str) -> nn.Module:
    torch.manual_seed(0)
    match kind:
        case "linear":
            return rt.BagEncoder(ITEMS, 24, activation="identity", normalise=False)
        case "tanh":
            return rt.BagEncoder(ITEMS, 24)
        case "deep":
            return rt.BagEncoder(ITEMS, 24, (16,), weighting="log")
        case "features":
            return rt.FeatureEncoder.of(torch.randn(ITEMS, 8), 24)
        case "together":
            return Together([encoder("tanh"), encoder("deep")], [1.0, 2.0])
    return rt.SequenceEncoder(ITEMS, 24, causal=kind == "causal").eval()


@pytest.fixture(scope="module")
def crowd() -> rt.Batch:
    """90 people with one item and more."""
    rng = np.random.default_rng(0)
    return rt.Batch.from_lists([rng.permutation(ITEMS)[: rng.integers(1, 60)].tolist() for _ in range(90)])


def model_of(g: nn.Module, h: nn.Module | None = None) -> rt.PretrainedModel:
    catalogue = rt.Catalogue(np.arange(ITEMS))
    return rt.PretrainedModel.compose(g, h or nn.Linear(g.dim, ITEMS), catalogue=catalogue, outputs=catalogue)


def in_pieces(ranking: Ranking, crowd: rt.Batch, size: int, k: int = 10) -> list[np.ndarray]:
    found = [ranking.best(crowd.take(rows), k) for rows in in_order(len(crowd), size)]
    return [np.concatenate(part) for part in zip(*found, strict=True)]


@pytest.mark.parametrize("kind", ["linear", "tanh", "deep", "features", "together", "causal", "both ways"])
def test_the_lists_are_the_same_in_any_batch_on_any_threads(kind, crowd):
    ranking, before = Ranking(model_of(encoder(kind))), torch.get_num_threads()
    items, scores = in_pieces(ranking, crowd, 1)
    try:
        for threads, size in ((1, 7), (1, 90), (2, 90)):
            torch.set_num_threads(threads)
            again = in_pieces(ranking, crowd, size)
            assert np.array_equal(again[0], items)
            assert np.array_equal(again[1], scores)
    finally:
        torch.set_num_threads(before)
    plain = ranking.scores(crowd, np.arange(ITEMS))
    assert np.array_equal(np.take_along_axis(plain, items, 1), scores)


@pytest.mark.parametrize("levels", [1, 3, 40])
def test_equal_scores_go_by_number_though_they_stand_at_other_places_of_the_table(levels, crowd):
    """Rows that repeat: a float32 product may give equal ones other last bits, the list may not show it."""
    g = encoder("tanh")
    h = nn.Linear(g.dim, ITEMS)
    with torch.no_grad():
        h.weight.copy_(h.weight[torch.arange(ITEMS) % levels])
        h.bias.zero_()
    f = model_of(g, h)
    exact = torch.from_numpy(f.encode(crowd)).double() @ h.weight[:levels].detach().double().T
    exact = exact.float()[:, torch.arange(ITEMS) % levels].clone()
    exact[crowd.rows, crowd.items] = -torch.inf
    assert np.array_equal(Ranking(f).best(crowd, 10)[0], top_k(exact, 10))


def test_a_score_that_float32_cannot_tell_from_another_is_not_missed():
    """Item 299 is the best by a billionth of what the others are; in float32 all are equal."""
    g, h = encoder("linear"), nn.Linear(24, ITEMS)
    with torch.no_grad():
        g.item_vectors.fill_(1.0)
        h.weight.fill_(0.0)
        h.bias.zero_()
        h.weight[:, 0], h.weight[:, 2] = 1e4, -1e4
        h.weight[299, 1] = 1e-4
    assert Ranking(model_of(g, h)).best(rt.Batch.from_lists([[0]]), 1)[0].tolist() == [[299]]


def test_a_head_that_is_not_linear_and_few_to_choose_from(crowd):
    g = encoder("tanh")
    f = model_of(g, StackHead([nn.Linear(g.dim, ITEMS)], [2.0], standardised=True))
    among = np.arange(ITEMS) % 50 == 3
    items, _ = in_pieces(Ranking(f, among), crowd, 7, k=6)
    scores = f.score(crowd)
    scores[:, ~among] = -np.inf
    scores[crowd.rows, crowd.items] = -np.inf
    assert np.array_equal(items, top_k(scores, 6))
    known, _ = Ranking(f, among).best(crowd, 6, known=True)
    assert (np.sort(known, axis=1) == np.flatnonzero(among)).all()


@pytest.mark.parametrize("rows", [slice(7, 8), slice(7, None)])
def test_weights_that_are_not_finite_are_refused(rows, crowd):
    g, h = encoder("tanh"), nn.Linear(24, ITEMS)
    with torch.no_grad():
        h.weight[rows, 0] = torch.nan
    with pytest.raises(rt.InputError, match="scores hold NaN"):
        Ranking(model_of(g, h)).best(crowd, 5)
