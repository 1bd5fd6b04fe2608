"""What all drawings share: a sheet measured in inches, the meanings of its fills, boxes, cells and arrows."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from ..plots.base import COLOURS, Plot

SMALLEST = 7.5  # points: what is still read on paper
LETTER = 0.62  # width of a letter as a share of its size, on the wide side, so that a box is never too narrow


@dataclass(frozen=True)
class Fill:
    """What a filled area means, the same in every drawing.

    Args:
        face: its colour.
        hatch: lines over it, so that grey print and every eye tell it from the others.
        ink: the colour of letters on it.
    """

    face: str
    hatch: str = ""
    ink: str = "black"


PLAIN = Fill("white")
MOVES = Fill(COLOURS[0], ink="white")  # trained: it learns
STAYS = Fill("#BDBDBD")  # it is there, and does not learn
SHOWN = Fill("#BFE0F5")  # the model reads it
ASKED = Fill("#F6CF7A", hatch="///")  # the model has to say it
GONE = Fill("white", hatch="...")  # hidden, or left out
FILLS = (PLAIN, MOVES, STAYS, SHOWN, ASKED, GONE)


class Sheet:
    """An empty drawing, ``width`` by ``height`` inches, the origin at its lower left; every place is in inches.

    Args:
        title: what it shows, written at the top.
        width: inches; a page of print holds 7.2.
        height: inches.
    """

    def __init__(self, title: str, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width, height), facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.axis("off")
        self.title, self.width, self.height = title, width, height
        self.write(0.12, height - 0.2, title, size=10.5, left=True, bold=True)

    def write(
        self, x: float, y: float, text: str, *, size: float = 8.5, left: bool = False, bold: bool = False,
        colour: str = "black",
    ) -> None:  # fmt: skip
        """Write ``text`` around the place, or to the right of it where ``left``."""
        self.axes.text(
            x, y, text, fontsize=max(size, SMALLEST), ha="left" if left else "center", va="center", color=colour,
            fontweight="bold" if bold else "normal", linespacing=1.25,
        )  # fmt: skip

    def box(
        self, x: float, y: float, width: float, height: float, text: str = "", fill: Fill = PLAIN, *,
        size: float = 8.5, round_: bool = True, bold: bool = False,
    ) -> None:  # fmt: skip
        """Draw a box whose lower left corner is the place, with ``text`` in its middle."""
        style = f"round,pad=0,rounding_size={0.06 if round_ else 0.001}"
        self.axes.add_patch(
            FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=fill.face, hatch=fill.hatch or None,
                           edgecolor="#555555", linewidth=0.8)
        )  # fmt: skip
        if text and fill.hatch:  # letters are not read through lines
            lines = text.split("\n")
            wide = min(width - 0.06, max(map(len, lines)) * size * LETTER / 72 + 0.06)
            tall = min(height - 0.05, len(lines) * size * 1.35 / 72 + 0.03)
            corner = (x + (width - wide) / 2, y + (height - tall) / 2)
            self.axes.add_patch(Rectangle(corner, wide, tall, facecolor=fill.face, linewidth=0))
        if text:
            self.write(x + width / 2, y + height / 2, text, size=size, bold=bold, colour=fill.ink)

    def arrow(self, start: tuple[float, float], end: tuple[float, float], text: str = "", *, bend: float = 0) -> None:
        """Draw an arrow, ``text`` above its middle; ``bend`` is how far it swings out, as a share of its length."""
        self.axes.add_patch(
            FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, color="#333333", linewidth=1.1,
                            shrinkA=0, shrinkB=0, connectionstyle=f"arc3,rad={bend}")
        )  # fmt: skip
        if text:
            self.write((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.12, text, size=8)

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a thin line, behind all boxes."""
        self.axes.plot(*zip(start, end, strict=True), color="#555555", linewidth=0.9, zorder=0.5)

    def key(self, x: float, y: float, meanings: dict[str, Fill]) -> None:
        """Write what the fills mean in one row, from the place to the right."""
        for text, fill in meanings.items():
            self.box(x, y - 0.08, 0.22, 0.16, "", fill, round_=False)
            self.write(x + 0.28, y, text, size=8, left=True)
            x += 0.5 + len(text) * 8 * 0.56 / 72

    def plot(self, alt: str) -> Plot:
        """Return the drawing with the text that stands in for it."""
        return Plot(self.figure, f"Drawing: {alt}")


def short(title: str, letters: int = 30) -> str:
    """Return a title without its year, its article in front, cut at a word where it is longer than ``letters``."""
    name = re.sub(r"^(.*), (The|An?)$", r"\2 \1", title.split(" (")[0])
    return textwrap.shorten(name, letters, placeholder=" …")


def wrapped(text: str, letters: int) -> str:
    """Return ``text`` in lines of at most ``letters``."""
    return "\n".join(textwrap.wrap(text, letters))
