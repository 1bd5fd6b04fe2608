"""Remembered or understood: a metric apart for what training has shown, what two steps of it make, and the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from ..data.interactions import Interactions
from ..data.splits import Split
from ..errors import InputError
from ..metrics.intervals import bootstrap_intervals

GROUPS = ("seen", "within two steps", "never")


def transitions(train: Interactions) -> csr_array:
    """Return ``(items, items)``: how often the second item followed at once on the first in a history."""
    same = np.ones(max(0, train.n_events - 1), bool)
    ends = train.offsets[1:-1]
    same[ends[(ends > 0) & (ends < train.n_events)] - 1] = False
    before, after = train.items[:-1][same], train.items[1:][same]
    return csr_array((np.ones(len(before), np.int64), (before, after)), shape=(train.n_items,) * 2)


def groups_of(split: Split) -> np.ndarray:
    """Return ``(users,)`` which of :data:`GROUPS` the step from the last item shown to the target belongs to.

    ``seen``: the one followed at once on the other in somebody's training history. ``within two steps``: never that,
    but some item followed on the one and was followed by the other, in one history or in two. ``never``: neither.

    Raises:
        InputError: the order of events is not known, or a user has several targets.
    """
    if split.inputs.timestamps is None and not split.inputs.in_order:
        raise InputError(f"{split.inputs.name!r} has no timestamps: by='transition' asks which item was shown last")
    if (split.targets.events_per_user != 1).any():
        raise InputError(f"by='transition' is for one target a user, {split.protocol} has more: take leave-one-out")
    last, target = split.inputs.items[split.inputs.offsets[1:] - 1], split.targets.items
    steps = transitions(split.train)
    seen = steps[last, target] > 0
    between = steps[last].multiply(steps.T.tocsr()[target]).sum(axis=1) > 0  # user by user, never items by items
    return np.where(seen, GROUPS[0], np.where(between, GROUPS[1], GROUPS[2]))


def by_transition(table: pd.DataFrame, per_user: pd.DataFrame, split: Split, seed: int = 0) -> pd.DataFrame:
    """Return the table of :func:`.evaluation.evaluate` with a row for each of :data:`GROUPS` that has users.

    Args:
        table: for all users.
        per_user: what it rests on.
        split: of both.
        seed: of the bootstrap.
    """
    groups, rows = groups_of(split), []
    for row in table.to_dict("records"):
        values = per_user[row["model"], row["metric"], row["k"]].to_numpy()
        for group in GROUPS:
            some = values[groups == group]
            if len(some):
                value, low, high = bootstrap_intervals(some[:, None], seed=seed)[0]
                part = {"group": group, "value": value, "ci_low": low, "ci_high": high, "users": len(some)}
                rows.append(row | part)
    columns = list(table.columns)
    place = columns.index("k") + 1
    return pd.DataFrame(rows)[[*columns[:place], "group", *columns[place:]]]
