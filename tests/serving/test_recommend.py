import numpy as np
import pytest
import torch
from torch import nn

import recsys_tutorial as rt


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
