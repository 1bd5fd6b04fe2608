"""Figures of the map: where pretraining helps, and what foretells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .base import COLOURS, MARKERS, Plot, new

NAMES = {"new-shelf": "new shelf", "target-behaviour": "target behaviour", "attribute": "who the user is"}
CELL = ["data", "task", "attribute", "shown", "labels"]


def forest(found: pd.DataFrame, most: int | None = None) -> Plot:
    """Draw one line a cell, the largest gain first: the relative gain over the best rival without pretraining.

    A filled marker: the interval (corrected over the whole map) leaves out 0. A hollow one: it does not, and there
    pretraining is not shown to help.

    Args:
        found: from :func:`recsys_tutorial.studies.map_findings.findings`.
        most: lines at most, evenly from best to worst; None draws all.
    """
    gains = found[found["metric"] == "gain_without_pretraining"].sort_values("relative", ascending=False)
    if most is not None and len(gains) > most:
        gains = gains.iloc[np.linspace(0, len(gains) - 1, most).round().astype(int)]
    gains = gains.iloc[::-1].reset_index(drop=True)
    height = max(2.4, 0.24 * len(gains) + 1.3)
    figure, axes = new("When does pretraining help?", "", "", size=(8.2, height))
    for number, task in enumerate(NAMES):
        rows = gains[gains["task"] == task]
        if rows.empty:
            continue
        rival = rows["value"] / rows["relative"].where(rows["relative"] != 0, np.nan)
        low, high = (100 * (rows[end] / rival) for end in ("ci_low", "ci_high"))
        colour, sure = COLOURS[number], rows["verdict"] == "positive"
        axes.hlines(rows.index, low.clip(lower=LEFT), high.clip(upper=RIGHT), color=colour, linewidth=1.4, alpha=0.8)
        for picked, face in ((sure, colour), (~sure, "white")):
            axes.plot(
                100 * rows["relative"][picked], rows.index[picked], MARKERS[number], color=colour, linestyle="none",
                markerfacecolor=face,
            )  # fmt: skip
        axes.plot([], [], MARKERS[number], color=colour, linestyle="none", label=NAMES[task])
    axes.axvline(0, color="black", linewidth=0.9)
    axes.set_xscale("symlog", linthresh=10, linscale=0.6)
    axes.set_xlim(LEFT, RIGHT)
    ticks = [-10, 0, 10, 30, 100, 300, 1000]
    axes.set_xticks(ticks, [f"{tick:+d} %" if tick else "0" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(gains)), [label(row) for row in gains.to_dict("records")], fontsize=8)
    axes.set_ylim(-0.8, len(gains) - 0.2)
    axes.set_xlabel("gain over the best rival without pretraining (filled: the interval leaves out 0)")
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    best, worst = gains.iloc[-1], gains.iloc[0]
    helped = int((gains["verdict"] == "positive").sum())
    return Plot(
        figure,
        f"Forest plot of {len(gains)} cells, sorted by gain: in {helped} the interval of the gain lies above 0. "
        f"Largest: {label(best)}, {best['relative']:+.0%}; smallest: {label(worst)}, {worst['relative']:+.0%}.",
    )


LEFT, RIGHT = -30, 2000  # per cent; intervals are cut there


def gain_against_unseen_share(found: pd.DataFrame) -> Plot:
    """Draw each cell's relative gain against the share of events on items that no labelled user has."""
    wide = found[found["metric"] == "gain_without_pretraining"].merge(
        found[found["metric"] == "unseen_share"][[*CELL, "value"]], on=CELL, suffixes=("", "_unseen")
    )
    figure, axes = new(
        "What a raw head cannot read foretells the gain", "unseen share (%)",
        "gain over the best rival\nwithout pretraining (%)",
    )  # fmt: skip
    for number, task in enumerate(NAMES):
        rows = wide[wide["task"] == task]
        if len(rows):
            axes.plot(
                100 * rows["value_unseen"], 100 * rows["relative"], MARKERS[number], color=COLOURS[number],
                linestyle="none", label=NAMES[task], alpha=0.85,
            )  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.9)
    axes.set_yscale("symlog", linthresh=20)
    ticks = [-20, 0, 20, 50, 100, 300, 1000]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=8)
    shelf = wide[wide["task"] == "new-shelf"]
    alt = f"Relative gain of {len(wide)} cells against their unseen share, a marker per kind of label."
    if len(shelf) > 2:
        rho = shelf["relative"].corr(shelf["value_unseen"], method="spearman")
        alt += f" Over the {len(shelf)} new-shelf cells the rank correlation is {rho:.2f}."
    return Plot(figure, alt)


def label(row: Mapping[Any, Any] | pd.Series) -> str:
    """Return what a cell is called: ``retailrocket, 3 shown, 100 labels``."""
    shown = "" if row["shown"] == "all" else f", {row['shown']} shown"
    of = f", {row['attribute']}" if row["attribute"] else ""
    return f"{row['data']}{of}{shown}, {row['labels']} labels"
