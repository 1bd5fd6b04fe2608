"""Kinds of feedback in files of their own, tab-separated with a header: user, item, how much (anime, retailrocket).

One kind is plentiful (what was watched, what was looked at) and makes the events; another is scarce (ratings,
purchases) and makes the ``labels``. The form is that of the derivatives by Arthur Fortes da Costa.
"""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

from ..events import from_events
from ..interactions import Interactions
from ..unquoted import read_fields
from .attributes import genre_names, keyed, with_items
from .columns import ids, numbers


def read_feedback(path: Path, names: tuple[str, str, str], name: str) -> Interactions:
    """Read one file of one kind of event; ``names`` are the header's: user, item, weight."""
    table = read_fields(path, "\t", names, header=True)
    user, item, weight = (table[column] for column in names)
    return from_events(ids(user, path), ids(item, path), numbers(weight, path), name=name)


def read_anime(folder: Path, name: str) -> Interactions:
    """Read what people watched, their ratings (1 to 10) as labels, titles and genres; there are no times."""
    columns = ("User_ID", "Anime_ID", "Feedback")
    path = folder / "anime_info.dat"
    named = ("anime_ids", "name", "genre", "type", "episodes", "rating", "members")
    shows = keyed(read_fields(path, "\t", named, header=True), "anime_ids", path).rename_axis("item")
    shows = shows.rename(columns={"name": "title", "genre": "genres"})
    shows["title"] = shows["title"].map(unescape)  # Gintama&#039;
    genres = genre_names(shows["genres"], ",")
    history, ratings = (
        with_items(read_feedback(folder / f"anime_{kind}.dat", columns, f"{name}{suffix}"), shows, genres)
        for kind, suffix in (("history", ""), ("ratings", " ratings"))
    )
    return replace(history, labels=ratings)


def read_retailrocket(folder: Path, name: str) -> Interactions:
    """Read the views of a shop, with its purchases as labels, and what was put in the cart; there are no times."""
    columns, kinds = ("visitorid", "itemid", "event"), {}
    for kind, file in (("view", "view"), ("cart", "add_to_cart"), ("purchase", "purchase")):
        path = folder / f"{file}_ecommerce.dat"
        if kind != "cart" or path.exists():
            kinds[kind] = read_feedback(path, columns, name if kind == "view" else f"{name} {kind}s")
    return replace(kinds["view"], labels=kinds["purchase"], kinds=kinds)
