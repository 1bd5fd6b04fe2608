"""MovieLens in its three forms: ``u.data`` of 100K, ``ratings.dat`` of 1M and 10M, ``ratings.csv`` of all others.

Source: Harper and Konstan (2015), The MovieLens Datasets, doi:10.1145/2827872; the README file beside each set.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from ...errors import InputError, listed
from ..events import from_events
from ..interactions import Interactions
from ..tables import read_table
from ..unquoted import read_fields
from .attributes import genre_names, keyed, with_items
from .columns import ids, numbers, seconds
from .sniffing import read_interactions

GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
OCCUPATIONS = (  # of 1M, by number
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
    "doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer",
    "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman",
    "unemployed", "writer",
)  # fmt: skip
_RATING = ("user", "item", "rating", "timestamp")


def read_100k(folder: Path, name: str) -> Interactions:
    """Read ``u.data``, ``u.item`` and ``u.user``: ratings, titles and genres, gender, age and occupation."""
    columns = ("item", "title", "release", "video_release", "url", *GENRES)
    films = keyed(read_fields(folder / "u.item", "|", columns, encoding="latin-1"), "item", folder / "u.item")
    has = (films[list(GENRES)] == "1").to_numpy()
    genres = [tuple(genre for genre, one in zip(GENRES, row, strict=True) if one) for row in has]
    path = folder / "u.user"
    people = read_fields(path, "|", ("user", "age", "gender", "occupation", "zip"), encoding="latin-1")
    return _with(folder / "u.data", "\t", name, films.drop(columns=list(GENRES)), genres, _people(people, path))


def read_dat(folder: Path, name: str) -> Interactions:
    """Read ``ratings.dat``, ``movies.dat`` and, where there is one, ``users.dat``, with ``::`` between the fields.

    Age is the lower end of a bracket (1 stands for under 18); occupations are named as the README names them.
    """
    path = folder / "movies.dat"
    films = keyed(read_fields(path, "::", ("item", "title", "genres"), encoding="latin-1"), "item", path)
    people, path = None, folder / "users.dat"
    if path.exists():
        people = read_fields(path, "::", ("user", "gender", "age", "occupation", "zip"), encoding="latin-1")
        named = people["occupation"].map({str(code): text for code, text in enumerate(OCCUPATIONS)})
        people = _people(people.assign(occupation=named.fillna(people["occupation"])), path)
    return _with(folder / "ratings.dat", "::", name, films, genre_names(films["genres"]), people)


def read_csv(folder: Path, name: str) -> Interactions:
    """Read ``ratings.csv`` and ``movies.csv``, which have headers."""
    path = folder / "movies.csv"
    names = ["movieId", "title", "genres"]
    films = read_table(path, text=names)
    if films.columns.tolist() != names:
        raise InputError(f"{path}, line 1: the header is {listed(films)}, not {listed(names)}: it is another file")
    films = keyed(films, "movieId", path).rename_axis("item")
    ratings = read_interactions(
        folder / "ratings.csv", user="userId", item="movieId", rating="rating", timestamp="timestamp"
    )
    return replace(with_items(ratings, films, genre_names(films["genres"])), name=name)


def _people(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return gender, age (a number) and occupation, keyed by user."""
    age = numbers(table["age"], path).astype(int)
    return keyed(table.assign(age=age), "user", path)[["gender", "age", "occupation", "zip"]]


def _with(
    path: Path, separator: str, name: str, films: pd.DataFrame, genres: list[tuple], people: pd.DataFrame | None
) -> Interactions:
    """Read a file of ratings and join it with what is known of films and people."""
    table = read_fields(path, separator, _RATING)
    ratings = from_events(
        ids(table["user"], path),
        ids(table["item"], path),
        numbers(table["rating"], path),
        seconds(table["timestamp"], path),
        name=name,
    )
    return replace(with_items(ratings, films, genres), user_attributes=people)
