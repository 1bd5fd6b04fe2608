"""Figures of single cases of the map: what is known before training, and what pretraining brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...errors import InputError
from .base import COLOURS, MARKERS, Plot, Style
from .when import CELL, LEFT, NAMES, RIGHT, label

NEAR = 0.1  # cells whose unseen share is as near as this are alike
MOST_TITLES = 8
BETS = {"": "no bet yet", "helps": "pretraining helps", "not shown": "it is not shown to help"}


def cells(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cell of the map, its gain beside its unseen share, which is in the column ``unseen``.

    Args:
        found: from :func:`recsys_tutorial.studies.map_findings.findings`.
    """
    shares = found[found["metric"] == "unseen_share"].set_index(CELL)["value"].rename("unseen")
    gains = found[found["metric"] == "gain_without_pretraining"]
    return gains.join(shares, on=CELL).reset_index(drop=True)


def case(row: Mapping[Any, Any] | pd.Series, bet: str = "") -> Plot:
    """Draw one cell: at the left what can be counted before any training, at the right the gain, once a bet is made.

    Args:
        row: of :func:`cells`.
        bet: ``"helps"``, ``"not shown"``, or "" for none: then the gain is kept back.

    Raises:
        InputError: another bet.
    """
    if bet not in BETS:
        raise InputError(f"bet={bet!r}: it needs to be one of {', '.join(map(repr, BETS))}")
    figure, (left, right) = _pair(("Known before training", "What pretraining brought"), 2.4)
    left.barh([0], [100 * row["unseen"]], color="white", edgecolor="black", hatch="...", height=0.5)
    left.barh([0], [100 * (1 - row["unseen"])], left=[100 * row["unseen"]], color=COLOURS[0], height=0.5)
    left.set(xlim=(0, 100), xlabel="unseen share (%), dotted", ylim=(-0.6, 0.6))
    left.set_yticks([0], [f"{row['labels']} labels"])
    right.set_xscale("symlog", linthresh=10, linscale=0.6)
    right.set(xlim=(LEFT, RIGHT), xlabel="gain over the rival (%)", ylim=(-0.6, 0.6))
    ticks = [-10, 0, 10, 100, 1000]
    right.set_xticks(ticks, [str(tick) for tick in ticks])
    right.minorticks_off()
    right.set_yticks([0], [str(row["rival"]) if bet else "rival?"])
    right.axvline(0, color=COLOURS[6], linewidth=0.9)
    about = f"{NAMES[row['task']]}: {label(row)}. Unseen share {row['unseen']:.0%}."
    if not bet:
        right.text(0.5, 0.72, "? bet first", transform=right.transAxes, ha="center", fontsize=12)
        return Plot(figure, f"{about} No bet yet: the gain is kept back.")
    rival = row["value"] / row["relative"] if row["relative"] else np.nan
    low, high = (100 * row[end] / rival for end in ("ci_low", "ci_high"))
    helps = row["verdict"] == "positive"
    style: Style = {"color": COLOURS[1], "markerfacecolor": COLOURS[1] if helps else "white"}
    right.hlines([0], max(low, LEFT), min(high, RIGHT), color=COLOURS[1], linewidth=1.6)
    right.plot([100 * row["relative"]], [0], MARKERS[1], markersize=8, **style)
    told = "helps" if helps else "is not shown to help"
    right.text(0.5, 0.84, f"pretraining {told}", transform=right.transAxes, ha="center")
    right_or_wrong = "right" if (bet == "helps") == helps else "wrong"
    return Plot(
        figure,
        f"{about} Your bet, {BETS[bet]}, was {right_or_wrong}: {row['relative']:+.0%} over {row['rival']}, "
        f"interval {low:+.0f}% to {high:+.0f}%: pretraining {told}.",
    )


def unseen(titles: Sequence[str], known: Sequence[bool] | np.ndarray, share: float, table: pd.DataFrame) -> Plot:
    """Draw which of one user's items a raw head can read, and the gains of the map's cells with a share like this.

    Args:
        titles: up to 8 of the user's items.
        known: for each whether some labelled user has it too.
        share: the unseen share over all test users.
        table: of :func:`cells`.

    Raises:
        InputError: no title, too many, or another number of marks.
    """
    if len(titles) != len(known) or not 1 <= len(titles) <= MOST_TITLES:
        raise InputError(f"{len(titles)} titles and {len(known)} marks: give 1 to {MOST_TITLES}, a mark for each")
    figure, (left, right) = _pair(("One user's items", "The map: what follows"), 3.4)
    for place, (title, seen) in enumerate(zip(titles, known, strict=True)):
        style: Style = {"color": COLOURS[0]} if seen else {"color": "white", "edgecolor": "black", "hatch": "..."}
        left.barh([place], [1], height=0.8, **style)
        left.text(0.5, place, title, ha="center", va="center", fontsize=8, color="white" if seen else "black",
                  bbox=None if seen else {"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    left.set(xlim=(0, 1), ylim=(MOST_TITLES - 0.4, -0.6), xlabel="blue: a raw head reads it; dotted: not")
    left.set_xticks([])
    left.set_yticks(range(len(titles)), [f"item {place + 1}" for place in range(len(titles))])
    shelf = table[table["task"] == "new-shelf"]
    alike = shelf[(shelf["unseen"] - share).abs() <= NEAR]
    for rows, face in ((shelf.drop(alike.index), "white"), (alike, COLOURS[1])):
        right.plot(100 * rows["unseen"], 100 * rows["relative"], MARKERS[0], color=COLOURS[1], linestyle="none",
                   markerfacecolor=face)  # fmt: skip
    right.axvline(100 * share, color=COLOURS[6], linestyle="--", linewidth=1)
    right.axhline(0, color=COLOURS[6], linewidth=0.9)
    right.set_yscale("symlog", linthresh=20)
    ticks = [0, 20, 50, 100]
    right.set_yticks(ticks, [str(tick) for tick in ticks])
    right.minorticks_off()
    right.set(xlabel="unseen share (%)", ylabel="gain (%)", xlim=(-3, 103), ylim=(-10, 160))
    told = "no cell of the map is within 10 points of that."
    if len(alike):
        told = (
            f"the {len(alike)} new-shelf cells of the map within 10 points of that gain {alike['relative'].min():+.0%} "
            f"to {alike['relative'].max():+.0%}, in the median {alike['relative'].median():+.0%}."
        )
    return Plot(
        figure,
        f"A raw head can read {int(np.sum(known))} of this user's {len(titles)} items. Unseen share of all test users "
        f"{share:.0%}; {told}",
    )


def _pair(titles: tuple[str, str], height: float) -> tuple[Figure, tuple[Axes, Axes]]:
    """Return two panels side by side, each with axes of its own."""
    figure = Figure(figsize=(7.2, height))  # no constrained layout: it takes longer than the drawing
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.5 / height, top=1 - 0.35 / height, wspace=0.42)
    for axes, title in zip((left, right), titles, strict=True):
        axes.set_title(title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.set_axisbelow(True)
    return figure, (left, right)
