"""The users and the items that a command asks for."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import numpy as np

from ..data.catalogue import Catalogue
from ..data.file_form import FileForm
from ..data.interactions import Interactions
from ..data.joining import place_of
from ..data.readers.columns import ids
from ..data.readers.sniffing import column_of
from ..data.tables import read_table
from ..errors import InputError, unknown
from .loading import Reading


def among(catalogue: Catalogue, args: Namespace) -> np.ndarray | None:
    """Return the mask of the items that ``--items`` and ``--genre`` allow, None where neither is given."""
    if args.items is None and args.genre is None:
        return None
    allowed = np.ones(len(catalogue), bool)
    if args.items is not None:
        asked = _column(args.items, "item", catalogue.ids, Reading.of(args))
        allowed &= place_of(catalogue.ids, asked) >= 0
        if lost := len(asked) - int(allowed.sum()):
            print(f"{lost:,} of {len(asked):,} items in {args.items} are not known: left out", file=sys.stderr)
    if args.genre is not None:
        if catalogue.genres is None:
            raise InputError(f"--genre {args.genre}: the genres of these items are not known; name them with --items")
        genres = {name.casefold(): name for some in catalogue.genres for name in some}
        if (genre := genres.get(args.genre.casefold())) is None:
            raise unknown("genre", args.genre, sorted(genres.values()))
        allowed &= np.array([genre in some for some in catalogue.genres])
    if not allowed.any():
        given = " and ".join(filter(None, [args.items, args.genre]))
        raise InputError(f"no item is left to recommend: {given} allow none")
    return allowed


def _column(file: str, role: str, known: np.ndarray, form: FileForm) -> np.ndarray:
    """Return the ids in the column ``role`` of a file, or in its only column, each once; ``known`` name no column."""
    path = Path(file)
    table = read_table(path, (role,), form)
    if len(heads := [str(name) for name in table.columns]) == 1 and heads[0] in known.astype(str):
        raise InputError(f"{path}: its first line, {heads[0]!r}, is itself a known {role}: write {role!r} above it")
    column = column_of(table if len(table.columns) > 1 else table.set_axis([role], axis=1), role, role, path)
    return np.unique(np.asarray(ids(column, path))) if column is not None else np.zeros(0)


def users_of(users: str, behaviour: Interactions, args: Namespace) -> Interactions:
    """Return the behaviour of the users in a file, each once; of those who did something for ``all``."""
    if users == "all":
        return behaviour.subset_users(behaviour.events_per_user > 0)
    path, asked = Path(users), _column(users, "user", behaviour.user_ids, Reading.of(args))
    rows = place_of(asked, behaviour.user_ids)
    known = rows[(rows >= 0) & (behaviour.events_per_user[rows] > 0)]
    if not len(known):
        raise InputError(f"{path}: none of its {len(asked):,} users, as {asked[0]}, did anything in {behaviour.name!r}")
    if lost := len(asked) - len(known):
        print(f"{lost:,} of {len(asked):,} users did nothing that is known: left out", file=sys.stderr)
    return behaviour.take_users(known)
