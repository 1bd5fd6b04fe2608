"""The map: every cell measured once, gains against the best rival by hand, no help where there is none to be had."""

import json

import numpy as np
import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial.studies.map import (
    ALL,
    LINEAR,
    MAP_HEADLINE,
    NETWORK,
    WITHOUT,
    places,
    role,
    strangers,
    unseen_share,
)
from recsys_tutorial.studies.map_findings import findings, law, saved_labels, sentences
from recsys_tutorial.teaching import plots

QUICK = dict(seeds=2, labels=(10, 20), epochs=2, progress=False, draws=1)


def people(structured: bool, seed: int = 0, users: int = 150) -> rt.Interactions:
    """Ratings of people of three tastes, or of none: then nothing foretells what somebody has or likes."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        liking = np.where(np.arange(60) % 3 == user % 3, 6.0, 1.0) if structured else np.ones(60)
        for item in rng.choice(60, 12, replace=False, p=liking / liking.sum()):
            rows.append((user, int(item), float(rng.integers(2, 6))))
    return rt.from_events(*map(list, zip(*rows, strict=True)), name="tastes" if structured else "noise")


@pytest.fixture(scope="module")
def tastes() -> rt.Interactions:
    return people(True)


@pytest.fixture(scope="module")
def small(tastes) -> pd.DataFrame:
    return rt.study_map([tastes], shown=(1, ALL), **QUICK)


def test_every_cell_has_every_model_once(small):
    keys = small[["data", "task", "attribute", "shown", "labels", "seed", "model"]]
    assert not keys.duplicated().any()
    assert set(small["task"]) == {"new-shelf", "target-behaviour"}  # nothing is known of these users
    for task, cell in small.groupby("task"):
        assert set(cell["model"]) == {*WITHOUT[task], *LINEAR[task], *NETWORK[task]}
        assert set(cell["shown"]) == ({1, "all"} if task == "new-shelf" else {"all"})
    assert small["value"].between(0, 1).all()
    assert small["unseen_share"].between(0, 1).all()
    assert small["strangers"].between(0, 1).all()


def test_a_stopped_map_goes_on_and_ends_the_same(tastes, small, tmp_path):
    path = tmp_path / "map.jsonl"
    whole = rt.study_map([tastes], ["new-shelf"], (1, ALL), out=path, **QUICK)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]) + lines[-1][:20])
    again = rt.study_map([tastes], ["new-shelf"], (1, ALL), out=path, **QUICK)
    assert len(again) == len(whole)
    key = ["shown", "labels", "seed", "model"]
    one, two = (table.assign(shown=table["shown"].astype(str)).sort_values(key) for table in (whole, again))
    np.testing.assert_allclose(one["value"], two["value"], atol=1e-6)
    with pytest.raises(rt.InputError, match="holds another study"):
        rt.study_map([tastes], ["new-shelf"], (3,), out=path, **QUICK)


def results(values: dict[str, list[float]], **cell) -> pd.DataFrame:
    here = {"data": "d", "task": "new-shelf", "attribute": "", "shown": "all", "labels": 30, "unseen_share": 0.5} | cell
    return pd.DataFrame([
        {**here, "model": name, "seed": seed, "value": value, "metric": "ndcg"}
        for name, row in values.items() for seed, value in enumerate(row)
    ])  # fmt: skip


def test_gains_by_hand():
    """Against the best rival of each kind, by the cell's means; the interval is Student's, widened for two gains."""
    table = results({
        "popularity": [0.1, 0.1, 0.1], "raw ridge": [0.2, 0.2, 0.2], "pca + probe": [0.3, 0.4, 0.35],
        "pretrained + stack": [0.30, 0.32, 0.31], "pretrained + probe": [0.9, 0.9, 0.9],
    })  # fmt: skip
    found = findings(table).set_index("metric")
    gain = found.loc["gain_without_pretraining"]
    assert (gain["rival"], gain["verdict"]) == ("raw ridge", "positive")
    assert gain["value"] == pytest.approx(0.11)
    assert gain["relative"] == pytest.approx(0.55)
    spread = 0.01 / 3**0.5
    assert gain["ci_high"] - gain["value"] == pytest.approx(6.2053 * spread, rel=1e-3)  # t of 2 at 1 - .05 / 2
    assert found.loc["gain_over_linear", "rival"] == "pca + probe"
    assert found.loc["gain_over_linear", "verdict"] == "undecided"
    assert found.loc["unseen_share", "value"] == 0.5


def test_intervals_hold_at_once_over_the_whole_map():
    """The same gain is surer alone than among many."""
    one = results({"raw ridge": [0.2, 0.21, 0.19], "pretrained + stack": [0.25, 0.27, 0.24]})
    many = pd.concat([one, *(one.assign(labels=n) for n in range(31, 40))])
    alone, among = (findings(table).query("metric == 'gain_without_pretraining'") for table in (one, many))
    assert alone["ci_low"].iloc[0] > among["ci_low"].median()
    assert (among["p_holm"] >= among["p"]).all()


def test_the_law_is_a_rank_correlation():
    cells = [
        results({"raw ridge": [0.2, 0.2], "pretrained + stack": [0.2 + g, 0.2 + g]}, unseen_share=u, labels=n)
        for n, (u, g) in enumerate([(0.1, 0.0), (0.5, 0.1), (0.9, 0.3)])
    ]
    assert law(findings(pd.concat(cells))) == pytest.approx(1)
    assert law(findings(cells[0])) is None
    assert law(findings(pd.concat(cells)), foreteller="strangers") is None  # an older file lacks them
    for n, cell in enumerate(cells):
        cell["strangers"] = 1 - n / 10
    assert law(findings(pd.concat(cells)), foreteller="strangers") == pytest.approx(-1)


def test_labels_that_are_saved():
    """The rival reaches with 100 labels what the headline has with 30."""
    table = pd.concat([
        results({"raw ridge": [0.1, 0.1], "pretrained + stack": [0.2, 0.2]}, labels=30),
        results({"raw ridge": [0.2, 0.2], "pretrained + stack": [0.25, 0.25]}, labels=100),
    ])  # fmt: skip
    saved = saved_labels(table).set_index("labels")
    assert saved.loc[30, "value"] == pytest.approx(100 / 30, rel=1e-3)
    assert saved.loc[100, "censored"] == "at least"


def test_where_nothing_foretells_anything_no_gain_is_claimed():
    """Over draws of noise, at most one map in twenty says yes; here ten maps, and none does."""
    said = []
    for seed in range(5):
        noise = people(False, seed, users=80)
        table = rt.study_map([noise], ["new-shelf"], (1, ALL), (10,), 3, epochs=2, progress=False, draws=1, seed=seed)
        said += findings(table).query("metric == 'gain_without_pretraining'")["verdict"].tolist()
    assert said.count("positive") == 0


def test_where_behaviour_foretells_it_the_gain_is_found(tastes):
    table = rt.study_map([tastes], ["target-behaviour"], (ALL,), (10,), 5, epochs=20, progress=False, draws=2)
    gain = findings(table).query("metric == 'gain_without_pretraining'").iloc[0]
    assert gain["verdict"] == "positive"
    assert len(sentences(findings(table))) == 1


def test_the_unseen_share_by_hand(board):
    task = rt.new_shelf(board, seed=0)
    one, other = task.take(np.array([0])), task.take(np.array([1]))  # of the two groups, who share nothing
    assert unseen_share(one, other) == 1
    assert unseen_share(one, one) == 0


def test_strangers_by_hand(board):
    task = rt.new_shelf(board, seed=0)
    one, both = task.take(np.array([0])), task.take(np.array([0, 1]))  # of the two groups, who share nothing
    assert strangers(one, one) == 0
    assert strangers(one, both) == strangers(both, one) == 0.5


def test_a_data_set_is_placed_where_it_fits(board, tastes):
    found = list(places([board, tastes], None, (1,), None, None))
    assert [(place.data.name, place.task) for place in found] == [
        ("board", "new-shelf"), ("tastes", "new-shelf"), ("tastes", "target-behaviour"),
    ]  # fmt: skip


@pytest.mark.parametrize(("how", "said"), [
    (dict(tasks=["shelf"]), "unknown task 'shelf'"), (dict(tasks=["attribute"]), "knows no attributes"),
    (dict(seeds=1), "seeds=1"), (dict(models=["pca"]), "unknown model 'pca'"),
])  # fmt: skip
def test_what_cannot_be_mapped_is_refused(board, how, said):
    with pytest.raises(rt.InputError, match=said):
        rt.study_map([board], **how)


def test_one_name_twice_is_refused(board):
    with pytest.raises(rt.InputError, match="a name comes twice"):
        rt.study_map([board, board])


def test_every_headline_is_a_network_and_roles_are_told_apart():
    for task, name in MAP_HEADLINE.items():
        assert name in NETWORK[task]
        told = [role(task, one) for one in (name, WITHOUT[task][0], LINEAR[task][0])]
        assert told == ["network", "without", "linear"]


@pytest.mark.parametrize("draw", [plots.forest, plots.gain_against_unseen_share])
def test_it_is_drawn(small, draw):
    plot = draw(findings(small))
    assert len(plot.png()) > 10_000
    assert "cells" in plot.alt
    axes = plot.figure.axes[0]
    assert axes.get_xlabel()
    assert axes.get_legend() is not None


def test_by_command(tastes, tmp_path, monkeypatch, capsys):
    from recsys_tutorial.cli.main import main

    path = tmp_path / "tastes.csv"
    users = np.repeat(tastes.user_ids, tastes.events_per_user)
    table = pd.DataFrame({"user": users, "item": tastes.item_ids[tastes.items], "rating": tastes.weights})
    table.to_csv(path, index=False)
    out, figure, records = tmp_path / "map.jsonl", tmp_path / "map.png", tmp_path / "map.json"
    how = ["--labels", "10,20", "--seeds", "2", "--draws", "1", "--shown", "1,all", "--model",
           "popularity,raw ridge,pca + probe,counting + probe,pretrained + stack", "--task", "new-shelf"]  # fmt: skip
    files = ["--out", str(out), "--figure", str(figure), "--json", str(records)]
    assert main(["study", "map", str(path), *how, *files]) == 0
    assert "against the best linear pretraining" in capsys.readouterr().out
    assert figure.exists()
    assert (tmp_path / "map_unseen_share.png").exists()
    rows = json.loads(records.read_text())
    kinds = {row["metric"] for row in rows}
    assert {"gain_without_pretraining", "gain_over_linear", "unseen_share", "strangers", "label_multiplier"} <= kinds
    gain = next(row for row in rows if row["metric"] == "gain_over_linear")
    told = {"study", "data", "task", "shown", "labels", "value", "relative", "ci_low", "ci_high", "verdict"}
    assert told <= set(gain)
    assert gain["study"] == "map"
    assert main(["study", "show", str(out)]) == 0
    assert main(["study", "repeat", str(out)]) == 0
    assert "values come out the same" in capsys.readouterr().out
