"""Generative retrieval: what the search says, and that it learns."""

import itertools

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.learning.generative import CodesHead, GenerativeRetrieval

CODES = np.array([[0, 1, 2], [0, 1, 0], [2, 0, 1], [-1, -1, -1], [2, 2, 2], [1, 0, 0]])


def by_hand(head: CodesHead, z: torch.Tensor) -> torch.Tensor:
    """The sum of the logarithms of an item's codes, one item after the other."""
    found = torch.full((len(z), len(CODES)), -1e4)
    for item, codes in enumerate(torch.from_numpy(CODES)):
        if codes[0] >= 0:
            steps = [head.says(z, codes[:n].expand(len(z), n))[:, codes[n]] for n in range(3)]
            found[:, item] = sum(steps)
    return found


@pytest.fixture
def head() -> CodesHead:
    torch.manual_seed(0)
    return CodesHead(CODES, size=3, dim=8, beam=100)


def test_a_beam_as_wide_as_the_catalogue_is_the_product_of_the_softmaxes(head):
    z = torch.randn(4, 8)
    torch.testing.assert_close(head(z), by_hand(head, z))


def test_over_every_possible_code_the_probabilities_add_up_to_one():
    every = np.array(list(itertools.product(range(3), repeat=3)))
    head = CodesHead(every, size=3, dim=8, beam=27)
    torch.testing.assert_close(head(torch.randn(2, 8)).exp().sum(1), torch.ones(2))


@pytest.mark.parametrize("beam", [1, 2, 3])
def test_a_narrow_beam_finds_items_only_and_scores_them_as_they_are(beam, head):
    z, head.beam = torch.randn(50, 8), beam
    found, whole = head(z), by_hand(head, z)
    reached = found > -1e4
    assert (reached.sum(1) <= beam).all()
    assert (reached.sum(1) >= 1).all()
    assert not reached[:, 3].any(), "an item without codes is never said"
    torch.testing.assert_close(found[reached], whole[reached])
    best_start = head.says(z, torch.zeros(50, 0, dtype=torch.int64)).argmax(1)
    if beam == 1:  # greedy: what it says begins with the likeliest first code
        assert torch.equal(torch.from_numpy(CODES)[found.argmax(1), 0], best_start)


def test_items_with_the_same_codes_have_the_same_score():
    head = CodesHead(np.array([[0, 1], [0, 1], [1, 0]]), size=2, dim=4, beam=9)
    scores = head(torch.randn(3, 4))
    torch.testing.assert_close(scores[:, 0], scores[:, 1])
    assert torch.isfinite(scores).all()


def test_it_learns_and_can_be_evaluated(board):
    vectors = np.random.default_rng(0).normal(size=(20, 4)) + 4 * (np.arange(20) < 10)[:, None]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        objective = GenerativeRetrieval(
            rt.SequenceEncoder(20, 16, dropout=0.3), rt.SemanticIDs.fit(vectors, levels=2, size=5)
        )
    model = rt.pretrain(objective, board, epochs=60, learning_rate=0.01, batch_size=8)
    assert model.history["loss"].iloc[-1] < 0.9 * model.history["loss"].iloc[0]
    scores = model.score(rt.Batch.from_lists([[0, 1, 2], [10, 11, 12]]))
    assert scores[0, 3:10].mean() > scores[0, 10:].mean() + 1
    assert scores[1, 13:].mean() > scores[1, :10].mean() + 1
    found = rt.evaluate(model, rt.splits.leave_one_out(board), "hit_rate", 5)
    assert 0 < found["value"].item() <= 1
    assert rt.OBJECTIVES["next-item"] is not GenerativeRetrieval
    with pytest.raises(rt.InputError, match="cannot save g SequenceEncoder with h CodesHead"):
        rt.save_model("nowhere", model)
