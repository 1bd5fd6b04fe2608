"""What follows from a map: a line for each cell, the law, and two figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..studies.map_findings import findings, law, saved_labels, sentences
from .report import Report

FORETOLD_BY = {"unseen_share": "unseen share", "strangers": "share of labelled users who have nothing in common"}


def map_report(header: dict[str, Any], results: pd.DataFrame, figure: Path | None) -> Report:
    """Return the map's cells, gains, saved labels and law; ``figure`` is the forest plot, the other lies beside it."""
    found, saved = findings(results), saved_labels(results)
    if figure is not None:
        from ..teaching.plots import forest, gain_against_unseen_share  # here, because matplotlib is slow to import

        forest(found).save(figure)
        gain_against_unseen_share(found).save(beside(figure))
    records = [*results.to_dict("records"), *found.to_dict("records"), *saved.to_dict("records")]
    texts = ["\n".join(sentences(found))]
    gains = found[found["metric"] == "gain_without_pretraining"]
    helped = int((gains["verdict"] == "positive").sum())
    texts.append(
        f"Pretraining helps in {helped} of {len(gains)} cells (intervals hold at once over the whole map, Holm)."
    )
    for name, said in FORETOLD_BY.items():
        if (rho := law(found, foreteller=name)) is not None:
            of_shelf: dict[Any, Any] = {"study": "map", "task": "new-shelf", "metric": "rank_correlation"}
            records.append(of_shelf | {"foreteller": name, "value": rho})
            texts.append(f"Relative gain and {said}: rank correlation {rho:.2f} over the new-shelf cells.")
    known = {key: value for key, value in header.items() if key in ("study", "fingerprint", "split", "command")}
    return Report([known | _without_nan(row) for row in records], "\n\n".join(texts))


def beside(figure: Path) -> Path:
    """Return where the second figure goes: ``map.png`` -> ``map_unseen_share.png``."""
    return figure.with_stem(f"{figure.stem}_unseen_share")


def _without_nan(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(key): value for key, value in row.items()
        if value is not None and not (isinstance(value, float) and np.isnan(value)) and value != ""
    }  # fmt: skip
