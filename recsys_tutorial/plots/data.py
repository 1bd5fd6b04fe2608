"""Figures of behaviour and of users."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..interactions import Interactions
from .base import COLOURS, MARKERS, Plot, new


def long_tail(interactions: Interactions) -> Plot:
    """Draw how many events each item has, from the most popular item to the least, on log axes."""
    counts = np.sort(interactions.events_per_item)[::-1]
    share = np.cumsum(counts) / counts.sum()
    tenth = max(1, len(counts) // 10)
    figure, axes = new("The long tail", "rank of the item (most popular first)", "events")
    axes.loglog(np.arange(1, len(counts) + 1), np.maximum(counts, 0.5), color=COLOURS[0])
    axes.axvline(tenth, color=COLOURS[1], linestyle="--")
    text = f"first tenth of the items:\n{share[tenth - 1]:.0%} of the events"
    axes.annotate(text, (tenth, counts[0]), (6, -8), textcoords="offset points", va="top", color=COLOURS[1])
    return Plot(
        figure,
        f"Events per item, sorted, on log axes: from {counts[0]:,} down to {counts[-1]:,}. "
        f"The first tenth of the items holds {share[tenth - 1]:.0%} of the events.",
    )


def heat(table: pd.DataFrame, title: str, x: str, y: str) -> Plot:
    """Draw a small table as shaded cells with the numbers written in; NaN cells stay empty.

    Args:
        table: rows and columns named, at most about twelve of each.
        title: of the figure.
        x: what the columns are.
        y: what the rows are.
    """
    values = table.to_numpy(float)
    figure, axes = new(title, x, y, size=(2.4 + 0.55 * table.shape[1], 2.0 + 0.4 * len(table)))
    axes.imshow(values, cmap="cividis_r", aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(table.shape[1]), table.columns, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(table)), table.index)
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (row, column), value in np.ndenumerate(values):
        if value == value:
            ink = "white" if value > middle else "black"
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink, fontsize="small")
    row, column = np.unravel_index(np.nanargmax(values), values.shape)
    return Plot(
        figure,
        f"{title}: {len(table)} by {table.shape[1]} cells from {np.nanmin(values):.1f} to {np.nanmax(values):.1f}; "
        f"the highest is {table.index[row]} with {table.columns[column]}.",
    )


def plane(table: pd.DataFrame, title: str) -> Plot:
    """Draw named points, coloured and marked by group; points in one place share one label.

    Args:
        table: the index names the points, two columns of numbers label the axes, the third, ``group``, is a name.
        title: of the figure.
    """
    x, y = table.columns[:2]
    figure, axes = new(title, x, y, size=(5.6, 4.4))
    centres = []
    for index, (name, rows) in enumerate(table.groupby("group", sort=False)):
        axes.scatter(rows[x], rows[y], s=60, color=COLOURS[index], marker=MARKERS[index], label=name)
        centres.append(f"{name} around ({rows[x].mean():.1f}, {rows[y].mean():.1f})")
    # To the right and to the left by turns, from below upwards, so that neighbours do not write over each other.
    for turn, ((_, at_y, at_x), rows) in enumerate(table.groupby(["group", table[y].round(3), table[x].round(3)])):
        side = 1 if turn % 2 == 0 else -1
        where = {"xytext": (9 * side, 0), "textcoords": "offset points", "ha": "left" if side > 0 else "right"}
        axes.annotate(", ".join(rows.index), (at_x, at_y), fontsize="small", va="center", **where)
    axes.margins(0.2, 0.1)
    figure.legend(frameon=False, loc="outside lower center", ncols=4)
    return Plot(figure, f"{title}: {len(table)} points, {'; '.join(centres)}.")
