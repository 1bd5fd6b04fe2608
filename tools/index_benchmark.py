"""Exact search against approximate ones, one user at a time on one thread: ``docs/index.json``.

python tools/index_benchmark.py [OUT.json [ITEMS ...]]

The vectors are a real model's: ``denoising`` (dim 64) pretrained on lastfm's 17,632 artists, its head's rows with the
bias; the queries are g's vectors of users. More items are made of the real ones, each moved by a third of its length in
a random direction. Ratios are to the exact search of the same run. ``pip install usearch`` to measure that too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.files import to_json, write_text
from recsys_tutorial.serving.index import ItemIndex, as_queries

K, QUERIES = 10, 500
Search = Callable[[np.ndarray], np.ndarray]


def real_vectors() -> tuple[np.ndarray, np.ndarray]:
    """Return the head's rows with their bias, ``(17632, 65)``, and the queries ``(500, 65)``."""
    lastfm = rt.load_dataset("lastfm")
    model = rt.pretrain("denoising", lastfm, seed=0, dim=64)
    head = torch.cat([model.classifier.weight, model.classifier.bias[:, None]], 1)
    return head.detach().numpy(), as_queries(model.encode(lastfm.take_users(np.arange(QUERIES))))


def enlarge(vectors: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` vectors: the real ones, then moved copies."""
    copies = vectors[rng.integers(0, len(vectors), max(0, n - len(vectors)))]
    noise = rng.standard_normal(copies.shape, np.float32)
    length = np.linalg.norm(copies, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.concatenate([vectors[:n], copies + noise * length / 3])


def searches(vectors: np.ndarray) -> Iterator[tuple[str, int, float, Search]]:
    """Yield name, effort, seconds to build, and the search, of each way."""
    table = torch.from_numpy(vectors)
    yield "exact", 0, 0.0, lambda query: torch.topk(table @ torch.from_numpy(query), K).indices.numpy()
    started = time.perf_counter()
    index = ItemIndex(vectors)
    seconds = time.perf_counter() - started
    for index.probes in (1, 2, 4, 8, 16, 32, 64, 128):
        yield "faiss inverted file", index.probes, seconds, lambda query: index.search(query[None], K)[1][0]
    if importlib.util.find_spec("usearch") is None:
        return
    from usearch.index import Index

    started = time.perf_counter()
    graph = Index(ndim=vectors.shape[1], metric="ip", dtype="f32")
    graph.add(np.arange(len(vectors)), vectors, threads=1)
    seconds = time.perf_counter() - started
    for graph.expansion_search in (16, 64, 256, 1024):
        yield "usearch graph", graph.expansion_search, seconds, lambda query: graph.search(query, K, threads=1).keys


def measure(vectors: np.ndarray, queries: np.ndarray) -> list[dict[str, object]]:
    """Return one record for each way and effort: recall, milliseconds, and the share of the exact search's time."""
    records, truth, exact_ms = [], [], 0.0
    for name, effort, seconds, search in searches(vectors):
        for query in queries[:20]:
            search(query)
        times, found = [], []
        for query in queries:
            started = time.perf_counter()
            found.append(set(search(query).tolist()))
            times.append(1000 * (time.perf_counter() - started))
        truth = truth or found
        exact_ms = exact_ms or float(np.median(times))
        recall = np.mean([len(a & b) / K for a, b in zip(found, truth, strict=True)])
        records.append({
            "items": len(vectors), "search": name, "effort": effort, "recall_at_10": round(float(recall), 4),
            "median_ms": round(float(np.median(times)), 3), "p99_ms": round(float(np.percentile(times, 99)), 3),
            "of_exact": round(float(np.median(times)) / exact_ms, 4), "build_seconds": round(seconds, 1),
        })  # fmt: skip
        print(json.dumps(records[-1]), flush=True)
    return records


def main(out: Path, sizes: list[int]) -> None:
    """Measure every size and write the records."""
    torch.set_num_threads(1)
    vectors, queries = real_vectors()
    rng = np.random.default_rng(0)
    write_text(out, to_json([row for n in sizes for row in measure(enlarge(vectors, n, rng), queries)]))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/index.json"),
         [int(n) for n in sys.argv[2:]] or [20_000, 1_000_000])  # fmt: skip
