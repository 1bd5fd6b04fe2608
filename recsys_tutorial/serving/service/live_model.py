"""The model that answers, loaded once, and replaced when its folder holds another one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...data.catalogue import RawId
from ..recommend import Recommender, best_of, reasons

Row = dict[Any, Any]


class Served:
    """The recommender in a folder.

    Replace the model by writing another into the folder (files are written whole, so no half is ever read), or by
    pointing a link at another folder: :meth:`refresh` sees both. A request that has begun ends with the model that it
    began with.

    Args:
        folder: written by ``pretrain``, or by :meth:`Recommender.save`.

    Raises:
        MissingFileError: no model there.
        InputError: damaged, or it cannot recommend.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._loaded = self._mark()
        self.recommender = Recommender.load(self.folder)
        vectors = self.recommender.model.feature_extractor.item_vectors.detach().numpy()
        self._unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)  # once, not at each request
        catalogue = self.recommender.catalogue
        self._folded = [label.casefold() for label in catalogue.labels(range(len(catalogue)))]
        self._warm_up()

    def _warm_up(self) -> None:
        """Build what the first request would have to wait for: the tables of ids and titles, torch's threads."""
        first = [str(self.recommender.catalogue.ids[0])]
        self.recommend(first, 1)
        self.similar(first[0], 1)

    def _mark(self) -> tuple[str, int, int] | None:
        """Return what changes when the folder holds another model; None while there is none."""
        path = (self.folder / "model.json").resolve()
        try:
            stat = path.stat()
        except OSError:
            return None
        return str(path), stat.st_mtime_ns, stat.st_ino

    def refresh(self) -> bool:
        """Load the folder's model if it is not the one in use; return whether it was replaced.

        What cannot be loaded is told on standard error once, and the old model goes on.
        """
        mark = self._mark()
        if mark is None or mark == self._loaded:
            return False
        self._loaded = mark
        try:
            fresh = Served(self.folder)
        except Exception as error:  # whatever is wrong with the new model, the old one answers
            print(f"recsys-tutorial: the new model cannot be used, the old one goes on: {error}", file=sys.stderr)
            return False
        self._loaded, self.recommender, self._unit = fresh._loaded, fresh.recommender, fresh._unit
        self._folded = fresh._folded
        print(f"recsys-tutorial: now serving {self.fingerprint}", file=sys.stderr)
        return True

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of the catalogue."""
        return self.recommender.catalogue.fingerprint

    def recommend(self, liked: Sequence[RawId], k: int, explain: bool = False) -> list[Row]:
        """Return up to ``k`` recommendations, each with its reasons where asked; InputError for an unknown item."""
        recommender = self.recommender
        seen = {recommender.catalogue.index_of(item) for item in liked}
        left = len(recommender.outputs) - len(seen)
        rows = recommender.recommend(liked, min(k, left)).to_dict("records") if left > 0 else []
        if rows and explain:
            why = reasons(recommender.explain(liked, [row["item"] for row in rows]))
            for row, some in zip(rows, why, strict=True):
                row["because"] = some.set_axis(["item", "title", "adds"], axis=1).to_dict("records")
        return rows

    def find(self, text: str, k: int) -> list[Row]:
        """Return up to ``k`` items whose titles hold ``text``, in any case: those that begin with it first."""
        catalogue, folded = self.recommender.catalogue, text.casefold()
        places = [(not title.startswith(folded), n) for n, title in enumerate(self._folded) if folded in title]
        return [{"item": catalogue.ids[n], "title": catalogue.label(n)} for _, n in sorted(places)[:k]]

    def similar(self, item: RawId, k: int) -> list[Row]:
        """Return up to ``k`` similar items, as :meth:`Recommender.similar` does; InputError as there."""
        catalogue, unit = self.recommender.catalogue, self._unit
        index = catalogue.index_of(item)
        allowed = np.arange(len(catalogue)) != index
        k = min(k, len(catalogue) - 1)
        return best_of(unit @ unit[index], catalogue, allowed, k).to_dict("records") if k > 0 else []
