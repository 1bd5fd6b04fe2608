"""``f = h ∘ g`` out of the notebook: as a ``torch.export`` program, as an ONNX file, and that file in 8 bits.

Whoever serves f may have no jagged :class:`Batch`, so the exported f reads a table: ``items (users, events)``, each row
filled from the left, oldest first, then -1; and ``weights`` of the same shape. Both lengths are free.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch, as_batch, in_order
from ..data.files import write_bytes
from ..data.interactions import Interactions
from ..encoders import BagEncoder, CodedSequenceEncoder, SequenceEncoder, Together
from ..engine.heads import NeighboursHead
from ..errors import InputError
from ..model import PretrainedModel
from ..system.extras import require


def pad(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the table that the exported f reads: items ``(users, longest)``, -1 where there is none, and weights."""
    present = batch.present()
    items = torch.full(present.shape, -1, dtype=torch.int64)
    weights = torch.zeros(present.shape)
    items[present], weights[present] = batch.items, batch.weights
    return items, weights


def _bag(g: BagEncoder, items: Tensor, weights: Tensor) -> Tensor:
    weights = torch.where(items >= 0, g._weigh(weights, items.clamp_min(0)), 0.0)
    if g.config["normalise"]:
        weights = F.normalize(weights, dim=1)
    vectors = F.embedding(items.clamp_min(0), g.item_vectors)
    return g.layers((weights[:, None, :] @ vectors)[:, 0] + g.bias)


def _sequence(g: SequenceEncoder, items: Tensor, weights: Tensor) -> Tensor:
    lengths = (items >= 0).sum(1, keepdim=True)
    start = (lengths - g.max_length).clamp_min(0)
    shown, last = lengths - start, lengths - start - int(g.causal)  # the place of the state that is g(x)
    places = torch.arange(g.max_length + (not g.causal))[None]
    told = F.pad(items, (0, g.max_length + 1), value=-1).gather(1, start + places)
    vectors = F.normalize(F.embedding(told.clamp_min(0), g.item_vectors), dim=2) * (places < shown)[:, :, None]
    if not g.causal:
        mask = F.normalize(g.mask_vector, dim=0) + vectors.sum(1) / shown.clamp_min(1)
        vectors = torch.where((places == last)[:, :, None], mask[:, None, :], vectors)
    present = places <= last
    table = math.sqrt(g.dim) * (vectors + g.position_vectors[(last - places).clamp_min(0)]) * present[:, :, None]
    for block in g.blocks:
        table = block(table, present)
    state = (table * (places == last)[:, :, None]).sum(1)
    return torch.where(last >= 0, F.normalize(g.norm(state), dim=1), 0.0)


def _together(g: Together, items: Tensor, weights: Tensor) -> Tensor:
    parts = zip(g.parts, g.scales, strict=True)
    pieces = [encode(part, items, weights) * scale for part, scale in parts]
    return torch.cat([*pieces, (items >= 0).sum(1, keepdim=True).float()] if g.counts else pieces, dim=1)


# How an encoder reads the table, one entry a type: the same numbers as its forward gives for the jagged batch.
TABLE_FORMS: dict[type, Callable[..., Tensor]] = {
    BagEncoder: _bag, SequenceEncoder: _sequence, CodedSequenceEncoder: _sequence, Together: _together,
}  # fmt: skip


def encode(g: nn.Module, items: Tensor, weights: Tensor) -> Tensor:
    """Return g's vectors ``(users, dim)`` of a table of items (see :func:`pad`)."""
    if type(g) not in TABLE_FORMS:
        names = sorted(known.__name__ for known in TABLE_FORMS)
        raise InputError(f"cannot export g {type(g).__name__}: known are {names}, add yours to export.TABLE_FORMS")
    return TABLE_FORMS[type(g)](g, items, weights)


