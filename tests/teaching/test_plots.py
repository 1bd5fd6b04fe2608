"""Every figure: a Plot with labelled axes, a text with numbers that stands in for it, and a picture."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors

import recsys_tutorial as rt
from recsys_tutorial import plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def interactions():
    """Five users and six films with genres; film 1 is the most popular."""
    user = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5]
    item = [1, 2, 3, 1, 2, 4, 1, 5, 1, 6, 1]
    genres = {i: ("Drama",) if i % 2 else ("Comedy", "Drama") for i in range(1, 6)}
    return rt.from_events(user, item, titles={i: f"Film {i}" for i in range(1, 7)}, genres=genres)


@pytest.fixture(scope="module")
def made(interactions):
    """One plot of every function, by the function's name."""
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [9.0, 7.0, 6.0], "validation": [9.0, 8.0, 8.5]})
    summary = pd.DataFrame(
        {
            "model": ["a", "a", "b", "b"], "labels": [30, 100, 30, 100], "metric": "ndcg", "k": 20,
            "value": [0.1, 0.2, 0.3, 0.4], "ci_low": [0.0, 0.1, 0.2, 0.3], "ci_high": [0.2, 0.3, 0.4, 0.5],
        }
    )  # fmt: skip
    gains = pd.DataFrame({"model": ["a minus b"], "labels": [30], "value": [0.1], "ci_low": [0.05], "ci_high": [0.2]})
    table = pd.DataFrame([[np.nan, 3.8], [1.4, np.nan]], ["Alien", "Aliens"], ["Alien", "Aliens"])
    points = pd.DataFrame(
        {"first": [0.0, 0.0, 1.0], "second": [0.0, 0.0, 2.0], "group": ["p", "p", "q"]}, ["Ann", "Bob", "Cem"]
    )
    evaluated = pd.DataFrame(
        {
            "model": ["popularity", "ease"] * 3, "protocol": ["random (targets 20%)"] * 4 + ["leave-one-out"] * 2,
            "metric": "ndcg", "k": [10, 10, 20, 20, 10, 10], "value": [0.1, 0.3, 0.2, 0.4, 0.05, 0.06],
            "ci_low": [0.05, 0.25, 0.15, 0.35, 0.0, 0.01], "ci_high": [0.15, 0.35, 0.25, 0.45, 0.1, 0.11],
        }
    )  # fmt: skip
    by_rank = pd.DataFrame({"hit_rate": [1.0, 1.0, 0.0], "mrr": [1.0, 0.5, 0.0]}, pd.Index([1, 2, 3], name="rank"))
    measured = pd.DataFrame({"metric": ["fast", "slow", "free"], "value": [1.0, 4.0, 2.0], "low": [0.9, 3.0, 1.0],
                             "high": [1.1, 5.0, 3.0], "bar": [2.0, 2.0, np.nan]})  # fmt: skip
    kernels = pd.DataFrame({"name": ["product", "copy"], "flops": [1e9, 1e6], "bytes": [1e7, 1e8], "seconds": [1, 2]})
    doubled = pd.DataFrame({"axis": ["a", "a", "b", "b"], "size": [10, 20, 5, 10], "value": [1.0, 2.0, 3.0, 3.3]})
    fitted = pd.DataFrame({"axis": ["a", "b"], "value": [1.0, 0.14]})
    spent = pd.DataFrame({"data": "films", "model": ["ease", "mine", "mine"], "seconds": [2.0, 1.0, 4.0],
                          "value": [0.3, 0.2, 0.4], "ours": [False, True, True]})  # fmt: skip
    raced = pd.DataFrame({"metric": "race", "row": ["ease", "ials", "serve"], "peer": ["a", "b", "c"], "data": "films",
                          "value": [0.5, 1.5, None]})  # fmt: skip
    cell = {"data": "films", "task": "new-shelf", "attribute": "", "shown": "all", "verdict": "undecided"}
    gained = {"metric": "gain_without_pretraining", "value": 0.1, "ci_low": -0.1, "ci_high": 0.3, "relative": 0.5,
              "rival": "scratch"}  # fmt: skip
    mapped = pd.DataFrame([
        {**cell, "labels": n, **row} for n in (30, 100, 300)
        for row in (gained, {"metric": "unseen_share", "value": 1 / n})
    ])  # fmt: skip
    vectors = np.random.default_rng(0).standard_normal((interactions.n_items, 4))
    return {
        "long_tail": plots.long_tail(interactions),
        "reconstruction": plots.reconstruction(interactions.matrix.toarray(), 2),
        "training": plots.training(history),
        "label_efficiency": plots.label_efficiency(summary),
        "differences": plots.differences(gains),
        "bars": plots.bars({"popularity": 0.1, "mine": 0.25}, "Quality", "NDCG@20", errors=[0.01, 0.02]),
        "item_map": plots.item_map(vectors, interactions.catalogue, np.ones(6, bool), named=["Film 2"]),
        "domains": plots.domains(
            pd.DataFrame({"domain": ["films", "news"], "model": "ease", "mean": [0.2, 0.1], "spread": [0.02, 0.01]})
        ),
        "item_maps": plots.item_maps({"a": vectors, "b": -vectors}, interactions.catalogue, np.ones(6, bool)),
        "curves": plots.curves(summary, "Quality", "labels", "NDCG@20"),
        "heat": plots.heat(table, "Lift", "film B", "film A"),
        "plane": plots.plane(points, "Where they lie"),
        "evaluation": plots.evaluation(evaluated),
        "benchmark": plots.benchmark(measured),
        "roofline": plots.roofline(kernels, 1e11, 1e10),
        "growth": plots.growth(doubled, fitted, "seconds"),
        "pareto": plots.pareto(spent),
        "race": plots.race(raced),
        "lines": plots.lines(by_rank, "One hit", "value"),
        "forest": plots.forest(mapped),
        "case": plots.case(plots.cells(mapped).iloc[0], "helps"),
        "unseen": plots.unseen(["Alien", "Aliens"], [True, False], 0.05, plots.cells(mapped)),
        "gain_against_unseen_share": plots.gain_against_unseen_share(mapped),
        "simulated_few_labels": plots.simulated_few_labels(summary.assign(dim=4, theory=summary["value"])),
    }


