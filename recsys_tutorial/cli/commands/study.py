"""``study``: does pretraining help? The map, label efficiency, transfer, and the same again from a results file."""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from ...data.interactions import Interactions
from ...errors import InputError
from ...learning.finetuning import STRATEGIES
from ...objectives import OBJECTIVES
from ...studies import label_efficiency, read_journal, study_map, transfer
from ...studies.map import MAP_TASKS
from ...tasks import TASKS
from ..arguments import OneLineParser, add_common, add_file_options, add_training, counts, lengths, names, whole
from ..loading import Reading, load
from ..map_report import map_report
from ..report import Command, Report
from ..study_report import report

SAME = 1e-6  # values that differ by no more are the same: sums on one or two threads round differently


def arguments(parser: ArgumentParser) -> None:
    """Add the commands of ``study``, each with what it takes."""
    found = parser.add_subparsers(metavar="STUDY", required=True, parser_class=OneLineParser)

    def add(name: str, run: Command) -> ArgumentParser:
        one = found.add_parser(name, help=run.__doc__, description=run.__doc__)
        one.set_defaults(run=run)
        add_common(one)
        one.add_argument("--out", type=Path, metavar="FILE.jsonl", help="results file; a stopped study goes on")
        one.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the results file")
        return one

    one = add("label-efficiency", run_label_efficiency)
    _add_how(one)
    one.add_argument("data", metavar="DATA", help="a name from `datasets`, or a file")
    one.add_argument("--task", choices=TASKS, default="new-shelf")
    one.add_argument("--labels", type=lengths, default=[30, 100, 300], metavar="N[,N...]", help="labelled users")
    one.add_argument("--strategy", type=names, metavar="NAME[,NAME...]", help=f"only these of {', '.join(STRATEGIES)}")
    one.add_argument("--attribute", help="classification: the user attribute to tell (default: gender, or the first)")
    one.add_argument("--item", help="regression: the item whose rating is asked for (default: one of the most rated)")
    one = add("transfer", run_transfer)
    _add_how(one)
    one.add_argument("source", metavar="SOURCE", help="where behaviour is plentiful")
    one.add_argument("target", metavar="TARGET", help="the new service")
    one.add_argument("--labels", type=counts, default=[30, 100, 0], metavar="N[,N...]", help="known users; or all")
    one = add("map", run_map)
    one.add_argument("data", type=names, metavar="DATA[,DATA...]", help="names from `datasets`, or files")
    one.add_argument("--task", type=names, metavar="NAME[,NAME...]",
                     help=f"of {', '.join(MAP_TASKS)} (default: all that the data allows)")  # fmt: skip
    one.add_argument("--shown", type=counts, default=[1, 3, 0], metavar="N[,N...]",
                     help="new-shelf: events that a test user shows, or all (default 1,3,all)")  # fmt: skip
    one.add_argument("--labels", type=lengths, default=[30, 100], metavar="N[,N...]", help="labelled users")
    one.add_argument("--target", metavar="WHAT", help="target-behaviour: rating>=4, or behaviour=purchase")
    one.add_argument("--attribute", metavar="WHAT", help="attribute: gender, age>=35 (several: a,b)")
    one.add_argument("--seeds", type=whole(2, 1000), default=5, help="repetitions (default 5)")
    one.add_argument("--model", type=names, metavar="NAME[,NAME...]", help="only these of the map's models")
    one.add_argument("--draws", type=whole(1), help="draws of labelled users a seed (default: 100 users in all)")
    add_file_options(one)
    one.add_argument("--fewest", type=whole(1), default=5, help="events that a user and an item need (default 5)")
    for name, run in (("repeat", run_repeat), ("show", run_show)):
        add(name, run).add_argument("file", type=Path, metavar="FILE.jsonl", help="a results file")


def _add_how(parser: ArgumentParser) -> None:
    parser.add_argument("--seeds", type=whole(2, 1000), default=5, help="repetitions (default 5)")
    parser.add_argument("--objective", type=names, default=["denoising"], metavar="NAME[,NAME...]",
                        help=f"of pretraining; the verdict is about the first: {', '.join(OBJECTIVES)}")  # fmt: skip
    parser.add_argument("--model", type=names, metavar="NAME[,NAME...]", help="only these of the study's models")
    parser.add_argument("--draws", type=whole(1), help="draws of labelled users a seed (default: 300 users in all)")
    add_training(parser)
    add_file_options(parser)
    parser.add_argument("--fewest", type=whole(1), default=5, help="events that a user and an item need (default 5)")


