"""Sequences, the form of S3-Rec: no header, one user a line: the user, then the user's items, oldest first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import InputError
from ..events import from_events
from ..file_form import DAMAGED, PLAIN, FileForm, ending_of, not_text, opened
from ..interactions import Interactions
from ..tables import LONGEST_LINE, check_file
from .columns import ids

_NUMBERS = re.compile(rb"\s*\d+(?: +\d+)+ *\r?\n?")


def looks_like_sequences(path: Path, form: FileForm = PLAIN) -> bool:
    """Return whether the first line that is not blank is whole numbers with spaces between them, in a ``.txt`` file."""
    if not form.header or not path.is_file():
        return False
    with suppress(UnicodeError, *DAMAGED):  # the reader of tables says what is wrong
        if ending_of(path) != ".txt":
            return False
        with opened(path, form) as file:
            for line in iter(lambda: file.readline(2**16), b""):
                if line.strip():
                    cut = line if len(line) < 2**16 else line.rpartition(b" ")[0]  # a longer one is cut within a number
                    return _NUMBERS.fullmatch(cut) is not None
    return False


def read_sequences(path: Path, duplicates: str = "keep", form: FileForm = PLAIN) -> Interactions:
    """Read a file of one user a line: the user, then items in time order, with white space between them.

    Args:
        path: a text file; blank lines do not count.
        duplicates: see :func:`recsys_tutorial.data.events.from_events`.
        form: how it is written.

    Returns:
        Events without times, known to be ``in_order``, of weight 1.

    Raises:
        MissingFileError: no such file.
        InputError: a line in another encoding or longer than 16 MB, a user without items or with a second line.

    Source of the form: Zhou et al. (2020), S3-Rec, arXiv:2008.07873.
    """
    check_file(path)
    users, lengths, items, lines = [], [], [], []
    for number, fields in _lines(path, form):
        if len(fields) == 1:
            raise InputError(f"{path}, line {number}, column 'item': user {fields[0]!r} has no items: drop the line")
        users.append(fields[0])
        items += fields[1:]
        lengths.append(len(fields) - 1)
        lines.append(number)
    if not users:
        raise InputError(f"{path} is empty: it needs a line of a user and the user's items")
    user = pd.Series(users, index=pd.Index(lines, name="line"), name="user")
    if user.duplicated().any():
        again = user[user.duplicated()]
        raise InputError(
            f"{path}, line {again.index[0]}, column 'user': {again.iloc[0]!r} has a second line (such lines: "
            f"{len(again):,}): sequences have one line a user; a table with one event a row needs a header"
        )
    item = pd.Series(items, index=pd.Index(np.repeat(lines, lengths), name="line"), name="item")
    return from_events(
        np.repeat(ids(user, path), lengths), ids(item, path), duplicates=duplicates, in_order=True, name=path.name
    )


def read_amazon(file: str, folder: Path, name: str) -> Interactions:
    """Read ``file``, sequences of S3-Rec, with the attributes of the items where the file for them is there."""
    found = replace(read_sequences(folder / file), name=name)
    beside = folder / f"{file.removesuffix('.txt')}_item2attributes.json"
    if not beside.exists():
        return found
    known = json.loads(beside.read_text(encoding="utf-8"))
    table = pd.DataFrame({"attributes": list(map(tuple, known.values()))}, index=pd.Index(map(int, known), name="item"))
    return replace(found, item_attributes=table)


def _lines(path: Path, form: FileForm) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of each line that is not blank."""
    try:
        with TextIOWrapper(opened(path, form), encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), ""), 1):
                if len(line) == LONGEST_LINE:
                    raise InputError(f"{path}, line {number} is longer than 16 MB: put each user on a line")
                if fields := line.split():
                    yield number, fields
    except UnicodeError as error:
        raise not_text(path, form, error) from error
    except DAMAGED as error:
        raise InputError(f"{path} cannot be read: {error}") from error
