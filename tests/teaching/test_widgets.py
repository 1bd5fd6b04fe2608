import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial import widgets
from recsys_tutorial.studies import findings, read_journal
from recsys_tutorial.studies.map import unseen_share
from recsys_tutorial.teaching.widgets import MetricPanel, metric_playground_values, rate_films, recommend_from_ratings

ROOT = Path(__file__).resolve().parents[2]


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
    assert before.count("<li>") == 20
    panel.controls["Alien (1979)"].value = 5
    assert panel.answer.value != before
    for slider in panel.controls.values():
        slider.value = 0
    assert "nothing has 4 stars or more" in panel.answer.value
    assert "run this cell" in repr(panel)


def test_films_without_stars_begin_at_zero(recommender):
    assert [s.value for s in rate_films(recommender, ["Alien (1979)"]).controls.values()] == [0]


def test_the_playground_gives_what_a_hand_computes():
    """Hits at 1 and 4 of 5 places, 3 relevant: the third was not found."""
    best = 1 + 1 / math.log2(3) + 1 / 2
    assert metric_playground_values([4, 1], n=5, relevant=3) == pytest.approx(
        {
            "ndcg": (1 + 1 / math.log2(5)) / best, "recall": 2 / 3, "plain_recall": 2 / 3, "precision": 2 / 5,
            "hit_rate": 1, "mrr": 1, "map": (1 / 1 + 2 / 4) / 3,
        }
    )  # fmt: skip


def test_with_more_to_find_than_places_the_two_recalls_part():
    values = metric_playground_values([1, 2], n=2, relevant=8)
    assert (values["recall"], values["plain_recall"], values["ndcg"]) == (1, 0.25, 1)


@pytest.mark.parametrize("rank", [1, 2, 3, 10])
def test_one_hit_moved_along_the_list(rank):
    values = metric_playground_values([rank], n=10)
    assert values["ndcg"] == pytest.approx(1 / math.log2(rank + 1))
    assert values["mrr"] == values["map"] == pytest.approx(1 / rank)
    assert values["recall"] == values["plain_recall"] == values["hit_rate"] == 1
    assert values["precision"] == pytest.approx(0.1)


def test_a_hit_that_fell_off_the_list_is_worth_nothing():
    assert set(metric_playground_values([11], n=10).values()) == {0}
    assert set(metric_playground_values([], n=10, relevant=1).values()) == {0}


def test_the_playground_agrees_with_the_metrics_of_scores():
    scores, relevant = -np.arange(12.0)[None], np.zeros((1, 12))
    relevant[0, [1, 4, 11]] = 1
    values = metric_playground_values([2, 5, 12], n=10)
    assert values == {name: at_k(scores, relevant, 10)[0] for name, at_k in rt.metrics.RANKING_METRICS.items()}


@pytest.mark.parametrize(
    ("ranks", "n", "relevant", "says"),
    [
        ([0], 10, None, "rank=0: places are counted from 1"),
        ([1], 0, None, "n=0: places are counted from 1"),
        ([2, 3, 2], 10, None, "two hits at rank 2: a place holds one item, move one of them"),
        ([1, 2], 10, 1, "relevant=1: it needs to be at least 2, the hits among them"),
        ([], 10, None, "relevant=0: it needs to be at least 1"),
    ],
)
def test_an_impossible_list_is_refused(ranks, n, relevant, says):
    with pytest.raises(rt.InputError, match=says):
        metric_playground_values(ranks, n=n, relevant=relevant)


def test_the_metric_panel_follows_its_sliders_and_shows_errors():
    panel = MetricPanel(ranks=(1, 4), n=10, relevant=3)
    first, second, places, relevant = panel.controls.values()
    assert "<th>metric</th>" in panel.answer.value
    assert "map@10" in panel.answer.value
    assert "0.500" in panel.answer.value  # (1/1 + 2/4) / 3
    first.value = 2
    assert "0.333" in panel.answer.value  # (1/2 + 2/4) / 3
    places.value = 5
    assert "map@5" in panel.answer.value
    second.value = 2
    assert '<p role="alert">two hits at rank 2: a place holds one item, move one of them</p>' in panel.answer.value
    second.value, relevant.value = 3, 1
    assert "relevant=1" in panel.answer.value
    relevant.value = 2
    assert "<th>metric</th>" in panel.answer.value
    assert "run this cell" in repr(panel)


def test_every_slider_of_the_metric_panel_has_a_name_and_a_tooltip():
    sliders = MetricPanel().children[:-1]
    assert [slider.description for slider in sliders] == [
        "rank of hit 1", "rank of hit 2", "places in the list", "relevant items in all",
    ]  # fmt: skip
    assert all("arrow keys" in slider.tooltip for slider in sliders)


def test_a_metric_panel_refuses_what_its_sliders_cannot_show():
    with pytest.raises(rt.InputError, match="rank of hit 2=21: it needs to be between 1 and 20"):
        MetricPanel(ranks=(1, 21))


def test_a_slider_over_labels():
    rows = [("a", 30, 0.2), ("b", 30, 0.3), ("a", 100, 0.5), ("b", 100, 0.4)]
    summary = pd.DataFrame(rows, columns=["model", "labels", "value"]).assign(ci_low=0.1, ci_high=0.6)
    table = widgets.at_labels(summary, 30)
    assert table.values.tolist() == [["b", 0.3, "0.100 to 0.600"], ["a", 0.2, "0.100 to 0.600"]]
    with pytest.raises(rt.InputError, match="labels=50: the results are for 30, 100"):
        widgets.at_labels(summary, 50)
    panel = widgets.LabelPanel(summary)
    assert panel.answer.value.index("<td>b</td>") < panel.answer.value.index("<td>a</td>")
    panel.controls["labels"].value = 100
    assert panel.answer.value.index("<td>a</td>") < panel.answer.value.index("<td>b</td>")


