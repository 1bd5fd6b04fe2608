import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

import recsys_tutorial as rt
from recsys_tutorial.baselines import PlainScratch
from recsys_tutorial.engine.sparse import binary_rows, gram


def test_popularity_counts_events(club):
    scores = rt.Popularity().fit(club).score(club)
    assert scores.shape == (club.n_users, club.n_items)
    for item in range(club.n_items):
        assert (scores[:, item] == (club.items == item).sum()).all()


def test_pca_equals_scikit_learns_up_to_sign(movielens):
    few = movielens.filter_counts(per_user=20, per_item=60)
    model = rt.pca(few, dim=5)
    x = normalize(few.binarise().matrix.toarray())
    oracle = PCA(5, svd_solver="full").fit(x)
    ours = model.encode(few)
    theirs = oracle.transform(x)
    np.testing.assert_allclose(ours, theirs * np.sign((ours * theirs).sum(0)), atol=1e-4)
    np.testing.assert_allclose(model.score(few), oracle.inverse_transform(theirs), atol=1e-4)


def test_pca_takes_fewer_directions_than_users_and_items(club):
    with pytest.raises(rt.InputError, match=r"dim=100: PCA of \d+ users and \d+ items needs dim < \d+"):
        rt.pca(club, dim=100)
    with pytest.raises(rt.InputError, match="dim=0"):
        rt.pca(club, dim=0)


def fitted_ials(data: rt.Interactions, **how: object) -> rt.IALS:
    pytest.importorskip("implicit", reason="implicit is not installed: pip install 'recsys-tutorial[bench]'")
    return rt.IALS(**({"factors": 8, "iterations": 3} | how)).fit(data)


def test_ials_folds_in_whoever_is_shown(movielens):
    few = movielens.filter_counts(per_user=20, per_item=60)
    model = fitted_ials(few, regularisation=2.0, alpha=5.0)
    scores = model.score(few)
    v = model.item_vectors.astype(float)
    for user in (0, 7):
        x = few.matrix.toarray()[user] > 0
        confidence = np.diag(np.where(x, 5.0, 1.0))
        u = np.linalg.solve(v.T @ confidence @ v + 2 * np.eye(8), v.T @ confidence @ x)
        np.testing.assert_allclose(scores[user], v @ u, atol=1e-5)
    assert not hasattr(model, "user_factors")
    nobody = model.score(rt.Batch.from_lists([[], [1, 1, 2], [2, 1]]))
    assert (nobody[0] == 0).all()
    np.testing.assert_allclose(nobody[1], nobody[2], atol=1e-6)  # which items, not how often and not in which order


def test_ials_is_the_same_at_a_seed_and_learns(movielens):
    few = movielens.filter_counts(per_user=20, per_item=60)
    scores = fitted_ials(few, seed=1).score(few)
    assert (fitted_ials(few, seed=1).score(few) == scores).all()
    assert (fitted_ials(few, seed=2).score(few) != scores).any()
    has = few.matrix.toarray() > 0
    assert scores[has].mean() > scores[~has].mean() + 0.2


def test_ials_says_what_it_needs(club, monkeypatch):
    with pytest.raises(rt.InputError, match=r"^regularisation=0: it needs to be above 0$"):
        rt.IALS(regularisation=0)
    with pytest.raises(rt.InputError, match=r"^alpha=nan: it needs to be above 0$"):
        rt.IALS(alpha=float("nan"))
    with pytest.raises(rt.InputError, match="factors=0"):
        rt.IALS(factors=0)
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(
        rt.InputError, match=r"^iALS needs the library implicit: pip install 'recsys-tutorial\[bench\]'$"
    ):
        rt.IALS().fit(club)


def test_gram_is_exact_with_and_without_mkl(movielens, monkeypatch, recwarn):
    rows = binary_rows(rt.Batch.of(movielens), movielens.n_items)[:, :500]
    wanted = rows.toarray().T @ rows.toarray() + 2.5 * np.eye(500, dtype=np.float32)
    assert (gram(rows, 2.5).numpy() == wanted).all()

    def missing(*_: object) -> None:
        raise RuntimeError("Calling addmm on a sparse CPU tensor requires compiling PyTorch with MKL")

    monkeypatch.setattr("recsys_tutorial.engine.sparse._to_torch", missing)
    assert (gram(rows, 2.5).numpy() == wanted).all()
    assert not recwarn.list


def test_neighbours_vote_for_what_their_likes_want():
    """Two groups: whoever is asked, only the own group's item has votes; with one neighbour it is that one's label."""
    users = [user for user in range(8) for _ in range(2)]
    items = [3 * (user % 2) + place for user in range(8) for place in (0, 1 + user % 4 // 2)]
    behaviour = rt.from_events(users, items)
    task = rt.RankingTask(behaviour, rt.from_events(range(8), [f"new {user % 2}" for user in range(8)]), k=1)
    scores = rt.Neighbours((1, 3)).fit(task).score(behaviour)
    assert (scores.argmax(1) == np.arange(8) % 2).all()
    numbers = rt.RegressionTask(behaviour, np.arange(8) % 2 + 1.0)
    np.testing.assert_allclose(rt.Neighbours((1,)).fit(numbers).score(behaviour)[:, 0], numbers.labels, atol=1e-5)


def test_the_label_mean_is_popularity_among_the_labelled(club):
    task = rt.RankingTask(club, club.binarise())
    scores = rt.LabelMean().fit(task).score(club)
    np.testing.assert_allclose(scores[0], club.events_per_item / club.n_users)
    assert (scores == scores[0]).all()


def test_plain_scratch_learns_and_takes_nothing_but_the_shape():
    group = np.arange(40) % 2
    users, items = np.repeat(np.arange(40), 4), [4 * (user % 2) + place for user in range(40) for place in range(4)]
    task = rt.RankingTask(rt.from_events(users, items), rt.from_events(range(40), [f"new {g}" for g in group]), k=1)
    first, second = (rt.BagEncoder(8, 6) for _ in range(2))  # of different random weights
    scores = [PlainScratch(g, epochs=40, seed=3).fit(task).score(task.behaviour) for g in (first, second)]
    np.testing.assert_array_equal(*scores)
    assert (scores[0].argmax(1) == group).all()
    assert (PlainScratch(first, epochs=40, seed=4).fit(task).score(task.behaviour) != scores[0]).any()
