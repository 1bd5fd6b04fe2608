"""What hypothesis draws: events as columns, ids as they stand in real files, rows of items; batches read back."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import torch
from hypothesis import strategies as st

from recsys_tutorial.data.batches import Batch

ODD_IDS = ("007", "7", "1e5", "1.0", "-1", "NA", "null", "nan", "True", "a,b", 'say "hi"', "ß", "日本", "Σ∘", "x y")
SMALL_IDS = st.integers(0, 6)
SECONDS = st.integers(1_000_000_000, 2_000_000_000)
ROWS = st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=6)


@st.composite
def columns(draw, ids=SMALL_IDS, unique=True, times=SECONDS, max_size=25):
    """Draw user, item, weight and timestamp, one entry per event; ``unique`` leaves out repeated pairs."""
    pair = st.tuples(ids, ids)
    pairs = draw(st.lists(pair, min_size=1, max_size=max_size, unique=unique))
    n = len(pairs)
    return {
        "user": [user for user, _ in pairs],
        "item": [item for _, item in pairs],
        "weight": draw(st.lists(st.integers(1, 10).map(lambda w: w / 2), min_size=n, max_size=n)),
        "timestamp": draw(st.lists(times, min_size=n, max_size=n)),
    }


def text_ids():
    """Draw ids as they stand in files: numbers, things that look like numbers, any letters, commas and quotes."""
    letters = st.characters(exclude_categories=("Cs", "Cc"))  # no half characters, no control characters
    word = st.text(letters, min_size=1, max_size=5).map(str.strip).filter(bool)
    return st.sampled_from(ODD_IDS) | st.integers(0, 30).map(str) | word


def numbered(rows: list[list[int]]) -> Batch:
    """A batch whose weights number the events, so that an event can be told from its like."""
    batch = Batch.from_lists(rows)
    return dataclasses.replace(batch, weights=torch.arange(len(batch.items), dtype=torch.float32))


def lists(batch: Batch) -> list[list[tuple[int, float]]]:
    """The batch as one list of (item, weight) per user."""
    pairs = list(zip(batch.items.tolist(), batch.weights.tolist(), strict=True))
    ends = batch.offsets.tolist()
    assert (ends[0], ends[-1]) == (0, len(pairs))
    return [pairs[start:end] for start, end in pairwise(ends)]
