"""Cases of the map: bet where pretraining helps, and see; count what a raw head cannot read, and see what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ...studies.map import unseen_share
from ...tasks.base import Task
from ..plots import Plot, case, cells, unseen
from ..plots.cases import BETS, MOST_TITLES
from .base import Panel, slider

LABELLED = (1, 3, 10, 30, 100, 300)


class AdvisePanel(Panel):
    """A slider along cases of the map and one for the bet; below, what is known of a case and, after a bet, the gain.

    Args:
        found: from :func:`recsys_tutorial.studies.map_findings.findings`.
        cases: what a case is called -> columns of ``found`` and their values, which name one cell.

    Raises:
        InputError: a case that names no cell, or several.
    """

    def __init__(self, found: pd.DataFrame, cases: Mapping[str, Mapping[str, Any]]) -> None:
        table = cells(found)
        rows = {name: _one(table, name, where) for name, where in cases.items()}
        super().__init__(
            {
                "name": slider("case", next(iter(rows)), [(name, name) for name in rows]),
                "bet": slider("your bet", "", [(text, bet) for bet, text in BETS.items()]),
            },
            lambda name, bet: case(rows[name], bet),
            "Sliders for a case and for your bet, and what pretraining brought",
        )


def _one(table: pd.DataFrame, name: str, where: Mapping[str, Any]) -> pd.Series:
    rows = table[np.logical_and.reduce([table[key] == value for key, value in where.items()])]
    if len(rows) != 1:
        raise InputError(f"case {name!r}: {dict(where)} names {len(rows)} cells of the map, and needs to name one")
    return rows.iloc[0]


class UnseenPanel(Panel):
    """Sliders for the labelled users and the events shown; which of one user's items a raw head reads, and the gains.

    Args:
        pool: whom the labelled are taken from, the first so many; their number is at most the last of ``LABELLED``.
        test: the test users; the first one's items are drawn.
        found: from :func:`recsys_tutorial.studies.map_findings.findings`.
    """

    def __init__(self, pool: Task, test: Task, found: pd.DataFrame) -> None:
        table = cells(found)
        counts = [n for n in LABELLED if n <= len(pool)]
        super().__init__(
            {
                "labelled": slider("labelled users", counts[0], [(str(n), n) for n in counts]),
                "shown": slider("events shown", MOST_TITLES, range(1, MOST_TITLES + 1)),
            },
            lambda labelled, shown: unseen_at(pool, test, table, labelled, shown),
            "Sliders for labelled users and events shown, and what a raw head can read",
        )


def unseen_at(pool: Task, test: Task, table: pd.DataFrame, labelled: int, shown: int) -> Plot:
    """Return the figure for the first ``labelled`` users of ``pool`` and ``shown`` events of each test user.

    Args:
        pool: whom the labelled are taken from.
        test: the test users; the first one's items are drawn.
        table: of :func:`recsys_tutorial.teaching.plots.cells`.
        labelled: how many users of ``pool`` are labelled.
        shown: events of each test user, drawn at random.

    Raises:
        InputError: more labelled users than there are, or no event shown.
    """
    if not 1 <= labelled <= len(pool):
        raise InputError(f"labelled={labelled}: it needs to be between 1 and {len(pool)}, the users there are")
    few, seen = pool.take(np.arange(labelled)), test.showing(shown, seed=0)
    items = seen.behaviour.take_users(np.array([0])).items[:MOST_TITLES]
    titles = [title.split(" (")[0] for title in seen.behaviour.catalogue.labels(items)]
    return unseen(titles, few.behaviour.events_per_item[items] > 0, unseen_share(few, seen), table)
