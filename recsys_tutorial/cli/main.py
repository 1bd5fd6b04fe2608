"""The parser of all commands, and what becomes of their reports and errors."""

from __future__ import annotations

import re
import sys
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..data.reports import TiedTimes
from ..engine import processes as distributed
from ..errors import InputError, TrainingError
from ..evaluation.lists import TiedScores
from ..system import machine
from .arguments import OneLineParser, add_common, one_line, program
from .commands import (
    advise,
    benchmark,
    datasets,
    demo,
    doctor,
    evaluate,
    finetune,
    predict,
    pretrain,
    recommend,
    serve,
    similar,
    study,
    update,
)  # fmt: skip
from .report import emit

COMMANDS = {
    "demo": demo, "datasets": datasets, "doctor": doctor, "pretrain": pretrain, "advise": advise,
    "finetune": finetune, "predict": predict, "evaluate": evaluate, "benchmark": benchmark,
    "recommend": recommend, "similar": similar, "update": update, "serve": serve,
}  # fmt: skip

_show = warnings.showwarning


def parser() -> ArgumentParser:
    """Return the parser of all commands."""
    top = OneLineParser(prog=program(), description="Pretrained models for recommender systems.")
    top.add_argument("--version", action="version", version=__version__)
    found = top.add_subparsers(metavar="COMMAND", required=True, parser_class=OneLineParser)
    for name, command in COMMANDS.items():
        one = found.add_parser(name, help=command.run.__doc__, description=command.run.__doc__)
        one.set_defaults(run=command.run)
        if hasattr(command, "arguments"):
            command.arguments(one)
        add_common(one)
    study.arguments(found.add_parser("study", help="does pretraining help? experiments over seeds, with a verdict"))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after one clear line about what was wrong."""
    args = parser().parse_args(argv)
    try:
        _check_files(args)
        machine.use(args.threads, args.device)
        if distributed.started() > 1 and args.run is not pretrain.run:
            raise InputError("only pretrain runs in several processes: start this command without torchrun")
        with warnings.catch_warnings():
            warnings.showwarning = _careful
            report = args.run(args)
        if distributed.speaks():
            emit(report, args.json)
    except (InputError, OSError, MemoryError, RuntimeError) as error:
        if (text := _explain(error)) is None:
            raise
        print(f"recsys-tutorial: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("recsys-tutorial: stopped", file=sys.stderr)
        return 130
    return 0


def _check_files(args: Namespace) -> None:
    """Find out before the work, not after it, that a result could not be written."""
    for name in ("json", "figure", "out"):
        path = getattr(args, name, None)
        makes_folder = args.run in (pretrain.run, finetune.run, update.run)
        if path in (None, "-") or (name == "out" and makes_folder):
            continue
        if Path(path).is_dir() or not Path(path).resolve().parent.is_dir():
            raise InputError(f"--{name} {path}: give a file in a folder that exists")
        if name == "figure":
            from ..teaching.plots.base import picture_format  # here, because matplotlib is slow to import

            picture_format(path)


def _careful(message: Warning | str, category: type[Warning], *where: Any, **also: Any) -> None:
    """Show a warning of ours as one line, without the place in the code, of which a user of a command has no use."""
    if not issubclass(category, TiedTimes | TiedScores):
        _show(message, category, *where, **also)
    elif distributed.speaks():
        print(one_line(f"careful: {message}"), file=sys.stderr)


def _explain(error: BaseException) -> str | None:
    """Return one line about an error that the user can do something about, else None: it is our mistake."""
    if isinstance(error, OSError) and error.filename is not None:
        return one_line(f"{error.filename}: {error.strerror}")
    if isinstance(error, InputError | TrainingError | OSError):
        return one_line(str(error))
    if isinstance(error, MemoryError) or re.search("allocate memory|out of memory", str(error)):
        return "not enough memory: take fewer data or a smaller --dim"
    return None
