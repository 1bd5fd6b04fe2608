"""The same ``f = h ∘ g`` in Keras on TensorFlow, weights carried over both ways (extra ``tensorflow``)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..errors import InputError
from ..model import PretrainedModel
from ..system.extras import require

SLOPES = {"Identity": "linear", "ReLU": "relu", "Tanh": "tanh"}  # torch's name -> Keras'


def keras() -> Any:
    """Return the module ``keras`` with TensorFlow behind it.

    Raises:
        InputError: the extra is not installed, or Keras was imported before with another backend.
    """
    require("tensorflow", "the model in Keras")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _stderr_closed():
        import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise InputError(f"Keras runs on {backend!r}: set KERAS_BACKEND=tensorflow before it is imported")
    return keras


@contextlib.contextmanager
def _stderr_closed() -> Iterator[None]:
    """Keep TensorFlow's C++ from greeting on file 2 at import, which no setting of its own prevents."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def padded(behaviour: Batch | Interactions) -> dict[str, np.ndarray]:
    """Return Keras' inputs, ``items`` and ``weights``, ``(users, longest)`` both; behind the events lie -1 and 0."""
    batch = as_batch(behaviour)
    present = batch.present().numpy()
    items, weights = np.full(present.shape, -1, np.int32), np.zeros(present.shape, np.float32)
    items[present], weights[present] = batch.items.numpy(), batch.weights.numpy()
    return {"items": items, "weights": weights}


def to_keras(model: PretrainedModel) -> Any:
    """Return a ``keras.Model`` that computes what ``model`` does from :func:`padded` inputs, with the same weights.

    Args:
        model: with a :class:`BagEncoder` as g and a linear h.

    Raises:
        InputError: another g or h; the extra is not installed.
    """
    g, h = model.feature_extractor, model.classifier
    if not isinstance(g, BagEncoder) or not isinstance(h, nn.Linear):
        raise InputError(f"g {type(g).__name__} with h {type(h).__name__}: Keras takes a BagEncoder with a linear head")
    k = keras()
    items = k.Input((None,), dtype="int32", name="items")
    weights = k.Input((None,), dtype="float32", name="weights")
    z = _bag(k)(g.config, g.item_vectors.shape, name="bag")(items, weights)
    for number, layer in enumerate(g.layers):
        if isinstance(layer, nn.Linear):
            z = k.layers.Dense(layer.out_features, name=f"g_{number}")(z)
        else:
            z = k.layers.Activation(SLOPES[type(layer).__name__], name=f"g_{number}")(z)
    twin = k.Model({"items": items, "weights": weights}, k.layers.Dense(h.out_features, name="h")(z), name="h_of_g")
    for name, values in _weights(model).items():
        twin.get_layer(name).set_weights([value.detach().cpu().numpy() for value in values])
    return twin


def from_keras(twin: Any, model: PretrainedModel) -> PretrainedModel:
    """Copy the weights of a Keras twin back into ``model``, in place, and return it.

    Raises:
        InputError: the shapes differ: it is another model's twin.
    """
    for name, values in _weights(model).items():
        for ours, theirs in zip(values, twin.get_layer(name).get_weights(), strict=True):
            if ours.shape != theirs.shape:
                shapes = f"{theirs.shape} in Keras and {tuple(ours.shape)} here"
                raise InputError(f"the weights of {name!r} are {shapes}: this is another model's twin")
            with torch.no_grad():
                ours.copy_(torch.from_numpy(theirs))
    return model


def _weights(model: PretrainedModel) -> dict[str, list[torch.Tensor]]:
    """Return the name of each Keras layer with our tensors for it, seen in the shapes that Keras has them in."""
    g, linear = cast(BagEncoder, model.feature_extractor), {"h": model.classifier}
    linear |= {f"g_{number}": layer for number, layer in enumerate(g.layers) if isinstance(layer, nn.Linear)}
    return {"bag": [g.item_vectors, g.bias]} | {name: [layer.weight.T, layer.bias] for name, layer in linear.items()}


def _bag(k: Any) -> type:
    """Return the Keras layer that is a bag encoder's first layer."""
    ops = k.ops

    class Bag(k.layers.Layer):
        """``Σ_j x_j v_j + b``, x weighed and brought to length 1 as the encoder's settings say."""

        def __init__(self, config: dict[str, Any], shape: tuple[int, int], **named: Any) -> None:
            super().__init__(**named)
            self.config = config
            self.vectors = self.add_weight(shape=shape, name="item_vectors")
            self.bias = self.add_weight(shape=shape[1:], name="bias")

        def call(self, items: Any, weights: Any) -> Any:
            present = ops.cast(items >= 0, "float32")
            weighed = {"binary": ops.ones_like, "log": ops.log1p}.get(self.config["weighting"], lambda x: x)(weights)
            x = weighed * present
            if self.config["normalise"]:
                x = x / ops.maximum(ops.sqrt(ops.sum(ops.square(x), 1, keepdims=True)), 1e-12)
            return ops.einsum("uj,ujd->ud", x, ops.take(self.vectors, ops.maximum(items, 0), axis=0)) + self.bias

    return Bag
