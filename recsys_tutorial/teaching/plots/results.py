"""Figures of trainings and of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .base import COLOURS, LINES, MARKERS, Plot, Style, new, new_row


def training(history: pd.DataFrame, title: str = "Training") -> Plot:
    """Draw the loss of each epoch, and the validation loss where there is one."""
    figure, axes = new(title, "epoch", "loss (nats per user)")
    axes.plot(history["epoch"], history["loss"], color=COLOURS[0], label="training")
    first, last = history["loss"].iloc[[0, -1]]
    alt = f"Training loss over {len(history)} epochs, from {first:.0f} to {last:.0f}."
    if history["validation"].notna().any():
        best = history.iloc[history["validation"].argmin()]
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
    k = summary["k"].iloc[0]
    metric = summary["metric"].iloc[0].upper() + (f"@{k:.0f}" if k == k and k is not None else "")
    figure, axes = new("Quality from few labels", "labelled users", metric, size=(7.2, 3.8))
    for index, (model, rows) in enumerate(summary.groupby("model", sort=False)):
        n, again = index % len(COLOURS), index + index // len(COLOURS)  # a ninth has the first's colour only
        again %= len(LINES)  # as many as MARKERS
        style: Style = {"color": COLOURS[n], "marker": MARKERS[again], "linestyle": LINES[again]}
        axes.plot(rows["labels"], rows["value"], label=model, **style)
        axes.fill_between(rows["labels"], rows["ci_low"], rows["ci_high"], color=COLOURS[n], alpha=0.1, linewidth=0)
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
        style: Style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index]}
        axes.plot(rows[x], rows["value"], label=model, **style)
        axes.fill_between(rows[x], rows["ci_low"], rows["ci_high"], color=COLOURS[index], alpha=0.15, linewidth=0)
        ends.append(f"{model} from {rows['value'].iloc[0]:.3f} to {rows['value'].iloc[-1]:.3f}")
    axes.set_xscale("log")
    ticks = sorted(table[x].unique())
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return Plot(figure, f"{title}: {y} for {ticks[0]:,} to {ticks[-1]:,} {x}; " + ", ".join(ends) + ".")


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
    rows = zip(names, gains["value"], gains["ci_low"], gains["ci_high"], strict=True)
    told = "; ".join(f"{name} {value:+.3f} [{low:+.3f}, {high:+.3f}]" for name, value, low, high in rows)
    return Plot(figure, f"Differences in {metric} with 95 % intervals: {told}.")


def bars(values: Mapping[str, float], title: str, x: str, errors: Sequence[float] | None = None) -> Plot:
    """Draw one horizontal bar per name, in the order given, with error bars where ``errors`` are given."""
    figure, axes = new(title, x, "", size=(6.4, 0.9 + 0.4 * len(values)))
    names = list(values)
    axes.barh(names, list(values.values()), xerr=errors, color=COLOURS[0], ecolor=COLOURS[6], capsize=3)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return Plot(figure, f"{title}, {x}: " + ", ".join(f"{name} {value:.3g}" for name, value in values.items()) + ".")


def simulated_few_labels(summary: pd.DataFrame) -> Plot:
    """Draw the simulated error against the number of labels, with error bars, and least squares by formula.

    Args:
        summary: from :func:`recsys_tutorial.teaching.linear.summarise`.
    """
    figure, axes = new("Fewer labels suffice when g is good", "labelled users", "expected squared error")
    ends = []
    for index, (model, rows) in enumerate(summary.groupby("model", sort=False)):
        style: Style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": LINES[index], "capsize": 3}
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


def evaluation(table: pd.DataFrame) -> Plot:
    """Draw every model's mean with its interval: one panel per metric, one row of points per protocol and k.

    Metrics of whole lists (coverage, say) have no interval and are drawn as points alone.

    Args:
        table: from :func:`recsys_tutorial.evaluate`, several of them concatenated if you like.
    """
    metrics, models = list(dict.fromkeys(table["metric"])), list(dict.fromkeys(table["model"]))
    rows = list(dict.fromkeys(zip(table["protocol"], table["k"], strict=True)))
    size = (2.8 + 3.2 * len(metrics), 1.3 + len(rows) * (0.3 + 0.16 * len(models)))
    figure, panels = new_row([metric.upper() for metric in metrics], "mean over users, 95 % interval", "", size)
    told = []
    for number, model in enumerate(models):
        style: Style = {"color": COLOURS[number % 8], "marker": MARKERS[number % 8], "linestyle": "none", "capsize": 3}
        shift = 0.7 * ((number + 0.5) / len(models) - 0.5)
        for metric, axes in zip(metrics, panels, strict=True):
            mine = table[(table["model"] == model) & (table["metric"] == metric)]
            places = [rows.index(row) + shift for row in zip(mine["protocol"], mine["k"], strict=True)]
            sides = np.abs(mine[["ci_low", "ci_high"]].to_numpy(float).T - mine["value"].to_numpy(float))
            axes.errorbar(mine["value"], places, xerr=sides, label=model if axes is panels[0] else None, **style)
        told += [f"{model} {_point(row)}" for row in table[table["model"] == model].itertuples()]
    panels[0].set_yticks(range(len(rows)), [f"{_broken(protocol)}\n@{k}" for protocol, k in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    for axes in panels:
        axes.grid(visible=False, axis="y")
        for border in range(1, len(rows)):
            axes.axhline(border - 0.5, color=COLOURS[7], linewidth=0.5)
    figure.legend(loc="outside right upper", frameon=False)
    return Plot(figure, f"Means over users with 95 % intervals: {'; '.join(told)}.")


def _point(row: Any) -> str:
    interval = f" [{row.ci_low:.3f}, {row.ci_high:.3f}]" if pd.notna(row.ci_low) else ""
    return f"{row.metric}@{row.k} {row.value:.3f}{interval} ({row.protocol})"


def _broken(protocol: str) -> str:
    """Return the name of a protocol on two lines: what it is, and its settings."""
    return protocol.replace(", ", "\n", 1) if ", " in protocol else protocol.replace(" (", "\n(", 1)


def lines(table: pd.DataFrame, title: str, y: str) -> Plot:
    """Draw one line per column against the index, whose name is the axis' label.

    Args:
        table: numbers, with a name for the index and for every column.
        title: of the figure.
        y: what the numbers are.
    """
    figure, axes = new(title, str(table.index.name), y, size=(7.2, 3.6))
    for number, (name, values) in enumerate(table.items()):
        style: Style = {"color": COLOURS[number % 8], "marker": MARKERS[number % 8], "linestyle": LINES[number % 8]}
        axes.plot(table.index, values, label=name, markersize=5, **style)
    axes.set_xticks(table.index)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    told = "; ".join(f"{name} " + ", ".join(f"{value:.2f}" for value in values) for name, values in table.items())
    return Plot(figure, f"{title}: {y} at {table.index.name} {table.index[0]} to {table.index[-1]}. {told}.")
