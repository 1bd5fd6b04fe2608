"""RecBole's side of the race, run by tools/race.py in an environment of its own: MultiVAE and SASRec."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from race_wire import rows, serve

sys.argv[1:] = []  # RecBole reads its settings from there too
from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset  # noqa: E402
from recbole.data.utils import get_dataloader  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

Scores = Callable[[Path], np.ndarray]


def trained(name: str, folder: Path, score: Callable[..., np.ndarray], **how: Any) -> Callable[[], Scores]:
    """Prepare RecBole's data and loader, and return what trains a model on all of it, without validation."""
    users, items, n_items = rows(folder / "train.npz")
    place = folder / "log"
    place.mkdir(exist_ok=True)
    columns = {"user_id:token": users, "item_id:token": items, "timestamp:float": np.arange(len(users))}
    pd.DataFrame(columns).to_csv(place / "log.inter", sep="\t", index=False)
    everything = {"split": {"RS": [1, 0, 0]}, "order": "TO", "group_by": "user", "mode": "full"}
    settings = {
        "data_path": str(folder), "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "eval_args": everything,
        "train_neg_sample_args": None, "use_gpu": False, "show_progress": False, "state": "ERROR",
        "checkpoint_dir": tempfile.gettempdir(), "MAX_ITEM_LIST_LENGTH": 50, "seed": 0,
    }  # fmt: skip
    config = Config(model=name, dataset="log", config_dict=settings | how)
    logging.disable(logging.CRITICAL)
    data = create_dataset(config)
    (known,) = data.build()[:1]
    loader = get_dataloader(config, "train")(config, known, None, shuffle=True)
    tokens = data.id2token("item_id", np.arange(1, data.item_num)).astype(int)  # ours, by RecBole's numbers from 1 on
    numbers = np.zeros(n_items, int)
    numbers[tokens] = np.arange(1, data.item_num)

    def run() -> Scores:
        init_seed(0, True)
        model = get_model(name)(config, loader.dataset)
        get_trainer(config["MODEL_TYPE"], name)(config, model).fit(loader, saved=False, verbose=False)
        model.eval()

        def scores(asked: Path) -> np.ndarray:
            shown, what, _ = rows(asked / "inputs.npz")
            known = numbers[what] > 0
            found = np.full((shown[-1] + 1, n_items), -np.inf, np.float32)
            with torch.no_grad():
                found[:, tokens] = score(model, shown[known], numbers[what][known], shown[-1] + 1, data.item_num)[:, 1:]
            return np.nan_to_num(found, neginf=found[:, tokens].min() - 1)

        return scores

    return run


def _of_bags(model: Any, users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> np.ndarray:
    dense = torch.zeros(n_users, n_items)
    dense[torch.from_numpy(users), torch.from_numpy(items)] = 1
    return model(dense)[0].numpy()


def _of_sequences(model: Any, users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> np.ndarray:
    found = np.zeros((n_users, n_items), np.float32)
    for start in range(0, n_users, 256):
        several = [items[users == user][-50:] for user in range(start, min(start + 256, n_users))]
        padded = torch.tensor([[*one, *[0] * (50 - len(one))] for one in several])
        lengths = torch.tensor([max(1, len(one)) for one in several])
        asked = {model.ITEM_SEQ: padded, model.ITEM_SEQ_LEN: lengths}
        found[start : start + 256] = model.full_sort_predict(asked).numpy()
    return found


def multivae(folder: Path, **how: Any) -> Callable[[], Scores]:
    """MultiVAE as RecBole has it, 600 hidden, but batches of 256 users: by default all of a small set in one step."""
    return trained("MultiVAE", folder, _of_bags, **{"train_batch_size": 256, "learning_rate": 1e-3} | how)


def sasrec(folder: Path, **how: Any) -> Callable[[], Scores]:
    """SASRec with its softmax over all items; RecBole makes a sample of each beginning of a sequence."""
    return trained("SASRec", folder, _of_sequences, **{"train_batch_size": 1024, "learning_rate": 1e-3} | how)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    serve({"multivae": multivae, "sasrec": sasrec})