FIGURES = sorted(
    name
    for name, function in inspect.getmembers(plots, inspect.isfunction)
    if function.__module__.startswith(plots.__name__) and inspect.signature(function).return_annotation == "Plot"
)


def test_every_figure_is_tested(made):
    assert sorted(made) == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_title_labelled_axes_a_text_with_a_number_and_a_picture(made, name):
    plot = made[name]
    assert isinstance(plot, plots.Plot)
    assert plot.figure.axes
    for axes in plot.figure.axes:
        assert axes.get_title()
        assert axes.get_xlabel()
        words = [label.get_text() for label in axes.get_yticklabels() if re.search("[a-z]", label.get_text())]
        assert axes.get_ylabel() or words, "the vertical axis has neither a label nor names"
    assert re.search(r"\d", plot.alt), plot.alt
    assert len(plot.alt) > 30
    assert plot.png().startswith(PNG)
    assert len(plot.png()) > 2_000


@pytest.mark.parametrize("name", FIGURES)
def test_a_notebook_stores_the_picture_with_its_text(made, name):
    data, metadata = made[name]._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == made[name].alt
    assert data["image/png"].startswith(PNG)


def test_a_picture_is_the_same_when_drawn_again(interactions):
    assert plots.long_tail(interactions).png() == plots.long_tail(interactions).png()


def test_save_writes_the_picture(made, tmp_path):
    made["bars"].save(tmp_path / "bars.png")
    assert (tmp_path / "bars.png").read_bytes() == made["bars"].png()


