import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial.serving import recommend as serving


@pytest.fixture
def recommender() -> rt.Recommender:
    """Scores known by hand: item j scores j for everyone, plus 10 for the items in the same half as a liked one."""
    titles = {1: "Alpha (2001)", 2: "Beta, The (2002)", 3: "Gamma (2003)", 4: "Delta (2004)"}
    catalogue = rt.from_events([0, 0, 0, 0], [1, 2, 3, 4], titles=titles).catalogue
    g = rt.BagEncoder(4, 2, activation="identity", normalise=False)
    h = nn.Linear(2, 4)
    with torch.no_grad():
        g.item_vectors.copy_(torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]]))
        h.weight.copy_(10 * torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]]))
        h.bias.copy_(torch.arange(4.0))
    return rt.Recommender(rt.PretrainedModel.compose(g, h, catalogue=catalogue, outputs=catalogue))


def test_by_hand(recommender):
    found = recommender.recommend(["Alpha (2001)"], k=3)
    assert found["title"].tolist() == ["Beta, The (2002)", "Delta (2004)", "Gamma (2003)"]
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["item"].tolist() == [2, 4, 3]
    assert found["score"].tolist() == [11, 3, 2]


@pytest.mark.parametrize("liked", [["Alpha (2001)"], ["alpha"], [1], ["1"], [np.int64(1)]])
def test_titles_ids_and_lazy_spelling_mean_the_same(recommender, liked):
    assert recommender.recommend(liked, k=1)["item"].tolist() == [2]


def test_the_article_may_stand_in_front(recommender):
    assert recommender.recommend(["the beta"], k=1)["item"].tolist() == [1]


def test_what_was_named_is_left_out(recommender):
    assert set(recommender.recommend([1, 3], k=2)["item"]) == {2, 4}


def test_save_and_load(recommender, tmp_path):
    recommender.save(tmp_path)
    loaded = rt.Recommender.load(tmp_path)
    assert loaded.recommend([1], k=3).equals(recommender.recommend([1], k=3))


def test_similar(recommender):
    assert recommender.similar("Alpha (2001)", k=1)["item"].tolist() == [2]
    assert recommender.similar(3, k=1, among=np.array([True, True, True, False]))["item"].tolist() == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.recommend(["Alhpa"]), r"unknown item 'Alhpa': did you mean 'Alpha \(2001\)'"),
        (lambda r: r.recommend(["zzzzzz"]), r"unknown item 'zzzzzz': no title is near it"),
        (lambda r: r.recommend([9]), r"unknown item 9"),
        (lambda r: r.recommend([]), r"no items: name at least one that the person likes"),
        (lambda r: r.recommend("Alpha (2001)"), r"items is one text, 'Alpha \(2001\)': give a list"),
        (lambda r: r.recommend([1], k=4), r"k=4: .* between 1 and 3, the number of items to choose from"),
        (lambda r: r.recommend([1], k=0), r"k=0"),
        (lambda r: r.recommend([1], weights=[1, 2]), r"2 weights for 1 items: give one per item"),
        (lambda r: r.similar(1, among=np.ones(2)), r"among has shape \(2,\): it needs one value for each of 4 items"),
    ],
)
def test_bad_input(recommender, call, message):
    with pytest.raises(rt.InputError, match=message):
        call(recommender)


def test_a_model_without_items_cannot_recommend():
    with pytest.raises(rt.InputError, match="this model cannot recommend: it needs a catalogue and a head"):
        rt.Recommender(rt.PretrainedModel(4, 3, 2))


# ---- everyone at once ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd() -> tuple[rt.Recommender, rt.Interactions]:
    """A trained model, and 70 users who did one thing and more, one of them all but two of the items."""
    rng = np.random.default_rng(0)
    rows = [(u, i) for u in range(70) for i in rng.permutation(40)[: 38 if u == 5 else rng.integers(1, 9)]]
    rows += [(70, i) for i in range(40)]
    x = rt.from_events(*map(list, zip(*rows, strict=True)), name="crowd")
    return rt.Recommender(rt.pretrain("denoising", x, epochs=3, dim=8, progress=False)), x


@pytest.mark.parametrize("at_once", [1, 7, 512])
def test_everyones_list_is_the_one_that_each_would_get(crowd, at_once, monkeypatch):
    recommender, x = crowd
    monkeypatch.setattr(serving, "AT_ONCE", at_once)
    found = pd.concat(recommender.recommend_many(x, k=4))
    assert list(found) == ["user", "rank", "item", "title", "score"]
    for user, alone in enumerate(x.user_ids.tolist()):
        had = x.item_ids[x.items[x.offsets[user] : x.offsets[user + 1]]].tolist()
        mine = found[found["user"] == alone].drop(columns="user").reset_index(drop=True)
        left = min(4, 40 - len(had))  # shorter where fewer are left, and nobody is asked to have none
        if left:
            expected = recommender.recommend(had, k=left)
            assert mine["item"].tolist() == expected["item"].tolist()
            assert mine["score"].tolist() == expected["score"].tolist()
        assert len(mine) == left


def test_known_items_and_the_items_to_choose_from(crowd):
    recommender, x = crowd
    few = np.isin(recommender.outputs.ids, [3, 4, 5])
    found = pd.concat(recommender.recommend_many(x, k=3, include_known=True, among=few))
    assert found.groupby("user")["item"].agg(set).tolist() == [{3, 4, 5}] * x.n_users
    assert set(pd.concat(recommender.recommend_many(x, k=3, among=few))["item"]) == {3, 4, 5}
    assert recommender.recommend([7], k=3, among=few)["item"].isin([3, 4, 5]).all()
    with pytest.raises(rt.InputError, match="k=4: it needs to be a whole number between 1 and 3"):
        next(recommender.recommend_many(x, k=4, among=few))


def test_users_of_other_items_are_refused(crowd, tiny):
    with pytest.raises(rt.InputError, match="'tiny' has another catalogue"):
        next(crowd[0].recommend_many(tiny, k=2))


def test_why_an_item_is_recommended_by_hand(recommender):
    """Of two liked items in the first half, each adds 10 to the other ones there, and nothing to the second half."""
    found = recommender.explain([1, 3], [2, 4])
    assert found["title"].tolist() == ["Beta, The (2002)"] * 2 + ["Delta (2004)"] * 2
    assert found["because"].tolist() == [1, 3, 3, 1]  # the larger first
    np.testing.assert_allclose(found["adds"], [10, 0, 10, 0])
    assert recommender.explain([1], [2, 4])["adds"].tolist() == [10, 0]  # beside what is said of nobody
    assert recommender.explain([1, 3, 1], [2])["because"].tolist() == [1, 3], "named twice, left out twice"


def test_what_items_add_adds_up_where_all_is_linear(crowd):
    recommender, _ = crowd
    liked = [3, 7, 30]
    listed = recommender.recommend(liked, k=5)
    found = recommender.explain(liked, listed["item"].tolist())
    nobody = recommender.model.score(rt.Batch.from_lists([[]]))[0]
    adds = found.groupby("item", sort=False)["adds"].sum().to_numpy()
    np.testing.assert_allclose(adds + nobody[listed["item"]], listed["score"], rtol=1e-4, atol=1e-6)
