"""``benchmark``: speed and memory as ratios, against what arithmetic costs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import pandas as pd

from ...benchmark import PARTS, benchmark
from ..arguments import names
from ..loading import load
from ..report import Report, table


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("data", metavar="DATA", nargs="?",
                        help="what is trained on (default: in hardware invented, in quality real)")  # fmt: skip
    parser.add_argument("--part", type=names, metavar="NAME[,NAME]", help=f"only these of {', '.join(PARTS)}")
    parser.add_argument("--objective", type=names, metavar="NAME[,NAME]", help="only these (default: all)")
    parser.add_argument("--figure", type=Path, metavar="FILE.png", help="draw every figure that has a bar against it")
    parser.add_argument("--against", type=names, default=[], metavar="NAME[,NAME]",
                        help="peers: cornac,implicit,irspack")  # fmt: skip


def run(args: Namespace) -> Report:
    """Measure speed and memory as ratios: all parts take about 15 minutes on two cores, each says what it finds."""
    data = None if args.data is None else load(args.data)
    records = benchmark(args.part, args.against, args.seed, data, objectives=args.objective, progress=True)
    if args.figure:
        from ...teaching.plots import benchmark as draw  # here, because matplotlib is slow to import

        draw(pd.DataFrame(records)).save(args.figure)
    columns = ["part", "metric", "value", "low", "high", "bar", "ok", "threads", "load"]
    return Report(records, table(pd.DataFrame(records)[columns].round(2)))