def test_colours_markers_and_lines_are_told_apart():
    assert len(set(plots.COLOURS)) == len(set(plots.MARKERS)) == len({str(line) for line in plots.LINES}) == 8
    assert all(colors.is_color_like(colour) for colour in plots.COLOURS)


def test_the_texts_say_what_the_figures_show(made):
    assert "from 5 down to 1" in made["long_tail"].alt
    assert "from 9 to 6" in made["training"].alt
    assert "lowest, 8, at epoch 2" in made["training"].alt
    assert "a from 0.100 to 0.200, b from 0.300 to 0.400" in made["curves"].alt
    assert "from 1.4 to 3.8; the highest is Alien with Aliens" in made["heat"].alt
    assert "3 points, p around (0.0, 0.0); q around (1.0, 2.0)" in made["plane"].alt


def test_maps_draw_every_item_once_in_each_panel(made):
    panels = made["item_maps"].figure.axes
    assert [axes.get_title() for axes in panels] == ["a", "b"]
    assert [sum(len(points.get_offsets()) for points in axes.collections) for axes in panels] == [6, 6]
    assert "6 items, the 3 commonest first genres (Drama, Comedy, none) in colour" in made["item_maps"].alt


def test_curves_draw_each_model_with_its_band(made):
    (axes,) = made["curves"].figure.axes
    assert [line.get_label() for line in axes.get_lines()] == ["a", "b"]
    assert len(axes.collections) == 2
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["30", "100"]


def test_heat_writes_every_number_and_leaves_missing_cells_empty(made):
    (axes,) = made["heat"].figure.axes
    assert sorted(text.get_text() for text in axes.texts) == ["1.4", "3.8"]


def test_points_in_one_place_share_a_label(made):
    (axes,) = made["plane"].figure.axes
    assert sorted(text.get_text() for text in axes.texts) == ["Ann, Bob", "Cem"]


def test_an_evaluation_has_a_point_with_its_interval_per_model_and_row(made):
    (axes,) = made["evaluation"].figure.axes
    assert axes.get_title() == "NDCG"
    rows = [tick.get_text() for tick in axes.get_yticklabels()]
    assert rows == ["random\n(targets 20%)\n@10", "random\n(targets 20%)\n@20", "leave-one-out\n@10"]
    (legend,) = made["evaluation"].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["popularity", "ease"]
    popularity, ease = axes.containers
    assert popularity.lines[0].get_xdata().tolist() == [0.1, 0.2, 0.05]
    assert all(np.diff(popularity.lines[0].get_ydata()) == 1), "one row of points below the other"
    assert (popularity.lines[0].get_ydata() < ease.lines[0].get_ydata()).all(), "no bar hides another"
    (bars,) = popularity.lines[2]
    assert bars.get_segments()[0][:, 0] == pytest.approx([0.05, 0.15])
    assert "popularity ndcg@10 0.100 [0.050, 0.150] (random (targets 20%))" in made["evaluation"].alt


def test_an_evaluation_has_a_panel_per_metric_and_draws_what_has_no_interval():
    table = pd.DataFrame(
        {
            "model": "ease", "protocol": "leave-one-out", "metric": ["ndcg", "coverage"], "k": 10,
            "value": [0.1, 0.7], "ci_low": [0.05, np.nan], "ci_high": [0.15, np.nan],
        }
    )  # fmt: skip
    plot = plots.evaluation(table)
    ndcg, coverage = plot.figure.axes
    assert (ndcg.get_title(), coverage.get_title()) == ("NDCG", "COVERAGE")
    assert coverage.containers[0].lines[0].get_xdata().tolist() == [0.7]
    assert "ease coverage@10 0.700 (leave-one-out)" in plot.alt
    assert plot.png().startswith(PNG)


