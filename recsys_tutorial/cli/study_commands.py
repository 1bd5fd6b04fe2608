"""What ``study`` does: label efficiency, transfer, and the same again from a results file."""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ..data.interactions import Interactions
from ..errors import InputError
from ..studies import (
    FROM_SCRATCH,
    HEADLINE,
    gains,
    label_efficiency,
    label_multiplier,
    read_journal,
    summarise,
    transfer,
    unpretrained,
    verdict,
)
from ..studies.transfer import ALONE
from ..studies.transfer import HEADLINE as TRANSFERRED
from .commands import Report, load, table

SAME = 1e-6  # values that differ by no more are the same: sums on one or two threads round differently


def run_label_efficiency(args: Namespace) -> Report:
    """Measure how many labels pretraining saves, against strong rivals, over seeds; ends in a verdict."""
    with results_file(args.out) as out:
        return _run("label-efficiency", args, _label_settings(args), out)


def run_transfer(args: Namespace) -> Report:
    """Pretrain on SOURCE, fine-tune for TARGET with few of its users known; ends in a verdict."""
    with results_file(args.out) as out:
        return _run("transfer", args, _transfer_settings(args), out)


def run_repeat(args: Namespace) -> Report:
    """Run a study again from its results file, and say whether every value comes out the same."""
    header, cells = read_journal(args.file)
    origin = header.get("origin", {})
    if not origin.get("data"):
        raise InputError(f"{args.file} does not say how its data was read: it was not made by this command")
    again = Namespace(**{**vars(args), **origin, "figure": args.figure})
    with results_file(args.out) as out:
        report = _run(header["study"], again, header["settings"], out, header)
    new = {_key(row): row["value"] for row in report.records if "draws" in row}
    old = {_key(row): row["value"] for row in cells}
    missing = len(new.keys() - old.keys())
    differ = [key for key in old if key not in new or abs(new[key] - old[key]) > SAME]
    same = not differ and not missing
    record = {"metric": "repeated", "value": float(same), "cells": len(old), "differ": len(differ)}
    said = f"{len(old) - len(differ)} of {len(old)} values come out the same"
    said += f", {missing} were missing from {args.file}" if missing else ""
    said += f"; the first that differs: {differ[0]}" if differ else ""
    return Report([*report.records, record], f"{report.text}\n\n{said}")


def run_show(args: Namespace) -> Report:
    """Draw a results file and print its tables, without running anything."""
    header, cells = read_journal(args.file)
    return _report(header, pd.DataFrame(cells), args.figure)


@contextlib.contextmanager
def results_file(out: Path | None) -> Iterator[Path]:
    """Give the file to write results to: ``out``, or one that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield out or Path(folder) / "results.jsonl"


def _run(
    study: str, args: Namespace, settings: dict[str, Any], out: Path, stored: dict[str, Any] | None = None
) -> Report:
    read = {name: getattr(args, name) for name in ("data", "columns", "duplicates", "fewest")}
    loaded = [_load(name, args) for name in (args.data if isinstance(args.data, list) else [args.data])]
    for one in loaded:
        print(one, file=sys.stderr)
    origin = {"origin": read, "command": _command(sys.argv[1:])}
    do: Any = {"label-efficiency": label_efficiency, "transfer": transfer}[study]
    do(*loaded, **settings, out=out, origin=origin, device=args.device, progress=True)
    header, cells = read_journal(out)
    if stored is not None and header["fingerprint"] != stored["fingerprint"]:
        raise InputError(f"the data has changed: fingerprint {header['fingerprint']}, not {stored['fingerprint']}")
    return _report(header, pd.DataFrame(cells), args.figure)


def _command(arguments: list[str]) -> str:
    """Return the command as it can be given again: without where its output went."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith(("--json=", "--figure=")) and argument not in ("--json", "--figure"):
            kept.append(argument)
        skip = argument in ("--json", "--figure")
    return shlex.join(["recsys-tutorial", *kept])


def _load(name: str, args: Namespace) -> Interactions:
    found = load(name, args.columns, args.duplicates)
    return found.filter_counts(per_user=args.fewest, per_item=args.fewest) if args.fewest > 1 else found


def _report(header: dict[str, Any], results: pd.DataFrame, figure: Path | None) -> Report:
    """Return all that follows from the cells: means, gains, multipliers and the verdict."""
    settings, constant = header["settings"], _constant(header, results)
    transferred = header["study"] == "transfer"
    model = TRANSFERRED if transferred else HEADLINE[settings["task"]]
    rivals = ALONE if transferred else unpretrained(settings["task"])
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


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["model"], row["labels"], row["seed"]


def _label_settings(args: Namespace) -> dict[str, Any]:
    return dict(
        labels=args.labels, seeds=args.seeds, task=args.task, objectives=args.objective, models=args.model,
        seed=args.seed, dim=args.dim, epochs=args.epochs, draws=args.draws, extend=True, attribute=args.attribute,
        item=args.item,
    ) | ({"strategies": args.strategy} if args.strategy else {})  # fmt: skip


def _transfer_settings(args: Namespace) -> dict[str, Any]:
    args.data = [args.source, args.target]
    return dict(
        labels=args.labels, seeds=args.seeds, objective=args.objective[0], models=args.model, seed=args.seed,
        dim=args.dim, epochs=args.epochs, draws=args.draws,
    )  # fmt: skip
