"""Protocols, each a :class:`Split`: what may be trained on, what is shown at the test, and what has to be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .interactions import Interactions
from .reports import warn_of_ties


@dataclass(frozen=True, eq=False)
class Split:
    """One protocol applied to one data set.

    Args:
        protocol: its name, for the table of results.
        train: all that a model may be fitted on.
        inputs: what is shown of each test user: the model's input. Items in it are left out of the ranking.
        targets: what has to be found for the same users, row by row.
        detail: its settings, in words.
        validation: the same question about earlier events, which no target is among: settings are chosen by it.

    Raises:
        InputError: other items or other users in ``targets`` than in ``inputs``; a test user without input or target;
            a target that is in the user's input or in ``train``.
    """

    protocol: str
    train: Interactions
    inputs: Interactions
    targets: Interactions
    detail: str = ""
    validation: Split | None = None

    def __post_init__(self) -> None:
        self.train.catalogue.require_same(self.inputs.catalogue, "the inputs")
        self.train.catalogue.require_same(self.targets.catalogue, "the targets")
        if not np.array_equal(self.inputs.user_ids, self.targets.user_ids):
            raise InputError("inputs and targets have other users, or in another order: give the same to both")
        if self.inputs.n_users == 0:
            raise InputError(f"{self.protocol}: no user is left to test on; give more data or a larger share")
        for what in ("inputs", "targets"):
            counts = getattr(self, what).events_per_user
            if (counts == 0).any():
                user = self.inputs.user_ids[int(np.flatnonzero(counts == 0)[0])]
                raise InputError(
                    f"{self.protocol}: {int((counts == 0).sum())} test users have no {what}, the first is {user}: "
                    "filter_counts(per_user=...) drops users with too few events"
                )
        self._refuse_leaks(self.inputs, "what is shown of them")
        self._refuse_leaks(self.train, "what is trained on")

    def _refuse_leaks(self, visible: Interactions, where: str) -> None:
        """Raise if a (user, item) pair of the targets is also in ``visible``."""
        row_of = {user: row for row, user in enumerate(visible.user_ids.tolist())}
        rows = np.array([row_of.get(user, -1) for user in self.targets.user_ids.tolist()])
        shared = np.flatnonzero(rows >= 0)
        seen = visible.matrix[rows[shared]].astype(bool).multiply(self.targets.matrix[shared].astype(bool)).tocoo()
        if seen.nnz:
            user = self.targets.user_ids[shared[seen.coords[0][0]]]
            item = self.targets.item_ids[seen.coords[1][0]]
            raise InputError(
                f"{self.protocol} leaks: {seen.nnz} targets are in {where}, the first is item {item} of user {user}"
            )

    def __repr__(self) -> str:
        trained, targets = self.train, self.targets
        return (
            f"Split {self.protocol}{self.detail and f' ({self.detail})'}: "
            f"trained on {trained.n_events:,} events of {trained.n_users:,} users, "
            f"tested on {targets.n_events:,} targets of {targets.n_users:,} users"
        )


def held_out_users(
    interactions: Interactions, test_share: float = 0.2, target_share: float = 0.2, seed: int = 0
) -> Split:
    """Hold out whole users (strong generalisation): fitted on the others, asked for a random part of their items.

    Args:
        interactions: the data; users with fewer than two items are not tested on.
        test_share: share of the users that is held out.
        target_share: share of a held-out user's items that has to be found, at least one and never all.
        seed: draws users and targets.

    Source: Liang et al. (2018), section 4.2.
    """
    _check_shares(test_share=test_share, target_share=target_share)
    rng = np.random.default_rng(seed)
    order = rng.permutation(interactions.n_users)
    n_test = max(1, round(test_share * interactions.n_users))
    train = interactions.take_users(np.sort(order[n_test:]))
    inputs, targets = _random_targets(interactions.take_users(np.sort(order[:n_test])), target_share, rng)
    return Split("held-out-users", train, inputs, targets, f"{target_share:.0%} of the items are targets")


def random_holdout(interactions: Interactions, target_share: float = 0.2, seed: int = 0) -> Split:
    """Hold out a random part of every user's items (weak generalisation): the rest is trained on and shown."""
    _check_shares(target_share=target_share)
    rng = np.random.default_rng(seed)
    inputs, targets = _random_targets(interactions, target_share, rng)
    return Split("random", inputs, inputs, targets, f"{target_share:.0%} of the items are targets")


def leave_one_out(interactions: Interactions, refit: bool = False) -> Split:
    """Ask for each user's last item; all before it is shown, and all before the second-last is trained on.

    That is what published numbers mean: the second-last event is there to choose settings by, and never trained on.
    Users with fewer than three events are trained on, and not tested; so are those whose last item they had before.

    Args:
        interactions: in the order of time.
        refit: train on the second-last event too, as somebody does who has chosen. It is an easier question: the newest
            event before the target is known, so a number of one kind must not stand beside one of the other.

    Source: Kang and McAuley (2018), section IV, and their code.
    """
    if not interactions.in_order:
        _need_times(interactions, "leave-one-out")
    warn_of_ties(interactions, "leave-one-out")
    last = np.zeros(interactions.n_events, bool)
    last[interactions.offsets[1:][interactions.events_per_user > 2] - 1] = True
    first = ~_seen_before(interactions)
    last &= first
    second_last = np.append(last[1:], False)
    targets, shown = interactions.keep_events(last), interactions.keep_events(~last)
    tested = np.flatnonzero(targets.events_per_user)
    train = shown if refit else interactions.keep_events(~(last | second_last))
    earlier = None if refit else _validation(interactions.keep_events(second_last & first), train)
    name = "leave-one-out, refit" if refit else "leave-one-out"
    return Split(name, train, shown.take_users(tested), targets.take_users(tested), validation=earlier)


