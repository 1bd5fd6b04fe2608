"""``update``: go on with a pretraining from the weights that are there, once more has happened."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..data.interactions import Interactions
from ..data.joining import joined, place_of
from ..engine.settings import seeded
from ..errors import InputError
from ..model import PretrainedModel
from ..objectives import OBJECTIVES, Objective, build_objective
from .pretraining import pretrain

SHARE, RATE = 0.4, 0.5  # of the epochs and of the rate that g was pretrained with


def update(
    model: PretrainedModel,
    before: Interactions,
    more: Interactions,
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
    told: dict[str, Any] | None = None,
) -> PretrainedModel:
    """Return a pretrained model that has also seen what happened since; ``model`` is left as it is.

    Everybody's behaviour, the old and the new, is trained on further, from the weights of g and h that are there; items
    that are new get rows of their own. What an objective threw away after its training (a discriminator, say) begins
    anew. ``origin`` keeps the settings that the model was pretrained with, and says under ``updated`` what was added.

    Args:
        model: from :func:`recsys_tutorial.pretrain`.
        before: what it was pretrained on.
        more: what happened since: by the same people or others, on the same items or others, by raw id.
        epochs: passes over the users; None takes two fifths of those that the model was pretrained for.
        learning_rate: the highest rate; None takes half of the one that the model was pretrained with.
        seed: fixes the weights of new items, the order and every draw.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.
        told: what else ``model.origin`` should hold.

    Raises:
        InputError: a model that was fine-tuned, that was solved in closed form, whose objective keeps too little, or
            whose items are not those of ``before``; nothing new in ``more``.
    """
    origin: dict[str, Any] = model.origin
    check_updatable(model)
    assert model.catalogue is not None, "check_updatable refuses it"
    model.catalogue.require_same(before.catalogue, f"{before.name!r}")
    everything = joined(before, more)
    if everything.n_events == before.n_events:
        raise InputError(
            f"{more.name!r} holds nothing that is not in {before.name!r} already: give what happened since"
        )
    with seeded(seed):
        built = build_objective(origin["objective"], everything, origin["dim"], **origin["options"])
        take_up(built, model, everything)
    found = pretrain(
        built, everything, epochs=max(1, round(SHARE * origin["epochs"])) if epochs is None else epochs,
        batch_size=origin["batch_size"], weight_decay=origin["weight_decay"],
        learning_rate=RATE * origin["learning_rate"] if learning_rate is None else learning_rate,
        seed=seed, device=device, progress=progress,
    )  # fmt: skip
    went: dict[str, Any] = found.origin
    new_items = len(everything.catalogue) - len(before.catalogue)
    new_users = everything.n_users - before.n_users
    updated = (
        f"by {more.n_events:,} events of {more.name!r} ({new_items:,} new items, {new_users:,} new users), "
        f"{went['epochs']} epochs at a rate of {went['learning_rate']:.2g}, from {before.fingerprint}"
    )
    found.origin = {
        **origin, "data": everything.name, "data_fingerprint": everything.fingerprint,
        "updated": "; then ".join(filter(None, [origin.get("updated"), updated])), **(told or {}),
    }  # fmt: skip
    return found


def check_updatable(model: PretrainedModel) -> None:
    """Raise InputError where training cannot go on from what the model holds."""
    origin: dict[str, Any] = model.origin
    name = origin.get("objective")
    if "task" in origin or "strategy" in origin:
        raise InputError("this model was fine-tuned: update the pretrained one that it came from, then fine-tune that")
    if name not in OBJECTIVES or model.catalogue is None or "options" not in origin:
        raise InputError(f"this model does not say what it was pretrained with ({name!r}): pretrain anew")
    if OBJECTIVES[name].closed_form:
        raise InputError(f"{name!r} is solved, not trained: pretrain anew on both files together, that takes seconds")


@torch.no_grad()
def take_up(built: Objective, model: PretrainedModel, items: Interactions) -> None:
    """Fill an objective that was built for ``items`` with the weights of g and h, row by row where rows are items'.

    Raises:
        InputError: the objective keeps too little of what it learned; g has another shape.
    """
    assert model.catalogue is not None
    assert isinstance(model.classifier, nn.Linear), "no pretraining makes another head"
    places = torch.from_numpy(place_of(model.catalogue.ids, items.item_ids))
    old, new = model.feature_extractor.state_dict(), built.encoder.state_dict()
    for name, tensor in new.items():
        if old[name].shape == tensor.shape:
            tensor.copy_(old[name])
        else:
            tensor[places] = old[name].to(tensor)
    built.take_up(model.classifier, places)
