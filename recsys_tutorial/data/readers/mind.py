"""MIND, the news of Microsoft: what people had read, and what they were shown and clicked or left.

Source: Wu et al. (2020), MIND: A Large-scale Dataset for News Recommendation, doi:10.18653/v1/2020.acl-main.331.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..events import from_events
from ..interactions import Interactions
from ..unquoted import read_fields
from .attributes import keyed, with_items
from .columns import ids, refuse

BEHAVIOURS = ("impression", "user", "time", "history", "shown")
NEWS = ("item", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
TIMES = "%m/%d/%Y %I:%M:%S %p"


def read_mind(folder: Path, name: str) -> Interactions:
    """Read ``behaviors.tsv`` and ``news.tsv``.

    The events are each user's history at the latest impression, in order, without times; users with none are left
    out. The ``labels`` are all news shown in impressions, with their times: weight 1 where clicked, 0 where not.
    ``user_attributes.impressions`` counts those of every user; genres are category and subcategory.
    """
    path = folder / "behaviors.tsv"
    table = read_fields(path, "\t", BEHAVIOURS)
    user = ids(table["user"], path)
    times = _times(table["time"], path)
    news = keyed(read_fields(folder / "news.tsv", "\t", NEWS), "item", folder / "news.tsv")
    genres = list(zip(news["category"], news["subcategory"], strict=True))
    events, labels = (
        with_items(one, news, genres)
        for one in (_history(table, user, times, name), _shown(table, user, times, path, f"{name} impressions"))
    )
    seen = pd.Series(user).value_counts().sort_index()
    people = pd.DataFrame({"impressions": seen.to_numpy()}, index=pd.Index(seen.index, name="user"))
    return replace(events, labels=labels, user_attributes=people)


def _times(column: pd.Series, path: Path) -> np.ndarray:
    times = pd.to_datetime(column, format=TIMES, errors="coerce", utc=True)
    refuse(times.isna(), column, path, "is not a time such as 11/12/2019 2:14:46 PM")
    seconds = times.dt.as_unit("s").astype(np.int64)
    refuse(seconds < 0, column, path, "is before 1970")
    return seconds.to_numpy()


def _history(table: pd.DataFrame, user: Any, times: np.ndarray, name: str) -> Interactions:
    """Return what each user had read before the latest of their impressions."""
    order = np.lexsort((times, user)) if user.dtype != object else np.lexsort((times, pd.factorize(user)[0]))
    latest = order[~pd.Series(user[order]).duplicated(keep="last").to_numpy()]
    history = table["history"].iloc[latest].str.split()
    lengths = history.map(len).to_numpy()
    if not lengths.sum():
        raise InputError(f"{name!r} has no history in any line: nothing to learn from")
    items = np.array([one for row in history for one in row], object)
    return from_events(np.repeat(user[latest], lengths), items, duplicates="keep", in_order=True, name=name)


def _shown(table: pd.DataFrame, user: Any, times: np.ndarray, path: Path, name: str) -> Interactions:
    """Return every news item of every impression, with 1 for a click and 0 for none."""
    form = table["shown"].str.fullmatch(r"\S+-[01]( +\S+-[01])*")
    refuse(~form.astype(bool), table["shown"], path, "is not a list such as N55528-1 N19639-0")
    shown = table["shown"].str.split()
    lengths = shown.map(len).to_numpy()
    flat = pd.Series([one for row in shown for one in row])
    return from_events(
        np.repeat(user, lengths), flat.str.slice(0, -2).to_numpy(object), flat.str.endswith("-1").to_numpy(float),
        np.repeat(times, lengths), duplicates="keep", name=name,
    )  # fmt: skip
