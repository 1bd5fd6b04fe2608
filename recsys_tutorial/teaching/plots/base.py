"""What all figures share: the class :class:`Plot`, colours, markers and lines."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...data.files import write_bytes
from ...errors import InputError

# Okabe and Ito (2008): told apart with any colour vision, and in grey by their order with MARKERS and LINES.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 3)))

Style = dict[str, Any]  # keywords of matplotlib


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
        return self._drawn("png", metadata={"Software": None})

    def save(self, path: str | Path) -> None:
        """Write the picture, whole, in the format that the ending of ``path`` names (see :func:`picture_format`)."""
        ending = picture_format(path)
        write_bytes(path, self.png() if ending == "png" else self._drawn(ending))

    def _drawn(self, ending: str, **how: Any) -> bytes:
        FigureCanvasAgg(self.figure)
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format=ending, **how)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"image/png": self.png(), "text/plain": self.alt}, {"image/png": {"alt": self.alt}}


def picture_format(path: str | Path) -> str:
    """Return the format that the ending of ``path`` names; InputError where matplotlib writes none of this name."""
    known = sorted(FigureCanvasAgg.get_supported_filetypes().keys() - {"pgf"})  # which needs a TeX beside it
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in known:
        raise InputError(f"{path}: no picture is written under the ending {ending!r}: use one of .{' .'.join(known)}")
    return ending


def new(title: str, x: str, y: str, size: tuple[float, float] = (6.4, 3.6)) -> tuple[Figure, Axes]:
    """Return an empty figure with a title and labelled axes."""
    figure, (axes,) = new_row([title], x, y, size)
    return figure, axes


def new_row(titles: Sequence[str], x: str, y: str, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with panels side by side, one per title; they share the vertical axis and its label."""
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(1, len(titles), sharey=True, squeeze=False)[0])
    for axes, title in zip(panels, titles, strict=True):
        axes.set(title=title, xlabel=x)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    panels[0].set_ylabel(y)
    return figure, panels
