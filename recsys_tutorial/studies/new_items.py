"""What can be said of an item that nobody has had yet? Items known by their text against other ways to know them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..baselines import LabelMean
from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..data.joining import place_of, with_items
from ..data.splits import held_out_users
from ..encoders import BagEncoder, FeatureEncoder
from ..encoders.text import genre_vectors, text_vectors
from ..engine.settings import seeded
from ..errors import InputError
from ..evaluation.evaluation import evaluate
from ..learning.pretraining import pretrain
from ..objectives import Denoising
from ..objectives.from_features import FromFeatures
from ..tasks import RankingTask, new_shelf

DIM, EPOCHS, RATE = 64, 30, 1e-2  # chosen on seeds 10 and 11 of movielens-small
TEST_SHARE = 0.33


def new_items(interactions: Interactions, seed: int = 0, *, text: Tensor | None = None, k: int = 20) -> pd.DataFrame:
    """Rank items that are new to everyone, for people who are new too: nobody's label is used.

    A random fifth of the items is taken away before anything is learned (the "new shelf"); a third of the users is only
    tested on: from what they did with the other items, which of the new ones did they like?

    - ``random``: what chance gives, popularity aside, which no new item has.
    - ``genres``, ``text``, ``text and genres``: :class:`FromFeatures` over these vectors.
    - ``text, untrained``: the cosine of an item's text and the mean text of what the user liked: no behaviour is used.
    - ``content2vec``: item vectors learned here, from the tokens of titles and genres.
    - ``popularity (knows the answers)``: how often the others liked the new items: it can only be known later.

    Args:
        interactions: binary likes, with titles and genres.
        seed: draws the new items, the test users and initial weights.
        text: ``(n_items, n_features)``; None encodes titles and genres (extra ``text``).
        k: NDCG at ``k``.

    Returns:
        Columns ``model, protocol, metric, k, value, seed``.
    """
    items = interactions.catalogue
    text = text_vectors(items) if text is None else text
    genres = genre_vectors(items)
    task = new_shelf(interactions, seed=seed, k=k)
    order = np.random.default_rng(seed).permutation(len(task))
    n_test = round(TEST_SHARE * len(task))
    test, rest = task.take(order[:n_test]), task.take(order[n_test:])
    learned = {"genres": genres, "text": text, "text and genres": torch.cat([text, genres], 1)}
    scores: dict[str, Callable[[], np.ndarray]] = {
        "random": lambda: np.random.default_rng(seed).random((len(test), test.n_outputs), np.float32),
        "text, untrained": lambda: _cosines(test, items, text),
        "content2vec": lambda: _content2vec(interactions, test, rest, seed),
        **{name: partial(_from_features, items, vectors, test, rest, seed) for name, vectors in learned.items()},
        "popularity (knows the answers)": lambda: LabelMean().fit(rest).score(test.behaviour),
    }  # fmt: skip
    about = {"protocol": "new-items", "metric": "ndcg", "k": k, "seed": seed}
    return pd.DataFrame([{"model": name} | about | {"value": test.value(made())} for name, made in scores.items()])


def first_layers(interactions: Interactions, seed: int = 0, *, text: Tensor | None = None, k: int = 20) -> pd.DataFrame:
    """Compare text with ids as g's first layer on items that everyone knows: the same denoising, held-out users.

    Args:
        interactions: binary likes, with titles.
        seed: draws the split and the weights.
        text: see :func:`new_items`.
        k: NDCG at ``k``.

    Returns:
        Columns ``model, protocol, metric, k, value, seed``.
    """
    text = text_vectors(interactions.catalogue) if text is None else text
    split = held_out_users(interactions, seed=seed)
    build = {
        "ids": lambda: Denoising(BagEncoder(interactions.n_items, DIM), loss="multinomial"),
        "text, frozen": lambda: Denoising(FeatureEncoder.of(text, DIM), loss="multinomial"),
    }
    models = {}
    for name, make in build.items():
        with seeded(seed):
            objective = make()
        models[name] = pretrain(objective, split.train, epochs=EPOCHS, learning_rate=RATE, seed=seed, progress=False)
    found = evaluate(models, split, "ndcg", k, seed=seed, progress=False).assign(seed=seed)
    return found[["model", "protocol", "metric", "k", "value", "seed"]]


def _rows(items: Catalogue, some: Catalogue, vectors: Tensor) -> Tensor:
    """Return the rows of ``vectors``, one for each of ``items``, that belong to ``some``."""
    if len(vectors) != len(items):
        raise InputError(f"{len(vectors)} vectors for {len(items)} items: give one for each")
    return vectors[torch.from_numpy(place_of(some.ids, items.ids))]


def _from_features(items: Catalogue, vectors: Tensor, test: RankingTask, rest: RankingTask, seed: int) -> np.ndarray:
    known, new = (_rows(items, some, vectors) for some in (test.behaviour.catalogue, test.outputs))
    objective = FromFeatures(FeatureEncoder.of(known, DIM))
    pretrain(objective, rest.behaviour, epochs=EPOCHS, learning_rate=RATE, seed=seed, progress=False)
    return objective.on(test.behaviour.catalogue, known, test.outputs, new).score(test.behaviour)


def _cosines(test: RankingTask, items: Catalogue, vectors: Tensor) -> np.ndarray:
    known, new = (_rows(items, some, vectors).numpy() for some in (test.behaviour.catalogue, test.outputs))
    return (test.behaviour.matrix @ known) @ new.T


def _content2vec(interactions: Interactions, test: RankingTask, rest: RankingTask, seed: int) -> np.ndarray:
    """Learn on the whole catalogue, in which nobody has the new items yet."""
    whole = interactions.catalogue
    model = pretrain("content2vec", with_items(rest.behaviour, whole), seed=seed, progress=False)
    scores = model.score(with_items(test.behaviour, whole))
    return scores[:, place_of(test.outputs.ids, whole.ids)]