def test_the_long_tail_panel_marks_the_head(tiny):
    panel = widgets.TailPanel(tiny)
    assert "The first 10% of the items, 1 of 3, hold 33% of the events" in panel.answer.value
    panel.controls["share"].value = 0.75
    assert "The first 75% of the items, 2 of 3, hold 67% of the events" in panel.answer.value


def test_the_reconstruction_panel_keeps_more_with_more_numbers():
    """Two tastes, one direction: it keeps 4 of the 5 · 4 · 0.6 · 0.4 = 4.8; a second keeps the last user."""
    rows = np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 1, 0]])
    panel = widgets.ReconstructionPanel(rows, user=2)
    assert "1 of 4 numbers keeps 83% of the spread; of the 2 items that the user has, 2" in panel.answer.value
    panel.controls["dim"].value = 2
    assert "2 of 4 numbers keeps 100% of the spread" in panel.answer.value
    assert (panel.controls["dim"].min, panel.controls["dim"].max) == (1, 4)


def test_the_map_panel_draws_the_chosen_objective(club):
    rng = np.random.default_rng(0)
    vectors = {name: rng.normal(size=(5, 3)) for name in ("denoising", "item2vec")}
    panel = widgets.MapPanel(vectors, club.catalogue, np.ones(5, bool))
    before = panel.answer.value
    assert "Films by denoising" in before
    panel.controls["objective"].value = "item2vec"
    assert "Films by item2vec" in panel.answer.value
    assert "data:image/png;base64," in panel.answer.value


def test_an_error_after_a_move_is_shown_and_one_at_the_start_is_raised():
    def divide(by):
        return [str(1 / by)]

    panel = widgets.Panel({"by": widgets.base.slider("by", 2, range(3))}, divide, "A slider")
    panel.controls["by"].value = 0
    assert '<p role="alert" class="panel-error">ZeroDivisionError: division by zero</p>' in panel.answer.value
    panel.controls["by"].value = 1
    assert "<li>1.0</li>" in panel.answer.value
    with pytest.raises(ZeroDivisionError):
        widgets.Panel({"by": widgets.base.slider("by", 0, range(3))}, divide, "A slider")


def test_a_panel_leaves_its_answer_where_no_kernel_runs(tiny, recommender):
    data, metadata = widgets.TailPanel(tiny)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "hold 33% of the events" in metadata["image/png"]["alt"]
    assert "run this cell" in data["text/plain"]
    data, metadata = rate_films(recommender, {"Alien (1979)": 5})._repr_mimebundle_()
    assert data["text/html"].count("<li>") == 5
    assert metadata == {}
    data, _ = rate_films(recommender, ["Alien (1979)"])._repr_mimebundle_()
    assert "nothing has 4 stars or more" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_picture_in_an_answer_has_its_text():
    plot = rt.plots.lines(pd.DataFrame({"a": [1, 2]}, pd.Index([1, 2], name="x")), 'A "quoted" <title>', "y")
    assert 'alt="A &quot;quoted&quot; &lt;title&gt;' in widgets.base.as_answer(plot)


@pytest.fixture(scope="module")
def found():
    """The stored map, read once."""
    return findings(pd.DataFrame(read_journal(ROOT / "docs/results/map.jsonl")[1]))


def test_the_advise_panel_shows_the_gain_after_the_bet(found):
    cases = {
        "a shop": {"data": "retailrocket", "task": "new-shelf", "shown": 1, "labels": 100},
        "films": {"data": "movielens-small", "task": "new-shelf", "shown": "all", "labels": 100},
    }
    panel = widgets.AdvisePanel(found, cases)
    assert "Unseen share 60%. No bet yet" in panel.answer.value
    assert "104%" not in panel.answer.value
    panel.controls["bet"].value = "helps"
    assert "was right: +104% over neighbours" in panel.answer.value
    panel.controls["name"].value = "films"
    assert "was wrong" in panel.answer.value
    with pytest.raises(rt.InputError, match=r"case 'all': .* names 6 cells of the map, and needs to name one"):
        widgets.AdvisePanel(found, {"all": {"data": "lastfm"}})


def test_the_unseen_panel_reads_more_with_more_labelled_users(movielens, found):
    task = rt.new_shelf(movielens.filter_counts(5, 5), seed=0)
    pool, test = task.take(np.arange(300)), task.take(np.arange(300, 671))
    panel = widgets.UnseenPanel(pool, test, found)
    alone = panel.answer.value
    panel.controls["labelled"].value = 300
    share = {n: unseen_share(pool.take(np.arange(n)), test.showing(8, seed=0)) for n in (1, 300)}
    assert f"Unseen share of all test users {share[1]:.0%}" in alone
    assert f"A raw head can read 8 of this user's 8 items. Unseen share of all test users {share[300]:.0%}" in (
        panel.answer.value.replace("&#x27;", "'")
    )
    panel.controls["shown"].value = 3
    assert "user&#x27;s 3 items" in panel.answer.value
    with pytest.raises(rt.InputError, match="labelled=301: it needs to be between 1 and 300, the users there are"):
        widgets.unseen_at(pool, test, rt.plots.cells(found), 301, 3)


def test_a_folded_table_opens_by_a_click_and_is_whole_without_html():
    folded = widgets.Folded(pd.DataFrame({"value": [0.25, 0.5]}, ["a", "b"]), "all <2> rows")
    assert folded._repr_html_().startswith("<details><summary>all &lt;2&gt; rows</summary><table")
    assert "<th>value</th>" in folded._repr_html_()
    assert repr(folded).splitlines() == ["all <2> rows", "   value", "a   0.25", "b   0.50"]
