"""Figures of what things cost: benchmark bars, the roofline, growth, quality against seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .base import COLOURS, LINES, MARKERS, Plot, Style, new


def benchmark(records: pd.DataFrame) -> Plot:
    """Draw every measured figure that has a bar as a share of its bar: what ends left of the line keeps it.

    Args:
        records: from :func:`recsys_tutorial.benchmark.benchmark`.
    """
    rows = records[records["bar"].notna() & np.isfinite(records["value"].astype(float))]
    shares = (rows["value"] / rows["bar"]).to_numpy(float)
    sides = np.abs(rows[["low", "high"]].to_numpy(float).T / rows["bar"].to_numpy(float) - shares)
    size = (7.2, 1.3 + 0.25 * len(rows))
    figure, axes = new("Measured, over its bar (left of the line: kept)", "share of the bar (log scale)", "", size)
    places, kept = np.arange(len(rows)), shares <= 1
    for chosen, colour, hatch in ((kept, COLOURS[0], ""), (~kept, COLOURS[1], "//")):
        axes.barh(places[chosen], shares[chosen], color=colour, hatch=hatch, edgecolor="white")
    axes.errorbar(shares, places, xerr=sides, fmt="none", ecolor=COLOURS[6], capsize=2, linewidth=1)
    axes.axvline(1, color=COLOURS[6], linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(places, [f"{row.metric} ({row.value:.3g} of {row.bar:.3g})" for row in rows.itertuples()])
    axes.tick_params(axis="y", labelsize="small")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    told = ", ".join(f"{row.metric} {row.value:.3g} (bar {row.bar:.3g})" for row in rows.itertuples())
    return Plot(figure, f"{int(kept.sum())} of {len(rows)} figures keep their bar. {told}.")


def roofline(kernels: pd.DataFrame, flops: float, bandwidth: float) -> Plot:
    """Draw operations against the speed that the machine allows and the speed that was measured.

    Args:
        kernels: columns ``name, flops, bytes, seconds``, a row per operation.
        flops: additions and multiplications a second at most.
        bandwidth: bytes a second.
    """
    title = f"Roofline: {flops / 1e9:.0f} Gflop/s at most, {bandwidth / 1e9:.0f} GB/s"
    figure, axes = new(title, "intensity: flops for every byte moved", "Gflop/s")
    intensity = np.logspace(-2, 3, 60)
    axes.plot(intensity, np.minimum(flops, bandwidth * intensity) / 1e9, color=COLOURS[6], label="the roof")
    told = []
    row: Any
    for number, row in enumerate(kernels.itertuples()):
        x, y = row.flops / row.bytes, row.flops / row.seconds / 1e9
        axes.plot(x, y, color=COLOURS[number % 8], marker=MARKERS[number % 8], linestyle="none", label=row.name)
        told.append(f"{row.name} {x:.2g} flops a byte")
    axes.set(xscale="log", yscale="log")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    figure.set_size_inches(7.2, 3.6)
    return Plot(figure, f"Speed against intensity on two log axes, under a roof that rises and then is flat. "
                        f"{'; '.join(told)}.")  # fmt: skip


def growth(points: pd.DataFrame, exponents: pd.DataFrame, y: str) -> Plot:
    """Draw a cost against what was doubled, one line per axis, relative to where each begins.

    Args:
        points: columns ``axis, size, value``.
        exponents: columns ``axis, value``: what was fitted.
        y: what the values are.
    """
    figure, axes = new(f"Growth of {y}", "how many times the smallest size", "relative to the smallest size")
    told = []
    fitted = dict(zip(exponents["axis"], exponents["value"], strict=True))
    for number, (axis, rows) in enumerate(points.groupby("axis", sort=False)):
        x, values = rows["size"] / rows["size"].iloc[0], rows["value"] / rows["value"].iloc[0]
        style: Style = {"color": COLOURS[number], "marker": MARKERS[number], "linestyle": LINES[number]}
        axes.plot(x, values, label=f"{axis}: exponent {fitted[axis]:.2f}", **style)
        told.append(f"{axis} exponent {fitted[axis]:.2f}")
    ends = np.array(axes.get_xlim()).clip(1)
    axes.plot(ends, ends, color=COLOURS[7], linewidth=1, label="in proportion")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.legend(frameon=False)
    return Plot(figure, f"{y} against size on two log axes, each relative to its smallest: {', '.join(told)}.")


def pareto(points: pd.DataFrame, metric: str = "NDCG@100") -> Plot:
    """Draw quality against seconds of training, one line per model through its budgets, and the front of the best.

    Args:
        points: columns ``data, model, seconds, value, ours``, of one data set.
        metric: what the values are.
    """
    title = "Quality against seconds, " + ", ".join(points["data"].unique())
    figure, axes = new(title, "seconds of training (log scale)", metric, size=(7.2, 3.8))
    ordered = points.sort_values("seconds")
    front = ordered[ordered["value"] > ordered["value"].cummax().shift(fill_value=-np.inf)]
    for number, (model, rows) in enumerate(points.groupby("model", sort=False)):
        rows = rows.sort_values("seconds")
        style: Style = {"color": COLOURS[number % 8], "marker": MARKERS[number % 8], "linestyle": LINES[number % 8]}
        face = style["color"] if rows["ours"].all() else "white"
        axes.plot(rows["seconds"], rows["value"], label=model, markerfacecolor=face, **style)
    axes.step(front["seconds"], front["value"], where="post", color=COLOURS[6], linewidth=0.8, label="the front")
    axes.set_xscale("log")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), title="filled: ours")
    best = points.loc[points.groupby("model", sort=False)["value"].idxmax()]
    told = ", ".join(f"{row.model} {row.value:.3f}" for row in best.itertuples())
    on = ", ".join(dict.fromkeys(front["model"]))
    return Plot(figure, f"{title}: {metric} against seconds of training. Best of each: {told}. On the front: {on}.")


def race(records: pd.DataFrame) -> Plot:
    """Draw our seconds over those of each library, a line for each row and peer: left of 1 we are ahead of it.

    Args:
        records: from the part ``race`` of :func:`recsys_tutorial.benchmark.benchmark`; rows without a value, which
            were not run or in which ours never reached the other's quality, have no mark: their line says "none".
    """
    rows = records[records["metric"] == "race"]
    ratios = rows.assign(value=rows["value"].astype(float)).pivot(index=["row", "peer"], columns="data", values="value")
    ratios = ratios.reindex(pd.MultiIndex.from_frame(rows[["row", "peer"]].drop_duplicates()))
    size = (7.2, 1.3 + 0.27 * len(ratios))
    figure, axes = new("Ours over theirs", "seconds to their best quality, ours over theirs (log scale)", "", size)
    axes.axvline(1, color=COLOURS[6], linewidth=1)
    for number, (data, values) in enumerate(ratios.items()):
        marker = MARKERS[number]
        for chosen, colour in ((values <= 1, COLOURS[0]), (values > 1, COLOURS[1])):
            places = np.flatnonzero(chosen)
            axes.hlines(places, 1, values[chosen], color=colour, linewidth=1)
            axes.plot(values[chosen], places, marker, color=colour, markeredgecolor="white")
        axes.plot([], [], marker, color=COLOURS[7], label=str(data))
    axes.set_xscale("log", base=4)  # fewer ticks than by 2, whose labels touch
    axes.xaxis.set_major_formatter("{x:g}")
    says = [
        " and ".join(f"{value:.2g}" for value in line if np.isfinite(value)) or "none" for line in ratios.to_numpy()
    ]
    named = [f"{row}: {peer}, {said}" for (row, peer), said in zip(ratios.index, says, strict=True)]
    axes.set_yticks(np.arange(len(ratios)), named)
    axes.tick_params(axis="y", labelsize="small")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    if len(ratios.columns) > 1:
        axes.legend(frameon=False)
    run = ratios.to_numpy()[np.isfinite(ratios.to_numpy())]
    ahead, none = int((run <= 1).sum()), len(rows) - len(run)
    counts = f"Ours is ahead in {ahead} races, behind in {len(run) - ahead}, and {none} have no figure"
    return Plot(figure, f"{counts} ({', then '.join(map(str, ratios.columns))}). {'; '.join(named)}.")
