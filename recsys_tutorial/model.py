"""``f = h ∘ g``: the feature extractor ``g`` (an encoder), the head ``h``, and their composition."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batches import Batch, as_batch, in_order
from .catalogue import Catalogue
from .errors import InputError, unknown
from .interactions import Interactions

ACTIVATIONS = {"identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh}
WEIGHTINGS = ("binary", "raw", "log")


class BagEncoder(nn.Module):
    """A feature extractor ``g`` that ignores order: ``Batch -> (users, dim)``.

    The first layer adds up one vector per item the user has, so its cost follows the user's events and not
    the catalogue: ``2 · events · width`` flops a user, ``n_items · width`` parameters. A dense table
    ``(users, n_items)`` of weights is taken too and gives the same vectors; it is there to teach and to test.

    Args:
        n_items: catalogue size.
        dim: length of the output vector.
        hidden: widths of the layers before the last one.
        activation: after every layer: ``tanh``, ``relu`` or ``identity``.
        weighting: what an event counts: ``binary`` 1, ``raw`` its weight, ``log`` log(1 + weight).
        normalise: divide a user's events by their Euclidean length, so that a long history is not louder.

    Raises:
        InputError: a size below 1, an unknown activation or weighting.
    """

    def __init__(
        self,
        n_items: int,
        dim: int = 256,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        weighting: str = "binary",
        normalise: bool = True,
    ) -> None:
        super().__init__()
        widths = (*hidden, dim)
        check_sizes(n_items=n_items, dim=dim, **{f"hidden[{i}]": width for i, width in enumerate(hidden)})
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        if weighting not in WEIGHTINGS:
            raise unknown("weighting", weighting, WEIGHTINGS)
        self.n_items, self.dim = n_items, dim
        self.config = dict(
            n_items=n_items, dim=dim, hidden=list(hidden), activation=activation, weighting=weighting,
            normalise=normalise,
        )  # fmt: skip
        self.item_vectors = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_items, widths[0])))
        self.bias = nn.Parameter(torch.zeros(widths[0]))
        layers: list[nn.Module] = [ACTIVATIONS[activation]()]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers)

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the parameters layer by layer, from the input up: what lies lower may be trained more gently."""
        above = [list(layer.parameters()) for layer in self.layers if isinstance(layer, nn.Linear)]
        return [[self.item_vectors, self.bias], *above]

    def forward(self, behaviour: Batch | Tensor) -> Tensor:
        """Return ``(users, dim)``: a user without events gets the vector that the biases alone give."""
        if isinstance(behaviour, Tensor):
            summed = self._input_weights_dense(behaviour) @ self.item_vectors
        else:
            summed = F.embedding_bag(
                behaviour.items,
                self.item_vectors,
                behaviour.offsets,
                mode="sum",
                per_sample_weights=self._input_weights(behaviour),
                include_last_offset=True,
            )
        return self.layers(summed + self.bias)

    def _input_weights(self, batch: Batch) -> Tensor:
        weights = self._weigh(batch.weights)
        if not self.config["normalise"]:
            return weights
        rows = batch.rows
        squares = weights.new_zeros(len(batch)).index_add_(0, rows, weights.square())
        return weights / squares.sqrt()[rows].clamp_min(1e-12)

    def _input_weights_dense(self, table: Tensor) -> Tensor:
        if table.shape[-1] != self.n_items:
            raise InputError(f"behaviour has {table.shape[-1]} items, g was built for {self.n_items}")
        weights = torch.where(table != 0, self._weigh(table), 0.0)
        return F.normalize(weights, dim=1) if self.config["normalise"] else weights

    def _weigh(self, weights: Tensor) -> Tensor:
        match self.config["weighting"]:
            case "binary":
                return torch.ones_like(weights)
            case "log":
                return weights.log1p()
        return weights


ENCODERS = {"BagEncoder": BagEncoder}


