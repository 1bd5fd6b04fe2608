"""g beside the items: a wide head is ridge regression on both, saved and loaded like any other g."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

import recsys_tutorial as rt
from recsys_tutorial.baselines.raw import item_coordinates
from recsys_tutorial.engine.sparse import unit_rows
from recsys_tutorial.learning.wide import beside


@pytest.fixture(scope="module")
def behaviour(movielens) -> rt.Interactions:
    return movielens.filter_counts(5, 30).binarise(4).take_users(np.arange(60))


@pytest.fixture(scope="module")
def g(behaviour):
    torch.manual_seed(0)
    return rt.BagEncoder(behaviour.n_items, 8)


def test_coordinates_keep_all_distances(behaviour):
    encoder, z = item_coordinates(behaviour)
    x = unit_rows(rt.Batch.of(behaviour), behaviour.n_items).toarray()
    np.testing.assert_allclose(z @ z.T, x @ x.T, atol=1e-5)  # x is float32
    with torch.no_grad():
        np.testing.assert_allclose(encoder(rt.Batch.of(behaviour)).numpy(), z, atol=1e-5)


def test_a_ridge_on_both_is_scikit_learns(behaviour, g):
    rng = np.random.default_rng(0)
    known, new = behaviour.take_users(np.arange(40)), behaviour.take_users(np.arange(40, 60))
    model = rt.PretrainedModel.compose(g, None, catalogue=behaviour.catalogue)
    both = beside(g, model.encode(known), known)
    wide = rt.PretrainedModel.compose(both, None, catalogue=behaviour.catalogue)
    y = rng.normal(size=40)
    ours = Ridge(0.7).fit(wide.encode(known), y).predict(wide.encode(new))

    def plain(part: rt.Interactions) -> np.ndarray:
        x = unit_rows(rt.Batch.of(part), part.n_items).toarray()
        return np.hstack([model.encode(part) * both.scales[0], x * both.scales[1]])

    np.testing.assert_allclose(ours, Ridge(0.7).fit(plain(known), y).predict(plain(new)), atol=1e-4)
    assert both.scales[0] * np.sqrt(model.encode(known).var(0).sum()) == pytest.approx(1, rel=1e-4)


def test_a_wide_model_is_saved_and_loaded(behaviour, g, tmp_path):
    model = rt.PretrainedModel.compose(g, None, catalogue=behaviour.catalogue)
    task = rt.ClassificationTask(behaviour, np.arange(60) % 2)
    f = rt.finetune(model, task, "wide")
    rt.save_model(tmp_path / "m", f)
    again = rt.load_model(tmp_path / "m", behaviour.catalogue)
    np.testing.assert_array_equal(f.score(behaviour), again.score(behaviour))
    for name, value in g.state_dict().items():
        assert torch.equal(value, f.feature_extractor.parts[0].state_dict()[name])
    assert sum(p.numel() for layer in f.feature_extractor.parameter_layers() for p in layer) == sum(
        p.numel() for p in f.feature_extractor.parameters()
    )
