"""Click-through as a task: somebody with a history is shown one item; will they take it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..data.joining import with_items, with_users
from ..engine.settings import Settings, seeded
from ..errors import InputError
from ..model import PretrainedModel
from ..training import fit

LONGEST = 50  # items of a history that are kept, the newest
FOLDS = 5
PRIOR = 20.0  # an item's rate is drawn to the mean as if so many more had been seen


@dataclass(frozen=True)
class Impressions:
    """``n`` times an item was shown to somebody.

    Args:
        history: one row each: what that person had taken before, oldest first, at most 50 items, without this one.
        items: ``(n,)`` the item that is shown.
        clicked: ``(n,)`` float32, 1 where it was taken.
        users: ``(n,)`` who: a row number, to keep one person's impressions together.
        context: ``(n, 3)`` float32: how often the item is taken and how often it was shown (log), by those who are
            trained on; how long the history is (log).
        catalogue: the items.
    """

    history: Batch
    items: Tensor
    clicked: Tensor
    users: np.ndarray
    context: Tensor
    catalogue: Catalogue

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Tensor) -> Impressions:
        """Return the impressions at ``rows``."""
        return replace(
            self, history=self.history.take(rows), items=self.items[rows], clicked=self.clicked[rows],
            users=self.users[rows.numpy()], context=self.context[rows],
        )  # fmt: skip


def liked_or_not(
    ratings: Interactions, at_least: float, cuts: tuple[float, float] = (0.4, 0.8)
) -> tuple[Impressions, Impressions, Interactions]:
    """Return impressions to train and to test on, and the likes to pretrain g on: a rating is a film that was shown.

    Two points in time part them, the same for everyone: g is pretrained on what lies before the first, the clicks are
    trained between the two, and what lies behind is asked. (Were g pretrained on the very likes that are asked in
    training, it would remember them, and h would learn to trust it more than it deserves.) A history is what the person
    had liked before that moment.

    Args:
        ratings: with times.
        at_least: a rating from which on the film was liked.
        cuts: shares of the ratings that lie before the two points in time.

    Raises:
        InputError: no times are known, or cuts out of range.
    """
    if ratings.timestamps is None or not 0 < cuts[0] < cuts[1] < 1:
        raise InputError(f"cuts={cuts!r} of {ratings.name!r}: it needs times, and two shares, the smaller first")
    liked = ratings.weights >= at_least
    rows = np.repeat(np.arange(ratings.n_users), ratings.events_per_user)
    before = np.concatenate([[0], np.cumsum(liked)])  # likes before each event, all users laid end to end
    first = before[ratings.offsets[:-1]][rows]
    history = _stretches(ratings.keep_events(liked), np.maximum(first, before[:-1] - LONGEST), before[:-1])
    first_cut, second_cut = np.quantile(ratings.timestamps, cuts)
    early, late = ratings.timestamps <= first_cut, ratings.timestamps > second_cut
    both = _contexts(history, ratings.items, liked, rows, ~early & ~late, ratings.n_items)
    found = Impressions(*both, ratings.catalogue)
    train, test = (found.take(torch.from_numpy(np.flatnonzero(some))) for some in (~early & ~late, late))
    return train, test, ratings.keep_events(early & liked).binarise()


def bought_or_not(views: Interactions, seed: int = 0) -> tuple[Impressions, Impressions, Interactions]:
    """Return impressions to train and to test on, and the views to pretrain g on: a view is an item that was shown.

    Was it bought? No times are known, so that people are parted: of a third only the views are known, and g is
    pretrained on them; of a third the purchases too; a third is tested on. A history is all else that somebody viewed.

    Args:
        views: with ``labels``, the purchases of the same people.
        seed: deals the people.

    Raises:
        InputError: no purchases are known.
    """
    if views.labels is None:
        raise InputError(f"{views.name!r} has no labels: purchases are needed beside the views")
    bought = with_items(with_users(views.labels, views.user_ids), views.catalogue).matrix
    rows = np.repeat(np.arange(views.n_users), views.events_per_user)
    taken = np.asarray(bought[rows, views.items]).ravel() > 0
    starts, ends = views.offsets[:-1][rows], views.offsets[1:][rows]
    whole = _stretches(views, np.maximum(starts, ends - LONGEST - 1), ends)
    history = whole.keep(whole.items != torch.from_numpy(views.items.astype(np.int64))[whole.rows])
    third = np.random.default_rng(seed).permutation(views.n_users) % 3
    both = _contexts(history.newest(LONGEST), views.items, taken, rows, third[rows] == 1, views.n_items)
    found = Impressions(*both, views.catalogue)
    train, test = (found.take(torch.from_numpy(np.flatnonzero(third[rows] == part))) for part in (1, 2))
    return train, test, views.subset_users(third == 0).binarise()


class ClickModel(nn.Module):
    r"""``f = h ∘ g`` for a click: ``h([z, v, z ⊙ v, context])`` is a logit, z = g(history) and v the item's vector.

    Args:
        model: holds g, which stays as it is; v is the head's row for the item, which was pretrained as well.
        width: of h's one hidden layer.
    """

    def __init__(self, model: PretrainedModel, width: int = 64) -> None:
        super().__init__()
        self.g, self.items = model.feature_extractor, model.classifier.weight.detach()
        self.h = nn.Sequential(nn.Linear(3 * self.items.shape[1] + 3, width), nn.ReLU(), nn.Linear(width, 1))

    def vectors(self, shown: Impressions) -> tuple[Tensor, Tensor]:
        """Return z and v, ``(n, dim)`` each, of length 1."""
        with torch.no_grad():
            z = self.g.eval()(shown.history)
        return F.normalize(z, dim=1), F.normalize(self.items[shown.items], dim=1)

    def forward(self, shown: Impressions) -> Tensor:
        """Return ``(n,)`` logits."""
        z, v = self.vectors(shown)
        return self.h(torch.cat([z, v, z * v * z.shape[1] ** 0.5, shown.context], 1))[:, 0]

    @torch.no_grad()
    def predict(self, shown: Impressions) -> np.ndarray:
        """Return ``(n,)`` probabilities of a click."""
        rows = torch.arange(len(shown)).split(8192)
        return torch.cat([self(shown.take(some)) for some in rows]).sigmoid().numpy()


def train_clicks(
    model: PretrainedModel, shown: Impressions, *, epochs: int = 5, seed: int = 0, **settings: Any
) -> ClickModel:
    """Return ``h ∘ g`` with h trained on impressions (cross-entropy) and g as it was pretrained.

    The weights of the epoch with the best loss on held-out people are kept.
    """
    with seeded(seed):
        f = ClickModel(model)

    def loss(some: Impressions) -> Tensor:
        return F.binary_cross_entropy_with_logits(f(some), some.clicked)

    train, held_out = hold_out(shown)
    how = Settings(**{"epochs": epochs, "batch_size": 256, "learning_rate": 1e-3, "weight_decay": 0.1} | settings)
    groups = [{"params": list(f.h.parameters())}]
    fit(
        f, loss, train, how, seed=seed, parameter_groups=groups, validate=lambda: float(loss(held_out)), progress=False
    )
    return f.eval()


def hold_out(shown: Impressions) -> tuple[Impressions, Impressions]:
    """Return the impressions of nine tenths of the people, and of the others, to choose the number of epochs by."""
    others = torch.from_numpy(shown.users % 10 == 9)
    return shown.take((~others).nonzero()[:, 0]), shown.take(others.nonzero()[:, 0])


def _stretches(interactions: Interactions, starts: np.ndarray, ends: np.ndarray) -> Batch:
    """Return a batch whose row b holds the items of the events ``starts[b]:ends[b]``."""
    begins, stops = (torch.from_numpy(place.astype(np.int64)) for place in (starts, ends))
    return Batch.of(interactions).binary().stretches(begins, stops)


def _contexts(
    history: Batch, items: np.ndarray, taken: np.ndarray, users: np.ndarray, train: np.ndarray, n_items: int
) -> tuple[Batch, Tensor, Tensor, np.ndarray, Tensor]:
    """Return the parts of :class:`Impressions`, for all events; the context of a training row knows other people only.

    Else an item's rate would hold the very answer that is asked for: so people are dealt into five folds, and a rate is
    that of the other four.
    """
    fold = np.where(train, users % FOLDS, FOLDS)  # those who are tested on see all five
    mean = taken[train].mean()
    rate, count = np.empty(len(items)), np.empty(len(items))
    for number in range(FOLDS + 1):
        others = train & (fold != number)
        seen = np.bincount(items[others], minlength=n_items)
        got = np.bincount(items[others], weights=taken[others], minlength=n_items)
        rows = fold == number
        rate[rows] = ((got + PRIOR * mean) / (seen + PRIOR))[items[rows]].clip(1e-3, 1 - 1e-3)
        count[rows] = np.log1p(seen[items[rows]] * (1 if number == FOLDS else FOLDS / (FOLDS - 1)))
    table = np.column_stack([np.log(rate / (1 - rate)), count, np.log1p(history.lengths.numpy())])
    table = (table - table[train].mean(0)) / np.maximum(table[train].std(0), 1e-6)
    return (
        history, torch.from_numpy(items.astype(np.int64)), torch.from_numpy(taken.astype(np.float32)), users,
        torch.from_numpy(table.astype(np.float32)),
    )  # fmt: skip
