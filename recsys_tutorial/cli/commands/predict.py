"""``predict``: what a fine-tuned model says of every user, to a file."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...data.tables import check_writable
from ...learning.checkpoints import load_model
from ...serving.predict import predictions
from ...system import machine
from ..arguments import add_behaviour, add_model_folder, whole
from ..asked import users_of
from ..loading import behaviour_of
from ..report import Report, write_counted


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    parser.add_argument("--users", required=True, metavar="FILE|all", help="a file with a column user, or all")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="to write: .csv, .tsv or .parquet")
    parser.add_argument("-k", type=whole(1), default=10, help="ranking: how many items (default 10)")
    add_behaviour(parser)


def run(args: Namespace) -> Report:
    """Predict for every user: a class with its probabilities, a value, or a ranking, one row a user."""
    check_writable(args.out)
    model = load_model(args.folder)
    behaviour = users_of(args.users, behaviour_of(model, args.folder, args), args)
    started = time.perf_counter()
    rows = write_counted(args.out, predictions(model, behaviour, args.k), behaviour.n_users, "predicting")
    record = {"model": str(args.folder), "task": model.origin.get("task"), "users": rows, "out": str(args.out),
              "seconds": time.perf_counter() - started, "peak_mb": machine.peak_mb()}  # fmt: skip
    return Report([record], f"{rows:,} users in {record['seconds']:.1f} s, written to {args.out}")
