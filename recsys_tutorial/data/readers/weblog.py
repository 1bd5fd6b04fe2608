"""The web log of the UCI repository (``anonymous-msweb``): areas, cases and votes, a letter at each line's begin.

Source: Breese, Heckerman and Kadie (1998), Empirical Analysis of Predictive Algorithms; doi:10.24432/C5VS3Q.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import InputError
from ..events import from_events
from ..file_form import first_bad_byte
from ..interactions import Interactions
from ..tables import check_file
from .attributes import keyed, with_items
from .columns import ids

TEST_OFFSET = 100_000  # the test file numbers its people from 10001 again, and they are others


def read_msweb(folder: Path, name: str) -> Interactions:
    """Read the train and the test file; ``user_attributes.part`` says who is in which.

    The test users' numbers are raised by 100,000: both files count from 10001. The catalogue holds the areas that
    anyone visited, one of them only by a test user.
    """
    train, areas = _read(folder / "anonymous-msweb.data")
    test, _ = _read(folder / "anonymous-msweb.test")
    test = test.assign(user=test["user"] + TEST_OFFSET)
    both = pd.concat([train, test])
    visits = from_events(both["user"].to_numpy(), both["item"].to_numpy(), name=name)
    parts = np.where(visits.user_ids > TEST_OFFSET + 10_000, "test", "train")
    people = pd.DataFrame({"part": parts}, index=pd.Index(visits.user_ids, name="user"))
    return replace(with_items(visits, areas), user_attributes=people)


def read_web_log(path: Path) -> Interactions:
    """Read one file of the form; titles are those of its attribute lines.

    Raises:
        MissingFileError: no such file.
        InputError: a line that is not of the form, a vote before any case, no votes.
    """
    votes, areas = _read(path)
    return with_items(from_events(votes["user"].to_numpy(), votes["item"].to_numpy(), name=path.name), areas)


def _read(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the votes (user, item) and the table of areas (title, url), keyed by id."""
    check_file(path)
    votes, areas, case = [], [], None
    for number, fields in _lines(path):
        kind = fields[0]
        if kind == "A" and len(fields) == 5:
            areas.append((number, fields[1], fields[3], fields[4]))
        elif kind == "C" and len(fields) == 3:
            case = fields[2]
        elif kind == "V" and len(fields) == 3:
            if case is None:
                raise InputError(f"{path}, line {number}: a vote (V) before any case (C): the file is damaged")
            votes.append((number, case, fields[1]))
        elif kind not in ("I", "T", "N"):
            raise InputError(f"{path}, line {number}: {','.join(fields)[:60]!r} is no line of this form (A, C or V)")
    if not votes:
        raise InputError(f"{path} is empty: it needs at least one vote (V)")
    table = pd.DataFrame(votes, columns=["line", "user", "item"], dtype=object).set_index("line")
    known = pd.DataFrame(areas, columns=["line", "item", "title", "url"], dtype=object).set_index("line")
    people, visited = (_numbers(table[column], path) for column in ("user", "item"))
    known = keyed(known, "item", path) if len(known) else known.set_index("item")
    return pd.DataFrame({"user": people, "item": visited}), known


def _numbers(column: pd.Series, path: Path) -> np.ndarray | pd.Categorical:
    found = ids(column, path)
    if found.dtype == object:
        bad = ~column.astype(str).str.fullmatch(r"0|[1-9]\d{0,17}").to_numpy(bool)
        row = int(bad.argmax())
        raise InputError(
            f"{path}, line {column.index[row]}, column {column.name!r}: {column.iloc[row][:60]!r} is not a whole number"
        )
    return found


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of each line that is not blank."""
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(iter(lambda: file.readline(2**16), ""), 1):
                if len(line) == 2**16:
                    raise InputError(f"{path}, line {number} is longer than 64 kB: the file is damaged")
                if line.strip():
                    yield number, next(csv.reader([line.strip()]), [""])
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({first_bad_byte(path)}): save it as UTF-8") from error
    except csv.Error as error:
        raise InputError(f"{path}, line {number}: {error}") from error