class PretrainedModel(nn.Module):
    """``f = h ∘ g``. Built as in the article, from three sizes, or from any two parts with :meth:`compose`.

    ``PretrainedModel(input_dim, hidden_dim, output_dim)`` makes the article's network: ``feature_extractor`` g of
    two layers with ReLU, and a linear ``classifier`` h. It also holds a linear ``decoder`` from ``hidden_dim``
    back to ``input_dim``, which the article forgot: without it g's output cannot be compared with its input.

    Args:
        input_dim: number of items.
        hidden_dim: length of g's output vector.
        output_dim: number of outputs of h (classes, items, or 1).

    Raises:
        InputError: a size below 1.
    """

    def __init__(self, input_dim: int, hidden_dim: int, output_dim: int) -> None:
        check_sizes(input_dim=input_dim, hidden_dim=hidden_dim, output_dim=output_dim)
        g = BagEncoder(input_dim, hidden_dim, (hidden_dim,), "relu", weighting="raw", normalise=False)
        self._assemble(g, nn.Linear(hidden_dim, output_dim), decoder=nn.Linear(hidden_dim, input_dim))

    @classmethod
    def compose(
        cls,
        feature_extractor: nn.Module,
        classifier: nn.Module,
        *,
        catalogue: Catalogue | None = None,
        outputs: Catalogue | None = None,
        history: pd.DataFrame | None = None,
    ) -> PretrainedModel:
        """Return ``f = h ∘ g`` made of these two modules (they are shared, not copied).

        Args:
            feature_extractor: g, ``Batch -> (users, dim)``.
            classifier: h, ``(users, dim) -> (users, outputs)``.
            catalogue: the items g reads.
            outputs: the items h scores, where h is a ranking head.
            history: one row per epoch of the training that made it.
        """
        model = cls.__new__(cls)
        model._assemble(feature_extractor, classifier, catalogue=catalogue, outputs=outputs, history=history)
        return model

    def _assemble(
        self,
        g: nn.Module,
        h: nn.Module,
        *,
        decoder: nn.Module | None = None,
        catalogue: Catalogue | None = None,
        outputs: Catalogue | None = None,
        history: pd.DataFrame | None = None,
    ) -> None:
        nn.Module.__init__(self)
        self.feature_extractor, self.classifier, self.decoder = g, h, decoder
        self.catalogue, self.outputs = catalogue, outputs
        self.history = history
        self.origin: dict[str, object] = {}

    def forward(self, x: Batch | Tensor) -> Tensor:
        """Apply ``h ∘ g``: ``(users, items) -> (users, outputs)``."""
        return self.classifier(self.feature_extractor(x))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def encode(self, behaviour: Batch | Interactions, batch_size: int = 512) -> np.ndarray:
        """Return g's vectors ``(users, dim)``, float32, without dropout or gradients."""
        return self._in_batches(self.feature_extractor, behaviour, batch_size)

    def score(self, behaviour: Batch | Interactions, batch_size: int = 512) -> np.ndarray:
        """Return f's outputs ``(users, outputs)``, float32, without dropout or gradients."""
        return self._in_batches(self, behaviour, batch_size)

    @torch.inference_mode()
    def _in_batches(self, module: nn.Module, behaviour: Batch | Interactions, batch_size: int) -> np.ndarray:
        if isinstance(behaviour, Interactions) and self.catalogue is not None:
            self.catalogue.require_same(behaviour.catalogue, f"{behaviour.name!r}")
        was_training = self.training
        self.eval()
        batch = as_batch(behaviour)
        pieces = [module(batch.take(rows).to(self.device)).cpu() for rows in in_order(len(batch), batch_size)]
        self.train(was_training)
        return torch.cat(pieces).numpy() if pieces else np.zeros((0, 0), np.float32)


def check_sizes(**sizes: int) -> None:
    """Raise InputError for the first of ``sizes`` that is not a whole number of at least 1."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise InputError(f"{name}={size!r}: it needs to be a whole number of at least 1")
