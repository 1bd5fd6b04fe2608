"""What each process of tests/engine/test_processes.py runs under torchrun: argument 1 is a folder to write to."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

import recsys_tutorial as rt
from recsys_tutorial.engine import processes as distributed

# Dropout inside the Transformer is drawn where its table lies, in each process for itself: it is left out here.
DRAWS = {name: {"dropout": 0.0} for name in ("next-item", "masked-item")}
SHARED = [(name, DRAWS.get(name, {})) for name in sorted(rt.OBJECTIVES)] + [("denoising", {"loss": "multinomial"})]
SHARDED = [
    ("denoising", {}), ("denoising", {"loss": "multinomial"}), ("autoencoder", {}), ("variational", {}),
    ("adversarial", {}),
]  # fmt: skip


SAMPLED, FEW = ("denoising", {"loss": "multinomial"}), {"sampled_softmax": 8}


def board() -> rt.Interactions:
    """Return two groups of 21 users on two groups of items, 3 to 7 events each; an odd number of items."""
    rng = np.random.default_rng(0)
    events = [(user, int(10 * (user % 2) + item)) for user in range(41) for item in rng.permutation(11)[: 3 + user % 5]]
    users, items = zip(*events, strict=True)
    titles = {item: f"{'Blue' if item < 10 else 'Red'} ({1990 + item})" for item in range(21)}
    return rt.from_events(list(users), list(items), titles=titles, in_order=True, name="board")


def train(name: str, options: dict[str, Any], **how: Any) -> dict[str, list[float]]:
    """Return the losses of each epoch and the sums of squares of the weights."""
    validation = 0.0 if name == "contrastive" else 0.2  # its loss is of the batch, not a mean over users
    how |= {"epochs": 2, "dim": 8, "seed": 1, "validation": validation, "progress": False}
    model = rt.pretrain(name, board(), **options, **how)
    # A key's bias has no gradient but rounding, which Adam makes as large as any other.
    weights = [value for key, value in model.state_dict().items() if not key.endswith("to_qkv.bias")]
    return {
        "loss": model.history["loss"].tolist(),
        "validation": model.history["validation"].fillna(0).tolist(),
        "weights": [float(value.double().square().sum()) for value in weights],
    }


def main(out: Path) -> None:
    """Train everything in this group of processes, and let the first write what came out."""
    torch.set_num_threads(1)
    with distributed.joined("cpu"):
        found = {
            "shared": [train(*one) for one in SHARED],
            "sharded": [train(*one, shard_items=True) for one in SHARDED],
            "resumed": _resumed(out, "denoising", {}),
            "sampled, all": train(SAMPLED[0], SAMPLED[1] | {"sampled_softmax": 99}, shard_items=True),
            "sampled, few": train(SAMPLED[0], SAMPLED[1] | FEW, shard_items=True),
            "sampled, resumed": _resumed(out / "few", SAMPLED[0], SAMPLED[1] | FEW)[0],
            "estimates": _estimates(), "kept": _kept(),
        }
        if distributed.speaks():
            (out / "found.json").write_text(json.dumps(found))


def _estimates(times: int = 700) -> dict[str, list[float]]:
    """Return what sampled losses of a fixed head give on average, against the exact softmax over all items.

    ``z`` is the mean of Ẑ over Z, of all users, and ``mean`` that of g's gradient, summed over the users.
    """
    from recsys_tutorial.engine.settings import seeded
    from recsys_tutorial.learning.sharded_decoder import sharded
    from recsys_tutorial.objectives import build_objective

    batch, found = rt.Batch.of(board()), []
    with seeded(5):
        built = build_objective("denoising", board(), 8, loss="multinomial", sampled_softmax=16)
        vectors = torch.randn(len(batch), 8, requires_grad=True)
        torch.nn.init.normal_(built.decoder.weight, std=0.3)
    target = batch.binary()
    sampler, built.decoder.sampler = built.decoder.sampler, None
    exact = built.decoder.multinomial_loss(vectors, target)
    (wanted,) = torch.autograd.grad(exact, vectors)
    built.decoder.sampler = sampler
    one = rt.Batch(target.items[:1], torch.tensor([0, 1]), target.weights[:1])
    log_z = (vectors[:1] @ built.decoder.weight.T + built.decoder.bias).logsumexp(1).item()
    own = (vectors[0] @ built.decoder.weight[one.items[0]] + built.decoder.bias[one.items[0]]).item()
    ratios = []
    with sharded(built), seeded(9):
        for _ in range(times):
            loss = built.decoder.multinomial_loss(vectors, target)
            found.append(torch.autograd.grad(loss, vectors)[0].sum(0))
            ratios.append(np.exp(built.decoder.multinomial_loss(vectors[:1], one).item() + own - log_z))
    gradients = torch.stack(found)
    return {
        "mean": gradients.mean(0).tolist(), "error": (gradients.std(0) / times**0.5).tolist(),
        "exact": wanted.sum(0).tolist(), "z": float(np.mean(ratios)), "z_error": float(np.std(ratios) / times**0.5),
    }  # fmt: skip


def _kept() -> list[float]:
    """Return the share of the tables, and of what the sampler knows of the items, that this process keeps."""
    from recsys_tutorial.learning.sharded_decoder import sharded
    from recsys_tutorial.objectives import build_objective

    def size(built: Any) -> tuple[int, int]:
        tables = built.encoder.item_vectors, built.decoder.weight, built.decoder.bias
        return sum(table.numel() for table in tables), len(built.decoder.sampler.log_probability)

    built = build_objective("denoising", board(), 8, loss="multinomial", sampled_softmax=8)
    whole = size(built)
    with sharded(built):
        return [part / all_of_it for part, all_of_it in zip(size(built), whole, strict=True)]


def _resumed(out: Path, name: str, options: dict[str, Any]) -> list[dict[str, list[float]]]:
    """Train with the items cut by rows, cut off after the first epoch and resumed from the file."""
    from recsys_tutorial.learning import checkpoints

    save, how = checkpoints.save_progress, {"checkpoint": out / "cut", "shard_items": True}

    def once(folder: Path, state: Any, origin: Any) -> None:
        if state.epoch == 1:
            save(folder, state, origin)

    checkpoints.save_progress = once
    checkpoints.save_model, keep = (lambda *_: None), checkpoints.save_model
    train(name, options, **how)
    checkpoints.save_progress, checkpoints.save_model = save, keep
    return [train(name, options, resume=True, **how)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
