"""``finetune``: a pretrained model and a person's labels, to a model that predicts them, with an honest report."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...learning import checkpoints
from ...learning.finetuning import RECIPES
from ...studies.judged import finetune_judged
from ..arguments import add_behaviour, add_labels, add_model_folder
from ..loading import behaviour_of, labels_of
from ..report import Report


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    parser.add_argument("labels", metavar="LABELS", help="a CSV, TSV or Parquet: user,label or user,value or user,item")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR2", help="folder for the fine-tuned model")
    parser.add_argument("--overwrite", action="store_true", help="replace what is in DIR2 once all is done")
    parser.add_argument("--strategy", choices=RECIPES, help="how far g moves (default: by the kind of task)")
    add_labels(parser)
    add_behaviour(parser)


def run(args: Namespace) -> Report:
    """Fine-tune a pretrained model on LABELS, and say what it is worth, by cross-validation inside them."""
    checkpoints.check_free(args.out, overwrite=args.overwrite)
    if args.out.resolve() == args.folder.resolve():
        raise InputError(f"--out {args.out} is the pretrained model itself: give another folder")
    labels = labels_of(args.labels, args)
    model = checkpoints.load_model(args.folder)
    behaviour = behaviour_of(model, args.folder, args)
    task = labels.on(behaviour)
    print(task.report, file=sys.stderr)
    f = finetune_judged(model, task, behaviour, args.strategy, seed=args.seed, device=args.device)
    checkpoints.save_model(args.out, f)
    report: Any = f.origin["report"]
    records = [{**row, "seed": args.seed, "out": str(args.out)} for row in report["records"]]
    made = f"{f.origin['strategy']}, {f.origin['labels']:,} labels, written to {args.out}"
    return Report(records, f"{report['text']}\n{made}")
