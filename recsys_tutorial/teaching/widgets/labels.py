"""Labels against quality: what each model of a study reaches with so many labels."""

from __future__ import annotations

import pandas as pd

from ...errors import InputError
from .base import Panel, slider


def at_labels(summary: pd.DataFrame, labels: int) -> pd.DataFrame:
    """Return what each model reaches with so many labels, best first: columns ``model, value, interval``.

    Args:
        summary: from :func:`recsys_tutorial.summarise`.
        labels: one of its numbers of labels.

    Raises:
        InputError: the summary has no such number.
    """
    known = sorted(summary["labels"].unique().tolist())
    if labels not in known:
        raise InputError(f"labels={labels}: the results are for {', '.join(map(str, known))}")
    rows = summary[summary["labels"] == labels].sort_values("value", ascending=False)
    interval = [f"{low:.3f} to {high:.3f}" for low, high in zip(rows["ci_low"], rows["ci_high"], strict=True)]
    return rows[["model", "value"]].round(4).assign(interval=interval).reset_index(drop=True)


class LabelPanel(Panel):
    """A slider over the numbers of labels of a study, and the table of models below, best first.

    Args:
        summary: from :func:`recsys_tutorial.summarise`.
    """

    def __init__(self, summary: pd.DataFrame) -> None:
        known = sorted(summary["labels"].unique().tolist())
        super().__init__(
            {"labels": slider("labelled users", known[0], [(f"{labels:,}", labels) for labels in known])},
            lambda labels: at_labels(summary, labels),
            "A slider over the number of labels, and what each model reaches",
        )
