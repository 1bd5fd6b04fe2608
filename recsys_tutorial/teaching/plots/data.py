"""Figures of behaviour and of users."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...data.interactions import Interactions
from ...errors import InputError
from ..linear import projection, spread_kept
from .base import COLOURS, MARKERS, Plot, Style, new


def long_tail(interactions: Interactions, head: float = 0.1) -> Plot:
    """Draw how many events each item has, from the most popular item to the least, on log axes.

    Args:
        interactions: whose items are counted.
        head: share of the items, the most popular first, whose share of the events is written in.
    """
    counts = np.sort(interactions.events_per_item)[::-1]
    items, held = head_of_tail(counts, head)
    figure, axes = new("The long tail", "rank of the item (most popular first)", "events")
    axes.loglog(np.arange(1, len(counts) + 1), np.maximum(counts, 0.5), color=COLOURS[0])
    axes.axvline(items, color=COLOURS[1], linestyle="--")
    text, right = f"first {head:.0%} of the items:\n{held:.0%} of the events", items > len(counts) ** 0.5
    where: Style = {"xytext": (-6 if right else 6, 0), "ha": "right" if right else "left", "va": "bottom"}
    below: Style = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}  # where the curve never is
    axes.annotate(text, (items, 0.05), color=COLOURS[1], **where, **below)
    return Plot(
        figure,
        f"Events per item, sorted, on log axes: from {counts[0]:,} down to {counts[-1]:,}. "
        f"The first {head:.0%} of the items, {items:,} of {len(counts):,}, hold {held:.0%} of the events.",
    )


def head_of_tail(counts: np.ndarray, head: float) -> tuple[int, float]:
    """Return how many items the share ``head`` is, at least one, and their share of all events.

    Args:
        counts: events of each item, most popular first.
        head: share of the items, above 0 and at most 1.

    Raises:
        InputError: another share.
    """
    if not 0 < head <= 1:
        raise InputError(f"head={head}: a share of the items is above 0 and at most 1")
    items = max(1, int(head * len(counts)))
    return items, float(counts[:items].sum() / counts.sum())


def reconstruction(rows: np.ndarray, dim: int, user: int = 0) -> Plot:
    """Draw how much of ``rows`` PCA keeps for every length of z, and one user's row as ``dim`` numbers give it back.

    Args:
        rows: ``(users, items)``.
        dim: numbers in z.
        user: whose row is drawn, the items it has in another colour and hatched.
    """
    kept, back = spread_kept(rows), projection(rows, dim)[user]
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, len(kept) + 1), kept, color=COLOURS[0])
    left.plot(dim, kept[dim - 1], MARKERS[0], color=COLOURS[1], markersize=9)
    left.set(title=f"{dim} of {len(kept)} numbers keep {kept[dim - 1]:.0%}", ylim=(0, 1.03))
    left.set(xlabel="numbers in z", ylabel="spread kept")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    order, has = np.argsort(-back, kind="stable"), rows[user] > 0
    style = [(COLOURS[1], "//") if mine else (COLOURS[7], "") for mine in has[order]]
    colours, hatches = zip(*style, strict=True)
    right.bar(np.arange(len(back)), back[order], color=colours, hatch=hatches, width=1.0)
    right.set(title="one user: the items it has are hatched", xlabel="items, highest first", ylabel="given back")
    first = int(has[order[: has.sum()]].sum())
    return Plot(
        figure,
        f"PCA with {dim} of {len(kept)} numbers keeps {kept[dim - 1]:.0%} of the spread; of the {has.sum()} items that "
        f"the user has, {first} are among the {has.sum()} highest that come back.",
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
    row, column = map(int, np.unravel_index(np.nanargmax(values), values.shape))
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
        where: Style = {"xytext": (9 * side, 0), "textcoords": "offset points", "ha": "left" if side > 0 else "right"}
        axes.annotate(", ".join(rows.index), (at_x, at_y), fontsize="small", va="center", **where)
    axes.margins(0.2, 0.1)
    figure.legend(frameon=False, loc="outside lower center", ncols=4)
    return Plot(figure, f"{title}: {len(table)} points, {'; '.join(centres)}.")
