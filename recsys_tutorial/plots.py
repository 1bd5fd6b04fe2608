"""Figures: one call each, axes labelled, colours that a colour-blind reader can tell apart, and a text that stands in.

Every function returns a :class:`Plot`. As the last line of a notebook cell it shows the picture; its alternative text
is stored beside it, for screen readers and for tests, which compare the text and not the pixels.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .catalogue import Catalogue, RawId
from .files import write_bytes
from .interactions import Interactions

# Okabe and Ito (2008): told apart with any colour vision, and in grey by their order with MARKERS and LINES.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 3)))


@dataclass(frozen=True)
class Plot:
    """A figure and the text that says what it shows.

    Args:
        figure: the matplotlib figure, to be changed at will.
        alt: one or two sentences for readers who do not see it.
    """

    figure: Figure
    alt: str

    def png(self) -> bytes:
        """Return the picture."""
        FigureCanvasAgg(self.figure)
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the picture as PNG, whole."""
        write_bytes(path, self.png())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"image/png": self.png(), "text/plain": self.alt}, {"image/png": {"alt": self.alt}}


def new(title: str, x: str, y: str, size: tuple[float, float] = (6.4, 3.6)) -> tuple[Figure, Axes]:
    """Return an empty figure with a title and labelled axes."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


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


def training(history: pd.DataFrame, title: str = "Training") -> Plot:
    """Draw the loss of each epoch, and the validation loss where there is one."""
    figure, axes = new(title, "epoch", "loss (nats per user)")
    axes.plot(history["epoch"], history["loss"], color=COLOURS[0], label="training")
    first, last = history["loss"].iloc[[0, -1]]
    alt = f"Training loss over {len(history)} epochs, from {first:.0f} to {last:.0f}."
    if history["validation"].notna().any():
        best = history.loc[history["validation"].idxmin()]
        axes.plot(history["epoch"], history["validation"], color=COLOURS[1], linestyle="--", label="validation")
        axes.plot(best["epoch"], best["validation"], color=COLOURS[1], marker="o", label="best epoch, kept")
        alt += f" Validation loss is lowest, {best['validation']:.0f}, at epoch {best['epoch']:.0f}."
        axes.legend(frameon=False)
    return Plot(figure, alt)


def label_efficiency(summary: pd.DataFrame) -> Plot:
    """Draw quality against the number of labelled users, one line per model, with a band for the interval.

    Args:
        summary: from :func:`recsys_tutorial.studies.summarise`.
    """
    metric = f"{summary['metric'].iloc[0].upper()}@{summary['k'].iloc[0]}"
    figure, axes = new("Quality from few labels", "labelled users", metric, size=(7.2, 3.8))
    for index, (model, rows) in enumerate(summary.groupby("model", sort=False)):
        style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index]}
        axes.plot(rows["labels"], rows["value"], label=model, **style)
        axes.fill_between(rows["labels"], rows["ci_low"], rows["ci_high"], color=COLOURS[index], alpha=0.1, linewidth=0)
    axes.set_xscale("log")
    ticks = sorted(summary["labels"].unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False, title="mean and 95 % interval\nover seeds", loc="center left", bbox_to_anchor=(1.0, 0.5))
    few = summary[summary["labels"] == ticks[0]].sort_values("value", ascending=False)
    ranked = ", ".join(f"{row.model} {row.value:.3f}" for row in few.itertuples())
    return Plot(
        figure, f"{metric} against labelled users, a line with a band per model. At {ticks[0]} labels: {ranked}."
    )


def differences(gains: pd.DataFrame, metric: str = "NDCG@20") -> Plot:
    """Draw paired differences with their intervals around a line at zero.

    Args:
        gains: from :func:`recsys_tutorial.studies.paired`, several of them concatenated if you like.
        metric: what the difference is of.
    """
    names = [f"{row.model}, {row.labels} labels" for row in gains.itertuples()]
    figure, axes = new("Differences, seed by seed", f"difference in {metric} (mean, 95 % interval)", "")
    figure.set_size_inches(7.2, 1.2 + 0.35 * len(names))
    places = np.arange(len(names))
    sides = np.abs(gains[["ci_low", "ci_high"]].to_numpy().T - gains["value"].to_numpy())
    axes.errorbar(gains["value"], places, xerr=sides, fmt="o", color=COLOURS[0], capsize=3)
    axes.axvline(0, color=COLOURS[6], linewidth=1)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    told = zip(names, gains["value"], gains["ci_low"], gains["ci_high"], strict=True)
    told = "; ".join(f"{name} {value:+.3f} [{low:+.3f}, {high:+.3f}]" for name, value, low, high in told)
    return Plot(figure, f"Differences in {metric} with 95 % intervals: {told}.")


def bars(values: Mapping[str, float], title: str, x: str, errors: Sequence[float] | None = None) -> Plot:
    """Draw one horizontal bar per name, in the order given, with error bars where ``errors`` are given."""
    figure, axes = new(title, x, "", size=(6.4, 0.9 + 0.4 * len(values)))
    names = list(values)
    axes.barh(names, list(values.values()), xerr=errors, color=COLOURS[0], ecolor=COLOURS[6], capsize=3)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return Plot(figure, f"{title}, {x}: " + ", ".join(f"{name} {value:.3g}" for name, value in values.items()) + ".")


def item_map(
    vectors: np.ndarray,
    catalogue: Catalogue,
    among: np.ndarray,
    named: Sequence[RawId] = (),
    title: str = "A map of items",
) -> Plot:
    """Draw items by where their vectors point, coloured and marked by their first genre.

    The plane is the one that keeps most of the spread: PCA of the vectors divided by their length.

    Args:
        vectors: ``(n_items, dim)``.
        catalogue: the items, with genres; the eight commonest first genres are drawn.
        among: ``(n_items,)`` mask of the items to draw, say those with enough events to be trusted.
        named: ids or titles of the items to write a name beside.
        title: of the figure.
    """
    shown = np.flatnonzero(among)
    unit = vectors[shown] / np.linalg.norm(vectors[shown], axis=1, keepdims=True).clip(1e-12)
    centred = unit - unit.mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    # The sign of a direction is arbitrary: the largest entry is made positive, so that a re-run draws the same map.
    signs = np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(1)])
    points = dict(zip(shown.tolist(), centred @ (directions[:2] * signs[:, None]).T, strict=True))
    kept = (sizes[:2] ** 2).sum() / (sizes**2).sum()

    figure, axes = new(title, "first direction", "second direction", size=(6.8, 5.2))
    first_genre = {index: (catalogue.genres[index] or ("none",))[0] for index in points}
    groups = [name for name, _ in Counter(first_genre.values()).most_common(len(COLOURS))]
    for number, group in enumerate(groups):
        mine = np.array([points[index] for index, genre in first_genre.items() if genre == group])
        axes.scatter(*mine.T, s=16, color=COLOURS[number], marker=MARKERS[number], label=group, alpha=0.7, linewidths=0)
    for index in catalogue.indices_of(list(named)).tolist():
        if index in points:
            where = {"xytext": (3, 3), "textcoords": "offset points", "fontsize": "x-small"}
            axes.annotate(catalogue.label(index), points[index], **where)
    axes.legend(frameon=False, fontsize="small", ncols=2)
    drawn = f"{len(points)} items in {len(groups)} groups ({', '.join(groups)})"
    return Plot(figure, f"{title}: {drawn}; the plane keeps {kept:.0%} of the spread.")


def curves(table: pd.DataFrame, title: str, x: str, y: str) -> Plot:
    """Draw ``value`` against ``x`` (a log axis), one line per model, with a band from ``ci_low`` to ``ci_high``.

    Args:
        table: columns ``model, value, ci_low, ci_high`` and the one named ``x``.
        title: of the figure.
        x: name of the column along the axis, and the axis' label.
        y: the axis' label.
    """
    figure, axes = new(title, x, y)
    ends = []
    for index, (model, rows) in enumerate(table.groupby("model", sort=False)):
        style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index]}
        axes.plot(rows[x], rows["value"], label=model, **style)
        axes.fill_between(rows[x], rows["ci_low"], rows["ci_high"], color=COLOURS[index], alpha=0.15, linewidth=0)
        ends.append(f"{model} from {rows['value'].iloc[0]:.3f} to {rows['value'].iloc[-1]:.3f}")
    axes.set_xscale("log")
    ticks = sorted(table[x].unique())
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return Plot(figure, f"{title}: {y} for {ticks[0]:,} to {ticks[-1]:,} {x}; " + ", ".join(ends) + ".")


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


def simulated_few_labels(summary: pd.DataFrame) -> Plot:
    """Draw the simulated error against the number of labels, with error bars, and least squares by formula.

    Args:
        summary: from :func:`recsys_tutorial.linear.summarise`.
    """
    figure, axes = new("Fewer labels suffice when g is good", "labelled users", "expected squared error")
    ends = []
    for index, (model, rows) in enumerate(summary.groupby("model", sort=False)):
        style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index], "capsize": 3}
        errors = [rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]]
        x = rows["labels"] * 1.02 ** (index - 1)  # side by side, so that no bar hides another
        axes.errorbar(x, rows["value"], errors, label=f"{model} ({rows['dim'].iloc[0]} numbers)", **style)
        if rows["theory"].notna().all():
            axes.plot(x, rows["theory"], color=COLOURS[7], linewidth=1, zorder=0)
        ends.append(f"{model} from {rows['value'].iloc[0]:.2f} to {rows['value'].iloc[-1]:.2f}")
    ticks = sorted(summary["labels"].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, None)
    axes.plot([], [], color=COLOURS[7], linewidth=1, label="least squares, by formula")
    axes.legend(frameon=False, fontsize="small", ncols=2)
    return Plot(
        figure,
        f"Squared error against labelled users, mean and 95 % interval. From {ticks[0]} to {ticks[-1]} labels: "
        f"{', '.join(ends)}.",
    )
