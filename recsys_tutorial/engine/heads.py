"""The head ``h``: from g's vector to the task's outputs. Linear, or by votes of the labelled users near to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional as F


def linear_head(weight: Tensor | np.ndarray, bias: Tensor | np.ndarray) -> nn.Linear:
    """Return ``h(z) = z weightᵀ + bias`` with copies of these, ``(outputs, dim)`` and ``(outputs,)``, as float32."""
    weight, bias = torch.as_tensor(weight), torch.as_tensor(bias)
    head = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.device)
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
    return head


class DrawnLinear(nn.Linear):
    """A linear layer that :meth:`draw` gives other first weights, for as long as it has learned nothing."""

    def reset_parameters(self) -> None:
        """Draw weights from torch's global generator, and remember them by their sum."""
        super().reset_parameters()
        self.first = float(self.weight.detach().double().sum()) if self.weight.device.type != "meta" else 0.0

    def draw(self) -> None:
        """Draw weights anew, on the CPU so that they are the same on every device, unless they have been changed."""
        if float(self.weight.detach().cpu().double().sum()) == self.first:
            fresh = DrawnLinear(self.in_features, self.out_features, self.bias is not None)
            self.load_state_dict(fresh.state_dict())
            self.first = fresh.first


def votes(similarity: np.ndarray, y: csr_array, k: int) -> np.ndarray:
    """Return the weighted mean of the k rows of y that are most similar, and a little of the mean of all.

    Args:
        similarity: ``(users, labelled)``; a row's own entry is -1 where it must not vote for itself.
        y: ``(labelled, outputs)``.
        k: rows that vote, at least 1 and at most ``labelled``.
    """
    others = np.argpartition(-similarity, k - 1, axis=1)[:, k:]
    weights = similarity.clip(0) + 1e-6
    np.put_along_axis(weights, others, 0, axis=1)
    return np.asarray((y.T @ (weights / weights.sum(1, keepdims=True)).T).T)


class NeighboursHead(nn.Module):
    """``h(z)``: the mean label of the k labelled users whose vectors point most nearly where z does (:func:`votes`).

    Nothing is trained: the labelled users' vectors and labels are kept, the labels as the sparse rows that they are.

    Args:
        labelled: number of labelled users.
        dim: length of g's vector.
        outputs: number of outputs.
        entries: labels that are not 0.
        k: labelled users that vote.
    """

    vectors: Tensor
    offsets: Tensor
    columns: Tensor
    values: Tensor

    def __init__(self, labelled: int, dim: int, outputs: int, entries: int, k: int) -> None:
        super().__init__()
        self.config: dict[str, Any] = dict(labelled=labelled, dim=dim, outputs=outputs, entries=entries, k=k)
        self.in_features, self.out_features = dim, outputs
        self.register_buffer("vectors", torch.zeros(labelled, dim))
        self.register_buffer("offsets", torch.zeros(labelled + 1, dtype=torch.int64))
        self.register_buffer("columns", torch.zeros(entries, dtype=torch.int64))
        self.register_buffer("values", torch.zeros(entries))

    @classmethod
    def of(cls, z: np.ndarray, y: csr_array, k: int) -> NeighboursHead:
        """Return it with g's vectors ``(labelled, dim)`` of labelled users and their labels ``(labelled, outputs)``."""
        head = cls(z.shape[0], z.shape[1], y.shape[1], y.nnz, k)
        head.vectors.copy_(torch.from_numpy(unit(z)))
        for name, part in (("offsets", y.indptr), ("columns", y.indices), ("values", y.data)):
            getattr(head, name).copy_(torch.from_numpy(part))
        return head

    def forward(self, z: Tensor) -> Tensor:
        """Return ``(users, outputs)``."""
        similarity = (F.normalize(z, dim=1) @ self.vectors.T).cpu().numpy()
        shape = len(self.vectors), self.out_features
        parts = (part.cpu().numpy() for part in (self.values, self.columns, self.offsets))
        found = votes(similarity, csr_array(tuple(parts), shape=shape), self.config["k"])
        return torch.from_numpy(found).to(z)


class StackHead(nn.Module):
    """The weighted sum of several heads' scores, each head reading its own piece of z.

    Args:
        heads: the parts; each reads as many numbers of z as its ``in_features`` say, one piece after the other.
        weights: of the parts; or several rows of them, for users who show more and more.
        edges: with several rows, the number of events from which the second row counts, the third and so on; z's last
            number is then how many events there are.
        standardised: a user's scores of a part are first brought to mean 0 and standard deviation 1, so that a part
            that is loud for one user is no louder than for another. It suits rankings; labels keep their unit.
    """

    weights: Tensor

    def __init__(
        self, heads: Sequence[nn.Module], weights: Sequence[Any], standardised: bool, edges: Sequence[int] = ()
    ) -> None:
        super().__init__()
        self.heads, self.standardised = nn.ModuleList(heads), standardised
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))
        self.edges = tuple(edges)
        self.widths: list[int] = [int(head.in_features) for head in heads]  # type: ignore[arg-type]
        self.in_features = sum(self.widths) + bool(self.edges)
        self.out_features = int(heads[0].out_features)  # type: ignore[arg-type]

    @property
    def config(self) -> dict[str, Any]:
        """What it can be built from again, in JSON's terms."""
        return {
            "heads": [describe_head(head) for head in self.heads], "weights": self.weights.tolist(),
            "standardised": self.standardised, "edges": list(self.edges),
        }  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        """Return ``(users, outputs)``."""
        pieces = z.split(self.widths + [1] * bool(self.edges), dim=1)
        weights = self.weights.reshape(-1, len(self.heads))
        if self.edges:
            weights = weights[(pieces[-1] >= torch.tensor(self.edges, device=z.device)).sum(1)]  # one row a user
        found = torch.zeros(len(z), self.out_features, device=z.device)
        for number, (head, piece) in enumerate(zip(self.heads, pieces, strict=False)):
            scores = head(piece)
            found += weights[:, number, None] * (standard(scores) if self.standardised else scores)
        return found


def standard(scores: Tensor) -> Tensor:
    """Return each row less its mean, over its standard deviation."""
    spread, mean = torch.std_mean(scores, dim=1, keepdim=True, correction=0)
    return (scores - mean) / spread.clamp_min(1e-12)


def unit(z: np.ndarray) -> np.ndarray:
    """Return the rows of z divided by their lengths; a row of zeros stays."""
    return z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)


HEADS: dict[str, type[nn.Module]] = {"NeighboursHead": NeighboursHead, "StackHead": StackHead}


def describe_head(head: Any) -> dict[str, Any] | None:
    """Return all that :func:`build_head` needs beside the tensors, in JSON's terms."""
    if head is None:
        return None
    if isinstance(head, nn.Linear):
        return {"inputs": head.in_features, "outputs": head.out_features}
    config: Any = head.config
    return {"type": type(head).__name__} | config


def build_head(described: dict[str, Any] | None) -> Any:
    """Return the head that was described, its weights to be filled in; KeyError or TypeError where it is damaged."""
    if described is None:
        return None
    if "type" not in described:
        return nn.Linear(described["inputs"], described["outputs"])
    how = {name: value for name, value in described.items() if name != "type"}
    if "heads" in how:
        how["heads"] = [build_head(head) for head in how["heads"]]
    return HEADS[described["type"]](**how)
