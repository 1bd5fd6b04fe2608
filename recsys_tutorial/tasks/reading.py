"""Labels from a person's own file: a class or a number for each user, or the items that they want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..data.catalogue import Catalogue, as_ids
from ..data.events import from_events
from ..data.file_form import PLAIN, FileForm
from ..data.interactions import Interactions
from ..data.readers.columns import ids, numbers, refuse, to_numeric
from ..data.readers.sniffing import by_position, column_of
from ..data.reports import LabelReport
from ..data.tables import read_table
from ..errors import InputError, listed, unknown
from .base import Task
from .build import liked_from
from .one_label import ClassificationTask, RegressionTask
from .ranking import RankingTask

KINDS = {"label": "classification", "value": "regression", "item": "ranking"}  # role of a column -> kind of task
ROLES = ("user", *KINDS, "rating")
MOST_CLASSES = 20  # different whole numbers that are still taken for classes


def read_labels(
    path: str | Path,
    behaviour: Interactions | None = None,
    *,
    task: str | None = None,
    columns: Mapping[str, str | int] | None = None,
    at_least: float | None = None,
    written: FileForm = PLAIN,
) -> Task:
    """Read what is known of some users from a table in any form that :func:`recsys_tutorial.read_interactions` reads.

    The columns say which task it is: ``user, label`` (classes; numbers that are many or not whole make it regression),
    ``user, value`` (regression), ``user, item`` (ranking: what these users should be recommended, of the rows whose
    ``rating`` is high enough where there is one). In a file of ``user`` and one other column, that holds the labels.
    Rows with an empty label and rows that say the same again are left out. The task's ``report`` says how it was read.

    Args:
        path: the file.
        behaviour: what users did. The task then holds the labelled users who did something there (:meth:`Task.on`);
            without it they have done nothing yet.
        task: ``classification``, ``regression`` or ``ranking``; None goes by the columns.
        columns: role -> name of its column, where that differs: ``{"user": "uid", "label": "gender"}``; or positions
            in a file without a header, ``{"user": 1, "label": 2}``.
        at_least: ranking: the rating from which an item is wanted; None goes by the scale
            (:func:`~recsys_tutorial.tasks.build.liked_from`).
        written: how the file is written.

    Returns:
        A :class:`ClassificationTask`, which keeps the names of its classes, a :class:`RegressionTask` or a
        :class:`RankingTask`.

    Raises:
        MissingFileError: no such file.
        InputError: an unreadable file or cell (as for interactions), columns from which no task follows, a user with
            two different labels, labels that are all the same, nobody of ``behaviour`` among them.
    """
    path = Path(path)
    if task is not None and task not in KINDS.values():
        raise unknown("task", task, KINDS.values())
    named, written = by_position(columns or {}, written)
    role, table = _columns(path, {role: str(name) for role, name in named.items()}, task, written)
    if at_least is not None and "rating" not in table:
        raise InputError(f"at_least={at_least:g} is for a ranking with a column 'rating', which {path} has not")
    rows, empty = len(table), table[role].isna() | (table[role].astype(str).str.strip() == "")
    if empty.all():
        raise InputError(f"{path}: all {rows:,} cells of the column for {role} are empty: there is no label")
    table = table[~empty]
    user = np.asarray(ids(_named(table, "user"), path))
    if role == "item":
        found, left_out, why = _wanted(path, user, table, at_least, written)
    else:
        found, left_out, why = _one_label(path, user, _named(table, role), task, role, written)
    left_out = {"rows with an empty label": int(empty.sum())} | left_out
    report = LabelReport(rows, found.name, why, found.said(), {why: count for why, count in left_out.items() if count})
    found = replace(found, report=report)
    return found if behaviour is None else found.on(behaviour)


def _columns(
    path: Path, columns: dict[str, str], task: str | None, form: FileForm
) -> tuple[str, pd.DataFrame]:  # fmt: skip
    """Return the role that makes the task, and the columns by role, as text, each row with its number."""
    for role in columns:
        if role not in ROLES:
            raise unknown("role of a column", role, ROLES)
    table = read_table(path, None, form).rename(columns=str)
    names = table.columns.tolist()
    user = columns.get("user", "user")
    column_of(table, "user", user, path)  # first of all: it has to be there
    there = [role for role in KINDS if role in columns or role in names]
    told = [role for role in there if role in columns]
    asked = next((role for role, kind in KINDS.items() if kind == task), None)
    others = [name for name in names if name not in (user, "rating", "timestamp")]
    fitting = told or [role for role in there if task is None or (role == "item") == (asked == "item")]
    fitting = [asked] if asked in fitting else fitting
    if not fitting and len(others) == 1 and asked != "item":
        columns, fitting = columns | {"label": others[0]}, ["label"]
    if len(fitting) != 1:
        ways = "one of label, value, item" if not fitting else f"one of {', '.join(fitting)}: say which with task=..."
        raise InputError(
            f"{path} has the columns {listed(names)}: labels need user and {ways} (name yours with columns="
            "{'label': ...}; in a command: --columns label=..., --task)"
        )
    wanted = ["user", fitting[0], *(["rating"] if fitting[0] == "item" and {"rating"} & {*names, *columns} else [])]
    found = {role: column_of(table, role, columns.get(role, role), path) for role in wanted}
    for role in wanted:
        if found[role] is None:
            raise InputError(f"{path} has no column {role!r}: it has {listed(names)}")
    named = pd.DataFrame({role: column.to_numpy() for role, column in found.items() if column is not None})
    named.attrs["names"] = {role: columns.get(role, role) for role in wanted}
    return fitting[0], named.set_axis(pd.RangeIndex(1, len(named) + 1, name="row"))


def _named(table: pd.DataFrame, role: str) -> pd.Series:
    """Return a column under the name that it has in the file."""
    return table[role].rename(table.attrs["names"][role])


def _one_label(
    path: Path, user: np.ndarray, column: pd.Series, task: str | None, role: str, form: FileForm
) -> tuple[Task, dict[str, int], str]:
    """Return the task of one label a user, why rows were left out, and what said that it is this task."""
    number = to_numeric(column, form)
    finite = pd.Series(np.isfinite(number.astype(float)), column.index)
    texts, many = not finite.all(), number[finite].nunique() > MOST_CLASSES
    if task == "regression" or (task is None and role == "value"):
        number, kind = pd.Series(numbers(column, path, form), column.index), "regression"
        why = f"column {column.name!r}" if task is None else "as asked for"
    elif task is None and texts and many and finite.mean() > 0.8:
        refuse(~finite, column, path, "is no number, as most labels are")
    if task is None and role == "label":
        whole = not texts and bool((number == number.round()).all())
        kind = "classification" if texts or (whole and not many) else "regression"
        what = "texts" if texts else f"{number.nunique():,} different {'whole ' if whole else ''}numbers"
        other = {"classification": "regression", "regression": "classification"}[kind]
        why = f"column {column.name!r} holds {what}" + ("" if texts else f"; task={other!r} takes it otherwise")
    elif task == "classification":
        kind, why = task, "as asked for"
    given = column.astype(str).str.strip() if kind == "classification" and texts else number
    one = pd.DataFrame({"user": user, "label": given.to_numpy()}, index=column.index)
    once = one.drop_duplicates()
    if (again := once["user"].duplicated(keep=False)).any():
        first, second, *_ = once[once["user"] == once.loc[again, "user"].iloc[0]].itertuples()
        raise InputError(
            f"{path}: user {first.user} has two labels, {first.label!r} in row {first.Index} and {second.label!r} in "
            f"row {second.Index} (such users: {once.loc[again, 'user'].nunique():,}): keep one row of each"
        )
    if once["label"].nunique() == 1:
        same = once["label"].tolist()[0]
        raise InputError(f"{path}: all {len(once):,} labels are {same!r}: there is nothing to tell apart")
    once = once.iloc[np.argsort(once["user"].to_numpy(), kind="stable")]
    nobody = _nothing(as_ids(once["user"].tolist()), Catalogue(as_ids([])), path.name)
    left_out = {"rows that say the same again": len(one) - len(once)}
    if kind == "regression":
        return RegressionTask(nobody, once["label"].to_numpy(np.float32)), left_out, why
    codes, values = pd.factorize(once["label"].to_numpy(), sort=True)
    if not texts and (values == values.round()).all() and abs(values).max() < 2**53:
        values = values.astype(np.int64)
    return ClassificationTask(nobody, codes.astype(np.int64), classes=tuple(values.tolist())), left_out, why


def _wanted(
    path: Path, user: np.ndarray, table: pd.DataFrame, at_least: float | None, form: FileForm
) -> tuple[Task, dict[str, int], str]:
    """Return the task of ranking, why rows and users were left out, and what said that it is this task."""
    rating = numbers(_named(table, "rating"), path, form) if "rating" in table else None
    events = from_events(user, ids(_named(table, "item"), path), rating, duplicates="last", name=path.name)
    why = f"column {table.attrs['names']['item']!r}"
    if rating is not None:
        at_least = liked_from(events.weights) if at_least is None else at_least
        why += " of every rating" if at_least is None else f" where the rating is at least {at_least:g}"
    wanted = events.binarise(at_least)
    some = wanted.take_users(np.flatnonzero(wanted.events_per_user > 0))
    if not some.n_events:
        highest = events.weights.max()
        raise InputError(f"{path}: no rating is at least {at_least:g}, the highest is {highest:g}: ask for less")
    left_out = {"rows that say the same again": len(user) - events.n_events,
                "rows with a lower rating": events.n_events - wanted.n_events}  # fmt: skip
    return RankingTask(_nothing(some.user_ids, some.catalogue, path.name), some), left_out, why


def _nothing(user_ids: np.ndarray, catalogue: Catalogue, name: str) -> Interactions:
    """Return users who have done nothing."""
    none, offsets = np.zeros(0, np.float32), np.zeros(len(user_ids) + 1, np.int64)
    return Interactions(none.astype(np.int32), offsets, none, None, user_ids, catalogue, name)
