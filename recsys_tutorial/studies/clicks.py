"""Does a pretrained g help to foretell clicks? Beside, and inside, the library that is made for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..bridges.deepctr import DeepFM
from ..data.interactions import Interactions
from ..learning.pretraining import pretrain
from ..metrics.labels import auc, log_loss
from ..tasks.clicks import Impressions, train_clicks

DIM = 64  # of g here


def clicks(train: Impressions, test: Impressions, behaviour: Interactions, seed: int = 0) -> pd.DataFrame:
    """Return AUC and log-loss on ``test`` of every contender, trained on the same impressions.

    - ``context``: logistic regression on the context alone, which holds the item's rate.
    - ``h ∘ g``: g pretrained on ``behaviour`` without looking at clicks, h trained on them.
    - ``DeepFM``: the library's, on item, history, genres and context.
    - ``DeepFM + g``: that, with g's vectors too.

    Args:
        train: from :mod:`recsys_tutorial.tasks.clicks`.
        test: likewise.
        behaviour: what g is pretrained on; nothing of ``test`` is in it.
        seed: of all weights.

    Returns:
        Columns ``model, metric, value, seed``.
    """
    model = pretrain("denoising", behaviour, dim=DIM, loss="multinomial", epochs=30, learning_rate=3e-3,
                     weight_decay=0.0, seed=seed, progress=False)  # fmt: skip
    f = train_clicks(model, train, seed=seed)
    contenders: dict[str, Callable[[], np.ndarray]] = {
        "context": lambda: _logistic(train, test),
        "h ∘ g": lambda: f.predict(test),
        "DeepFM": lambda: DeepFM(seed=seed).fit(train).predict(test),
        "DeepFM + g": lambda: DeepFM(f, seed=seed).fit(train).predict(test),
    }
    rows, true = [], test.clicked.numpy().astype(int)
    for name, predict in contenders.items():
        p = predict().astype(float)
        for metric, value in (("auc", auc(p, true)), ("log_loss", log_loss(np.column_stack([1 - p, p]), true))):
            rows.append({"model": name, "metric": metric, "value": value, "seed": seed})
    return pd.DataFrame(rows)


def _logistic(train: Impressions, test: Impressions) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression  # here, because it is slow to import

    found = LogisticRegression().fit(train.context.numpy(), train.clicked.numpy())
    return found.predict_proba(test.context.numpy())[:, 1]
