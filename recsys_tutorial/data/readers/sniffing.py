"""Read a person's own data: a table with one row per event; sequences, one user a line; RecBole's files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ...errors import InputError, listed, nearest, unknown
from ..events import from_events
from ..file_form import PLAIN, FileForm
from ..interactions import Interactions
from ..reports import DroppedRows
from ..streams import read_stream
from ..tables import ENDINGS, check_file, read_table
from .columns import BadCells, ids, numbers, per_item, seconds, split
from .recbole import read_recbole
from .sequences import looks_like_sequences, read_sequences

FORMS = ("table", "sequences")
TEXT = ("user", "item", "title", "genres", "behaviour")  # roles whose cells are read as they are written
MOST_KINDS = 20


def read_interactions(
    path: str | Path,
    user: str | int = "user",
    item: str | int = "item",
    rating: str | int | None = "rating",
    timestamp: str | int | None = "timestamp",
    *,
    title: str | int | None = "title",
    genres: str | int | None = "genres",
    behaviour: str | int | None = None,
    duplicates: str = "error",
    form: str | None = None,
    strict: bool = True,
    written: FileForm = PLAIN,
) -> Interactions:
    """Read interactions from a file; the ending says how: :data:`recsys_tutorial.data.tables.ENDINGS`, or ``.inter``.

    A **table** has a header row and one row per event. Text files are UTF-8, separated as the ending says (``.txt`` by
    tabs), or by the one of ``, ; | tab`` that the header shows. Spaces around names and ids do not count, nor do blank
    lines. They may be packed (``.gz .bz2 .zst .xz``, or ``.zip`` with one table in it); of Excel's sheets one is
    filled; JSON lines have an object a line; ``-`` is standard input. ``.inter`` is RecBole's.

    **Sequences**, the form of S3-Rec, have no header and one user a line: the user, then the user's items, oldest
    first, with spaces between them. A ``.txt`` file is taken for sequences where its first line holds two or more
    whole numbers with spaces, not tabs, between them: a header has names. A user with a second line is refused,
    so that a table that lost its header is not. ``form`` says it explicitly, then ids may be any text.

    Args:
        path: the file.
        user: name of the column of user ids. Numbers in place of names are positions, from 1 on, in a file without a
            header.
        item: name of the column of item ids.
        rating: name of the column of weights (ratings, counts); 1 each where the file has no ``rating`` column.
        timestamp: name of the column of times: seconds since 1970 (or milli-, micro- or nanoseconds, told by their
            size), or ISO dates; a date without a zone is in UTC.
        title: name of the column of item titles, used where it exists.
        genres: name of the column of genres, ``Comedy|Drama``, used where it exists.
        behaviour: name of the column that says which kind of event a row is (view, cart, purchase). What is returned
            holds the events of the kind that is most frequent, and all of them by name as ``kinds``.
        duplicates: see :func:`recsys_tutorial.data.events.from_events`. Sequences keep an item that comes again, unless
            ``last`` or ``sum`` is asked for.
        form: ``table`` or ``sequences``; None finds out.
        strict: True refuses the file for a cell that cannot be read and for duplicates that were not asked for. False
            drops such rows and keeps the last of duplicates, counts them in ``report`` and warns.
        written: its encoding, decimal mark, format of times, where these are not the usual ones.

    Returns:
        Interactions whose ``report`` says how many rows were read, dropped and why, and merged.

    Raises:
        MissingFileError: no such file.
        InputError: empty file, unknown ending, another encoding, missing column, a cell that cannot be read (its row
            and column are named; rows count from 1 below the header), duplicates that were not asked for.
    """
    path = Path(path)
    if form is not None and form not in FORMS:
        raise unknown("form", form, FORMS)
    columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp, "title": title, "genres": genres}
    wanted, written = by_position(columns | ({} if behaviour is None else {"behaviour": behaviour}), written)
    if form == "sequences" or (form is None and looks_like_sequences(path, written)):
        return read_sequences(path, "keep" if duplicates == "error" else duplicates, written)
    if path.suffix.lower() == ".inter" and form is None:
        return read_recbole(path, duplicates)
    how = duplicates if strict or duplicates != "error" else "last"
    if behaviour is not None:
        return _by_kind(path, wanted, "last" if how == "error" else how, written)
    if check_file(path) in ENDINGS and (tidy := read_stream(path, wanted, written)) is not None:
        with suppress(BadCells):  # the patient reader names the cell as it is written
            return _interactions(tidy, path, how, {}, written)
    table, dropped = _patiently(path, wanted, written), dict[str, int]()
    while True:
        try:
            return _interactions(dict(table), path, how, dropped, written)
        except BadCells as error:
            if strict or error.rows.all():
                raise
            dropped[error.reason] = dropped.get(error.reason, 0) + int(error.rows.sum())
            table = {role: column[~error.rows].reset_index(drop=True) for role, column in table.items()}


def by_position(
    columns: Mapping[str, str | int | None], form: FileForm
) -> tuple[dict[str, str | None], FileForm]:  # fmt: skip
    """Return the names of columns; where they are numbers, these are positions in a file without a header."""
    places = any(isinstance(column, int) for column in columns.values())
    named = {role: None if column is None else str(column) for role, column in columns.items()}
    return named, replace(form, header=False) if places else form


def _by_kind(path: Path, wanted: dict[str, str | None], duplicates: str, form: FileForm) -> Interactions:
    """Return the events of the most frequent kind, with those of each kind by name."""
    table = _patiently(path, wanted, form)
    names = table.pop("behaviour").astype(str).str.strip()
    order = names.value_counts().index.tolist()
    if len(order) > MOST_KINDS:
        raise InputError(f"{path}: column {wanted['behaviour']!r} has {len(order):,} values: is it a kind of event?")
    kinds = {}
    for name in order:
        rows = (names == name).to_numpy()
        some = {role: column[rows].reset_index(drop=True) for role, column in table.items()}
        kinds[name] = replace(_interactions(some, path, duplicates, {}, form), name=f"{path.name} {name}")
    return replace(kinds[order[0]], name=path.name, kinds=kinds)


def _patiently(path: Path, wanted: dict[str, str | None], form: FileForm) -> dict[str, pd.Series]:
    """Return role -> column, of those that are there, from the whole table at once."""
    marked = [*(["rating", "timestamp"] if form.decimal != "." else []), *(["timestamp"] if form.time_format else [])]
    text = [name for role in (*TEXT, *marked) if (name := wanted.get(role)) is not None]
    table = read_table(path, text, form)
    columns = {role: column_of(table, role, name, path) for role, name in wanted.items()}
    return {role: column for role, column in columns.items() if column is not None}


def _interactions(
    table: dict[str, pd.Series], path: Path, duplicates: str, dropped: dict[str, int], form: FileForm
) -> Interactions:
    """Build interactions from the columns, which are taken out one by one: those of a large log are large."""
    item = ids(table.pop("item"), path)
    titles, genres = (per_item(item, table.pop(role, None)) for role in ("title", "genres"))
    weight = numbers(table.pop("rating"), path, form) if "rating" in table else None
    timestamp = seconds(table.pop("timestamp"), path, form) if "timestamp" in table else None
    found = from_events(
        ids(table.pop("user"), path), item, weight, timestamp, titles=titles, genres=split(genres),
        duplicates=duplicates, dropped=dropped, name=path.name,
    )  # fmt: skip
    if dropped:
        warnings.warn(f"{path.name}: {found.report}", DroppedRows, stacklevel=3)
    return found


def column_of(table: pd.DataFrame, role: str, name: str | None, path: Path) -> pd.Series | None:
    """Return a column, or None where it may be missing: not wanted, or optional and not named by the caller."""
    found = [str(column) for column in table.columns]
    if name is not None and found.count(name) > 1:
        raise InputError(f"{path} has {found.count(name)} columns called {name!r}: rename all but one")
    if name in found:
        return table[name]
    if name is None or (name == role and role not in ("user", "item", "behaviour")):
        return None
    near = listed(nearest(name, found, 1) or ["..."])
    bare = any(column.isdecimal() for column in found) and name == role  # what stands there are no names
    raise InputError(
        f"{path} has no column {name!r} for {role}: it has {listed(found)}; "
        f"name yours with {role}={near!r} (in a command: --columns {role}={near})"
        + ("; of a file without a header give positions: user=1, item=2" if bare else "")
    )
