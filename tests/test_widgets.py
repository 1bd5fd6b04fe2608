import pytest

import recsys_tutorial as rt
from recsys_tutorial.widgets import rate_films, recommend_from_ratings


@pytest.fixture(scope="module")
def recommender(movielens) -> rt.Recommender:
    return rt.Recommender(rt.pretrain("denoising", movielens.filter_counts(5, 30).binarise(4), epochs=40, dim=16))


def test_only_liked_films_count_and_seen_ones_are_left_out(recommender):
    liked = {"Toy Story (1995)": 5, "Alien (1979)": 0}
    plain = recommend_from_ratings(recommender, liked, k=5)
    best = plain["title"][0]
    without = recommend_from_ratings(recommender, liked | {best: 2}, k=5)
    assert best not in set(without["title"])
    assert without["title"].tolist()[:4] == plain["title"].tolist()[1:]
    assert without["rank"].tolist() == [1, 2, 3, 4, 5]


def test_without_a_liked_film_it_asks_for_one(recommender):
    with pytest.raises(rt.InputError, match="nothing has 4 stars or more: give them to a film you like"):
        recommend_from_ratings(recommender, {"Toy Story (1995)": 3})


def test_the_panel_follows_its_sliders(recommender):
    panel = rate_films(recommender, {"Toy Story (1995)": 5, "Alien (1979)": 0}, k=20)
    before = panel.answer.value
    assert "<th>title</th>" in before
    panel.sliders["Alien (1979)"].value = 5
    assert panel.answer.value != before
    for slider in panel.sliders.values():
        slider.value = 0
    assert "nothing has 4 stars or more" in panel.answer.value
    assert "run this cell" in repr(panel)


def test_films_without_stars_begin_at_zero(recommender):
    assert [s.value for s in rate_films(recommender, ["Alien (1979)"]).sliders.values()] == [0]
