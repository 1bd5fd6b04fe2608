"""The index: exact where it looks everywhere, good where it does not, and open to new items."""

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.errors import InputError
from recsys_tutorial.serving.index import ItemIndex, as_queries
from recsys_tutorial.system import extras

pytestmark = pytest.mark.skipif(not extras.installed("index"), reason=extras.how_to_install("index"))


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """5,000 vectors of 16 numbers in 100 groups."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((100, 16))
    return (np.repeat(centres, 50, 0) + 0.5 * rng.standard_normal((5000, 16))).astype(np.float32)


def exact(vectors, queries, k) -> np.ndarray:
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]


def recall(found, truth) -> float:
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)])


def test_all_lists_give_the_exact_answer(vectors):
    index = ItemIndex(vectors, lists=20, probes=20)
    scores, items = index.search(vectors[:30], 10)
    assert (items == exact(vectors, vectors[:30], 10)).all()
    np.testing.assert_allclose(scores, np.take_along_axis(vectors[:30] @ vectors.T, items, 1), rtol=1e-4)


def test_more_probes_find_more(vectors):
    index, truth = ItemIndex(vectors, lists=100), exact(vectors, vectors[::50], 10)
    found = []
    for index.probes in (1, 8, 100):
        found.append(recall(index.search(vectors[::50], 10)[1], truth))
    assert found[0] < found[1] <= found[2] == 1.0
    assert found[1] > 0.95


def test_the_same_seed_gives_the_same_index(vectors):
    one, two = (ItemIndex(vectors, lists=50, probes=2, seed=3).search(vectors[:50], 10)[1] for _ in range(2))
    assert (one == two).all()


def test_inner_products_are_the_scores_of_f(club):
    model = rt.pretrain("denoising", club, seed=0, epochs=2, dim=4)
    with torch.no_grad():
        model.classifier.bias.add_(torch.arange(5.0))
    scores, items = ItemIndex.of_head(model).search(as_queries(model.encode(club)), 5)
    np.testing.assert_allclose(scores, np.take_along_axis(model.score(club), items, 1), atol=1e-5)


def test_a_new_item_is_found_at_once(vectors):
    index = ItemIndex(vectors, lists=20)
    assert index.add(5 * vectors[:2]).tolist() == [5000, 5001]
    assert len(index) == 5002
    assert index.search(vectors[:2], 1)[1].ravel().tolist() == [5000, 5001]


def test_too_few_in_the_probed_lists_are_marked(vectors):
    assert ItemIndex(vectors[:3]).search(vectors[:1], 5)[1][0, 3:].tolist() == [-1, -1]


def test_bad_input(vectors, club):
    with pytest.raises(InputError, match="an index needs"):
        ItemIndex(np.zeros((0, 3)))
    with pytest.raises(InputError, match="probes=0"):
        ItemIndex(vectors, probes=0)
    headless = rt.PretrainedModel.compose(rt.BagEncoder(3, 2), None)
    with pytest.raises(InputError, match="no head that scores items"):
        ItemIndex.of_head(headless)
