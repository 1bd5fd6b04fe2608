import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import recsys_tutorial as rt


def random_batch(seed: int, users: int = 5, items: int = 7) -> rt.Batch:
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(items)[: rng.integers(0, items + 1)].tolist() for _ in range(users)]
    batch = rt.Batch.from_lists(rows)
    return rt.Batch(
        batch.items, batch.offsets, torch.tensor(rng.uniform(0.5, 5, len(batch.items)), dtype=torch.float32)
    )


@given(
    seed=st.integers(0, 10_000),
    weighting=st.sampled_from(["binary", "raw", "log"]),
    normalise=st.booleans(),
    hidden=st.sampled_from([(), (4,)]),
)
def test_dense_and_jagged_behaviour_give_the_same_vectors_and_gradients(seed, weighting, normalise, hidden):
    torch.manual_seed(seed)
    g = rt.BagEncoder(7, 3, hidden, weighting=weighting, normalise=normalise)
    batch = random_batch(seed)
    gradients = []
    outputs = []
    for behaviour in (batch, batch.dense(7)):
        g.zero_grad()
        outputs.append(g(behaviour))
        outputs[-1].square().sum().backward()
        gradients.append([p.grad.clone() for p in g.parameters()])
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=0)
    for jagged, dense in zip(*gradients, strict=True):
        torch.testing.assert_close(jagged, dense, atol=1e-5, rtol=1e-5)


def test_bag_encoder_by_hand():
    g = rt.BagEncoder(3, 2, activation="identity")
    with torch.no_grad():
        g.item_vectors.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]))
        g.bias.copy_(torch.tensor([0.5, -0.5]))
    vectors = g(rt.Batch.from_lists([[0, 1], [], [2]]))
    half = 2**-0.5  # two events, each divided by the length of (1, 1)
    torch.testing.assert_close(vectors, torch.tensor([[half + 0.5, half - 0.5], [0.5, -0.5], [2.5, 1.5]]))


def test_a_bag_ignores_order_and_counts_repeats():
    g = rt.BagEncoder(4, 3, normalise=False)
    torch.testing.assert_close(g(rt.Batch.from_lists([[0, 1, 2]])), g(rt.Batch.from_lists([[2, 0, 1]])))
    assert not torch.allclose(g(rt.Batch.from_lists([[0, 0]])), g(rt.Batch.from_lists([[0]])))


def test_the_articles_model_is_h_after_g():
    model = rt.PretrainedModel(input_dim=6, hidden_dim=4, output_dim=2)
    x = torch.rand(5, 6)
    assert model.feature_extractor(x).shape == (5, 4)
    assert model.decoder(model.feature_extractor(x)).shape == (5, 6)
    torch.testing.assert_close(model(x), model.classifier(model.feature_extractor(x)))


def test_the_articles_g_equals_two_linear_layers_with_relu():
    model = rt.PretrainedModel(6, 4, 2)
    g = model.feature_extractor
    first = nn.Linear(6, 4)
    with torch.no_grad():
        first.weight.copy_(g.item_vectors.T)
        first.bias.copy_(g.bias)
    x = torch.randn(5, 6)
    torch.testing.assert_close(g(x), nn.Sequential(first, nn.ReLU(), g.layers[1], nn.ReLU())(x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rt.PretrainedModel(6, 0, 2), r"hidden_dim=0: it needs to be a whole number of at least 1"),
        (lambda: rt.PretrainedModel(0, 4, 2), r"input_dim=0"),
        (lambda: rt.PretrainedModel(6, 4, 2.5), r"output_dim=2.5"),
        (lambda: rt.BagEncoder(6, True), r"dim=True"),
        (lambda: rt.BagEncoder(6, 4, activation="tanhh"), r"unknown activation 'tanhh': did you mean 'tanh'\?"),
        (
            lambda: rt.BagEncoder(6, 4, weighting="count"),
            r"unknown weighting 'count': choose from 'binary', 'raw', 'log'",
        ),
        (lambda: rt.BagEncoder(6, 4)(torch.zeros(2, 5)), r"behaviour has 5 items, g was built for 6"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(rt.InputError, match=message):
        make()


def test_score_works_in_batches_and_leaves_the_mode_alone(club):
    g = rt.BagEncoder(club.n_items, 3)
    model = rt.PretrainedModel.compose(g, nn.Linear(3, 2), catalogue=club.catalogue)
    model.train()
    np.testing.assert_allclose(model.score(club, batch_size=1), model.score(club), atol=1e-6)
    assert model.training
    assert model.encode(club).shape == (club.n_users, 3)


def test_score_refuses_another_catalogue(club):
    model = rt.PretrainedModel.compose(rt.BagEncoder(club.n_items, 3), nn.Linear(3, 2), catalogue=club.catalogue)
    other = rt.from_events(["a"], ["nowhere"], name="other")
    with pytest.raises(rt.InputError, match=r"'other' has another catalogue \(1 items, fingerprint"):
        model.score(other)
