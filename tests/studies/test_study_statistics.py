"""The statistics of a study, by hand and by simulation: where pretraining cannot help it must not say that it does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import recsys_tutorial as rt
from recsys_tutorial.studies import gains, label_multiplier, verdict
from recsys_tutorial.studies.map_findings import corrected
from recsys_tutorial.studies.statistics import LEAST_CELLS, moderated

RIVALS = ["scratch", "raw ridge", "neighbours", "popularity"]
COMMON = {"strategy": "s", "protocol": "p", "task": "t", "metric": "ndcg", "k": 20, "seconds": 1}


def results(values: dict[str, dict[int, list[float]]], **common) -> pd.DataFrame:
    """One row per model, labels and seed of ``model -> labels -> values``."""
    return pd.DataFrame(
        [
            {"model": model, "labels": labels, "seed": seed, "value": value, **COMMON, **common}
            for model, curve in values.items()
            for labels, row in curve.items()
            for seed, value in enumerate(row)
        ]
    )


def simulated(rng: np.random.Generator, gain: float, seeds: int = 5) -> pd.DataFrame:
    """Five models at three label counts; a seed's luck is shared, ``gain`` is ours, noise each one's."""
    table = {}
    for labels in (30, 100, 300):
        luck = rng.normal(0, 0.05, seeds)
        for model in ("ours", *RIVALS):
            worse = 0.01 * RIVALS.index(model) if model in RIVALS else -gain
            table.setdefault(model, {})[labels] = list(0.4 + luck - worse + rng.normal(0, 0.005, seeds))
    return results(table)


def test_no_gain_is_hardly_ever_called_one():
    rng = np.random.default_rng(0)
    found = [verdict(simulated(rng, 0.0), "ours", RIVALS)[0]["verdict"] for _ in range(200)]
    assert sum(one != "positive" for one in found) >= 0.95 * len(found)


def test_even_where_all_rivals_are_alike():
    """Nothing helps and nothing hurts: both wrong answers together stay below one in twenty."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        table = {
            model: {n: list(0.4 + rng.normal(0, 0.01, 5)) for n in (30, 100, 300)} for model in ("ours", *RIVALS)
        }
        found.append(verdict(results(table), "ours", RIVALS)[0]["verdict"])
    assert sum(one == "undecided" for one in found) >= 0.95 * len(found)


def test_a_gain_is_found_and_so_is_a_loss():
    rng = np.random.default_rng(2)
    found = [verdict(simulated(rng, gain), "ours", RIVALS)[0]["verdict"] for gain in (0.03, -0.03) for _ in range(50)]
    assert found[:50].count("positive") >= 48
    assert found[50:].count("negative") >= 48


def test_the_test_can_fail(monkeypatch):
    """Without Holm's correction and with the best rival left out the simulation would be failed."""
    monkeypatch.setattr("recsys_tutorial.studies.statistics.LEVEL", 0.5)
    with pytest.raises(AssertionError):
        test_no_gain_is_hardly_ever_called_one()


def test_gains_by_hand():
    table = results({"ours": {30: [0.5, 0.7, 0.9]}, "a": {30: [0.4, 0.5, 0.6]}, "b": {30: [0.5, 0.6, 1.0]}})
    found = gains(table, "ours", ["a", "b"]).set_index("rival")
    p = stats.ttest_rel([0.5, 0.7, 0.9], [0.4, 0.5, 0.6]).pvalue
    assert found.loc["a", ["value", "p", "p_holm"]].tolist() == pytest.approx([0.2, p, 2 * p])
    half = stats.t.ppf(1 - 0.025 / 2, 2) * 0.1 / np.sqrt(3)  # the smaller p of two: level 1 - .05 / 2
    assert found.loc["a", ["ci_low", "ci_high"]].tolist() == pytest.approx([0.2 - half, 0.2 + half])
    half = stats.t.ppf(0.975, 2) * stats.sem([0.0, 0.1, -0.1])
    assert found.loc["b", ["ci_low", "ci_high"]].tolist() == pytest.approx([-half, half])


def test_lower_is_better_for_an_error():
    table = results({"ours": {30: [1.0, 1.1]}, "a": {30: [1.2, 1.2]}}, metric="rmse")
    assert gains(table, "ours", ["a"])["value"].item() == pytest.approx(0.15)


def test_the_label_multiplier_by_hand():
    curve = {100: [0.3, 0.3], 400: [0.5, 0.5], 1600: [0.6, 0.6]}
    table = results({"ours": {50: [0.2, 0.2], 100: [0.4, 0.4], 400: [0.7, 0.7]}, "scratch": curve})
    found = label_multiplier(table, "ours").set_index("labels")
    assert found.loc[100, "value"] == pytest.approx(2.0)  # halfway from 100 to 400 on a log scale is 200
    assert found.loc[100, ["ci_low", "ci_high"]].tolist() == pytest.approx([2.0, 2.0])
    assert found.loc[400, ["value", "censored"]].tolist() == [pytest.approx(4.0), "at least"]
    assert found.loc[50, ["value", "censored"]].tolist() == [pytest.approx(2.0), "at most"]
    with pytest.raises(rt.InputError, match="no results for 'nobody'"):
        label_multiplier(table, "ours", "nobody")


