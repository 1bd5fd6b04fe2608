"""DeepFM of DeepCTR-Torch on our impressions (extra ``ctr``)."""

from __future__ import annotations

import contextlib
import io
import threading
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.nn import functional as F

from ..data.catalogue import genre_table
from ..engine.settings import seeded
from ..system.extras import require
from ..tasks.clicks import LONGEST, ClickModel, Impressions, hold_out

DIM = 16


class DeepFM:
    """The library's DeepFM: item, history (a mean over the items' own embeddings), genres and context.

    Args:
        vectors: a :class:`ClickModel`, to be fed with ``g(history)``, the item's vector and their product too.
        seed: of its weights and its shuffling.
        epochs: passes over the impressions, at most: the best one for held-out people is kept, as for ours.

    Raises:
        InputError: the extra is not installed.

    Source: Guo et al. (2017), DeepFM: A Factorization-Machine based Neural Network for CTR Prediction.
    """

    def __init__(self, vectors: ClickModel | None = None, seed: int = 0, epochs: int = 5) -> None:
        require("ctr", "DeepFM")
        self.vectors, self.seed, self.epochs = vectors, seed, epochs

    def fit(self, shown: Impressions) -> DeepFM:
        """Train on impressions."""
        with _quiet(), seeded(self.seed):  # the library seeds torch's global generator
            from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat
            from deepctr_torch.models import DeepFM as Library

            x, n_items = self._inputs(shown), len(shown.catalogue)
            item = SparseFeat("item", n_items + 1, DIM)
            past = SparseFeat("history", n_items + 1, DIM, embedding_name="item")
            columns = [item, VarLenSparseFeat(past, LONGEST, "mean", length_name="length")]
            if "genres" in x:
                n_genres = int(x["genres"].max()) + 1
                columns.append(VarLenSparseFeat(SparseFeat("genres", n_genres, DIM), x["genres"].shape[1], "mean"))
            columns += [DenseFeat(name, x[name].shape[1]) for name in ("context", "g") if name in x]
            self.model = Library(columns, columns, dnn_hidden_units=(64, 64), dnn_dropout=0.2, seed=self.seed)
            self.model.compile(torch.optim.Adam(self.model.parameters(), 1e-3), "binary_crossentropy")
            self._keep_best(*hold_out(shown))
        return self

    def _keep_best(self, train: Impressions, held_out: Impressions) -> None:
        x, y = self._inputs(train), train.clicked.numpy()
        best: tuple[float, dict[str, torch.Tensor]] = np.inf, {}
        for epoch in range(self.epochs):
            with seeded(self.seed, epoch + 1):  # the library shuffles by torch's global generator
                self.model.fit(dict(x), y, batch_size=256, epochs=1, verbose=0)
            p = torch.from_numpy(self.predict(held_out)).float()
            loss = float(F.binary_cross_entropy(p.clamp(1e-6, 1 - 1e-6), held_out.clicked))
            if loss < best[0]:
                best = loss, {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(best[1])

    def predict(self, shown: Impressions) -> np.ndarray:
        """Return ``(n,)`` probabilities of a click."""
        with _quiet(), seeded(self.seed):  # its loader draws from there too
            return self.model.predict(self._inputs(shown), 4096)[:, 0]

    def _inputs(self, shown: Impressions) -> dict[str, np.ndarray]:
        """Return the library's inputs by name; item numbers begin at 1, 0 is padding."""
        present = shown.history.present()
        history = torch.zeros(len(shown), LONGEST, dtype=torch.int64)
        history[:, : present.shape[1]][present] = shown.history.items + 1
        found: dict[str, Any] = {
            "item": shown.items + 1, "history": history, "length": shown.history.lengths.clamp_min(1),
            "context": shown.context,
        }  # fmt: skip
        if shown.catalogue.genres is not None:
            found["genres"] = torch.from_numpy(_genres(shown.catalogue.genres))[shown.items]
        if self.vectors is not None:
            z, v = self.vectors.vectors(shown)
            found["g"] = torch.cat([z, v, z * v * z.shape[1] ** 0.5], 1)
        return {name: value.numpy() for name, value in found.items()}


def _genres(genres: tuple[tuple[str, ...], ...]) -> np.ndarray:
    """Return ``(n_items, most genres of one)`` numbers from 1, 0 behind them."""
    has = genre_table(genres) > 0
    how_many = has.sum(1, keepdims=True)
    table = np.zeros((len(has), how_many.max()), np.int64)
    table[np.arange(table.shape[1]) < how_many] = has.nonzero()[1] + 1
    return table


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep the library from printing, and from asking the network for a newer version of itself at import."""
    with mock.patch.object(threading.Thread, "start"), contextlib.redirect_stdout(io.StringIO()):
        yield
