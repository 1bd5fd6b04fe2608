"""Drawings of the model: f = h ∘ g with its shapes, why g needs a decoder, which parts a strategy moves."""

from __future__ import annotations

from collections.abc import Sequence

from ..plots.base import Plot
from .base import ASKED, GONE, MOVES, PLAIN, SHOWN, STAYS, Fill, Sheet


def composition(n_items: int, dim: int, answers: int, answer: str = "a score for every film") -> Plot:
    """Draw ``f = h ∘ g``: what goes in, between and out, with the shape of each.

    Args:
        n_items: items in the catalogue: length of a user's row x.
        dim: numbers in g's vector z.
        answers: numbers that h returns.
        answer: what these are.
    """
    sheet = Sheet("f = h ∘ g: behaviour in, an answer out", 7.0, 2.35)
    _strip(sheet, 0.2, min(n_items, 9), SHOWN, (1, 3, 4, 8))
    _strip(sheet, 3.2, min(dim, 4), STAYS, range(4))
    _strip(sheet, 5.75, min(answers, 9), ASKED, (0, 2, 6))
    sheet.box(1.35, 0.78, 1.15, 0.72, "g\nfeature extractor", MOVES)
    sheet.box(4.1, 0.78, 1.05, 0.72, "h\nhead", MOVES)
    for start, end in ((0.56, 1.31), (2.54, 3.16), (3.56, 4.06), (5.19, 5.71)):
        sheet.arrow((start, 1.14), (end, 1.14))
    sheet.write(0.2, 0.2, f"x: {n_items:,} cells", size=8, left=True)
    sheet.write(3.35, 0.6, f"z = g(x): {dim:,} numbers", size=8)
    sheet.write(5.75, 0.2, f"f(x): {answers:,}", size=8, left=True)
    sheet.write(6.12, 1.14, answer.replace(" for ", "\nfor "), size=8, left=True)
    sheet.write(1.92, 1.72, "pretrained on behaviour alone", size=8)
    sheet.write(4.62, 1.72, "learned from few labels", size=8)
    return sheet.plot(
        f"a user's row x of {n_items:,} cells goes into the feature extractor g, pretrained on behaviour alone, which "
        f"returns z = g(x), {dim:,} numbers; the head h, learned from few labels, turns these into f(x), {answers:,} "
        f"{'number' if answers == 1 else 'numbers'}: {answer}."
    )


def _strip(sheet: Sheet, x: float, n: int, fill: Fill, filled: Sequence[int]) -> None:
    """Draw a column of ``n`` cells around the middle, some of them filled; nine stand for any larger number."""
    for place in range(n):
        y = 1.14 + 0.16 * (place - n / 2)
        sheet.box(x, y, 0.3, 0.16, "", fill if place in filled else PLAIN, round_=False)


def encoder_decoder(n_items: int, dim: int) -> Plot:
    """Draw why g alone cannot be pretrained on x: its answer is shorter than the row it would have to be compared with.

    Args:
        n_items: length of a user's row x.
        dim: numbers in g's vector z.
    """
    sheet = Sheet("Why g needs a decoder to be pretrained", 7.0, 3.0)
    for y, name in ((1.62, "g alone"), (0.32, "with a decoder")):
        sheet.write(0.12, y + 0.42, name.replace(" ", "\n", 1), size=8.5, left=True, bold=True)
        sheet.box(1.1, y, 0.9, 0.84, f"x\n{n_items:,}\nnumbers", SHOWN)
        sheet.arrow((2.04, y + 0.42), (2.36, y + 0.42))
        sheet.box(2.4, y + 0.12, 0.6, 0.6, "g", MOVES, size=10)
        sheet.arrow((3.04, y + 0.42), (3.36, y + 0.42))
        sheet.box(3.4, y + 0.2, 0.9, 0.44, f"z: {dim:,}\nnumbers", STAYS)
    sheet.write(4.45, 2.04, f"compare {dim:,} numbers with {n_items:,}?\nThere is no loss to write down.", left=True)
    sheet.arrow((4.34, 0.74), (4.61, 0.74))
    sheet.box(4.65, 0.44, 0.8, 0.6, "decoder", MOVES)
    sheet.arrow((5.49, 0.74), (5.76, 0.74))
    sheet.box(5.8, 0.32, 1.0, 0.84, f"x again\n{n_items:,}\nnumbers", ASKED)
    sheet.arrow((6.3, 0.3), (1.55, 0.3), bend=-0.06)
    sheet.write(3.9, 0.27, "the loss compares these two", size=8)
    return sheet.plot(
        f"two rows. Above, g alone turns x, {n_items:,} numbers, into z, {dim:,} numbers, which cannot be compared "
        f"with x. Below, a decoder turns z back into {n_items:,} numbers, and the loss compares these with x."
    )


PARTS = ("item vectors of g", "upper layers of g", "head h")

# strategy -> what happens to each of PARTS (None: it stays as pretrained), and what h reads or is besides.
STRATEGY_PARTS: dict[str, tuple[tuple[str | None, str | None, str], str]] = {
    "probe": ((None, None, "solved"), "ridge, in closed form"),
    "neighbours": ((None, None, "votes"), "the nearest labelled users vote"),
    "frozen": ((None, None, "trained"), "by gradient descent"),
    "layerwise": (("gently", "less gently", "trained"), "the lower, the smaller the step"),
    "full": (("trained", "trained", "trained"), "h starts from the probe"),
    "scratch": (("from random", "from random", "from random"), "no pretraining at all"),
    "wide": ((None, None, "solved"), "h reads the raw items too"),
    "described": ((None, None, "solved"), "as wide, helped by descriptions"),
    "stack": ((None, None, "added up"), "heads of several g, and raw items"),
}


def strategies(names: tuple[str, ...] = tuple(STRATEGY_PARTS)) -> Plot:
    """Draw which parts of ``f = h ∘ g`` each strategy of fine-tuning moves.

    Args:
        names: strategies, a row each.
    """
    sheet = Sheet("Fine-tuning: what moves, what stays", 7.2, 0.95 + 0.36 * len(names))
    top = sheet.height - 0.5
    for place, part in enumerate(PARTS):
        sheet.write(1.68 + 1.36 * place, top, part, size=8, bold=True)
    for row, name in enumerate(names):
        parts, word = STRATEGY_PARTS[name]
        y = top - 0.5 - 0.36 * row
        sheet.write(0.12, y + 0.14, name, left=True, bold=True)
        for place, how in enumerate(parts):
            fill: Fill = STAYS if how is None else GONE if how == "from random" else MOVES
            sheet.box(1.05 + 1.36 * place, y, 1.26, 0.28, how or "stays", fill, size=8)
        sheet.write(5.2, y + 0.14, word, size=8, left=True)
    sheet.key(1.05, 0.14, {"moves": MOVES, "stays": STAYS, "starts from random weights": GONE})
    told = "; ".join(
        f"{name}: {', '.join(how or 'stays' for how in STRATEGY_PARTS[name][0])}" for name in names
    )
    return sheet.plot(f"{len(names)} strategies by 3 parts of the model ({', '.join(PARTS)}). {told}.")
