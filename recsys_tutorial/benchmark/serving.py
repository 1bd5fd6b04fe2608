"""What it takes to answer: one person at once, and many in batches, with the whole catalogue ranked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import nn

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..engine.sparse import binary_rows
from ..metrics.ranking import top_k
from ..model import PretrainedModel
from ..serving.recommend import Recommender
from .measure import ratio, record, seconds
from .peers import peer

_K, _TOGETHER = 10, 256


def serving(data: Interactions, dim: int, calls: int, repetitions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield ``serve_one_p99_over_product``, ``serve_one_median_over_product`` and ``serve_batch_over_floor``.

    A model that was not trained costs what a trained one does. The floor of one person is the product of the head's
    matrix and a vector; that of a batch, the product of the matrices and ``topk``.

    Args:
        data: whose users ask, and whose catalogue is ranked.
        dim: length of g's vector.
        calls: people who ask one by one, the product alone measured between them.
        repetitions: batches.
        seed: of the weights.
    """
    model = untrained(data, dim, seed)
    about = {"items": data.n_items, "dim": dim}
    yield from (found | about for found in _one_by_one(model, data, calls))
    yield _together(model, data, repetitions) | about


def lists_over_implicit(data: Interactions, dim: int, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold everyone's list, to the table with titles, against those of the library implicit, of as many factors.

    Args:
        data: whose users get a list, without what they have.
        dim: length of g's vector; of theirs too, which need not be made: they hold one for each user.
        repetitions: times that both are run.
        seed: of the weights.
    """
    model = untrained(data, dim, seed)
    module = peer("implicit")
    theirs = module.cpu.als.AlternatingLeastSquares(factors=dim, num_threads=torch.get_num_threads())
    theirs.user_factors, theirs.item_factors = model.encode(data), model.classifier.weight.detach().numpy()
    rows = csr_matrix(binary_rows(Batch.of(data), data.n_items))
    users, k = np.arange(data.n_users), min(20, data.n_items)

    def ours() -> int:
        return sum(map(len, Recommender(model).recommend_many(data, k)))

    found = ratio("recommend_many_over_implicit", ours, lambda: theirs.recommend(users, rows, N=k), repetitions)
    return found | {"users": data.n_users, "items": data.n_items, "dim": dim}


def untrained(data: Interactions, dim: int, seed: int) -> PretrainedModel:
    """Return a bag model that was not trained, ``dim`` numbers for a user."""
    torch.manual_seed(seed)
    encoder, head = BagEncoder(data.n_items, dim, activation="identity"), nn.Linear(dim, data.n_items)
    return PretrainedModel.compose(encoder, head, catalogue=data.catalogue, outputs=data.catalogue).eval()


def _one_by_one(model: PretrainedModel, data: Interactions, calls: int) -> Iterator[dict[str, Any]]:
    recommender, vector = Recommender(model), torch.randn(model.classifier.in_features)
    weight = model.classifier.weight.detach()
    people = [data.item_ids[data.items[a:b][:50]] for a, b in zip(data.offsets, data.offsets[1:], strict=False)][:calls]
    times = np.array(
        [
            (seconds(lambda: recommender.recommend(liked, k=_K)), seconds(lambda: torch.mv(weight, vector)))  # noqa: B023
            for liked in (people[n % len(people)] for n in range(calls + 20))
        ]
    )[20:]
    product = float(np.median(times[:, 1]))
    for name, value in (("p99", np.quantile(times[:, 0], 0.99)), ("median", np.median(times[:, 0]))):
        ratio = value / product
        yield record(f"serve_one_{name}_over_product", ratio, ratio, ratio, calls) | {
            "seconds": float(value), "floor_seconds": product,
        }  # fmt: skip


def _together(model: PretrainedModel, data: Interactions, repetitions: int) -> dict[str, Any]:
    """Hold scores and exact top lists of many people against their product and ``topk``."""
    batch = Batch.of(data.take_users(np.arange(min(_TOGETHER, data.n_users))))
    vectors = torch.randn(len(batch), model.classifier.in_features)

    def ours() -> None:
        top_k(batch.without_seen(model.score(batch)), _K)

    @torch.inference_mode()
    def floor() -> None:
        model.classifier(vectors).topk(_K)

    times = np.array([[seconds(ours), seconds(floor)] for _ in range(repetitions + 1)])[1:]
    ratios = times[:, 0] / times[:, 1]
    return record("serve_batch_over_floor", np.median(ratios), ratios.min(), ratios.max(), repetitions) | {
        "seconds": float(np.median(times[:, 0])), "floor_seconds": float(np.median(times[:, 1])),
        "users_per_second": float(len(batch) / np.median(times[:, 0])),
    }  # fmt: skip
