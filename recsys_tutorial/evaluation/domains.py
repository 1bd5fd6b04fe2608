"""One comparison for every domain: the same six lines on films, music, products, web pages and news."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..baselines import EASE, ItemKNN, Model, Popularity, pca
from ..data.interactions import Interactions
from ..data.published.datasets import DATASETS, load_dataset
from ..data.splits import held_out_users
from ..errors import unknown
from ..learning.pretraining import pretrain
from .evaluation import evaluate

# Domain -> data set, and the weight from which on an event is a liking (None: every event is).
DOMAINS = {
    "films": ("movielens-small", 4.0),
    "music": ("lastfm", None),
    "products": ("retailrocket", None),
    "web pages": ("msweb", None),
    "news": ("mind", None),
}


def likes(domain: str) -> Interactions:
    """Return what people of a domain liked: binary, users and items with five likes or more.

    Raises:
        InputError: unknown domain, or its data cannot be loaded.
    """
    if domain not in DOMAINS:
        raise unknown("domain", domain, DOMAINS)
    name, at_least = DOMAINS[domain]
    return load_dataset(name).binarise(at_least).filter_counts(per_user=5, per_item=5)


def at_hand(domain: str) -> bool:
    """Return whether the data of a domain can be loaded without a download."""
    return DATASETS[DOMAINS[domain][0]].here()


def how_to_get(domain: str) -> str:
    """Say in one line what a domain's data is, how large, under which terms, and how it gets onto this machine."""
    entry = DATASETS[DOMAINS[domain][0]]
    size = "" if entry.megabytes() is None else f", {entry.megabytes():g} MB"
    return (
        f"{entry.name!r} is not on this machine{size} ({entry.licence}). rt.load_dataset({entry.name!r}) downloads it; "
        "or name a folder that holds it in RECSYS_TUTORIAL_DATA."
    )


def compare_models(
    data: Interactions, seed: int = 0, epochs: int = 30, k: int = 20, progress: bool = False
) -> pd.DataFrame:
    """Compare four baselines with a pretrained model on people they have not seen.

    Args:
        data: binary likes.
        seed: draws the split and the model.
        epochs: of pretraining.
        k: length of the list.
        progress: show bars.

    Returns:
        One row per model: the tidy columns of :func:`recsys_tutorial.evaluate`, and ``seed``.
    """
    split = held_out_users(data, seed=seed)
    models: dict[str, Model] = {
        "popularity": Popularity().fit(split.train),
        "item-knn": ItemKNN().fit(split.train),
        "ease": EASE().fit(split.train),
        "pca": pca(split.train, min(64, data.n_items // 16)),  # with almost as many directions as items it copies x
        "pretrained": pretrain("denoising", split.train, epochs=epochs, seed=seed, progress=progress),
    }
    return evaluate(models, split, ["ndcg"], k, seed=seed, progress=progress).assign(seed=seed)


def over_seeds(results: pd.DataFrame, by: Sequence[str] = ("domain", "model")) -> pd.DataFrame:
    """Return mean and spread (standard deviation) over seeds of ``value``, in the order in which groups first stand."""
    grouped = results.groupby(list(by), sort=False)["value"]
    table = grouped.agg(mean="mean", spread=lambda values: np.std(values, ddof=1), seeds="count")
    return table.reset_index()
