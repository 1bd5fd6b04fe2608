"""Maps of items: where the vectors that g holds for them point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...data.catalogue import Catalogue, RawId
from ...evaluation.geometry import flat_map
from .base import COLOURS, MARKERS, Plot, Style, new


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
    points = flat_map(vectors[shown])
    unit = vectors[shown] / np.linalg.norm(vectors[shown], axis=1, keepdims=True).clip(1e-12)
    kept = points.var(0).sum() / unit.var(0).sum()
    figure, axes = new(title, "first direction", "second direction", size=(6.8, 5.2))
    groups = _scatter(axes, points, _first_genres(catalogue, shown), size=16)
    _name(axes, points, catalogue, shown, named)
    axes.legend(frameon=False, fontsize="small", ncols=2)
    drawn = f"{len(points)} items in {len(groups)} groups ({', '.join(groups)})"
    return Plot(figure, f"{title}: {drawn}; the plane keeps {kept:.0%} of the spread.")


def item_maps(
    vectors: Mapping[str, np.ndarray],
    catalogue: Catalogue,
    among: np.ndarray,
    named: Sequence[RawId] = (),
    title: str = "Maps of items",
    seed: int = 0,
) -> Plot:
    """Draw one small map of the same items for each model, coloured and marked by their first genre.

    The maps are drawn by t-SNE: items that are near each other in a map are so among the vectors, as a rule; the
    directions and the distances between far ones mean nothing.

    Args:
        vectors: model -> ``(n_items, dim)``.
        catalogue: the items, with genres; the eight commonest first genres are drawn.
        among: ``(n_items,)`` mask of the items to draw.
        named: ids or titles of the items to write a name beside.
        title: of the figure.
        seed: of t-SNE.
    """
    shown, columns = np.flatnonzero(among), min(3, len(vectors))
    rows = -(-len(vectors) // columns)
    figure = Figure(figsize=(3.2 * columns, 0.9 + 2.8 * rows), layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, table) in zip(panels, vectors.items(), strict=False):
        points = flat_map(table[shown], "tsne", seed)
        groups = _scatter(axes, points, _first_genres(catalogue, shown), size=9)
        _name(axes, points, catalogue, shown, named)
        axes.set(title=name, xlabel="t-SNE, axis 1", ylabel="t-SNE, axis 2", xticks=[], yticks=[])
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(vectors) :]:
        axes.set_axis_off()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return Plot(
        figure,
        f"{title}: {len(shown)} items, the {len(groups)} commonest first genres ({', '.join(groups)}) in colour, "
        f"one map for each of {', '.join(vectors)}.",
    )


def _first_genres(catalogue: Catalogue, shown: np.ndarray) -> np.ndarray:
    return np.array([((catalogue.genres or ())[index] or ("none",))[0] for index in shown.tolist()])


def _scatter(axes: Axes, points: np.ndarray, genres: np.ndarray, size: float) -> list[str]:
    """Draw the commonest genres, each in its colour and with its marker, and return their names."""
    groups = [str(name) for name, _ in Counter(genres.tolist()).most_common(len(COLOURS))]
    for number, group in enumerate(groups):
        style: Style = {"s": size, "color": COLOURS[number], "marker": MARKERS[number], "alpha": 0.7, "linewidths": 0}
        axes.scatter(*points[genres == group].T, label=group, **style)
    return groups


def _name(axes: Axes, points: np.ndarray, catalogue: Catalogue, shown: np.ndarray, named: Sequence[RawId]) -> None:
    where: Style = {"xytext": (3, 3), "textcoords": "offset points", "fontsize": "x-small"}
    for index in catalogue.indices_of(list(named)).tolist():
        for place in np.flatnonzero(shown == index):
            axes.annotate(catalogue.label(index), points[place], **where)
