"""The target behaviour: the rare kind of event that is wanted, told from the others by its name or rating."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..data.events import from_events
from ..data.interactions import Interactions
from ..data.joining import with_items, with_users
from ..errors import InputError, unknown
from .build import labelled, threshold
from .build import later as split_later
from .ranking import RankingTask


def with_target(interactions: Interactions, target: str | None = None) -> Interactions:
    """Return the interactions with the target behaviour as their ``labels``, all of it of weight 1.

    Args:
        interactions: the plentiful behaviour.
        target: ``rating>=4`` (of the labels' ratings where there are some, else of its own), ``behaviour=purchase`` or
            ``behaviour=cart+purchase`` of its ``kinds``. None: every kind but the most frequent, else what its labels
            or ratings call liked (:func:`~recsys_tutorial.tasks.build.liked_from`).

    Raises:
        InputError: another form of target, a kind or ratings that are not there.
    """
    if target is None and interactions.kinds:
        target = "behaviour=" + "+".join(list(interactions.kinds)[1:])
    if target is None:
        at_least = threshold(interactions)
        if interactions.labels is None and at_least is None:
            raise InputError(
                f"{interactions.name!r} has one kind of behaviour: a target needs ratings, or a column that says the "
                "kind (in a command: --columns behaviour=COLUMN --target behaviour=VALUE)"
            )
        return replace(interactions, labels=labelled(interactions).binarise(at_least), kinds=None)
    if found := re.fullmatch(r"rating>=([0-9.]+)", target):
        return replace(interactions, labels=labelled(interactions).binarise(float(found[1])), kinds=None)
    if not target.startswith("behaviour="):
        raise InputError(f"target {target!r}: write it as rating>=4 or behaviour=purchase")
    kinds, names = interactions.kinds or {}, target.removeprefix("behaviour=").split("+")
    for name in names:
        if name not in list(kinds)[1:]:
            raise unknown("target behaviour", name, list(kinds)[1:])
    return replace(interactions, labels=_together([kinds[name] for name in names]), kinds=None)


def _together(kinds: list[Interactions]) -> Interactions:
    """Return the events of all kinds, each pair of user and item once, of weight 1."""
    users = np.concatenate([np.repeat(kind.user_ids, kind.events_per_user) for kind in kinds])
    items = np.concatenate([kind.item_ids[kind.items] for kind in kinds])
    return from_events(users, items, duplicates="last", name="+".join(kind.name for kind in kinds))


def target_behaviour(
    interactions: Interactions, later: float = 0.3, target: str | None = None, k: int = 20, seed: int = 0
) -> RankingTask:
    """Return the task of foretelling a rare behaviour from a plentiful one: what will be bought, from what was viewed.

    Everyone's events are split as in :func:`top_n`; X are the earlier ones, whatever they are (the auxiliary
    behaviour), Y those of the later items that also got the target behaviour (:func:`with_target`). Users without such
    stay, with no Y: they are not to be labelled or tested on, but their X is behaviour.

    Args:
        interactions: auxiliary behaviour.
        later: share of each user's events that are later.
        target: see :func:`with_target`.
        k: the quality is NDCG at ``k``.
        seed: draws what is later where no order is known.

    Raises:
        InputError: no such target in this data.
    """
    wanted = with_items(labelled(with_target(interactions, target)), interactions.catalogue)
    before, after = split_later(replace(interactions, labels=None, kinds=None), seed, later)
    wanted = with_users(wanted, after.user_ids)
    rows = np.repeat(np.arange(after.n_users), after.events_per_user)
    got = np.asarray(wanted.matrix[rows, after.items]).ravel() > 0
    return RankingTask(before.binarise(), after.keep_events(got).binarise(), k, without_seen=True)
