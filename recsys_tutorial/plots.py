"""Figures: one call each, axes labelled, colours that a colour-blind reader can tell apart, and a text that stands in.

Every function returns a :class:`Plot`. As the last line of a notebook cell it shows the picture; its alternative text
is stored beside it, for screen readers and for tests, which compare the text and not the pixels.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

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
    figure, axes = new("Quality from few labels", "labelled users", f"{metric} (mean, 95 % interval over seeds)")
    for index, (model, rows) in enumerate(summary.groupby("model", sort=False)):
        style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index]}
        axes.plot(rows["labels"], rows["value"], label=model, **style)
        axes.fill_between(rows["labels"], rows["ci_low"], rows["ci_high"], color=COLOURS[index], alpha=0.1, linewidth=0)
    axes.set_xscale("log")
    ticks = sorted(summary["labels"].unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize="small")
    few = summary[summary["labels"] == ticks[0]].sort_values("value", ascending=False)
    ranked = ", ".join(f"{row.model} {row.value:.3f}" for row in few.itertuples())
    return Plot(
        figure, f"{metric} against labelled users, a line with a band per model. At {ticks[0]} labels: {ranked}."
    )


def bars(values: Mapping[str, float], title: str, x: str, errors: Sequence[float] | None = None) -> Plot:
    """Draw one horizontal bar per name, in the order given, with error bars where ``errors`` are given."""
    figure, axes = new(title, x, "", size=(6.4, 0.9 + 0.4 * len(values)))
    names = list(values)
    axes.barh(names, list(values.values()), xerr=errors, color=COLOURS[0], ecolor=COLOURS[6], capsize=3)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return Plot(figure, f"{title}, {x}: " + ", ".join(f"{name} {value:.3g}" for name, value in values.items()) + ".")


def item_map(
    vectors: np.ndarray, groups: Sequence[str], labels: Mapping[int, str], title: str = "A map of items"
) -> Plot:
    """Draw items where their directions lie in the plane that keeps most of them (PCA of the normalised vectors).

    Args:
        vectors: ``(items, dim)``.
        groups: one group name per item; the eight largest groups are drawn.
        labels: index of an item -> the name written beside it.
        title: of the figure.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
    centred = unit - unit.mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    # The sign of a direction is arbitrary: the largest entry is made positive, so that a re-run draws the same map.
    signs = np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(1)])
    points = centred @ (directions[:2] * signs[:, None]).T
    kept = (sizes[:2] ** 2).sum() / (sizes**2).sum()

    figure, axes = new(title, "first direction", "second direction", size=(6.8, 5.2))
    groups = np.asarray(groups)
    names, counts = np.unique(groups, return_counts=True)
    shown = names[np.argsort(-counts, kind="stable")][: len(COLOURS)]
    for index, name in enumerate(shown):
        mine = points[groups == name]
        axes.scatter(*mine.T, s=16, color=COLOURS[index], marker=MARKERS[index], label=name, alpha=0.7, linewidths=0)
    for index, text in labels.items():
        axes.annotate(text, points[index], fontsize="x-small", xytext=(3, 3), textcoords="offset points")
    axes.legend(frameon=False, fontsize="small", ncols=2)
    drawn = f"{len(points)} items in {len(shown)} groups ({', '.join(shown)})"
    return Plot(figure, f"{title}: {drawn}; the plane keeps {kept:.0%} of the spread.")
