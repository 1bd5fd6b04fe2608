"""Heads: votes of the nearest labelled users by hand, stacks as weighted sums, both saved and built again."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from recsys_tutorial.engine.heads import (
    NeighboursHead,
    StackHead,
    build_head,
    describe_head,
    linear_head,
    standard,
    votes,
)

Y = csr_array(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]))


def test_votes_by_hand():
    """The two nearest vote by their similarity; the third, further off, is not asked."""
    found = votes(np.array([[0.6, 0.2, 0.1]]), Y, k=2)
    np.testing.assert_allclose(found, [[0.75, 0.25, 0]], atol=1e-4)


def test_where_nobody_is_near_all_who_vote_count_alike():
    np.testing.assert_allclose(votes(np.array([[0.0, -0.3, -1.0]]), Y, k=3), [[1 / 3] * 3], atol=1e-6)


def test_a_head_of_neighbours_votes_by_cosine():
    z = np.array([[2.0, 0], [0, 3], [-1, 0]])
    head = NeighboursHead.of(z, Y, k=2)
    found = head(torch.tensor([[5.0, 0.0], [1.0, 1.0]])).numpy()
    np.testing.assert_allclose(found, [[1, 0, 0], [0.5, 0.5, 0]], atol=1e-4)


def test_a_stack_adds_up_what_its_parts_say_of_their_pieces():
    heads = [linear_head(np.eye(2), np.zeros(2)), linear_head(np.array([[1.0], [0.0]]), np.array([0.0, 2.0]))]
    found = StackHead(heads, [0.5, 2.0], standardised=False)(torch.tensor([[1.0, 3.0, 4.0]]))
    np.testing.assert_allclose(found.detach().numpy(), [[0.5 * 1 + 2 * 4, 0.5 * 3 + 2 * 2]])


def test_standardised_a_loud_part_is_no_louder():
    z = torch.tensor([[1.0, 2.0, 4.0]])
    loud, quiet = (linear_head(np.eye(3) * s, np.zeros(3)) for s in (1000.0, 1.0))
    one, two = (StackHead([head], [1.0], standardised=True)(z) for head in (loud, quiet))
    torch.testing.assert_close(one, two)
    assert abs(float(one.detach().mean())) < 1e-6
    torch.testing.assert_close(standard(torch.zeros(1, 3)), torch.zeros(1, 3))


def test_a_stack_with_rows_of_weights_goes_by_how_many_events_there_are():
    heads = [linear_head(np.eye(2), np.zeros(2)), linear_head(np.eye(2), np.zeros(2))]
    head = StackHead(heads, [[1, 0], [0, 1], [0.5, 0.5]], standardised=False, edges=(2, 6))
    z = torch.tensor([[1.0, 2.0, 10.0, 20.0, n] for n in (0, 1, 2, 5, 6, 90)])
    expected = [[1, 2], [1, 2], [10, 20], [10, 20], [5.5, 11], [5.5, 11]]
    np.testing.assert_allclose(head(z).detach().numpy(), expected)
    again = build_head(describe_head(head))
    again.load_state_dict(head.state_dict())
    torch.testing.assert_close(again(z), head(z))


@pytest.mark.parametrize("standardised", [True, False])
def test_a_head_described_and_built_again_scores_the_same(standardised):
    z = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    near = NeighboursHead.of(np.random.default_rng(0).random((3, 2)), Y, k=2)
    parts = [near, linear_head(torch.eye(3), torch.ones(3))]
    head = StackHead(parts, [0.3, 0.7], standardised)
    again = build_head(describe_head(head))
    again.load_state_dict(head.state_dict())
    torch.testing.assert_close(again(z), head(z))
    assert describe_head(None) is None
    assert build_head(None) is None
