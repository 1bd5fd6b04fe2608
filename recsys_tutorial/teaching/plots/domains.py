"""The figure of one comparison in several domains."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .base import COLOURS, MARKERS, Plot, Style, new


def domains(summary: pd.DataFrame, metric: str = "NDCG@20") -> Plot:
    """Draw each model's mean and spread, one row of points per domain.

    Args:
        summary: from :func:`recsys_tutorial.evaluation.domains.over_seeds`, columns ``domain, model, mean, spread``.
        metric: what the values are.
    """
    names = summary["domain"].unique().tolist()
    figure, axes = new("The same models in each domain", f"{metric} (mean, standard deviation over seeds)", "")
    told = []
    for index, (model, rows) in enumerate(summary.groupby("model", sort=False)):
        places = np.array([names.index(domain) for domain in rows["domain"]]) + 0.12 * (index - 2)
        style: Style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": "none", "capsize": 2}
        axes.errorbar(rows["mean"], places, xerr=rows["spread"], label=model, **style)
    for name in names:
        rows = summary[summary["domain"] == name].sort_values("mean", ascending=False)
        values = zip(rows["model"], rows["mean"], strict=True)
        told.append(f"{name}: " + ", ".join(f"{model} {value:.3f}" for model, value in values))
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, None)
    axes.grid(visible=False, axis="y")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return Plot(figure, f"{metric} of each model, a row of points per domain. {'; '.join(told)}.")
