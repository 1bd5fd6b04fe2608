"""g's item vectors as a table of TorchRec, which cuts it over many GPUs: where one machine no longer holds them.

``pip install --no-deps torchrec==1.8.0 fbgemm-gpu-cpu==1.8.0 tensordict pyvers orjson iopath portalocker
pyre-extensions typing-inspect mypy-extensions`` beside torch 2.13: TorchRec's own list of needs would put a build of
torch for CUDA in the place of the one that is there. On a GPU ``fbgemm-gpu`` takes the place of ``fbgemm-gpu-cpu``.
"""

from __future__ import annotations

from typing import Any

from ..data.batches import Batch
from ..encoders import BagEncoder, Encoder
from ..errors import InputError


def collection(g: Encoder, device: str = "cpu") -> Any:
    """Return an ``EmbeddingBagCollection`` with one table that holds g's item vectors ``(n_items, width)``.

    What it returns for :func:`jagged` is the sum that g adds its bias to: ``g.layers(sum + g.bias)`` goes on.

    Raises:
        InputError: g is no bag of items, or TorchRec is not installed.
    """
    torchrec, width = _torchrec(), _bag(g).item_vectors.shape[1]
    table = torchrec.EmbeddingBagConfig(
        name="item_vectors", num_embeddings=g.n_items, embedding_dim=width, feature_names=["items"],
        pooling=torchrec.PoolingType.SUM,
    )  # fmt: skip
    found = torchrec.EmbeddingBagCollection(tables=[table], is_weighted=True, device=device)
    found.load_state_dict({"embedding_bags.item_vectors.weight": g.state_dict()["item_vectors"]})
    return found


def jagged(g: Encoder, behaviour: Batch) -> Any:
    """Return the batch as the ``KeyedJaggedTensor`` that the collection reads, weighed as g weighs it."""
    weights = _bag(g)._input_weights(behaviour)
    return _torchrec().KeyedJaggedTensor.from_offsets_sync(["items"], behaviour.items, behaviour.offsets, weights)


def _bag(g: Encoder) -> BagEncoder:
    if not isinstance(g, BagEncoder):
        raise InputError(f"TorchRec's tables add up a bag of items, g is a {type(g).__name__}: take a BagEncoder")
    return g


def _torchrec() -> Any:
    try:
        import torchrec
    except ImportError as error:
        raise InputError("TorchRec is not installed: recsys_tutorial/bridges/torchrec.py says how") from error
    return torchrec
