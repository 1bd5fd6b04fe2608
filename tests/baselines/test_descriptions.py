"""Items that nobody has yet: what is said of them, what a pretrained head expects of them, and how loud that may be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

import recsys_tutorial as rt
from recsys_tutorial.baselines import DescribedRidge, RawRidge
from recsys_tutorial.baselines.descriptions import described, expected_head, volumes
from recsys_tutorial.data.catalogue import Catalogue
from recsys_tutorial.engine.heads import linear_head
from recsys_tutorial.engine.ridge import RidgePath, ridge_head

TITLES = ("Alien", "Aliens of war", "A day", "Days")
KNOWN = Catalogue(np.arange(4), TITLES, (("Horror",), ("Horror",), ("Drama",), ("Drama",)))
NEW = Catalogue(np.arange(4, 6), ("Alien war", "Night"), (("Horror",), ("Drama",)))


def model_of(vectors: np.ndarray) -> rt.PretrainedModel:
    g = rt.BagEncoder(len(vectors), vectors.shape[1], activation="identity")
    return rt.PretrainedModel.compose(g, linear_head(vectors, np.zeros(len(vectors))), catalogue=KNOWN, outputs=KNOWN)


def test_descriptions_are_rows_of_length_1_and_meet_in_what_is_shared():
    known, new = (rows.toarray() for rows in described(KNOWN, NEW))
    np.testing.assert_allclose(np.linalg.norm(np.vstack([known, new]), axis=1), 1)
    alike = new @ known.T
    np.testing.assert_array_equal(alike > 0, [[True, True, False, False], [False, False, True, True]])
    assert alike[0, 0] == alike[0].max()  # "Alien war" and "Alien" share all that counts of the latter
    assert described(Catalogue(np.arange(3)), NEW.take(np.array([0]))) is None  # no two items share a word
    assert described(Catalogue(np.arange(2)), Catalogue(np.arange(2))) is None


def test_a_head_is_expected_to_treat_alike_what_is_described_alike():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    head = expected_head(model_of(vectors), NEW, strength=1e-3)
    assert head.shape == (2, 2)
    assert head[0, 0] > head[1, 0]
    assert head[1, 1] > head[0, 1]
    np.testing.assert_array_equal(expected_head(model_of(vectors), KNOWN), vectors.T)
    assert expected_head(model_of(vectors), None) is None
    assert expected_head(rt.PretrainedModel(4, 2, 3), NEW) is None


def test_a_ridge_goes_where_it_is_told_to_and_leaves_one_out_exactly():
    rng = np.random.default_rng(0)
    z, y, towards = rng.normal(size=(12, 5)), rng.normal(size=(12, 3)), rng.normal(size=(5, 3))
    path = RidgePath(z, y)
    np.testing.assert_allclose(path.solve(1e9, towards)[0], towards, atol=1e-6)
    np.testing.assert_allclose(path.solve(0.0, towards)[0], path.solve(0.0)[0], atol=1e-8)
    w, b = path.solve(0.7, towards)
    residual = RidgePath(z, y - z @ towards).solve(0.7)[0]
    np.testing.assert_allclose(w, towards + residual, atol=1e-10)
    rest = np.arange(1, 12)
    one = RidgePath(z[rest], y[rest])
    w, b = one.solve(0.7 * path.unit / one.unit, towards)
    np.testing.assert_allclose(path.leave_one_out(0.7, towards)[0], z[0] @ w + b, atol=1e-10)
    head = ridge_head(z, z @ towards, strengths=(1e6,), towards=[None, towards])
    np.testing.assert_allclose(head.weight.detach().numpy(), towards.T, atol=1e-4)


def test_volumes_go_up_from_0_and_with_the_root_of_the_frequency():
    rng = np.random.default_rng(0)
    y = csr_array(np.column_stack([np.ones(40), np.arange(40) % 4 == 0]).astype(float))
    found = volumes(rng.normal(size=(40, 2)), y)
    assert (found[0] == 0).all()
    assert (np.diff(np.stack(found), axis=0) > 0).all()
    assert found[1][0] / found[1][1] == pytest.approx(np.sqrt((1 + 1 / 40) / (0.25 + 1 / 40)))


@pytest.fixture(scope="module")
def shop() -> tuple[rt.RankingTask, rt.PretrainedModel]:
    """Two genres, users of one each; the shelf holds an item of each genre, and few labels hardly show which."""
    rng = np.random.default_rng(0)
    rows = [(user, 10 * (user % 2) + int(item)) for user in range(80) for item in rng.permutation(10)[:5]]
    genres = tuple(("odd" if item >= 10 else "even",) for item in range(20))
    behaviour = rt.from_events(*zip(*rows, strict=True), name="shop")
    behaviour = _with(behaviour, Catalogue(behaviour.item_ids, None, genres))
    wanted = rt.from_events(np.arange(80), 20 + np.arange(80) % 2)
    wanted = _with(wanted, Catalogue(wanted.item_ids, None, (("even",), ("odd",))))
    model = rt.pretrain("denoising", behaviour, epochs=30, dim=6, seed=0)
    return rt.RankingTask(behaviour, wanted, k=1), model


def _with(interactions: rt.Interactions, catalogue: Catalogue) -> rt.Interactions:
    from dataclasses import replace

    return replace(interactions, catalogue=catalogue)


def test_descriptions_serve_where_labels_say_nothing(shop):
    """All labelled users want the same item: only the descriptions tell the two groups apart."""
    task, model = shop
    few = task.take(np.arange(6))
    for fitted in (rt.finetune(model, few, "described", seed=0), DescribedRidge().fit(few)):
        assert np.nanmean(task.quality(fitted.score(task.behaviour))) == 1.0


def test_without_descriptions_both_are_what_they_were(shop):
    task, model = shop
    bare = rt.RankingTask(*(_with(one, Catalogue(one.item_ids)) for one in (task.behaviour, task.targets)), k=1)
    few = bare.take(np.arange(20))
    scores = [rt.finetune(model, few, strategy, seed=0).score(bare.behaviour) for strategy in ("wide", "described")]
    np.testing.assert_array_equal(*scores)
    scores = [rival().fit(few).score(bare.behaviour) for rival in (RawRidge, DescribedRidge)]
    np.testing.assert_allclose(*scores, atol=1e-5)
    with pytest.raises(rt.InputError, match="descriptions are of items: this task, classification, scores none"):
        DescribedRidge().fit(rt.ClassificationTask(bare.behaviour, np.arange(80) % 2))


def test_what_is_described_can_be_saved(shop, tmp_path):
    task, model = shop
    f = rt.finetune(model, task.take(np.arange(20)), "described", seed=0)
    rt.save_model(tmp_path, f)
    np.testing.assert_array_equal(rt.load_model(tmp_path).score(task.behaviour), f.score(task.behaviour))
    assert torch.equal(f.feature_extractor.parts[0].item_vectors, model.feature_extractor.item_vectors)
