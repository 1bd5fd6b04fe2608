"""Semantic IDs: codes that are distinct, used, the same on every machine, and that can be read."""

from itertools import permutations

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.encoders.semantic_ids import _part_collisions
from recsys_tutorial.encoders.words import attribute_vectors, tfidf


def clustered(n: int = 300, seed: int = 0) -> np.ndarray:
    """Vectors around ten centres, those of items 0, 10, 20 ... around the first."""
    rng = np.random.default_rng(seed)
    return 5 * rng.normal(size=(10, 6))[np.arange(n) % 10] + rng.normal(size=(n, 6))


def test_codes_by_hand():
    """Four corners of a long rectangle: the first code says left or right, the second up or down."""
    vectors = np.array([[0.0, 0.0], [0.0, 1.0], [10.0, 0.0], [10.0, 1.0], [0.0, 0.0]])
    ids = rt.SemanticIDs.fit(vectors, levels=2, size=2)
    codes = ids.codes
    assert codes[4].tolist() == [-1, -1], "a vector of zeros is none"
    assert codes[1, 0] != codes[2, 0] == codes[3, 0]
    ids = rt.SemanticIDs.fit(vectors + 1, levels=3, size=2)
    assert ids.codes[0, 0] == ids.codes[1, 0] != ids.codes[2, 0]
    assert ids.distinct == 1, "the two that are equal differ in the last code alone"
    assert ids.codes[0, :2].tolist() == ids.codes[4, :2].tolist()


def test_codes_are_distinct_and_used_and_their_sums_near_the_vectors():
    vectors = clustered()
    ids = rt.SemanticIDs.fit(vectors, size=16)
    assert ids.distinct == 1
    assert min(ids.use) == 1
    assert len(np.unique(ids.codes, axis=0)) == len(vectors)
    left = ((vectors - ids.vectors) ** 2).sum() / ((vectors - vectors.mean(0)) ** 2).sum()
    assert left < 0.1


def test_items_that_are_all_equal_get_different_codes_as_long_as_there_are_some():
    ids = rt.SemanticIDs.fit(np.ones((60, 3)), levels=3, size=4)
    assert ids.distinct == 1
    crowded = rt.SemanticIDs.fit(np.ones((60, 3)), levels=2, size=4)
    assert np.unique(crowded.codes, axis=0, return_counts=True)[1].max() == 4, "60 on 16: as evenly as can be"


def test_the_last_codes_of_items_that_collide_are_those_of_the_least_distance():
    """Three rows are nearest to the first of three centres; each way to part them is tried by hand."""
    rest, centres = np.array([[0.0], [0.2], [0.9]]), np.array([[0.0], [2.0], [-3.0]])
    codes = np.array([[7, 0], [7, 0], [7, 0]])
    _part_collisions(codes, rest, centres)
    cost = {way: sum((rest[i, 0] - centres[c, 0]) ** 2 for i, c in enumerate(way)) for way in permutations(range(3))}
    assert tuple(codes[:, 1]) == min(cost, key=cost.get)
    assert (codes[:, 0] == 7).all()


def test_one_and_two_threads_agree_and_the_seed_decides():
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(rt.SemanticIDs.fit(clustered(), size=16).codes)
    np.testing.assert_array_equal(*found)
    assert (rt.SemanticIDs.fit(clustered(), size=16, seed=5).codes != found[0]).any()


def test_they_can_be_read():
    vectors = np.vstack([clustered(), np.zeros(6)])
    ids = rt.SemanticIDs.fit(vectors, levels=3, size=10)
    near = ids.neighbours(20, 20)
    assert 20 not in near
    assert (near % 10 == 0).mean() > 0.9
    shared = (np.cumprod(ids.codes[near] == ids.codes[20], axis=1)).sum(1)
    assert (np.diff(shared) <= 0).all(), "the longest shared beginning first"
    assert ids.named(20) == " · ".join(map(str, ids.codes[20]))
    assert ids.named(300) == "none"
    assert not len(ids.neighbours(300))
    tree = ids.tree()
    assert sorted(np.concatenate(list(tree.values()))) == list(range(300))
    assert all((ids.codes[items, 0] == path[0]).all() for path, items in tree.items())
    assert len(ids.tree(3)) == 300
    drawn = next(iter(tree.values()))[:5]
    assert "tree of 3 levels over 5 items" in rt.drawings.codes_tree(ids.codes[drawn], [f"item {i}" for i in drawn]).alt


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (dict(vectors=np.zeros((3, 2))), "every vector is zero"),
        (dict(vectors=np.ones(3)), r"vectors of shape \(3,\)"),
        (dict(vectors=np.full((3, 2), np.nan)), "give finite numbers"),
        (dict(vectors=np.ones((3, 2)), size=0), "size=0"),
        (dict(vectors=np.ones((3, 2)), levels=0), "levels=0"),
    ],
)
def test_bad_input(how, message):
    with pytest.raises(rt.InputError, match=message):
        rt.SemanticIDs.fit(**how)


def test_what_is_said_of_items(club):
    table = tfidf(club).toarray()
    assert table.shape == (5, 2)  # Drama and Action are shared; no word of a title is, but the years differ
    np.testing.assert_allclose(np.linalg.norm(table, axis=1), [1, 1, 1, 1, 0])
    assert attribute_vectors(club).shape == (5, 2)
    with pytest.raises(rt.InputError, match="no two items of 'interactions' share a word"):
        tfidf(rt.from_events(["a"], ["b"]))
