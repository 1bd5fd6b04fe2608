"""What follows from the cells of a study: means, gains, label multipliers and the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ..studies import FROM_SCRATCH, HEADLINE, gains, label_multiplier, summarise, unpretrained, verdict
from ..studies.transfer import ALONE
from ..studies.transfer import HEADLINE as TRANSFERRED
from .report import Report, table


def report(header: dict[str, Any], results: pd.DataFrame, figure: Path | None) -> Report:
    """Return all that follows from the cells: means, gains, multipliers and the verdict."""
    settings, constant = header["settings"], _constant(header, results)
    transferred = header["study"] == "transfer"
    model = TRANSFERRED if transferred else HEADLINE[settings["task"]]
    rivals = ALONE if transferred else unpretrained(settings["task"], results["model"])
    asked: Any = results[results["model"] == model]["labels"].unique() if model in set(results["model"]) else []
    within = results[results["labels"].isin(asked)] if len(asked) else results
    summary = summarise(within)
    if figure is not None:
        from ..teaching.plots import label_efficiency as draw  # here, because matplotlib is slow to import

        draw(summary).save(figure)
    records: list[dict[Any, Any]] = results.to_dict("records") + summary.to_dict("records")
    texts = [_means(summary)]
    others = [name for name in summary["model"].unique() if not name.startswith("pretrained")]
    if len(asked) and others:
        found = gains(within, model, others)
        records += [row | constant | {"comparison": "gain"} for row in found.to_dict("records")]
        texts.append(f"{model} minus each, with intervals that hold at once (Holm):\n" + table(found.round(4)))
    slower = () if transferred or not len(asked) else (*FROM_SCRATCH, "raw ridge", "raw logistic")
    for rival in (name for name in slower if name in others):
        saved = label_multiplier(results, model, rival)
        rows = saved.to_dict("records")
        records += [row | constant | {"metric": "label_multiplier", "model": model, "rival": rival} for row in rows]
        texts.append(f"Labels that {rival} needs for what {model} reaches, as a multiple:\n{table(saved.round(2))}")
    if len(asked) and set(rivals) <= set(others):
        said = verdict(within, model, rivals)
        records += [row | constant | {"model": model, "metric": "verdict"} for row in said]
        texts.append("\n".join(row["text"] for row in said))
    known = {key: value for key, value in header.items() if key in ("study", "data", "fingerprint", "split", "command")}
    return Report([known | row for row in records], "\n\n".join(texts))


def _constant(header: dict[str, Any], results: pd.DataFrame) -> dict[str, Any]:
    return {name: results[name].iloc[0] for name in ("protocol", "task", "metric", "k")} | {
        "strategy": TRANSFERRED.split(" + ")[1] if header["study"] == "transfer" else
        HEADLINE[header["settings"]["task"]].split(" + ")[1]
    }  # fmt: skip


def _means(summary: pd.DataFrame) -> str:
    cells = summary.apply(lambda row: f"{row.value:.4f} [{row.ci_low:.3f}, {row.ci_high:.3f}]", axis=1)
    wide = summary.assign(cell=cells).pivot(index="model", columns="labels", values="cell")
    title = f"{summary['metric'].iloc[0]!s}, mean and 95 % interval over seeds, by number of labels"
    return title + "\n" + table(wide.loc[summary["model"].unique()].reset_index().rename_axis(columns=None))