def test_the_multiplier_s_interval_covers_the_truth():
    """A curve of 0.1 · log2(labels), ours as good as four times the labels: the truth is 4."""
    rng, hits = np.random.default_rng(0), 0
    for run in range(100):
        noise = lambda: rng.normal(0, 0.01, 10)  # noqa: E731
        scratch = {n: list(0.1 * np.log2(n) + noise()) for n in (30, 100, 300, 1000)}
        table = results({"ours": {100: list(0.1 * np.log2(400) + noise())}, "scratch": scratch})
        row = label_multiplier(table, "ours", draws=200, seed=run).iloc[0]
        hits += row["ci_low"] <= 4 <= row["ci_high"]
    assert hits >= 80  # the bootstrap over ten seeds is a little narrow


def test_a_verdict_names_the_rival_that_comes_nearest():
    table = results({"ours": {30: [0.5, 0.51, 0.52]}, "a": {30: [0.4, 0.41, 0.43]}, "b": {30: [0.45, 0.46, 0.46]}})
    overall, one = verdict(table, "ours", ["a", "b"])
    assert (overall["verdict"], overall["labels"], one["labels"]) == ("positive", 0, 30)
    assert overall["text"] == "Does pretraining help? Yes: ours against a, b is positive with 30 labels."
    assert "the nearest is b (+0.053" in one["text"]


# ---- spreads that borrow strength ---------------------------------------------------------------------------------


def variances_of(rng: np.random.Generator, prior: float, cells: int, freedom: int = 4) -> np.ndarray:
    """Sample variances of cells whose true ones are ``4 prior / chi²(prior)``: limma's model, s₀² = 4."""
    true = 4 * prior / rng.chisquare(prior, cells)
    return true * rng.chisquare(freedom, cells) / freedom


@pytest.mark.parametrize("prior", [3, 8, 30])
def test_the_prior_that_made_the_spreads_is_found_again(prior):
    s2 = variances_of(np.random.default_rng(0), prior, 20_000)
    shared, freedom = moderated(s2, np.full(len(s2), 4), np.zeros((len(s2), 0)))
    assert freedom[0] - 4 == pytest.approx(prior, rel=0.2)
    np.testing.assert_allclose(shared, (prior * 4 + 4 * s2) / (prior + 4), rtol=0.1)


def test_a_line_tells_loud_cells_from_quiet_ones():
    rng = np.random.default_rng(1)
    level = rng.uniform(-3, 3, 5_000)
    s2 = np.exp(2 * level) * rng.chisquare(4, 5_000) / 4
    shared, freedom = moderated(s2, np.full(5_000, 4), level[:, None])
    assert freedom[0] > 50  # the line says it all
    np.testing.assert_allclose(np.log(shared), 2 * level, atol=0.4)
    assert moderated(s2, np.full(5_000, 4), np.zeros((5_000, 0)))[1][0] < 5.5  # without it cells have little in common


def test_few_cells_and_cells_without_a_spread_stay_what_they_are():
    few = np.array([1.0, 4.0])
    shared, freedom = moderated(few, np.array([4, 4]), np.zeros((2, 0)))
    assert (shared.tolist(), freedom.tolist()) == ([1.0, 4.0], [4.0, 4.0])
    s2 = np.append(variances_of(np.random.default_rng(0), 4, LEAST_CELLS), 0.0)
    assert np.isfinite(moderated(s2, np.full(len(s2), 4), np.zeros((len(s2), 0)))[0]).all()


def some_gains(rng: np.random.Generator, gain: float) -> pd.DataFrame:
    """Sixty cells whose spreads differ up to a hundredfold, five seeds."""
    best = np.exp(rng.uniform(-3, 0, 60))
    spread = 0.1 * best * np.sqrt(4 / rng.chisquare(4, 60))
    values = [rng.normal(level * gain, noise, 5) for level, noise in zip(best, spread, strict=True)]
    return pd.DataFrame({
        "gain": values, "value": [one.mean() for one in values], "best": best, "metric": "gain_without_pretraining",
    })  # fmt: skip


def test_over_a_map_without_gains_one_in_twenty_maps_is_wrong_and_gains_are_found_sooner():
    rng = np.random.default_rng(3)
    wrong = [corrected(some_gains(rng, 0.0)) for _ in range(400)]
    claimed = sum(((found["ci_low"] > 0) | (found["ci_high"] < 0)).any() for found in wrong)
    assert claimed <= 0.07 * len(wrong)  # 5 % and what 400 draws may stray from it
    gains_of = some_gains(rng, 0.3)
    found = corrected(gains_of)["ci_low"] > 0
    alone = [one.mean() > stats.t.ppf(1 - 0.05 / 120, 4) * one.std(ddof=1) / 5**0.5 for one in gains_of["gain"]]
    assert found.sum() > 1.5 * sum(alone)
