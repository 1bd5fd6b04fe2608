"""Feature extractors: what each may see, what it costs, and hand-made cases."""

import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.encoders import BagEncoder, SequenceEncoder

ENCODERS = {encoder.__name__: encoder for encoder in (BagEncoder, SequenceEncoder)}
SMALL = {"BagEncoder": {"dim": 4, "hidden": (3,)}, "SequenceEncoder": {"dim": 4, "layers": 2, "max_length": 5}}
ODD = rt.Batch.from_lists([[0, 1, 2], [], [3], [4, 4, 4], list(range(7))])


@pytest.mark.parametrize("name", sorted(ENCODERS))
class TestEveryEncoder:
    def test_odd_users_get_finite_vectors_of_the_promised_shape(self, name):
        g = ENCODERS[name](7, **SMALL[name])
        assert g(ODD).shape == (5, g.dim)
        assert torch.isfinite(g(ODD)).all()

    def test_its_config_builds_the_same_shape(self, name):
        g = ENCODERS[name](7, **SMALL[name])
        again = type(g)(**g.config)
        assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in g.state_dict().items()}

    def test_the_layers_hold_every_parameter_once(self, name):
        g = ENCODERS[name](7, **SMALL[name])
        held = [id(parameter) for layer in g.parameter_layers() for parameter in layer]
        assert sorted(held) == sorted(map(id, g.parameters()))
        assert id(g.item_vectors) in map(id, g.parameter_layers()[0])

    def test_its_cost(self, name):
        g = ENCODERS[name](7, **SMALL[name])
        assert g.cost(5).parameters == sum(parameter.numel() for parameter in g.parameters())
        assert g.cost(5).flops > g.cost(2).flops > 0

    def test_a_user_is_read_alike_alone_and_in_company(self, name):
        g = ENCODERS[name](7, **SMALL[name]).eval()
        alone = torch.cat([g(ODD.take(torch.tensor([row]))) for row in range(len(ODD))])
        torch.testing.assert_close(g(ODD), alone, atol=1e-6, rtol=1e-5)


def test_the_cost_by_hand():
    bag = rt.BagEncoder(10, dim=4, hidden=(3,))
    assert bag.cost(6) == (10 * 3 + 3 + 3 * 4 + 4, 2 * (6 * 3 + 3 * 4), None)
    sequence = rt.SequenceEncoder(10, dim=4, layers=2, max_length=5)
    assert sequence.cost(3)[1:] == (2 * (16 * 3 * 16 + 4 * 9 * 4), 5)
    assert sequence.cost(50).flops == sequence.cost(5).flops, "it reads no more than max_length"


def test_a_causal_encoder_sees_no_later_event():
    g = rt.SequenceEncoder(9, dim=8).eval()
    first, other = rt.Batch.from_lists([[0, 1, 2, 3]]), rt.Batch.from_lists([[0, 1, 7, 8]])
    torch.testing.assert_close(g.states(first)[:2], g.states(other)[:2])
    assert not torch.allclose(g.states(first)[2:], g.states(other)[2:], atol=1e-3)


def test_an_encoder_that_is_not_causal_sees_both_ways_but_no_masked_item():
    g = rt.SequenceEncoder(9, dim=8, causal=False).eval()
    masked = torch.tensor([False, True, False, False])
    told = g.states(rt.Batch.from_lists([[0, 1, 2, 3]]), masked)
    torch.testing.assert_close(told, g.states(rt.Batch.from_lists([[0, 7, 2, 3]]), masked))
    assert not torch.allclose(told[1], g.states(rt.Batch.from_lists([[0, 1, 2, 8]]), masked)[1], atol=1e-3)


def test_the_vector_of_a_user_is_the_state_at_the_end():
    causal = rt.SequenceEncoder(9, dim=8, max_length=3).eval()
    batch = rt.Batch.from_lists([[5, 0, 1, 2], [3]])
    torch.testing.assert_close(causal(batch)[0], causal.states(rt.Batch.from_lists([[0, 1, 2]]))[2])
    torch.testing.assert_close(causal(batch)[1], causal.states(rt.Batch.from_lists([[3]]))[0])
    both = rt.SequenceEncoder(9, dim=8, max_length=3, causal=False).eval()
    asked = both.states(rt.Batch.from_lists([[0, 1, 2, 6]]), torch.tensor([False, False, False, True]))
    torch.testing.assert_close(both(batch)[0], asked[3])


def test_order_matters_to_a_sequence_encoder():
    g = rt.SequenceEncoder(9, dim=8).eval()
    forth, back = g(rt.Batch.from_lists([[0, 1, 2], [2, 1, 0]]))
    assert not torch.allclose(forth, back, atol=1e-2)


def test_users_without_events():
    empty = rt.Batch.from_lists([[], []])
    assert not rt.SequenceEncoder(9, dim=8).eval()(empty).any()
    one, two = rt.SequenceEncoder(9, dim=8, causal=False).eval()(empty)
    torch.testing.assert_close(one, two)
    assert one.norm().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(n_items=0), "n_items=0"),
        (dict(n_items=3, dim=5, heads=2), "dim=5, heads=2: dim needs to be a multiple of heads"),
        (dict(n_items=3, dropout=1.0), "dropout=1.0: it needs to be at least 0 and below 1"),
        (dict(n_items=3, max_length=0), "max_length=0"),
    ],
)
def test_bad_sizes_of_a_sequence_encoder(arguments, message):
    with pytest.raises(rt.InputError, match=message):
        rt.SequenceEncoder(**arguments)


def test_the_output_activation_of_a_bag():
    g = rt.BagEncoder(5, 3, (4,), "relu", output_activation="identity")
    assert type(g.layers[-1]).__name__ == "Identity"
    with pytest.raises(rt.InputError, match="unknown activation 'tan'"):
        rt.BagEncoder(5, 3, output_activation="tan")