def run_label_efficiency(args: Namespace) -> Report:
    """Measure how many labels pretraining saves, against strong rivals, over seeds; ends in a verdict."""
    with results_file(args.out) as out:
        return _run("label-efficiency", args, _label_settings(args), out)


def run_transfer(args: Namespace) -> Report:
    """Pretrain on SOURCE, fine-tune for TARGET with few of its users known; ends in a verdict."""
    with results_file(args.out) as out:
        return _run("transfer", args, _transfer_settings(args), out)


def run_map(args: Namespace) -> Report:
    """Measure when pretraining helps: kinds of label, data, how much is shown, how many are labelled."""
    with results_file(args.out) as out:
        return _run("map", args, _map_settings(args), out)


def run_repeat(args: Namespace) -> Report:
    """Run a study again from its results file, and say whether every value comes out the same."""
    header, cells = read_journal(args.file)
    origin = header.get("origin", {})
    if not origin.get("data"):
        raise InputError(f"{args.file} does not say how its data was read: it was not made by this command")
    again = Namespace(**{**vars(args), **origin, "figure": args.figure})
    with results_file(args.out) as out:
        found = _run(header["study"], again, header["settings"], out, header)
    new = {_key(row): row["value"] for row in found.records if "draws" in row}
    old = {_key({"data": header["data"], **row}): row["value"] for row in cells}
    missing = len(new.keys() - old.keys())
    differ = [key for key in old if key not in new or abs(new[key] - old[key]) > SAME]
    same = not differ and not missing
    record = {"metric": "repeated", "value": float(same), "cells": len(old), "differ": len(differ)}
    said = f"{len(old) - len(differ)} of {len(old)} values come out the same"
    said += f", {missing} were missing from {args.file}" if missing else ""
    said += f"; the first that differs: {differ[0]}" if differ else ""
    return Report([*found.records, record], f"{found.text}\n\n{said}")


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
    read = {"data": args.data, "fewest": args.fewest, **asdict(Reading.of(args))}
    loaded = [_load(name, args) for name in (args.data if isinstance(args.data, list) else [args.data])]
    for one in loaded:
        print(one, file=sys.stderr)
    origin = {"origin": read, "command": _command(sys.argv[1:])}
    do: Any = {"label-efficiency": label_efficiency, "transfer": transfer, "map": study_map}[study]
    do(*([loaded] if study == "map" else loaded), **settings, out=out, origin=origin, device=args.device)
    header, cells = read_journal(out)
    if stored is not None and header["fingerprint"] != stored["fingerprint"]:
        raise InputError(f"the data has changed: fingerprint {header['fingerprint']}, not {stored['fingerprint']}")
    return _report(header, pd.DataFrame(cells), args.figure)


def _report(header: dict[str, Any], results: pd.DataFrame, figure: Path | None) -> Report:
    return (map_report if header["study"] == "map" else report)(header, results, figure)


def _command(arguments: list[str]) -> str:
    """Return the command as it can be given again: without where its output went."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith(("--json=", "--figure=")) and argument not in ("--json", "--figure"):
            kept.append(argument)
        skip = argument in ("--json", "--figure")
    return shlex.join(["recsys-tutorial", *kept])


def _load(name: str, args: Namespace) -> Interactions:
    found = load(name, Reading.of(args))
    return found.filter_counts(per_user=args.fewest, per_item=args.fewest) if args.fewest > 1 else found


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(str(row.get(name)) for name in ("data", "task", "attribute", "shown", "model", "labels", "seed"))


def _label_settings(args: Namespace) -> dict[str, Any]:
    return dict(
        labels=args.labels, seeds=args.seeds, task=args.task, objectives=args.objective, models=args.model,
        seed=args.seed, dim=args.dim, epochs=args.epochs, draws=args.draws, extend=True, attribute=args.attribute,
        item=args.item,
    ) | ({"strategies": args.strategy} if args.strategy else {})  # fmt: skip


def _map_settings(args: Namespace) -> dict[str, Any]:
    return dict(
        tasks=args.task, shown=args.shown, labels=args.labels, seeds=args.seeds, target=args.target,
        attribute=args.attribute, models=args.model, seed=args.seed, draws=args.draws,
    )  # fmt: skip


def _transfer_settings(args: Namespace) -> dict[str, Any]:
    args.data = [args.source, args.target]
    return dict(
        labels=args.labels, seeds=args.seeds, objective=args.objective[0], models=args.model, seed=args.seed,
        dim=args.dim, epochs=args.epochs, draws=args.draws,
    )  # fmt: skip
