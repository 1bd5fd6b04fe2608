"""Go on with a pretraining, and say what moved and what it brought on the latest events."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from ..baselines import Model
from ..data.batches import Batch, as_batch
from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..data.joining import joined, place_of, with_items, with_users
from ..data.splits import Split
from ..evaluation.evaluation import compare, evaluate_users
from ..learning.updating import check_updatable, update
from ..model import PretrainedModel
from ..serving.ranking import Ranking

LATEST = 0.2  # share of the new events that both models are judged on
FEWEST = 5  # users to judge by
LOOKED_AT = 1000  # users whose lists are held against those of before


def update_judged(
    model: PretrainedModel, before: Interactions, more: Interactions, *, seed: int = 0, **how: Any
) -> PretrainedModel:
    """Return :func:`recsys_tutorial.update` of ``model``, with a report in its ``origin``.

    ``origin["report"]`` holds ``records`` and ``text``. To judge, the model is first updated without the latest fifth
    of the new events (without each user's last one where times are not known), which both it and the old model have to
    find; what is returned has seen all.

    Args:
        model: from :func:`recsys_tutorial.pretrain`.
        before: what it was pretrained on.
        more: what happened since.
        seed: see :func:`recsys_tutorial.update`.
        how: see there too.
    """
    check_updatable(model)
    records, lines = _judged(model, before, more, seed, how)
    found = update(model, before, more, seed=seed, **how)
    found.origin["report"] = {"records": records, "text": "\n".join([*lines, _moved(model, found, before, seed)])}
    return found


class Before:
    """A model on a catalogue that has more items than it knows: it reads those it knows, and ranks the others last.

    Args:
        model: with a head that scores items.
        catalogue: its items and others.
    """

    def __init__(self, model: PretrainedModel, catalogue: Catalogue) -> None:
        assert model.catalogue is not None, "a pretrained model knows its items"
        self.model, self.n_items = model, len(catalogue)
        self.places = place_of(model.catalogue.ids, catalogue.ids)
        self.old = torch.full((self.n_items,), -1)
        self.old[torch.from_numpy(self.places)] = torch.arange(len(self.places))

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        batch = as_batch(behaviour)
        known = batch.keep(self.old[batch.items] >= 0)
        scores = self.model.score(Batch(self.old[known.items], known.offsets, known.weights))
        found = np.repeat(scores.min(axis=1, keepdims=True) - 1, self.n_items, axis=1)
        found[:, self.places] = scores
        return found


def _judged(
    model: PretrainedModel, before: Interactions, more: Interactions, seed: int, how: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    late = latest(more)
    earlier = more.keep_events(~late)
    known = joined(before, earlier)
    split = later_split(known, more.keep_events(late)) if known.n_events > before.n_events else None
    if split is None:
        return [], [f"Too little is new to judge it by: that takes {FEWEST} people who did something else since."]
    silent = {name: value for name, value in how.items() if name not in ("told", "progress")}
    models: dict[str, Model] = {
        "before": Before(model, split.train.catalogue),
        "updated": update(model, before, earlier, seed=seed, progress=False, **silent),
    }
    k = min(20, split.train.n_items)
    table, per_user = evaluate_users(models, split, "ndcg", k, seed=seed, progress=False)
    gain = compare(per_user, "updated", ["before"], "ndcg", k).iloc[0]
    shown = {1: "better", -1: "worse"}.get(
        int(np.sign(gain.ci_low) + np.sign(gain.ci_high)) // 2, "not shown to differ"
    )
    old, new = table.set_index("model")["value"][["before", "updated"]]
    line = (
        f"On the latest {split.targets.n_events:,} new events, of {split.targets.n_users:,} users, held out to judge: "
        f"NDCG@{k} {old:.3f} before, {new:.3f} updated, {gain.value:+.3f} [{gain.ci_low:+.3f}, {gain.ci_high:+.3f}]: "
        f"{shown}."
    )
    rows: list[Any] = [*table.drop(columns="seconds").to_dict("records"), gain.to_dict() | {"protocol": split.protocol}]
    return rows, [line]


def latest(more: Interactions) -> np.ndarray:
    """Return ``(n_events,)``: the latest fifth of the events, or each user's last where times are not known."""
    if more.timestamps is not None:
        return np.asarray(more.timestamps) >= np.quantile(more.timestamps, 1 - LATEST)
    late = np.zeros(more.n_events, bool)
    late[more.offsets[1:][more.events_per_user > 1] - 1] = True
    return late


def later_split(known: Interactions, later: Interactions) -> Split | None:
    """Return who is shown what of ``known`` and has to find what of ``later``; None where there are too few."""
    later = with_items(later, known.catalogue)
    shown = with_users(known, later.user_ids)
    had, asked = (
        np.repeat(np.arange(part.n_users), part.events_per_user) * known.n_items + part.items for part in (shown, later)
    )
    later = later.keep_events(~np.isin(asked, had))
    rows = np.flatnonzero((shown.events_per_user > 0) & (later.events_per_user > 0))
    if len(rows) < FEWEST:
        return None
    return Split("latest events", known, shown.take_users(rows), later.take_users(rows))


def _moved(model: PretrainedModel, found: PretrainedModel, before: Interactions, seed: int) -> str:
    """Say how far items and lists are from where they were."""
    assert model.catalogue is not None, "check_updatable refuses it"
    assert found.catalogue is not None
    places = place_of(model.catalogue.ids, found.catalogue.ids)
    old, new = (one.feature_extractor.item_vectors.detach().cpu() for one in (model, found))
    cosines = F.cosine_similarity(old, new[torch.from_numpy(places)], dim=1).numpy()
    rows = np.random.default_rng(seed).permutation(before.n_users)[:LOOKED_AT]
    some, k = before.take_users(np.sort(rows)), min(10, len(model.catalogue))
    was, _ = Ranking(model).best(Batch.of(some), k)
    now, _ = Ranking(found).best(Batch.of(with_items(some, found.catalogue)), k)
    was = np.where(was < 0, -1, places[was])
    same = ((was[:, :, None] == now[:, None, :]) & (was >= 0)[:, :, None]).sum() / max(1, (was >= 0).sum())
    return (
        f"Known items' vectors have a cosine of {np.median(cosines):.2f} with what they were, the tenth that moved "
        f"most {np.quantile(cosines, 0.1):.2f} at most; of the first {k} recommended to {some.n_users:,} "
        f"users of before, {same:.0%} are the same."
    )
