"""Tasks made from interactions: what is hidden, what is asked for, and who can be asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ..data.catalogue import RawId, genre_table
from ..data.interactions import Interactions
from ..data.joining import with_items, with_users
from ..errors import InputError, unknown
from .one_label import ClassificationTask, RegressionTask
from .ranking import RankingTask

LIKED = {5.0: 4.0, 10.0: 8.0}  # highest weight of a rating scale -> the weight from which an item is liked
MOST_RATED = 10  # films among which a seed draws the one whose rating is asked for
CLASSES = 4  # favourite genres that are told apart


def liked_from(weights: np.ndarray) -> float | None:
    """Return the weight from which an item counts as liked: 4 of 5, 8 of 10; None, every event, on any other scale."""
    return LIKED.get(float(weights.max(initial=0))) if len(np.unique(weights)) > 1 else None


def new_shelf(
    interactions: Interactions, hidden: float = 0.2, at_least: float | None = None, k: int = 20, seed: int = 0
) -> RankingTask:
    """Return the "new shelf" task: from behaviour on known items, rank items that were hidden from everyone.

    A random share ``hidden`` of the items is put on the new shelf. X is behaviour on the others, Y which items of the
    new shelf the user liked. Where the data has ``labels`` (ratings beside views), Y comes from those.

    Args:
        interactions: behaviour.
        hidden: share of the items on the new shelf, between 0 and 1.
        at_least: the weight from which an item counts as liked; None goes by the scale (:func:`liked_from`).
        k: the quality is NDCG at ``k``.
        seed: draws the shelf.
    """
    if not 0 < hidden < 1:
        raise InputError(f"hidden={hidden!r}: it needs to be between 0 and 1")
    shelf = np.zeros(interactions.n_items, bool)
    draw = np.random.default_rng(seed).permutation(interactions.n_items)
    shelf[draw[: max(1, round(hidden * interactions.n_items))]] = True
    wanted = labelled(interactions)
    at_least = threshold(interactions) if at_least is None else at_least
    wanted = with_items(wanted, interactions.catalogue.take(np.flatnonzero(shelf)))
    return RankingTask(interactions.subset_items(~shelf), wanted.binarise(at_least), k)


def top_n(interactions: Interactions, at_least: float | None = None, k: int = 20, seed: int = 0) -> RankingTask:
    """Return the task of recommending from the whole catalogue: from a user's earlier events, what they like later.

    Later are the last fifth of each user's events (a random fifth where the order is not known). What a user has
    already is left out of the ranking. Users with fewer than two events are left out.
    """
    at_least = liked_from(interactions.weights) if at_least is None else at_least
    before, after = later(replace(interactions, labels=None), seed)
    return RankingTask(before, after.binarise(at_least), k, without_seen=True)


def classification(interactions: Interactions, attribute: str | None = None, seed: int = 0) -> ClassificationTask:
    """Return the task of telling a class of each user: an attribute that is known of them, or their favourite genre.

    Where the users have attributes, the classes are the values of ``attribute``, users without one are left out, and a
    number (an age) is cut at its median, or where ``age>=35`` says. Elsewhere the class is the genre that most of what
    the user likes later has, among the four that are most often somebody's; users without such are left out.

    Args:
        interactions: with user attributes, or with genres.
        attribute: a column of the user attributes; None takes ``gender`` where there is one, else the first.
        seed: draws what is hidden where no order is known.

    Raises:
        InputError: neither attributes nor genres, or no such attribute.
    """
    table = interactions.user_attributes
    if table is not None and len(table.columns):
        column, _, cut = (attribute or "").partition(">=")
        column = column or ("gender" if "gender" in table.columns else str(table.columns[0]))
        if column not in table.columns:
            raise unknown("attribute", column, table.columns)
        values = table[column].reindex(interactions.user_ids)
        if cut:
            values = (values >= _number(cut, attribute)).where(values.notna())
        elif pd.api.types.is_numeric_dtype(values) and values.nunique() > CLASSES:
            values = (values > values.median()).where(values.notna())
        codes = pd.factorize(values, sort=True)[0]
        rows = np.flatnonzero(codes >= 0)
        return ClassificationTask(interactions.take_users(rows), codes[rows].astype(np.int64))
    if attribute is not None:
        raise InputError(f"attribute {attribute!r}: nothing is known of the users of {interactions.name!r}")
    return _favourite_genre(interactions, seed)


def regression(interactions: Interactions, item: RawId | None = None, seed: int = 0) -> RegressionTask:
    """Return the task of guessing the rating that a user gives one item, from their behaviour on all others.

    Args:
        interactions: with ratings as weights, its own or those of its labels.
        item: raw id or title; None draws one of the ten with the most ratings, by ``seed``.
        seed: see ``item``.

    Raises:
        InputError: all weights are equal: there is no rating.
    """
    rated = labelled(interactions)
    if len(np.unique(rated.weights)) < 2:
        raise InputError(f"{interactions.name!r} has no ratings: regression needs weights that differ")
    if item is None:
        most = np.argsort(-rated.events_per_item, kind="stable")[: min(MOST_RATED, rated.n_items)]
        column = int(np.random.default_rng(seed).choice(most))
    else:
        column = rated.item_index(item)
    matrix = rated.matrix.tocsc()[:, [column]].tocoo()
    rows, labels = matrix.coords[0], matrix.data
    order = np.argsort(rows)
    others = interactions.subset_items(interactions.item_ids != rated.item_ids[column])
    return RegressionTask(others.take_users(rows[order]), labels[order])


def labelled(interactions: Interactions) -> Interactions:
    """Return the events that say what is liked: the labels of the same users, or the behaviour itself."""
    if interactions.labels is None:
        return interactions
    return with_users(interactions.labels, interactions.user_ids)


def threshold(interactions: Interactions) -> float | None:
    """Return the weight from which an item is liked, by the whole scale that was used."""
    return liked_from((interactions if interactions.labels is None else interactions.labels).weights)


def _number(text: str, attribute: str | None) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"attribute {attribute!r}: {text!r} is no number; write it as age>=35") from error


def later(interactions: Interactions, seed: int, share: float = 0.2) -> tuple[Interactions, Interactions]:
    """Return the earlier of each user's events, and the last ``share`` of them, at least one event each."""
    many = interactions.take_users(np.flatnonzero(interactions.events_per_user > 1))
    counts = many.events_per_user
    rows = np.repeat(np.arange(many.n_users), counts)
    place = np.arange(many.n_events) - many.offsets[:-1][rows]
    if many.timestamps is None and not many.in_order:
        order = np.lexsort((np.random.default_rng(seed).random(many.n_events), rows))
        place = place[np.argsort(order)]
    later = place >= counts[rows] - np.maximum(1, np.round(share * counts))[rows]
    return many.keep_events(~later), many.keep_events(later)


def _favourite_genre(interactions: Interactions, seed: int) -> ClassificationTask:
    if interactions.catalogue.genres is None:
        raise InputError(f"{interactions.name!r} has neither user attributes nor genres: there is no class to tell")
    task = (top_n if interactions.labels is None else new_shelf)(interactions, seed=seed)
    before, after = task.behaviour, task.targets
    counts = after.binarise().matrix @ genre_table(after.catalogue.genres or ()).astype(float)
    lift = counts / np.maximum(counts.sum(0), 1) ** 0.5  # else the commonest genre would be nearly everyone's
    common = np.bincount(lift[counts.sum(1) > 0].argmax(1), minlength=counts.shape[1])
    top = np.argsort(-common, kind="stable")[:CLASSES]
    rows = np.flatnonzero(counts[:, top].sum(1) > 0)
    return ClassificationTask(before.take_users(rows), lift[rows][:, top].argmax(1))