class _OnTables(nn.Module):
    def __init__(self, f: PretrainedModel) -> None:
        super().__init__()
        self.g, self.h = f.feature_extractor, f.classifier

    def forward(self, items: Tensor, weights: Tensor) -> Tensor:
        return self.h(encode(self.g, items, weights))


def export_program(model: PretrainedModel) -> torch.export.ExportedProgram:
    """Return f as a graph that runs without this package: ``(items, weights) -> (users, outputs)``.

    ``torch.export.save`` writes it; ``program.module()(*pad(batch))`` runs it.

    Raises:
        InputError: no head, or one of votes; an encoder without an entry in :data:`TABLE_FORMS`.
    """
    if model.classifier is None:
        raise InputError("this model has no head h: export needs f = h ∘ g")
    if any(isinstance(part, NeighboursHead) for part in model.classifier.modules()):
        raise InputError("a head of neighbours' votes cannot be exported: fine-tune with strategy='probe' or 'wide'")
    example = (torch.tensor([[0, 0, -1], [0, -1, -1]]), torch.ones(2, 3))
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    was_training = model.training
    try:
        with torch.no_grad(), _quiet():
            return torch.export.export(_OnTables(model.eval()).eval(), example, dynamic_shapes=(free, free))
    finally:
        model.train(was_training)


def export_onnx(model: PretrainedModel, path: str | Path) -> None:
    """Write f to ``path`` as ONNX, whole: inputs ``items`` and ``weights``, output ``scores``; 2 GB at most.

    Raises:
        InputError: the extra ``export`` is not installed; see :func:`export_program`.
    """
    require("export", "ONNX")
    names: dict[str, Any] = {"input_names": ["items", "weights"], "output_names": ["scores"]}
    program = export_program(model)
    with _quiet():
        exported: Any = torch.onnx.export(program, dynamo=True, verbose=False, **names)
    proto = exported.model_proto
    for part in (proto.graph, *proto.functions):  # where each node came from: folders of the machine that exported it
        for node in part.node:
            del node.metadata_props[:]
    write_bytes(path, proto.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporters say at every call (torchvision is missing, pre-processing is recommended)."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)


def quantise_onnx(path: str | Path, quantised: str | Path) -> None:
    """Write the ONNX model at ``path`` with its weights in 8 bits; its inputs as they come.

    Item vectors and layers become int8: a quarter of the size. What it costs in NDCG is to
    be measured on your data, with :func:`recsys_tutorial.evaluate` and :class:`OnnxModel`.

    Raises:
        InputError: the extra ``export`` is not installed.

    Source: ONNX Runtime, dynamic quantisation.
    """
    require("export", "quantisation")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with TemporaryDirectory() as folder, _quiet():
        written = Path(folder) / "int8.onnx"
        # 7 bits of each weight: without VNNI, whole products of 8 bits overflow the 16 that AVX2 adds them in.
        quantize_dynamic(str(path), str(written), reduce_range=True, weight_type=QuantType.QInt8, per_channel=True)
        write_bytes(quantised, written.read_bytes())


class OnnxModel:
    """An exported f that scores as the model it came from does, by ONNX Runtime: for :func:`recsys_tutorial.evaluate`.

    Args:
        path: written by :func:`export_onnx` or :func:`quantise_onnx`.
        threads: of ONNX Runtime; 0 leaves it the choice.

    Raises:
        InputError: the extra ``export`` is not installed; no ONNX model of f at ``path``.
    """

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        require("export", "ONNX Runtime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its classes derive from Exception alone
            raise InputError(f"{path} is no ONNX model that can be run: export it anew ({error})") from error

    def score(self, behaviour: Batch | Interactions, batch_size: int = 512) -> np.ndarray:
        """Return f's outputs ``(users, outputs)``, float32."""
        batch = as_batch(behaviour)
        pieces = []
        for rows in in_order(len(batch), batch_size):
            items, weights = pad(batch.take(rows))
            pieces += self.session.run(["scores"], {"items": items.numpy(), "weights": weights.numpy()})
        return np.concatenate(pieces)
