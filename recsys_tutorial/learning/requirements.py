"""What a training needs, checked before it begins: memory for its weights, users with enough events."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..data.interactions import Interactions
from ..engine.settings import seeded
from ..errors import InputError
from ..objectives import Objective, build_objective
from ..system import machine


def check_memory(
    objective: str, interactions: Interactions, dim: int | None, batch_size: int | None, device: str,
    options: dict[str, Any], share: int,
) -> None:  # fmt: skip
    """Raise InputError where training needs more memory than there is; nothing is allocated to find out.

    Weights are made whole; each of ``share`` processes then trains its part of them.
    """
    shape = {name: value for name, value in options.items() if name != "sampled_softmax"}
    try:
        with seeded(0), torch.device("meta"):
            built = build_objective(objective, interactions, dim, **shape)
    except (RuntimeError, NotImplementedError) as error:
        if "overflow" in str(error):
            raise InputError(f"dim={dim}: {objective}'s weights would take more bytes than can be counted") from error
        return  # an objective of one's own may need real numbers to be built: it is not estimated
    # Where the softmax is sampled, the tables' gradients hold the touched rows alone.
    dense = options.get("sampled_softmax") is None and not getattr(built.encoder, "sparse_gradients", False)
    weights = sum(p.numel() * p.element_size() for p in built.parameters())
    rows = batch_size or min(built.recipe.batch_size, interactions.n_users)
    parts = {"weights": weights, "solving for them": built.bytes_to_solve(interactions)}
    if not built.closed_form:
        parts |= {
            "AdamW's two moments": 2 * weights // share, "gradients": weights // share if dense else 0,
            "a batch of g's vectors and their gradients": 8 * rows * getattr(built.encoder, "dim", 0),
        }  # fmt: skip
    needed, there = sum(parts.values()), machine.available_bytes(device)
    if needed > there:
        told = " + ".join(f"{size / 2**30:,.1f} ({name})" for name, size in parts.items() if size)
        raise InputError(
            f"{objective} with dim={getattr(built.encoder, 'dim', dim)} on {interactions.n_items:,} items needs "
            f"{needed / 2**30:,.1f} GiB = {told}, {there / 2**30:,.1f} GiB are free: take a smaller dim or fewer items"
        )


def check_events(built: Objective, interactions: Interactions, rows: np.ndarray, what: str) -> None:
    """Raise InputError where none of the users at ``rows`` has as many events as the objective needs."""
    counts = interactions.events_per_user[rows]
    if (counts < built.least_events).all():
        raise InputError(
            f"{built.name or type(built).__name__} can use 0 of the {len(rows):,} users of {interactions.name!r} that "
            f"are {what}: a user needs at least {built.least_events} events, and none has more than "
            f"{counts.max(initial=0)}; take data with longer histories"
        )
