"""``advise``: is pretraining worth it on these two files?"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ...studies.advice import advise
from ..arguments import add_data, add_labels, program
from ..loading import data_as_given, labels_as_given, labels_of, load_told
from ..report import Report


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_data(parser, "BEHAVIOUR")
    parser.add_argument("labels", metavar="LABELS", help="a CSV, TSV or Parquet: user,label or user,value or user,item")
    add_labels(parser)


def run(args: Namespace) -> Report:
    """Say whether pretraining on BEHAVIOUR is worth it for LABELS, by how much, and what to run next."""
    labels = labels_of(args.labels, args)
    names = data_as_given(args), labels_as_given(args)
    told = advise(load_told(args), labels, names=names, seed=args.seed, device=args.device, program=program())
    return Report([{**row, "seed": args.seed} for row in told.records()], str(told))
