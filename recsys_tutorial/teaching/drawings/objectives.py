"""Drawings of what each objective hides and asks, on one user's row: one call each, with the titles that are given."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InputError
from ..plots.base import Plot
from .base import ASKED, GONE, MOVES, PLAIN, SHOWN, Fill, Sheet, short, wrapped

FEWEST, MOST = 4, 7  # titles: fewer say nothing, more are not read
LEFT = 1.12  # inches, where a row of titles begins
Cells = list[tuple[str, Fill]]


def autoencoder(titles: Sequence[str]) -> Plot:
    """Draw the plain autoencoder: everything is shown, everything is asked.

    Args:
        titles: 4 to 7 titles of one user, oldest first.
    """
    names = _names(titles)
    return _two_rows(
        "autoencoder: nothing is hidden",
        [(name, SHOWN) for name in names],
        [(name, ASKED) for name in names],
        "copying is enough, unless z is short",
        f"autoencoder, one user's {len(names)} items: g reads all of them, and all {len(names)} are asked back.",
    )


def denoising(titles: Sequence[str]) -> Plot:
    """Draw denoising: a random part is hidden, everything is asked.

    Args:
        titles: 4 to 7 titles of one user, oldest first.
    """
    names = _names(titles)
    hidden = _every(names, 1, 2)
    return _two_rows(
        "denoising: a random part is hidden, all is asked",
        [("hidden", GONE) if place in hidden else (name, SHOWN) for place, name in enumerate(names)],
        [(name, ASKED) for name in names],
        "what is left has to explain all",
        f"denoising, one user's {len(names)} items: {len(hidden)} are hidden ({_told(names, hidden)}), g reads the "
        f"others, and all {len(names)} are asked.",
    )


def masked_item(titles: Sequence[str]) -> Plot:
    """Draw masked item: gaps in the middle of a history, both sides are read.

    Args:
        titles: 4 to 7 titles of one user, oldest first.
    """
    names = _names(titles)
    hidden = _every(names, 1, 3)
    return _two_rows(
        "masked-item: fill the gaps, read both sides",
        [("[mask]", GONE) if place in hidden else (name, SHOWN) for place, name in enumerate(names)],
        [(name, ASKED) if place in hidden else ("", PLAIN) for place, name in enumerate(names)],
        "the order counts; before and behind",
        f"masked-item, one user's {len(names)} items in order: {len(hidden)} are masked ({_told(names, hidden)}); g "
        f"reads what stands before and behind, and only the {len(hidden)} are asked.",
    )


def next_item(titles: Sequence[str]) -> Plot:
    """Draw next item: at every event the following one is asked.

    Args:
        titles: 4 to 7 titles of one user, oldest first.
    """
    names = _names(titles)
    return _two_rows(
        "next-item: at every event, what follows?",
        [*((name, SHOWN) for name in names[:-1]), ("", PLAIN)],
        [*((name, ASKED) for name in names[1:]), ("", PLAIN)],
        "each answer sees only what stands above it and to the left",
        f"next-item, one user's {len(names)} items in order: g reads the first {len(names) - 1}, and under each stands "
        f"the item that is asked there, the one that follows; {len(names) - 1} questions from one row.",
    )


def contrastive(titles: Sequence[str]) -> Plot:
    """Draw contrastive: two views of one user, to be told from strangers.

    Args:
        titles: 4 to 7 titles of one user, oldest first.
    """
    names = _names(titles)
    gone = _every(names, 0, 3)  # each view hides a part of its own: they overlap
    views = _every(names, 0, 2), [place for place in range(len(names)) if place not in gone]
    sheet, width = _sheet("contrastive: which two views are of one person?", 2.75, len(names))
    for y, name, shown in ((1.62, "view 1", views[0]), (0.92, "view 2", views[1])):
        cells = [(text, SHOWN) if place in shown else ("hidden", GONE) for place, text in enumerate(names)]
        _row(sheet, y, name, cells, width)
    middle = LEFT + len(names) * width / 2
    sheet.box(0.12, 0.12, 0.8, 0.5, "g", MOVES, size=10)
    sheet.arrow((0.52, 0.88), (0.52, 0.66))
    sheet.box(LEFT, 0.12, 2.2, 0.5, "z of view 1, z of view 2:\nthe same person? yes", ASKED)
    sheet.box(middle + 0.3, 0.12, 2.2, 0.5, "z of view 1, z of a stranger:\nthe same person? no", ASKED)
    sheet.arrow((0.94, 0.37), (LEFT - 0.04, 0.37))
    return sheet.plot(
        f"contrastive, one user's {len(names)} items: view 1 shows {len(views[0])} of them ({_told(names, views[0])}), "
        f"view 2 shows {len(views[1])} ({_told(names, views[1])}); their vectors have to be near each other, and far "
        "from those of strangers. No item is asked."
    )


def item2vec(titles: Sequence[str], stranger: str = "an item drawn at random") -> Plot:
    """Draw item2vec: one item has to tell its neighbours from an item drawn at random.

    Args:
        titles: 4 to 7 titles of one user, oldest first.
        stranger: the title of an item that this user does not have.
    """
    names = _names(titles)
    centre = len(names) // 2
    sheet, width = _sheet("item2vec: who stands near whom?", 2.6, len(names))
    cells = [(name, SHOWN if place == centre else ASKED) for place, name in enumerate(names)]
    _row(sheet, 1.2, "one user", cells, width)
    at = [LEFT + (place + 0.47) * width for place in range(len(names))]
    for place in range(len(names)):
        if place != centre:
            bend = -0.18 if place > centre else 0.18
            sheet.arrow((at[centre], 1.78), (at[place], 1.78), bend=bend)
    sheet.write(0.12, 2.0, "near: yes", size=8, left=True)
    sheet.write(0.12, 0.52, "near: no", size=8, left=True)
    sheet.box(at[centre] + 1.0, 0.3, 1.5, 0.44, wrapped(short(stranger), 18), ASKED, size=8)
    sheet.arrow((at[centre], 1.16), (at[centre] + 0.96, 0.52))
    sheet.write(LEFT, 0.52, "each item has a vector of its own", size=8, left=True)
    return sheet.plot(
        f"item2vec, one user's {len(names)} items: {names[centre]} has to give a yes for the {len(names) - 1} items "
        f"beside it, and a no for {short(stranger)}, which is drawn at random."
    )


def _names(titles: Sequence[str]) -> list[str]:
    if not FEWEST <= len(titles) <= MOST:
        raise InputError(f"{len(titles)} titles: a row that can be read has {FEWEST} to {MOST}; give some of them")
    return [short(title) for title in titles]


def _every(names: Sequence[str], first: int, step: int) -> list[int]:
    """Return the places that a drawing hides: fixed, so that it is the same every time."""
    return list(range(first, len(names), step))


def _told(names: Sequence[str], places: Sequence[int]) -> str:
    return ", ".join(names[place] for place in places)


def _sheet(title: str, height: float, n: int) -> tuple[Sheet, float]:
    """Return a sheet as wide as a page, and the width of one of ``n`` cells."""
    return Sheet(title, 7.2, height), (7.2 - LEFT - 0.1) / n


def _row(sheet: Sheet, y: float, name: str, cells: Cells, width: float) -> None:
    sheet.write(0.12, y + 0.27, wrapped(name, 14), size=8, left=True, bold=True)
    for place, (text, fill) in enumerate(cells):
        sheet.box(LEFT + place * width, y, width * 0.94, 0.54, wrapped(text, int(width * 14)), fill, size=7.5)


def _two_rows(title: str, read: Cells, asked: Cells, word: str, alt: str) -> Plot:
    """Draw what g reads, g, and under it what is asked."""
    sheet, width = _sheet(title, 2.35, len(read))
    _row(sheet, 1.34, "g reads", read, width)
    _row(sheet, 0.14, "asked", asked, width)
    sheet.box(LEFT, 0.83, 0.8, 0.36, "g", MOVES, size=10)
    sheet.arrow((LEFT + 0.4, 1.32), (LEFT + 0.4, 1.21))
    sheet.arrow((LEFT + 0.4, 0.81), (LEFT + 0.4, 0.7))
    sheet.write(LEFT + 1.0, 1.01, word, left=True)
    return sheet.plot(alt)
