"""Drawings of what is within reach: which items a raw head can read, which items share a code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import InputError
from ..plots.base import Plot
from .base import GONE, MOVES, PLAIN, SHOWN, STAYS, Sheet, short, wrapped

MOST_READ, MOST_LEAVES = 8, 24  # items: more do not fit a page


def overlap(titles: Sequence[str], known: Sequence[bool] | np.ndarray) -> Plot:
    """Draw what of one user's row a head on the raw items can read, and what only g can: the unseen share.

    Args:
        titles: up to 8 of the user's items.
        known: for each whether some labelled user has it too.
    """
    known = [bool(one) for one in known]
    if len(titles) != len(known) or not 1 <= len(titles) <= MOST_READ:
        raise InputError(f"{len(titles)} titles and {len(known)} marks: give 1 to {MOST_READ} titles, a mark for each")
    names = [short(title) for title in titles]
    share = 1 - sum(known) / len(known)
    width = 5.95 / len(names)
    sheet = Sheet(f"A user's row, {share:.0%} of it unseen by the labelled users", 7.2, 2.85)
    rows = (
        (1.84, "the user's\nrow", [(name, SHOWN) for name in names]),
        (1.0, "a raw head\nreads", [("a number of its own", MOVES) if seen else ("nothing", GONE) for seen in known]),
        (0.16, "g reads", [("a vector", STAYS) for _ in names]),
    )
    for y, label, cells in rows:
        sheet.write(0.12, y + 0.29, label, size=8, left=True, bold=True)
        for place, (text, fill) in enumerate(cells):
            sheet.box(1.15 + place * width, y, width * 0.94, 0.58, wrapped(text, int(width * 13)), fill, size=7.5)
    sheet.write(1.15, 1.71, "learned from labelled users only", size=8, left=True)
    sheet.write(1.15, 0.87, "learned from everybody's behaviour, before any label", size=8, left=True)
    unseen = [name for name, seen in zip(names, known, strict=True) if not seen]
    return sheet.plot(
        f"one user's {len(names)} items. No labelled user has {len(unseen)} of them ({', '.join(unseen) or 'none'}), "
        f"an unseen share of {share:.0%}: a head on the raw items has learned nothing for these, while g has a vector "
        f"for all {len(names)}."
    )


def codes_tree(codes: np.ndarray, titles: Sequence[str]) -> Plot:
    """Draw semantic codes as a tree: items that share their first codes share a branch.

    Args:
        codes: ``(items, levels)`` whole numbers, coarse first; up to 24 items.
        titles: one for each item.

    Raises:
        InputError: another shape, no items or too many, another number of titles.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or not codes.shape[1] or codes.dtype.kind not in "iu":
        raise InputError(f"codes of shape {codes.shape} and type {codes.dtype}: give whole numbers (items, levels)")
    n, levels = codes.shape
    if n != len(titles) or not 1 <= n <= MOST_LEAVES:
        raise InputError(f"{n} rows of codes and {len(titles)} titles: give 1 to {MOST_LEAVES} items, a title for each")
    order = sorted(range(n), key=lambda item: (*codes[item].tolist(), titles[item]))
    step, apart = 0.23, min(1.0, 3.8 / levels)
    sheet = Sheet("Semantic codes: items alike share a branch", 7.0, 0.75 + step * n)
    height = {item: sheet.height - 0.62 - step * place for place, item in enumerate(order)}
    branches: dict[tuple[int, ...], list[int]] = {}
    for item in order:
        for level in range(levels + 1):
            branches.setdefault(tuple(codes[item, :level].tolist()), []).append(item)
    middle = {path: float(np.mean([height[item] for item in items])) for path, items in branches.items()}
    at = {path: (0.45 + apart * len(path), y) for path, y in middle.items()}
    for path, (x, y) in at.items():
        if path:
            sheet.line(at[path[:-1]], (x, y))
    for path, (x, y) in at.items():
        if len(path) == levels:
            for item in branches[path]:
                sheet.line((x, y), (x + 0.45, height[item]))
                tail = "-".join(map(str, path))
                sheet.write(x + 0.5, height[item], f"{short(titles[item], 34)}  ({tail})", size=8, left=True)
    for path, (x, y) in at.items():
        sheet.box(x - 0.15, y - 0.09, 0.3, 0.18, str(path[-1]) if path else "all", STAYS if path else PLAIN, size=7.5)
    coarse = [path for path in branches if len(path) == 1]
    told = "; ".join(f"{p[0]}: {', '.join(short(titles[item], 34) for item in branches[p])}" for p in coarse)
    return sheet.plot(f"tree of {levels} levels over {n} items, {len(coarse)} branches at the first. {told}.")
