"""From results over seeds to a statement: means, paired differences, how many labels pretraining saves, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import digamma, polygamma, stdtr

from ..errors import InputError
from ..evaluation.evaluation import holm
from ..metrics.intervals import seed_interval

LOWER_IS_BETTER = ("rmse", "mae", "log_loss")
LEVEL = 0.05
LEAST_CELLS = 30
CONSTANT = ["protocol", "task", "metric", "k"]


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of each model and number of labels, with Student's interval."""
    keys = ["model", "strategy", "protocol", "task", "labels", "metric", "k"]
    rows = []
    for key, group in results.groupby(keys, sort=False, dropna=False):
        value, low, high = seed_interval(group["value"])
        rows.append(
            dict(zip(keys, key, strict=True))
            | {"value": value, "ci_low": low, "ci_high": high, "seconds": group["seconds"].mean()}
        )
    return pd.DataFrame(rows)


def paired(results: pd.DataFrame, model: str, rival: str) -> pd.DataFrame:
    """Return ``model - rival`` seed by seed: its mean and Student's interval for each number of labels."""
    rows = []
    for labels, gain in (_wide(results, model, rival)[model] - _wide(results, model, rival)[rival]).groupby("labels"):
        value, low, high = seed_interval(gain)
        rows.append(
            {"model": f"{model} minus {rival}", "labels": labels, "value": value, "ci_low": low, "ci_high": high}
        )
    return pd.DataFrame(rows)