def test_lines_follow_the_columns(made):
    (axes,) = made["lines"].figure.axes
    assert [line.get_label() for line in axes.get_lines()] == ["hit_rate", "mrr"]
    assert axes.get_xlabel() == "rank"
    assert "value at rank 1 to 3. hit_rate 1.00, 1.00, 0.00; mrr 1.00, 0.50, 0.00" in made["lines"].alt


def test_the_head_of_the_tail_is_at_least_one_item_and_its_share_of_the_events():
    counts = np.array([6, 2, 1, 1])
    assert plots.head_of_tail(counts, 0.5) == (2, 0.8)
    assert plots.head_of_tail(counts, 0.01) == (1, 0.6)
    assert plots.head_of_tail(counts, 1.0) == (4, 1.0)
    for wrong in (0, 1.1):
        with pytest.raises(rt.InputError, match=f"head={wrong}: a share of the items is above 0 and at most 1"):
            plots.head_of_tail(counts, wrong)


def test_the_ending_names_the_format(made, tmp_path):
    begins = {".png": b"\x89PNG", ".PNG": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF", ".jpg": b"\xff\xd8"}
    for ending, begin in begins.items():
        made["bars"].save(tmp_path / f"bars{ending}")
        assert (tmp_path / f"bars{ending}").read_bytes().startswith(begin)


def test_every_ending_that_is_named_works_and_no_other(made, tmp_path):
    with pytest.raises(rt.InputError, match=r"x\.txt: no picture is written under the ending 'txt'") as caught:
        made["bars"].save(tmp_path / "x.txt")
    for ending in str(caught.value).split("use one of ")[1].split():
        made["bars"].save(tmp_path / f"bars{ending}")
        assert (tmp_path / f"bars{ending}").stat().st_size > 1000


def a_map():
    """Return two new-shelf cells: one where the gain is shown, at an unseen share of 60 %, one where it is not."""
    cell = {"task": "new-shelf", "attribute": "", "shown": 1, "labels": 100}
    rows = []
    for data, gain, low, verdict, share in (
        ("shop", 0.1, 0.05, "positive", 0.6),
        ("films", 0.0, -0.01, "undecided", 0),
    ):
        where = {**cell, "data": data}
        rows += [
            {**where, "metric": "gain_without_pretraining", "value": gain, "ci_low": low, "ci_high": 2 * gain - low,
             "relative": 2 * gain, "verdict": verdict, "rival": "neighbours"},
            {**where, "metric": "unseen_share", "value": share},
        ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_case_keeps_its_gain_back_until_there_is_a_bet():
    shop, films = plots.cells(a_map()).to_dict("records")
    assert plots.case(shop).alt == (
        "new shelf: shop, 1 shown, 100 labels. Unseen share 60%. No bet yet: the gain is kept back."
    )
    assert not [line for line in plots.case(shop).figure.axes[1].lines if line.get_marker() == "s"]
    assert (
        "helps, was right: +20% over neighbours, interval +10% to +30%: pretraining helps."
        in plots.case(shop, "helps").alt
    )
    assert "not shown to help, was wrong" in plots.case(shop, "not shown").alt
    assert "not shown to help, was right: +0% over neighbours" in plots.case(films, "not shown").alt
    with pytest.raises(rt.InputError, match="bet='yes': it needs to be one of '', 'helps', 'not shown'"):
        plots.case(shop, "yes")


def test_the_unseen_share_picks_the_cells_of_the_map_that_are_near():
    alt = plots.unseen(["Alien", "Aliens"], [True, False], 0.55, plots.cells(a_map())).alt
    assert "read 1 of this user's 2 items. Unseen share of all test users 55%" in alt
    assert "the 1 new-shelf cells of the map within 10 points of that gain +20% to +20%" in alt
    assert "no cell of the map is within 10 points" in plots.unseen(["Alien"], [True], 0.3, plots.cells(a_map())).alt
    with pytest.raises(rt.InputError, match="9 titles and 1 marks: give 1 to 8"):
        plots.unseen(["Alien"] * 9, [True], 0.3, plots.cells(a_map()))
