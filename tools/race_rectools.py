"""RecTools' side of the race, run by tools/race.py in an environment of its own: EASE, SASRec, lists, measures."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KMP_WARNINGS"] = "0"
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytorch_lightning  # noqa: E402
import torch  # noqa: E402
from race_wire import best, rows, serve  # noqa: E402
from rectools import Columns  # noqa: E402
from rectools.dataset import Dataset, IdMap, Interactions  # noqa: E402
from rectools.metrics import NDCG, Recall, calc_metrics  # noqa: E402
from rectools.models import EASEModel, PureSVDModel, SASRecModel  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402

Scores = Callable[[Path], np.ndarray]
START = np.datetime64("2000-01-01", "s")


def table(path: Path) -> tuple[pd.DataFrame, int]:
    """Return RecTools' columns, one second between the events, and the number of items."""
    users, items, n_items = rows(path)
    times = START + np.arange(len(users)).astype("timedelta64[s]")
    columns = {Columns.User: users, Columns.Item: items, Columns.Weight: 1.0, Columns.Datetime: times}
    return pd.DataFrame(columns), n_items


def dataset(path: Path) -> Dataset:
    """Return a data set whose items have the numbers that they have in ours."""
    events, n_items = table(path)
    users, items = IdMap.from_values(events[Columns.User].unique()), IdMap.from_values(np.arange(n_items))
    return Dataset(users, items, Interactions.from_raw(events, users, items))


def ease(folder: Path, **how: Any) -> Callable[[], Scores]:
    """Fit EASE; users who were held out are scored by the product that RecTools makes for its own."""
    data = dataset(folder / "train.npz")

    def run() -> Scores:
        model = EASEModel(recommend_n_threads=1, **how).fit(data)
        return lambda asked: _matrix(asked / "inputs.npz") @ model.weight

    return run


def _matrix(path: Path) -> csr_matrix:
    users, items, n_items = rows(path)
    found = csr_matrix((np.ones(len(users), np.float32), (users, items)), (users[-1] + 1, n_items))
    found.data[:] = 1
    return found


def sasrec(folder: Path, k: int, **how: Any) -> Callable[[], Scores]:
    """Train SASRec; a list of the k best stands for all scores."""
    events, n_items = table(folder / "train.npz")
    data = Dataset.construct(events)

    def run() -> Scores:
        pytorch_lightning.seed_everything(0)
        model = SASRecModel(recommend_n_threads=1, **how).fit(data)

        def scores(asked: Path) -> np.ndarray:
            shown, _ = table(asked / "inputs.npz")
            known = shown[shown[Columns.Item].isin(data.item_id_map.external_ids)]
            users = known[Columns.User].unique()
            found = model.recommend(users, Dataset.construct(known), k, filter_viewed=True)
            told = np.zeros((shown[Columns.User].max() + 1, n_items), np.float32)
            told[found[Columns.User], found[Columns.Item]] = k + 1 - found[Columns.Rank]
            return told

        return scores

    return run


def lists(folder: Path, k: int, factors: int) -> Callable[[], int]:
    """Prepare everyone's list from vectors of so many numbers."""
    data = dataset(folder / "train.npz")
    model = PureSVDModel(factors=factors, recommend_n_threads=1, recommend_use_gpu_ranking=False).fit(data)
    users = data.user_id_map.external_ids
    return lambda: len(model.recommend(users, data, k, filter_viewed=True))


def measures(folder: Path, k: int) -> Callable[[], dict[str, float]]:
    """Prepare NDCG and recall from the scores in scores.npy, in which what was shown is the lowest."""
    scores = np.load(folder / "scores.npy")
    wanted, _ = table(folder / "targets.npz")
    found = {"ndcg": NDCG(k=k), "recall": Recall(k=k)}

    def run() -> dict[str, float]:
        names = np.repeat(np.arange(len(scores)), k), best(scores, k).ravel(), np.tile(np.arange(1, k + 1), len(scores))
        told = pd.DataFrame(dict(zip((Columns.User, Columns.Item, Columns.Rank), names)))  # noqa: B905
        return {name: float(value) for name, value in calc_metrics(found, told, wanted).items()}

    return run


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    serve({"ease": ease, "sasrec": sasrec, "lists": lists, "measures": measures})