def gains(results: pd.DataFrame, model: str, rivals: Sequence[str]) -> pd.DataFrame:
    """Return how much better ``model`` is than each rival, with intervals that all hold at once for a number of labels.

    A gain is positive where the model is better, also where a lower value is the better one. Student's t over seeds;
    Holm's correction over the rivals, for each number of labels: the interval of the i-th smallest of m p-values has
    level ``1 - 0.05 / (m - i + 1)``.

    Returns:
        Columns ``model, rival, labels, value, ci_low, ci_high, p, p_holm``.
    """
    table = _wide(results, model, *rivals)
    sign = -1 if results["metric"].iloc[0] in LOWER_IS_BETTER else 1
    rows = []
    for labels, values in table.groupby("labels"):
        found = {rival: sign * (values[model] - values[rival]).dropna().to_numpy() for rival in rivals}
        p = np.array([p_value(gain) for gain in found.values()])
        order = np.argsort(np.argsort(p, kind="stable"), kind="stable")
        corrected = holm(p)
        for place, (rival, gain) in enumerate(found.items()):
            value, low, high = seed_interval(gain, 1 - LEVEL / (len(p) - order[place]))
            rows.append(
                {
                    "model": model, "rival": rival, "labels": labels, "value": value, "ci_low": low, "ci_high": high,
                    "p": p[place], "p_holm": corrected[place],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def p_value(gain: np.ndarray) -> float:
    """Return the two-sided p-value of Student's t that the mean of ``gain`` is 0."""
    spread = gain.std(ddof=1) / np.sqrt(len(gain))
    if spread == 0:
        return float(gain.mean() == 0)
    return float(2 * stdtr(len(gain) - 1, -abs(gain.mean()) / spread))


def moderated(variances: np.ndarray, freedom: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return variances that borrow strength from one another, and their degrees of freedom, both ``(n,)``.

    Five seeds say little about a spread, sixty cells say more: each cell's variance is drawn towards what cells like it
    have, ``(d₀ s₀² + d s²) / (d₀ + d)``, by as much as the cells' variances agree beyond chance. s₀² follows a line in
    ``known`` on the log scale; where cells are too few to tell (below :data:`LEAST_CELLS`), all stays as it is.

    Args:
        variances: s² ``(n,)``.
        freedom: d ``(n,)``, seeds less one.
        known: ``(n, columns)`` what tells large variances from small ones.

    Source: Smyth (2004), equations for d₀ and s₀² in section 6.2; the line is that of Law et al. (2014).
    """
    from scipy.optimize import brentq  # here, because it is slow to import

    if len(variances) < LEAST_CELLS:
        return variances, freedom.astype(float)
    usual = np.maximum(variances, 1e-6 * np.median(variances) + 1e-300)  # all seeds alike: no spread, but no log either
    seen = np.log(usual) - digamma(freedom / 2) + np.log(freedom / 2)
    design = np.column_stack([np.ones(len(seen)), known])
    line = design @ np.linalg.lstsq(design, seen, rcond=None)[0]
    left = len(seen) - design.shape[1]
    disagreement = ((seen - line) ** 2).sum() / left
    # Two standard errors more than was seen: where cells only seemed alike, the far ends of a distribution would tell.
    excess = disagreement * (1 + 2 * (2 / left) ** 0.5) - polygamma(1, freedom / 2).mean()
    most = freedom.sum()
    prior = most if excess <= polygamma(1, most / 2) else brentq(lambda d: polygamma(1, d / 2) - excess, 1e-6, most)
    expected = np.exp(line + digamma(prior / 2) - np.log(prior / 2))
    return (prior * expected + freedom * variances) / (prior + freedom), np.minimum(prior + freedom, most)


def label_multiplier(
    results: pd.DataFrame, model: str, rival: str = "scratch", draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Return how many labels ``rival`` needs for what ``model`` reaches with K, as a multiple of K.

    The rival's mean curve, made never to fall, is interpolated between its numbers of labels on a log scale; the
    interval is the percentile bootstrap over seeds. Where the curve ends before it gets there, the value is the least
    that it can be and ``censored`` says so; where it begins above, the most.

    Returns:
        Columns ``labels, value, ci_low, ci_high, censored`` (``""``, ``at least`` or ``at most``).
    """
    sign = -1 if results["metric"].iloc[0] in LOWER_IS_BETTER else 1
    ours, theirs = (
        sign * results[results["model"] == name].pivot_table(index="seed", columns="labels", values="value")
        for name in (model, rival)
    )
    if ours.empty or theirs.empty:
        raise InputError(f"no results for {model if ours.empty else rival!r}: there is no multiplier without them")
    theirs = theirs.dropna(axis=1)
    counts, rng = theirs.columns.to_numpy(float), np.random.default_rng(seed)
    rows = []
    for labels in map(int, ours.columns):
        reached, curves = ours[labels].to_numpy(), theirs.loc[ours.index].to_numpy()
        pick = rng.integers(0, len(reached), (draws, len(reached)))
        drawn = [needed(reached[rows].mean(), curves[rows].mean(0), counts) for rows in pick]
        value = needed(reached.mean(), curves.mean(0), counts)
        low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2])
        ends = [("at least", counts[-1]), ("at most", counts[0])]
        rows.append(
            {
                "labels": labels, "value": value / labels, "ci_low": low / labels, "ci_high": high / labels,
                "censored": next((word for word, end in ends if np.isclose(value, end)), ""),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def needed(reached: float, curve: np.ndarray, counts: np.ndarray) -> float:
    """Return where ``curve`` gets to ``reached``; one of its ends where it does not pass it."""
    rising = np.maximum.accumulate(curve)
    rising = rising + 1e-12 * np.arange(len(rising))  # np.interp wants no steps
    return float(np.exp(np.interp(reached, rising, np.log(counts))))


def verdict(results: pd.DataFrame, model: str, rivals: Sequence[str]) -> list[dict[str, Any]]:
    """Say whether pretraining helps: one record for each number of labels, and one over all, ``labels`` 0.

    ``positive``: better than every rival that does without pretraining. For one number of labels its p-value is the
    largest over the rivals (an intersection-union test needs no correction), and over the numbers of labels these are
    corrected by Holm. ``negative``: worse than one of them, with Holm's correction over rivals and numbers of labels.
    ``undecided``: neither. Over all it is positive if it is positive somewhere and negative nowhere.
    """
    table = gains(results, model, rivals)
    table["p_all"] = holm(table["p"])
    one_sided = table.assign(worst=table["p"].where(table["value"] > 0, 1.0)).groupby("labels")["worst"].max()
    p_positive = pd.Series(holm(one_sided), one_sided.index)
    rows: list[dict[str, Any]] = []
    labels: Any
    for labels, group in table.groupby("labels"):
        worse = group[(group["value"] < 0) & (group["p_all"] < LEVEL)]
        found = "positive" if p_positive[labels] < LEVEL else "negative" if len(worse) else "undecided"
        row = {"labels": int(labels), "verdict": found, "p": float(p_positive[labels])}
        rows.append(row | _words(found, group, model))
    kinds = [row["verdict"] for row in rows]
    if "positive" in kinds:
        overall = "undecided" if "negative" in kinds else "positive"
    else:
        overall = "negative" if "negative" in kinds else "undecided"
    answer = {"positive": "yes", "negative": "no", "undecided": "undecided"}[overall]
    by_kind = "; ".join(
        f"{kind} with {', '.join(str(row['labels']) for row in rows if row['verdict'] == kind)} labels"
        for kind in ("positive", "undecided", "negative") if kind in kinds
    )  # fmt: skip
    text = f"Does pretraining help? {answer.capitalize()}: {model} against {', '.join(rivals)} is {by_kind}."
    return [{"labels": 0, "verdict": overall, "p": float(p_positive.min()), "text": text}, *rows]


def _words(found: str, group: pd.DataFrame, model: str) -> dict[str, str]:
    """Return one sentence about one number of labels: it names the rival that comes nearest, or the one that wins."""
    nearest = group.iloc[group["value"].argmin()]
    what = {
        "positive": "is better than every rival without pretraining",
        "negative": f"is worse than {nearest['rival']}",
        "undecided": "is not shown to be better than every rival without pretraining",
    }[found]
    gain = f"{nearest['value']:+.3f} [{nearest['ci_low']:+.3f}, {nearest['ci_high']:+.3f}]"
    return {"text": f"{int(nearest['labels'])} labels: {model} {what}; the nearest is {nearest['rival']} ({gain})"}


def _wide(results: pd.DataFrame, *models: str) -> pd.DataFrame:
    table = results.pivot_table(index=["labels", "seed"], columns="model", values="value")
    missing = set(models) - set(table.columns)
    if missing:
        raise InputError(f"no results for {sorted(missing)}: the table has {sorted(table.columns)}")
    return table.dropna(subset=list(models))
