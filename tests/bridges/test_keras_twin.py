import numpy as np
import pytest
import torch
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial.system import extras

if not extras.installed("tensorflow"):
    pytest.skip(extras.how_to_install("tensorflow"), allow_module_level=True)

from recsys_tutorial.bridges.keras_twin import from_keras, keras, padded, to_keras


def model_of(club, **options) -> rt.PretrainedModel:
    torch.manual_seed(0)
    g = rt.BagEncoder(club.n_items, 4, **options)
    return rt.PretrainedModel.compose(g, nn.Linear(4, club.n_items), catalogue=club.catalogue, outputs=club.catalogue)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"hidden": [6, 5], "activation": "relu"}, {"weighting": "log"}, {"weighting": "raw", "normalise": False},
        {"activation": "identity", "normalise": False},
    ],
)  # fmt: skip
def test_the_twin_gives_the_same_outputs(club, options):
    model = model_of(club, **options)
    behaviour = rt.Batch.of(club).keep(torch.arange(club.n_events) != 9)  # dee is left without events
    np.testing.assert_allclose(to_keras(model)(padded(behaviour)).numpy(), model.score(behaviour), atol=1e-5)


def test_one_training_step_from_the_same_start_ends_at_the_same_weights(club):
    model = model_of(club, hidden=[6])
    twin, behaviour = to_keras(model), rt.Batch.of(club)
    labels = torch.arange(club.n_users) % club.n_items
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    nn.functional.cross_entropy(model(behaviour), labels).backward()
    optimizer.step()
    loss = keras().losses.SparseCategoricalCrossentropy(from_logits=True)
    twin.compile(keras().optimizers.SGD(0.1), loss)
    twin.train_on_batch(padded(behaviour), labels.numpy())
    other = from_keras(twin, model_of(club, hidden=[6]))
    for (name, ours), theirs in zip(model.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0, msg=name)
    assert not torch.equal(other.classifier.weight, model_of(club, hidden=[6]).classifier.weight)


def test_weights_go_there_and_back_unchanged(club):
    model, other = model_of(club), model_of(club)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    from_keras(to_keras(model), other)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_pretrained_model_recommends_the_same_through_keras(club):
    model = rt.pretrain("variational", club, epochs=2, dim=4, progress=False)
    np.testing.assert_allclose(to_keras(model)(padded(club)).numpy(), model.score(club), atol=1e-5)


def test_what_does_not_fit_is_refused(club):
    with pytest.raises(rt.InputError, match="g SequenceEncoder with h Linear: Keras takes a BagEncoder"):
        to_keras(rt.pretrain("next-item", club, epochs=1, dim=4, progress=False))
    with pytest.raises(rt.InputError, match="another model's twin"):
        from_keras(to_keras(model_of(club)), model_of(club.subset_items(club.item_ids < 50)))
