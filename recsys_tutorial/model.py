"""``f = h ∘ g``: the feature extractor ``g`` (an encoder), the head ``h``, and their composition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from .data.batches import Batch, Stored, in_order
from .data.catalogue import Catalogue
from .data.interactions import Interactions
from .encoders import BagEncoder, Encoder
from .errors import check_sizes


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

    feature_extractor: Encoder  # what ours promise; another g is taken too
    classifier: Any  # any module that takes g's vectors
    decoder: Any
    __call__: Callable[[Any, Batch | Tensor], Tensor]  # self and x -> outputs; nn.Module's own promises nothing

    def __init__(self, input_dim: int, hidden_dim: int, output_dim: int) -> None:
        check_sizes(input_dim=input_dim, hidden_dim=hidden_dim, output_dim=output_dim)
        g = BagEncoder(input_dim, hidden_dim, (hidden_dim,), "relu", weighting="raw", normalise=False)
        self._assemble(g, nn.Linear(hidden_dim, output_dim), decoder=nn.Linear(hidden_dim, input_dim))

    @classmethod
    def compose(
        cls,
        feature_extractor: nn.Module,
        classifier: nn.Module | None,
        *,
        catalogue: Catalogue | None = None,
        outputs: Catalogue | None = None,
        history: pd.DataFrame | None = None,
    ) -> Self:
        """Return ``f = h ∘ g`` made of these two modules (they are shared, not copied).

        Args:
            feature_extractor: g, ``Batch -> (users, dim)``.
            classifier: h, ``(users, dim) -> (users, outputs)``; None where there is none yet.
            catalogue: the items g reads.
            outputs: the items h scores, where h is a ranking head.
            history: one row per epoch of the training that made it.
        """
        model = cls.__new__(cls)
        model._assemble(feature_extractor, classifier, catalogue=catalogue, outputs=outputs, history=history)
        return model

    def _assemble(
        self,
        g: Any,
        h: nn.Module | None,
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
        batch = behaviour if isinstance(behaviour, Batch) else Stored.of(behaviour)
        pieces = [module(batch.take(rows).to(self.device)).cpu() for rows in in_order(len(batch), batch_size)]
        self.train(was_training)
        return torch.cat(pieces).numpy() if pieces else np.zeros((0, 0), np.float32)
