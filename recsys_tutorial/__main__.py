"""The command line: ``python -m recsys_tutorial COMMAND`` (also installed as ``recsys-tutorial``)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from . import __version__, commands, machine
from .errors import InputError, TrainingError
from .events import DUPLICATES
from .files import to_json, write_text
from .objectives import OBJECTIVES


class OneLineParser(ArgumentParser):
    """A parser whose complaint is one line; ``--help`` tells the rest."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and exit with 2."""
        self.exit(2, f"recsys-tutorial: {message} (see {self.prog} --help)\n")


def at_least(lowest: int) -> Callable[[str], int]:
    """Return a reader of whole numbers that are not below ``lowest``."""

    def read(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < lowest:
            raise ArgumentTypeError(f"{text!r} is not a whole number of at least {lowest}")
        return int(text)

    return read


def parser() -> ArgumentParser:
    """Return the parser of all commands."""
    common = ArgumentParser(add_help=False)
    common.add_argument("--seed", type=at_least(0), default=0, help="fixes every random draw (default 0)")
    common.add_argument("--threads", type=at_least(1), help="threads for torch (default: its own choice)")
    common.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    common.add_argument("--json", metavar="FILE", help="write tidy records there too; - prints them and nothing else")
    data = ArgumentParser(add_help=False)
    data.add_argument("data", metavar="DATA", help="a name from `datasets`, or a CSV, TSV or Parquet file")
    data.add_argument("--columns", help="the file's column names: user=uid,item=sku,rating=stars,timestamp=ts")
    data.add_argument("--duplicates", choices=DUPLICATES, default="error", help="one user, one item, twice")

    whole = OneLineParser(prog="recsys-tutorial", description="Pretrained models for recommender systems.")
    whole.add_argument("--version", action="version", version=__version__)
    found = whole.add_subparsers(metavar="COMMAND", required=True, parser_class=OneLineParser)

    def add(name: str, run: commands.Command, *parents: ArgumentParser) -> ArgumentParser:
        one = found.add_parser(name, parents=[*parents, common], help=run.__doc__, description=run.__doc__)
        one.set_defaults(run=run)
        return one

    add("demo", commands.run_demo)
    add("datasets", commands.run_datasets)
    add("doctor", commands.run_doctor)
    one = add("pretrain", commands.run_pretrain, data)
    one.add_argument("--objective", choices=sorted(OBJECTIVES), default="denoising")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the model")
    one.add_argument("--epochs", type=at_least(1), default=50)
    one.add_argument("--dim", type=at_least(1), default=256, help="length of g's vector")
    one.add_argument("--resume", action="store_true", help="go on with the interrupted training in DIR")
    one = add("recommend", commands.run_recommend)
    one.add_argument("folder", type=Path, metavar="DIR", help="a folder that pretrain wrote")
    one.add_argument("--liked", action="append", default=[], metavar="ITEM", help="a title or an id; repeat it")
    one.add_argument("-k", type=at_least(1), default=10, help="how many (default 10)")
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after one clear line about what was wrong."""
    args = parser().parse_args(argv)
    try:
        _check_json(args.json)
        machine.use(args.threads, args.device)
        report = args.run(args)
        _emit(report, args)
    except (InputError, TrainingError, OSError, MemoryError) as error:
        print(f"recsys-tutorial: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("recsys-tutorial: stopped", file=sys.stderr)
        return 130
    return 0


def _check_json(path: str | None) -> None:
    """Find out before the work, not after it, that the result could not be written."""
    if path not in (None, "-") and (Path(path).is_dir() or not Path(path).resolve().parent.is_dir()):
        raise InputError(f"--json {path}: give a file in a folder that exists")


def _emit(report: commands.Report, args: Namespace) -> None:
    if args.json != "-":
        print(report.text)
    if args.json is None:
        return
    text = to_json([{key: _plain(value) for key, value in record.items()} for record in report.records])
    if args.json == "-":
        sys.stdout.write(text)
    else:
        write_text(args.json, text)


def _plain(value: object) -> object:
    """Turn NumPy scalars into Python's, NaN into null."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and value != value else value


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
