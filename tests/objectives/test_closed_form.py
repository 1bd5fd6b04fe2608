"""Pretraining in closed form: linear is EASE, and reduced-rank regression with a dim; counting is PPMI and SVD."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array, random_array

import recsys_tutorial as rt
from recsys_tutorial.engine import sparse
from recsys_tutorial.engine.sparse import leading_directions, one_thread, products, without_copying
from recsys_tutorial.objectives.counting import mutual_information


@pytest.fixture(scope="module")
def some() -> rt.Interactions:
    rng = np.random.default_rng(0)
    taste = rng.random((3, 30)) ** 3
    table = rng.random((200, 30)) < taste[rng.integers(0, 3, 200)] * 0.6
    table[:, 0] |= ~table.any(1)
    user, item = np.nonzero(table)
    return rt.from_events(user, item, name="some")


def test_linear_at_full_rank_scores_as_ease_does(some):
    ease, linear = rt.EASE(20.0).fit(some), rt.pretrain("linear", some, regularisation=20.0)
    np.testing.assert_allclose(linear.score(some), ease.score(some), atol=1e-5)
    assert linear.feature_extractor.dim == some.n_items


@pytest.mark.parametrize("dim", [1, 5, 29])
def test_with_a_dim_it_is_the_best_map_of_that_rank(some, dim):
    """Reduced-rank regression: X B V Vᵀ with V the leading right singular vectors of X B."""
    wanted = rt.EASE().fit(some).score(some).astype(float)
    v = np.linalg.svd(wanted)[2][:dim].T
    best = np.linalg.norm(wanted - wanted @ v @ v.T)
    found = np.linalg.norm(wanted - rt.pretrain("linear", some, dim=dim).score(some))
    assert found == pytest.approx(best, rel=0.02, abs=1e-3)


@pytest.mark.parametrize("users", [200, 7])
def test_the_dropout_of_edlae_is_a_ridge_that_grows_with_the_items_count(some, users):
    """Against the paper's formula on dense float64 tables; 7 users are few for so many items."""
    x = some.matrix.toarray().astype(float)[:users]
    gram = x.T @ x
    p = np.linalg.inv(gram + np.diag(3.0 + 0.25 / 0.75 * np.diag(gram)))
    wanted = -p / np.diag(p)
    np.fill_diagonal(wanted, 0)
    found = without_copying(csr_array(x.astype(np.float32)), 3.0, 0.25).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_mutual_information_by_hand():
    """Users {0, 1}, {0, 1}, {2, 3}: a pair that meets, meets always; each meeting of two counts 1."""
    x = csr_array(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]], np.float32))
    found = mutual_information(x).toarray()
    counts = np.array([2, 2, 1, 1])
    context = counts**0.75 / (counts**0.75).sum()
    wanted = np.zeros((4, 4))
    for i, j in ((0, 1), (1, 0), (2, 3), (3, 2)):
        wanted[i, j] = np.log(1 / context[j])  # n_ij / n_i is 1
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_long_histories_are_no_louder():
    """An event of a user with three items meets two others, half each."""
    found = mutual_information(csr_array(np.array([[1, 1, 1, 0], [0, 0, 1, 1]], np.float32))).toarray()
    counts = np.array([1, 1, 2, 1])
    context = counts**0.75 / (counts**0.75).sum()
    assert found[0, 1] == pytest.approx(np.log(0.5 / context[1]))
    assert found[2, 3] == pytest.approx(np.log(1 / 2 / context[3]))


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_leading_directions_are_those_of_the_whole_decomposition(share):
    rng = np.random.default_rng(1)
    m = np.where(rng.random((60, 60)) < share, rng.random((60, 60)), 0).astype(np.float32)
    m[:, :3] += np.outer(rng.random(60), [5, 3, 2]).astype(np.float32) * (rng.random((60, 3)) < 0.9)
    forth, back = products(csr_array(m)), products(csr_array(m.T))
    found = leading_directions(lambda v: forth(back(v)), 60, 2, seed=0).numpy()
    u = np.linalg.svd(m.astype(float))[0][:, :2]
    np.testing.assert_allclose(np.abs(np.sum(found * u, 0)), 1, atol=1e-3)
    assert (found[np.abs(found).argmax(0), [0, 1]] > 0).all()


def test_counting_works_on_a_catalogue_too_large_to_be_squared():
    rng = np.random.default_rng(0)
    many = rt.from_events(np.repeat(np.arange(3000), 4), rng.integers(0, 10**5, 12000), duplicates="last")
    model = rt.pretrain("counting", many, dim=8)
    assert np.isfinite(model.encode(many)).all()


@pytest.mark.parametrize(("name", "options", "said"), [
    ("linear", {"regularisation": 0.0}, "regularisation=0.0: it needs to be above 0"),
    ("linear", {"dropout": 1.0}, "dropout=1.0"),
    ("linear", {"dim": 50}, "dim=50: 29 items have at most as many directions"),
    ("counting", {"dim": 50}, "dim=50: 29 items have at most as many directions"),
])  # fmt: skip
def test_what_cannot_be_is_refused(some, name, options, said):
    with pytest.raises(rt.InputError, match=said):
        rt.pretrain(name, some, **options)


@pytest.mark.parametrize("name", ["linear", "counting"])
def test_another_encoder_is_refused(name):
    with pytest.raises(rt.InputError, match="BagEncoder without hidden layers"):
        rt.OBJECTIVES[name](rt.BagEncoder(5, 4, activation="tanh"))


def test_the_memory_of_the_gram_matrix_counts(some, monkeypatch):
    from recsys_tutorial.learning import requirements

    monkeypatch.setattr(requirements.machine, "available_bytes", lambda device: 4 * 30 * 61)
    with pytest.raises(rt.InputError, match="solving for them"):
        rt.pretrain("linear", some)


def test_the_history_tells_the_loss_before_and_after(some):
    assert rt.pretrain("linear", some).history["epoch"].tolist() == [0, 1]
    assert torch.is_tensor(rt.pretrain("counting", some, dim=4).feature_extractor.item_vectors)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_where_users_are_few_the_products_are_those_of_the_whole_table(dropout, monkeypatch):
    x = (random_array((40, 100), density=0.1, rng=np.random.default_rng(0)) > 0).astype(np.float32).tocsr()
    b, v = without_copying(x, 3.0, dropout), torch.randn(100, 7, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(sparse, "without_copying", None)  # it is not asked
    times_b, times_b_t = sparse.times_without_copying(x, 3.0, dropout)
    torch.testing.assert_close(times_b(v), b @ v, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(times_b_t(v), b.T @ v, atol=1e-5, rtol=1e-4)


def test_one_thread_is_for_the_block_alone():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
