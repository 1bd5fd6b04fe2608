"""What follows from a map: gains with intervals that all hold at once, verdicts, saved labels, and the law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from ..errors import InputError
from ..evaluation.evaluation import holm
from ..metrics.intervals import seed_interval
from .map import LINEAR, MAP_HEADLINE, WITHOUT
from .statistics import LEVEL, label_multiplier, moderated

CELL = ["data", "task", "attribute", "shown", "labels"]
FORETELLERS = ("unseen_share", "strangers")  # what is known before anything is pretrained; older files lack the second
GAINS: dict[str, dict[str, tuple[str, ...]]] = {"gain_without_pretraining": WITHOUT, "gain_over_linear": LINEAR}
WORDS = {"positive": "helps", "negative": "hurts", "undecided": "is not shown to help"}


def findings(results: pd.DataFrame) -> pd.DataFrame:
    """Return one record for each cell and each of its two gains and of :data:`FORETELLERS`.

    A gain is the headline model's mean over seeds less that of the best rival: of those that need no pretraining, or of
    the linear ones, the best being picked by this very cell's means, which errs against us. Intervals are Student's
    over seeds, paired, their spreads shared among cells (:func:`recsys_tutorial.studies.statistics.moderated`), with
    Holm's correction over all gains of the map: that of the i-th smallest of m p-values has level
    ``1 - 0.05 / (m - i + 1)``. ``verdict`` is ``positive`` or ``negative`` where it leaves out 0, else
    ``undecided``; ``relative`` is the gain as a share of the rival's value.

    Args:
        results: rows of :func:`recsys_tutorial.studies.map.study_map`.

    Raises:
        InputError: no cell has both the headline model and a rival.
    """
    rows: list[dict[str, Any]] = []
    key: Any
    for key, cell in results.groupby(CELL, sort=False):
        here: dict[str, Any] = dict(zip(CELL, key, strict=True)) | {"study": "map"}
        table = cell.pivot_table(index="seed", columns="model", values="value")
        headline = MAP_HEADLINE[here["task"]]
        for metric, among in GAINS.items():
            rivals = [name for name in among[here["task"]] if name in table]
            if headline not in table or not rivals:
                continue
            rival = str(table[rivals].mean().idxmax())
            gain = (table[headline] - table[rival]).dropna().to_numpy()
            rows.append(here | {
                "metric": metric, "model": headline, "rival": rival, "gain": gain, "best": table[rival].mean(),
                "relative": float(gain.mean() / max(table[rival].mean(), 1e-12)),
            })  # fmt: skip
        known = cell[cell["model"] == headline if headline in table else slice(None)]
        for metric in FORETELLERS:
            if metric in known:
                rows.append(here | {"metric": metric, "model": None, "rival": None, "gain": known[metric].to_numpy()})
    found = pd.DataFrame(rows)
    if "best" not in found:
        raise InputError("these results hold no headline model beside a rival: run the map with all its models")
    found[["value", "ci_low", "ci_high"]] = np.array([seed_interval(gain, 1 - LEVEL) for gain in found["gain"]])
    tests = found["best"].notna()
    sure = corrected(found[tests])
    found.loc[tests, sure.columns] = sure
    found["verdict"] = np.select(
        [tests & (found["ci_low"] > 0), tests & (found["ci_high"] < 0), tests],
        ["positive", "negative", "undecided"], "",
    )  # fmt: skip
    return found.drop(columns=["gain", "best"])


def corrected(gains: pd.DataFrame) -> pd.DataFrame:
    """Return p-values, corrected ones, and intervals that all hold at once, row by row.

    Args:
        gains: columns ``gain`` (one number a seed), ``value`` (its mean), ``best`` (the rival's mean), ``metric``.
    """
    n = gains["gain"].map(len).to_numpy()
    variances = gains["gain"].map(lambda gain: gain.var(ddof=1)).to_numpy()
    known = [np.log(gains["best"].clip(1e-12)), gains["metric"] == "gain_over_linear"]
    shared, freedom = moderated(variances, n - 1, np.column_stack(known).astype(float))
    mean, error = gains["value"].to_numpy(), np.sqrt(np.maximum(shared, 1e-300) / n)
    p = np.where((shared == 0) & (mean == 0), 1.0, 2 * stdtr(freedom, -np.abs(mean) / error))
    place = np.argsort(np.argsort(p, kind="stable"), kind="stable")
    half = stdtrit(freedom, 1 - LEVEL / (len(p) - place) / 2) * error
    columns = {"p": p, "p_holm": holm(p), "ci_low": mean - half, "ci_high": mean + half}
    return pd.DataFrame(columns, gains.index)


def saved_labels(results: pd.DataFrame) -> pd.DataFrame:
    """Return how many labels the best rival without pretraining needs for what the headline model reaches, per cell.

    See :func:`recsys_tutorial.studies.statistics.label_multiplier`; where a place has one number of labels, nothing.
    """
    rows: list[dict[Any, Any]] = []
    key: Any
    for key, place in results.groupby(CELL[:-1], sort=False):
        headline = MAP_HEADLINE[key[1]]
        means = place[place["model"].isin(WITHOUT[key[1]])].groupby("model")["value"].mean()
        if headline in set(place["model"]) and len(means) and place["labels"].nunique() > 1:
            rival = str(means.idxmax())
            here: dict[Any, Any] = dict(zip(CELL, key, strict=False)) | {"study": "map", "metric": "label_multiplier"}
            here |= {"model": headline, "rival": rival}
            rows += [here | row for row in label_multiplier(place, headline, rival).to_dict("records")]
    return pd.DataFrame(rows)


def law(found: pd.DataFrame, task: str = "new-shelf", foreteller: str = "unseen_share") -> float | None:
    """Return the rank correlation, over the cells of a task, of the relative gain and the foreteller (Spearman).

    None where fewer than three cells have it.
    """
    from scipy.stats import spearmanr  # here, because it is slow to import

    cells = found[found["task"] == task].set_index(CELL)
    gain = cells[cells["metric"] == "gain_without_pretraining"]["relative"]
    both = pd.DataFrame({"gain": gain, "share": cells[cells["metric"] == foreteller]["value"]}).dropna()
    return float(spearmanr(both["gain"], both["share"]).statistic) if len(both) > 2 else None


def sentences(found: pd.DataFrame) -> list[str]:
    """Return one line for each cell, the largest relative gain first: what pretraining brings there, or not."""
    gains = found[found["metric"] == "gain_without_pretraining"].sort_values("relative", ascending=False)
    over = found[found["metric"] == "gain_over_linear"].to_dict("records")
    linear = {tuple(row[name] for name in CELL): row for row in over}
    lines = []
    for row in gains.to_dict("records"):
        key = tuple(row[name] for name in CELL)
        shown = "" if row["shown"] == "all" else f", {row['shown']} shown"
        of = f" {row['attribute']}" if row["attribute"] else ""
        text = (
            f"{row['data']}, {row['task']}{of}{shown}, {row['labels']} labels: pretraining {WORDS[row['verdict']]}, "
            f"{row['value']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}], {row['relative']:+.0%} "
            f"(against {row['rival']})"
        )
        if other := linear.get(key):
            text += f"; against the best linear pretraining, {other['rival']}, {other['value']:+.3f}: "
            text += str(other["verdict"])
        lines.append(text)
    return lines
