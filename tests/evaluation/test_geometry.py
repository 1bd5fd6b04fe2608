"""Known answers: how many directions, who is near whom, how much genres overlap, and maps that keep neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score
from sklearn.neighbors import NearestNeighbors

import recsys_tutorial as rt
from recsys_tutorial.evaluation.geometry import (
    cosines,
    flat_map,
    genre_overlap,
    intrinsic_dimension,
    nearest,
)

# Items 0 and 1 point the same way, 2 half way to 3, 4 nowhere.
FIVE = np.array([[1.0, 0.0], [3.0, 0.1], [1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
GENRES = (("Drama",), ("Drama", "War"), ("War",), ("Comedy",), ())


def cloud(n: int = 60, dim: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim))


def test_intrinsic_dimension_by_hand():
    cross = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], float)
    assert intrinsic_dimension(cross) == pytest.approx(2)
    assert intrinsic_dimension(cross * [1, 0]) == pytest.approx(1)
    assert intrinsic_dimension(cross * [2, 1]) == pytest.approx(25 / 17)  # (4 + 1)² / (16 + 1)
    assert intrinsic_dimension(np.ones((3, 4))) == 0


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_intrinsic_dimension_knows_neither_place_nor_size_nor_axes(seed, size):
    rng = np.random.default_rng(seed)
    x, turn = rng.standard_normal((20, 4)), np.linalg.qr(rng.standard_normal((4, 4)))[0]
    found = intrinsic_dimension(x)
    assert 1 <= found <= 4
    assert intrinsic_dimension(size * x @ turn + 3) == pytest.approx(found)


def test_cosines_by_hand():
    found = cosines(FIVE, [0])[0]
    np.testing.assert_allclose(found, [1, 3 / np.sqrt(9.01), np.sqrt(0.5), 0, 0], atol=1e-12)


def test_nearest_by_hand():
    assert nearest(FIVE, 2, rows=[0, 3]).tolist() == [[1, 2], [2, 1]]
    assert nearest(FIVE, 1, rows=[0], among=np.array([True, False, True, True, True])).tolist() == [[2]]
    assert nearest(FIVE, 4, rows=[]).shape == (0, 4)


def test_nearest_is_scikit_learns(monkeypatch):
    monkeypatch.setattr("recsys_tutorial.evaluation.geometry._ROWS_AT_ONCE", 7)  # several pieces
    x = cloud()
    theirs = NearestNeighbors(n_neighbors=6, metric="cosine").fit(x).kneighbors(x, return_distance=False)[:, 1:]
    np.testing.assert_array_equal(nearest(x, 5), theirs)


def test_nearest_is_what_the_recommender_finds_similar(board):
    model = rt.pretrain("item2vec", board, epochs=5, dim=8)
    found = rt.Recommender(model).similar(3, k=5)["item"].tolist()
    vectors = model.feature_extractor.item_vectors.detach().numpy()
    assert found == board.item_ids[nearest(vectors, 5, rows=[3])[0]].tolist()


def test_genre_overlap_by_hand():
    found = genre_overlap(FIVE, GENRES, k=1)
    assert found.index.tolist() == [0, 1, 2, 3]  # item 4 has no genres
    assert found["nearest"].tolist() == [0.5, 0.5, 0.5, 0.0]
    np.testing.assert_allclose(found["random"], [0.5 / 3, 1 / 3, 0.5 / 3, 0])
    near_two = genre_overlap(FIVE, GENRES, k=2, rows=[0])
    assert near_two["nearest"].tolist() == [0.25]  # items 1 and 2: a half and nothing


def test_among_all_others_the_nearest_are_anyone():
    found = genre_overlap(FIVE, GENRES, k=3)
    np.testing.assert_allclose(found["nearest"], found["random"])


def test_items_outside_the_candidates_are_compared_with_all_of_them():
    """An item that nobody has is asked for its neighbours among those that somebody has."""
    among = np.array([False, True, True, True, True])
    found = genre_overlap(FIVE, GENRES, k=1, rows=[0, 4], among=among)
    assert found.index.tolist() == [0]
    np.testing.assert_allclose(found.to_numpy(), [[0.5, 0.5 / 3]])


def test_genre_overlap_is_scikit_learns_jaccard(monkeypatch):
    monkeypatch.setattr("recsys_tutorial.evaluation.geometry._ROWS_AT_ONCE", 7)
    rng, x = np.random.default_rng(1), cloud()
    table = rng.random((len(x), 4)) < 0.4
    table[:, 3] |= ~table.any(1)
    genres = [tuple(np.array(list("abcd"))[row]) for row in table]
    neighbours = nearest(x, 5)
    expected = [np.mean([jaccard_score(table[i], table[j]) for j in row]) for i, row in enumerate(neighbours)]
    np.testing.assert_allclose(genre_overlap(x, genres, 5)["nearest"], expected)


def test_vectors_that_say_nothing_find_what_chance_finds():
    """Over 400 items with random vectors and random genres both columns have one mean."""
    rng = np.random.default_rng(0)
    found = genre_overlap(cloud(400), [(str(n),) for n in rng.integers(0, 4, 400)])
    low, high = rt.uncertainty.bootstrap_interval(found["nearest"] - found["random"])[1:]
    assert low < 0 < high


@pytest.mark.parametrize("by", ["pca", "tsne"])
def test_a_map_keeps_two_groups_apart_and_is_drawn_the_same_again(by):
    x = cloud(40) * 0.1 + np.repeat([[5, 0, 0, 0, 0], [0, 5, 0, 0, 0]], 20, axis=0)
    points = flat_map(x, by)
    assert points.shape == (40, 2)
    assert (nearest_in_plane(points) // 20 == np.arange(40) // 20).all()
    np.testing.assert_array_equal(points, flat_map(x, by))


def nearest_in_plane(points: np.ndarray) -> np.ndarray:
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(1)


def test_the_map_of_pca_is_the_plane_that_keeps_most():
    unit = cloud() / np.linalg.norm(cloud(), axis=1, keepdims=True)
    best = np.linalg.eigvalsh(np.cov(unit.T, bias=True))[-2:].sum()
    assert flat_map(cloud()).var(0).sum() == pytest.approx(best)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nearest(FIVE, 5), "k=5: it needs to be a whole number between 1 and 4"),
        (lambda: nearest(FIVE, 0), "k=0"),
        (lambda: nearest(FIVE, 1, among=np.ones(2, bool)), r"among has shape \(2,\): it needs one value for each of 5"),
        (lambda: genre_overlap(FIVE, None), "needs the genres"),
        (lambda: genre_overlap(FIVE, [()] * 5), "needs the genres"),
        (lambda: flat_map(FIVE, "umap"), "unknown map 'umap'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(rt.InputError, match=message):
        call()
