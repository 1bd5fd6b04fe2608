"""What can be said of an item that nobody has had yet? Items known by their text against other ways to know them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..baselines import LabelMean
from ..data.batches import Batch, as_batch
from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..data.joining import place_of, with_items
from ..data.splits import held_out_users, random_holdout
from ..encoders import BagEncoder, FeatureEncoder
from ..encoders.text import genre_vectors, text_vectors
from ..encoders.words import attribute_vectors, tfidf
from ..engine.settings import seeded
from ..engine.sparse import unit_rows
from ..errors import InputError
from ..evaluation.evaluation import evaluate
from ..learning.pretraining import pretrain
from ..model import PretrainedModel
from ..objectives import Denoising
from ..objectives.counting import counted_vectors
from ..objectives.from_features import FromFeatures
from ..tasks import RankingTask, new_shelf

DIM, EPOCHS, RATE = 64, 30, 1e-2  # chosen on seeds 10 and 11 of movielens-small
TEST_SHARE = 0.33
DELTA = 0.5  # share of the length of an item's frozen vector that it may leave it by
RIDGE = 1.0


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


def warm_and_new(
    interactions: Interactions, seed: int = 0, *, text: Tensor | None = None, k: int = 20
) -> pd.DataFrame:
    """Rank the items that were trained on, and those that are new, by one model for both: people are new to it.

    Items and users are drawn as in :func:`new_items`. ``new``: from all that a person did with known items, which of
    the new ones follow? ``warm``: a fifth of what they did with known items is hidden, and asked for among these.

    - ``random``: what chance gives.
    - ``tf-idf, nearest``: the cosine of an item's words and the mean of the words of what the user had.
    - ``tf-idf, ridge``: item vectors by counting (:class:`Counting`), and a ridge regression of them on the words.
    - ``words, frozen`` and ``words, bounded delta``: :class:`FromFeatures` over decomposed TF-IDF, without and with
      vectors of the items' own that may be half as long as what is said of them.
    - ``text, frozen`` and ``text, bounded delta``: the same over a sentence encoder's vectors, where they are given.
    - ``ids``: :class:`Denoising`, which knows no new item.

    Args:
        interactions: binary behaviour, with titles, genres or attributes.
        seed: draws items, users and first weights.
        text: ``(n_items, n_features)``.
        k: NDCG at ``k``.

    Returns:
        Columns ``model, protocol, part, metric, k, value, seed``.
    """
    task = new_shelf(interactions, seed=seed, k=k)
    order = np.random.default_rng(seed).permutation(len(task))
    n_test = round(TEST_SHARE * len(task))
    test, rest = task.take(order[:n_test]), task.take(order[n_test:])
    items, known, new = interactions.catalogue, test.behaviour.catalogue, test.outputs
    asked = random_holdout(test.behaviour, seed=seed)
    words = {"words": torch.from_numpy(attribute_vectors(interactions, seed=seed)).float()}
    counted = torch.from_numpy(tfidf(interactions).toarray()).float()
    words |= {} if text is None else {"text": text}
    made: dict[str, dict[str, Any]] = {
        "random": {part: _Chance(n, seed) for part, n in (("warm", len(known)), ("new", len(new)))},
        "tf-idf, nearest": {
            part: _Products(_rows(items, known, counted), _rows(items, some, counted))
            for part, some in (("warm", known), ("new", new))
        },
        "tf-idf, ridge": _ridge(rest, _rows(items, known, counted), _rows(items, new, counted), seed),
        "ids": {"warm": _ids(rest.behaviour, seed)},
    }
    for name, vectors in words.items():
        for how, delta in (("frozen", 0.0), ("bounded delta", DELTA)):
            made[f"{name}, {how}"] = _both(items, vectors, test, rest, delta, seed)
    rows = []
    for name, models in made.items():
        for part, model in models.items():
            if part == "new":
                value = test.value(model.score(test.behaviour))
            else:
                value = float(evaluate({name: model}, asked, "ndcg", k, seed=seed, progress=False)["value"].iloc[0])
            rows.append({"model": name, "protocol": "warm and new", "part": part, "metric": "ndcg", "k": k})
            rows[-1] |= {"value": value, "seed": seed}
    return pd.DataFrame(rows)


class _Products:
    """Scores by the product of an output's vector and the mean of the vectors of what the user had."""

    def __init__(self, read: Tensor, scored: Tensor) -> None:
        self.read, self.scored = read.numpy(), scored.numpy()

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        return (unit_rows(as_batch(behaviour), len(self.read)) @ self.read) @ self.scored.T


class _Chance:
    """Scores drawn at random."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.rng = n, np.random.default_rng(seed)

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        return self.rng.random((len(as_batch(behaviour)), self.n), np.float32)


def _ridge(rest: RankingTask, known: Tensor, new: Tensor, seed: int) -> dict[str, Any]:
    """Return the models over vectors that were counted, and what the words make of them: the new items' too."""
    counted = counted_vectors(rest.behaviour, DIM, 1000, seed)
    inner = known.T @ known + RIDGE * torch.eye(known.shape[1])
    found = torch.linalg.solve(inner, known.T @ counted)
    return {part: _Products(counted, some @ found) for part, some in (("warm", known), ("new", new))}


def _ids(behaviour: Interactions, seed: int) -> PretrainedModel:
    with seeded(seed):
        objective = Denoising(BagEncoder(behaviour.n_items, DIM), loss="multinomial")
    return pretrain(objective, behaviour, epochs=EPOCHS, learning_rate=RATE, seed=seed, progress=False)


def _both(
    items: Catalogue, vectors: Tensor, test: RankingTask, rest: RankingTask, delta: float, seed: int
) -> dict[str, Any]:
    """Return one training's model, over the items it knows and over the new ones."""
    known, new = (_rows(items, some, vectors) for some in (test.behaviour.catalogue, test.outputs))
    objective = FromFeatures(FeatureEncoder.of(known, DIM, delta=delta))
    warm = pretrain(objective, rest.behaviour, epochs=EPOCHS, learning_rate=RATE, seed=seed, progress=False)
    there = torch.arange(len(known))
    return {"warm": warm, "new": objective.on(test.behaviour.catalogue, known, test.outputs, new, there)}


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
