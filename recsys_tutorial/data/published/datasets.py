"""Data by name. ``load_dataset("movielens-small")`` needs no download: it comes with an installed package."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ...errors import InputError, nearest, unknown
from ..interactions import Interactions
from .sets import ENTRIES

DATASETS = {entry.name: entry for entry in ENTRIES}


def load_dataset(name: str) -> Interactions:
    """Load a data set of :func:`datasets` by name.

    What is not on this machine is downloaded, once, to the cache (:mod:`recsys_tutorial.data.published.folders`). Data
    that lies, unpacked or as its owner's archive, in the folder that the environment variable RECSYS_TUTORIAL_DATA
    names is read from there, and needs no network.

    Raises:
        InputError: no such name (near ones are suggested), the download failed (it says what to do by hand), or the
            data does not have its published counts.
    """
    if name not in DATASETS:
        raise unknown_dataset(name)
    entry = DATASETS[name]
    if entry.files is None and not entry.here():
        raise InputError(f"dataset {name!r} is not on this machine: {entry.way()}")
    interactions = entry.load()
    found = entry.counted(interactions)
    expected = (entry.users, entry.items, entry.events)
    if found != expected:
        raise InputError(
            f"dataset {name!r} holds {found} users, items and events, published are {expected}: the copy is "
            f"damaged or another version; {entry.way()} anew"
        )
    return interactions


def unknown_dataset(name: str, files: Sequence[str] = ()) -> InputError:
    """Build the error for a name that is no data set: those like it on this machine or among ``files``, else all."""
    here = [*(entry.name for entry in DATASETS.values() if entry.here()), *files]
    return unknown("dataset", name, here if nearest(name, here) else [*DATASETS, *files], shown=30)


def datasets() -> pd.DataFrame:
    """Return one row per data set: what it holds, its terms and source, and whether it is ``available`` here.

    ``redistribution`` says whether it may be passed on under its terms, ``megabytes`` and ``checksum`` are those of
    the downloads (None where the size was not published, or nothing is downloaded).
    """
    columns = ("name", "domain", "users", "items", "events", "licence", "redistribution", "source", "citation")
    return pd.DataFrame(
        [
            {column: getattr(entry, column) for column in columns}
            | {"megabytes": entry.megabytes(), "checksum": entry.checksum(), "available": entry.here()}
            for entry in DATASETS.values()
        ]
    )
