import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

import recsys_tutorial as rt


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
