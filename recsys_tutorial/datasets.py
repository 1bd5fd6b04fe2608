"""Data by name. ``load_dataset("movielens-small")`` needs no download: it comes with an installed package."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from .entries import ENTRIES
from .errors import InputError, nearest, unknown
from .interactions import Interactions

DATASETS = {entry.name: entry for entry in ENTRIES}


def load_dataset(name: str) -> Interactions:
    """Load a data set of :func:`datasets` by name.

    Raises:
        InputError: no such name (near ones are suggested), or the data does not have its published counts.
    """
    if name not in DATASETS:
        raise unknown_dataset(name)
    entry = DATASETS[name]
    if not entry.here():
        raise InputError(f"dataset {name!r} is not on this machine: {entry.way()}")
    interactions = entry.load()
    found = (interactions.n_users, interactions.n_items, interactions.n_events)
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
    """Return one row per data set: name, domain, counts, licence, source, and whether it is on this machine."""
    columns = ("name", "domain", "users", "items", "events", "licence", "source")
    return pd.DataFrame(
        [
            {column: getattr(entry, column) for column in columns} | {"available": entry.here()}
            for entry in DATASETS.values()
        ]
    )
