"""Item vectors that are sums of codes: what they are, what a new item is, saving, updating, exporting."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

import recsys_tutorial as rt
from recsys_tutorial.encoders import CodedSequenceEncoder
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.learning.updating import update
from recsys_tutorial.objectives import build_objective, sequence
from recsys_tutorial.serving.export import encode, pad

CODES = np.array([[0, 1, 2], [0, 1, -1], [-1, -1, -1], [2, 2, 2], [1, 0, 0], [0, 0, 0], [2, 0, 1]])
ODD = rt.Batch.from_lists([[0, 1, 2], [], [3], [4, 4, 4], list(range(7))])
HOW = dict(dim=8, size=4, epochs=2)


def small(**how) -> CodedSequenceEncoder:
    g = CodedSequenceEncoder(7, 4, levels=3, size=3, **how)
    g.set_codes(CODES)
    return g


@pytest.mark.parametrize("ids", [True, False])
def test_an_item_is_the_sum_of_its_codes_and_its_own(ids):
    g = small(ids=ids)
    g.known[5] = False
    for item, codes in enumerate(CODES):
        by_hand = sum((g.code_vectors[level, code] for level, code in enumerate(codes) if code >= 0), torch.zeros(4))
        if ids and item != 5:
            by_hand = by_hand + g.own_vectors[item]
        torch.testing.assert_close(g.item_vectors[item], by_hand)
    if not ids:
        assert not g.item_vectors[2].any()
    assert torch.isfinite(g.eval()(ODD)).all()


@pytest.mark.parametrize("ids", [True, False])
def test_its_layers_cost_and_config(ids):
    g = small(ids=ids)
    held = [id(parameter) for layer in g.parameter_layers() for parameter in layer]
    assert sorted(held) == sorted(map(id, g.parameters()))
    assert g.cost(5).parameters == n_parameters(g)
    assert n_parameters(small(ids=True)) - n_parameters(small(ids=False)) == 7 * 4
    again = type(g)(**g.config)
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in g.state_dict().items()}


def test_in_training_some_items_are_read_as_new():
    g = small(as_new=0.5, counted=1)
    g.known[5] = False
    torch.manual_seed(0)
    tables = torch.stack([g.train().table() for _ in range(200)])
    new = g.code_vectors[1, 0] + g.code_vectors[2, 0]
    is_new = (tables[:, 4] - new).abs().amax(1) < 1e-6
    assert 0.35 < is_new.float().mean() < 0.65
    whole = (tables[:, 4] - g.item_vectors[4]).abs().amax(1) < 1e-6
    assert (is_new ^ whole).all()
    torch.testing.assert_close(g.eval().table(), g.item_vectors)


def test_an_item_that_is_not_trained_on_is_never_pushed_away(board):
    """Item 0 is taken out; in training it takes no part, and its own vector stays as it began."""
    known = board.keep_events(board.items != 0)
    built = build_objective("next-item", known, dim=8, codes="attributes", size=4, start="random").train()
    built.begin(known, 0)
    assert built.encoder.known.tolist() == [False] + 19 * [True]
    built.loss(rt.Batch.of(known)).backward()
    assert not built.encoder.own_vectors.grad[0].any()
    assert built.encoder.own_vectors.grad[1:].any(1).all()
    model = rt.pretrain("next-item", known, codes="attributes", **HOW | {"epochs": 60, "learning_rate": 0.02})
    scores = model.score(rt.Batch.from_lists([[1, 2, 3], [11, 12, 13]]))[:, 0]
    assert scores[0] > scores[1] + 1, "its title says blue, and blue items are had together"


def test_a_new_item_is_placed_by_its_codes_and_what_is_near():
    g = small()
    g.known[[0, 2, 5]] = False
    before = g.item_vectors.clone()
    unit = torch.nn.functional.normalize(before, dim=1)
    near = csr_array(([1.0, 0.5, 0.8], ([0, 0, 1], [3, 4, 6])), shape=(3, 7))
    g.place(np.array([0, 2, 5]), near)
    mean = torch.nn.functional.normalize(unit[3] + 0.125 * unit[4], dim=0)
    torch.testing.assert_close(g.item_vectors[0], unit[0] + 2 * mean)
    torch.testing.assert_close(g.item_vectors[2], 2 * unit[6])  # it has no codes
    torch.testing.assert_close(g.item_vectors[[1, 3, 4, 5, 6]], before[[1, 3, 4, 5, 6]])  # nothing is near item 5
    assert g.known.tolist() == [True] * 5 + [False, True]
    bare = small(ids=False)
    before = bare.item_vectors.clone()
    bare.place(np.array([0]), near[[0]])
    torch.testing.assert_close(bare.item_vectors, before)


def test_training_places_the_items_that_it_was_not_on(board):
    """Item 0 is taken out; its title says blue, and so it stands among the blue ones."""
    known = board.keep_events(board.items != 0)
    vectors = {}
    for codes in ("co-occurrence", "attributes", "both"):
        g = rt.pretrain("next-item", known, codes=codes, **HOW).feature_extractor
        assert g.known.all() == (codes != "co-occurrence")
        vectors[codes] = torch.nn.functional.normalize(g.item_vectors, dim=1)
    for codes in ("attributes", "both"):
        alike = vectors[codes] @ vectors[codes][0]
        assert alike[1:10].mean() > alike[10:].mean() + 0.5


@pytest.mark.parametrize("codes", ["co-occurrence", "attributes", "both"])
@pytest.mark.parametrize("objective", ["next-item", "masked-item"])
@pytest.mark.parametrize("ids", [True, False])
def test_it_learns_is_saved_and_exported(objective, codes, ids, board, tmp_path):
    model = rt.pretrain(objective, board, codes=codes, ids=ids, **HOW)
    assert np.isfinite(model.history["loss"]).all()
    rt.save_model(tmp_path, model)
    again = rt.load_model(tmp_path)
    np.testing.assert_array_equal(again.score(board), model.score(board))
    same = rt.pretrain(objective, board, codes=codes, ids=ids, **HOW)
    np.testing.assert_array_equal(same.score(board), model.score(board))
    g, batch = model.feature_extractor, rt.Batch.of(board)
    torch.testing.assert_close(encode(g, *pad(batch)), g(batch), atol=1e-5, rtol=1e-4)
    assert len(rt.Recommender(model).similar(0, k=3)) == 3


def test_it_begins_as_near_to_what_was_counted_as_it_can_be(board):
    own, summed = (
        build_objective("next-item", board, dim=8, start="co-occurrence", **how)
        for how in ({}, {"codes": "both", "size": 4})
    )
    for built in (own, summed):
        built.begin(board, 0)
    torch.testing.assert_close(summed.encoder.item_vectors, own.encoder.item_vectors, atol=1e-5, rtol=1e-4)
    assert summed.encoder.own_vectors.norm() < summed.encoder.item_vectors.norm()


def test_codes_and_start_share_one_counting(board, monkeypatch):
    calls = []
    whole = sequence.counted_vectors
    monkeypatch.setattr(sequence, "counted_vectors", lambda *given: calls.append(given) or whole(*given))
    build_objective("next-item", board, dim=8, start="co-occurrence", codes="both", size=4).begin(board, 0)
    assert len(calls) == 1
    build_objective("next-item", board, dim=8, start="random", codes="attributes", size=4).begin(board, 0)
    assert len(calls) == 1, "nothing that is not needed is counted"


def test_an_update_keeps_the_codes_and_takes_new_items_in(board):
    before = board.keep_events((board.items != 0) & (board.items != 19)).filter_counts()
    before = before.subset_items(list(range(1, 19)))
    model = rt.pretrain("next-item", before, codes="both", **HOW)
    found = update(model, before, board, epochs=2).feature_extractor
    torch.testing.assert_close(found.codes[1:19], model.feature_extractor.codes)
    assert (found.codes[[0, 19]] == -1).all()
    assert found.known.all()
    bare = rt.pretrain("next-item", before, codes="both", ids=False, **HOW)
    with pytest.raises(rt.InputError, match="ids=False has nothing to know a new item by"):
        update(bare, before, board, epochs=1)


@pytest.mark.parametrize("how", [{"loss": "bce"}, {"loss": "gbce", "negatives": 4}, {"sampled_softmax": 6}])
def test_every_loss_goes_with_codes(how, board):
    known = board.keep_events(board.items != 0)
    model = rt.pretrain("next-item", known, codes="both", **HOW | {"epochs": 20}, **how)
    assert model.history["loss"].iloc[-1] < model.history["loss"].iloc[0]


def test_bad_options(board):
    for how, message in (
        ({"codes": "word"}, "unknown codes 'word'"),
        ({"codes": "both", "as_new": 1.0}, "as_new=1.0"),
        ({"codes": "co-occurrence", "as_new": 0.1}, "codes that are counted say nothing of a new item"),
    ):
        with pytest.raises(rt.InputError, match=message):
            build_objective("next-item", board, dim=8, **how)
    with pytest.raises(rt.InputError, match=r"codes of shape \(7, 3\) up to 2: g was built for \(7, 3\) of 2"):
        CodedSequenceEncoder(7, 4, levels=3, size=2).set_codes(CODES)