def _validation(wanted: Interactions, train: Interactions) -> Split | None:
    """Return the split that shows what is trained on, and asks the same users for ``wanted``; None where nobody is."""
    rows = np.flatnonzero((wanted.events_per_user > 0) & (train.events_per_user > 0))
    return Split("validation", train, train.take_users(rows), wanted.take_users(rows)) if len(rows) else None


def temporal(interactions: Interactions, target_share: float = 0.2, refit: bool = False) -> Split:
    """Cut at one point in time for everyone: all before it is shown, new items after it have to be found.

    There is an earlier cut: what lies between the two is there to choose settings by, and never trained on.

    Args:
        interactions: with times.
        target_share: share of the events that lies after the cut; of what lies before it, as much again lies after the
            earlier one.
        refit: train on all before the cut, as somebody does who has chosen. It is an easier question: what happened
            shortly before is known, so a number of one kind must not stand beside one of the other.
    """
    _check_shares(target_share=target_share)
    _need_times(interactions, "temporal")
    times = np.asarray(interactions.timestamps)
    cut, new = np.quantile(times, 1 - target_share), ~_seen_before(interactions)
    shown, later = interactions.keep_events(times < cut), interactions.keep_events((times >= cut) & new)
    tested = np.flatnonzero((shown.events_per_user > 0) & (later.events_per_user > 0))
    train, earlier, told = shown, None, f"targets from {_day(cut)} on"
    if not refit and shown.n_events:
        earlier_cut = np.quantile(times[times < cut], 1 - target_share)
        between = (times >= earlier_cut) & (times < cut)
        train = interactions.keep_events(times < earlier_cut)
        if not train.n_events:
            raise InputError("temporal: nothing lies before the earlier cut: give more data, or refit=True")
        earlier = _validation(interactions.keep_events(between & new), train)
        told += f", trained on what was before {_day(earlier_cut)}"
    name = "temporal, refit" if refit else "temporal"
    return Split(name, train, shown.take_users(tested), later.take_users(tested), told, earlier)


def _day(time: float) -> np.datetime64:
    return np.datetime64(int(time), "s").astype("datetime64[D]")


PROTOCOLS: dict[str, Callable[..., Split]] = {
    "held-out-users": held_out_users,
    "leave-one-out": leave_one_out,
    "temporal": temporal,
    "random": random_holdout,
}


def some_events(interactions: Interactions, n: int, seed: int = 0) -> Interactions:
    """Return ``n`` events of each user, drawn at random and left in their order; who has fewer keeps all."""
    if n < 1:
        raise InputError(f"{n} events shown: give at least 1")
    counts = interactions.events_per_user
    rows = np.repeat(np.arange(interactions.n_users), counts)
    order = np.lexsort((np.random.default_rng(seed).random(interactions.n_events), rows))
    place = np.empty(interactions.n_events, np.int64)
    place[order] = np.arange(interactions.n_events) - np.repeat(interactions.offsets[:-1], counts)
    return interactions.keep_events(place < n)


def _random_targets(
    interactions: Interactions, share: float, rng: np.random.Generator
) -> tuple[Interactions, Interactions]:
    """Split each user's items at random into inputs and targets; users with fewer than two items are left out."""
    many = interactions.take_users(np.flatnonzero(np.diff(interactions.matrix.indptr) > 1))
    if not many.n_users:
        return many, many  # which Split refuses
    matrix = many.matrix
    rows = np.repeat(np.arange(many.n_users), np.diff(matrix.indptr))
    order = np.lexsort((rng.random(matrix.nnz), rows))
    place = np.arange(matrix.nnz) - matrix.indptr[rows]
    n_items = np.diff(matrix.indptr)
    n_targets = np.clip(np.round(share * n_items), 1, n_items - 1)
    chosen = matrix.copy().astype(bool)
    chosen.data = np.zeros(matrix.nnz, bool)
    chosen.data[order] = place < n_targets[rows]
    event_rows = np.repeat(np.arange(many.n_users), many.events_per_user)
    is_target = np.asarray(chosen[event_rows, many.items]).ravel()  # an item's repeats go the same way
    return many.keep_events(~is_target), many.keep_events(is_target)


def _seen_before(interactions: Interactions) -> np.ndarray:
    """Return ``(n_events,)``: whether the user had the item in an earlier event."""
    rows = np.repeat(np.arange(interactions.n_users), interactions.events_per_user)
    _, first = np.unique(rows * interactions.n_items + interactions.items, return_index=True)
    seen = np.ones(interactions.n_events, bool)
    seen[first] = False
    return seen


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise InputError(f"{name}={share!r}: it needs to be between 0 and 1")


def _need_times(interactions: Interactions, protocol: str) -> None:
    if interactions.timestamps is None:
        name = repr(interactions.name)
        raise InputError(
            f"{name} has no timestamps, which {protocol} needs: name their column, or take another protocol"
        )
