"""The command line: ``python -m recsys_tutorial COMMAND`` (also installed as ``recsys-tutorial``)."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import __version__
from .benchmark import PARTS
from .cli import commands, study_commands
from .data.events import DUPLICATES
from .data.files import to_json, write_text
from .data.readers import FORMS
from .data.splits import PROTOCOLS
from .engine import processes as distributed
from .errors import InputError, TrainingError
from .evaluation.by_name import BASELINES
from .learning.finetuning import STRATEGIES
from .objectives import OBJECTIVES
from .system import machine
from .tasks import TASKS


class OneLineParser(ArgumentParser):
    """A parser whose complaint is one line; ``--help`` tells the rest."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and exit with 2."""
        self.exit(2, f"recsys-tutorial: {_one_line(message)} (see {self.prog} --help)\n")


def whole(lowest: int, highest: int = 2**31 - 1) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``lowest`` to ``highest``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
            raise ArgumentTypeError(f"{text!r} is not a whole number between {lowest:,} and {highest:,}")
        return int(text)

    return read


def names(text: str) -> list[str]:
    """Read ``a,b,c``."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise ArgumentTypeError("is empty: write it as name,name")
    return found


def lengths(text: str) -> list[int]:
    """Read ``10,20``."""
    return [whole(1)(name) for name in names(text)]


def counts(text: str) -> list[int]:
    """Read ``30,100,all``; all is 0."""
    return [0 if name == "all" else whole(1)(name) for name in names(text)]


def parser() -> ArgumentParser:
    """Return the parser of all commands."""
    common = ArgumentParser(add_help=False)
    common.add_argument("--seed", type=whole(0), default=0, help="fixes every random draw (default 0)")
    common.add_argument("--threads", type=whole(1, 1024), help="threads for torch (default: its own choice)")
    common.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    common.add_argument("--json", metavar="FILE", help="write tidy records there too; - prints them and nothing else")
    data = ArgumentParser(add_help=False)
    data.add_argument("data", metavar="DATA", help="a name from `datasets`, or a file")
    data.add_argument("--columns", help="the file's column names: user=uid,item=sku,rating=stars,timestamp=ts")
    data.add_argument("--duplicates", choices=DUPLICATES, default="error", help="one user, one item, twice")
    data.add_argument("--form", choices=FORMS, help="a table with a header, or one user a line (default: look)")
    data.add_argument("--no-strict", dest="strict", action="store_false",
                      help="drop rows that cannot be read, keep the last of duplicates, and say how many")  # fmt: skip

    top = OneLineParser(prog="recsys-tutorial", description="Pretrained models for recommender systems.")
    top.add_argument("--version", action="version", version=__version__)
    found: Any = top.add_subparsers(metavar="COMMAND", required=True, parser_class=OneLineParser)

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
    one.add_argument("--epochs", type=whole(1), help="passes over the users (default: the objective's own)")
    one.add_argument("--dim", type=whole(1), help="length of g's vector (default: the objective's own)")
    one.add_argument("--sampled-softmax", type=whole(1), metavar="N",
                     help="for large catalogues: let the softmax run over N items drawn at every step")  # fmt: skip
    taken = one.add_mutually_exclusive_group()
    taken.add_argument("--resume", action="store_true", help="go on with the interrupted training in DIR")
    taken.add_argument("--overwrite", action="store_true", help="replace what is in DIR once the new model is complete")
    one.add_argument("--shard-items", action="store_true", help="under torchrun: each keeps some of the items")
    one = add("evaluate", commands.run_evaluate, data)
    one.add_argument("--model", type=names, default=["popularity", "ease"], metavar="NAME|DIR[,NAME...]",
                     help=f"any of {', '.join([*BASELINES, *OBJECTIVES])}, or folders that pretrain wrote")  # fmt: skip
    one.add_argument("--protocol", choices=PROTOCOLS, default="held-out-users")
    one.add_argument(
        "--metric", type=names, default=["ndcg", "recall"], help="ndcg,recall,mrr,map,hit_rate,coverage,..."
    )
    one.add_argument("--k", type=lengths, metavar="K[,K...]", help="lengths of the list (default 10,20,100)")
    one.add_argument("--sampled", type=whole(1), metavar="N", help="rank among N random items only: to see it mislead")
    one.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the table with its intervals")
    add_studies(found, common)
    one = add("benchmark", commands.run_benchmark)
    one.add_argument("data", metavar="DATA", nargs="?",
                     help="what is trained on (default: in hardware invented, in quality real)")  # fmt: skip
    one.add_argument("--part", type=names, metavar="NAME[,NAME]", help=f"only these of {', '.join(PARTS)}")
    one.add_argument("--objective", type=names, metavar="NAME[,NAME]", help="only these (default: all)")
    one.add_argument("--figure", type=Path, metavar="FILE.png", help="draw every figure that has a bar against it")
    one.add_argument("--against", type=names, default=[], metavar="NAME[,NAME]", help="peers: cornac,implicit,irspack")
    one = add("recommend", commands.run_recommend)
    one.add_argument("folder", type=Path, metavar="DIR", help="a folder that pretrain wrote")
    one.add_argument("--liked", action="append", default=[], metavar="ITEM", help="a title or an id; repeat it")
    one.add_argument("-k", type=whole(1), default=10, help="how many (default 10)")
    one = add("serve", commands.run_serve)
    one.add_argument("folder", type=Path, metavar="DIR", help="a folder that pretrain wrote")
    one.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    one.add_argument("--port", type=whole(0, 65535), default=8000, help="0 takes a free one (default 8000)")
    return top


def add_studies(found: Any, common: ArgumentParser) -> None:
    """Add ``study`` and its own commands."""
    study = found.add_parser("study", help="does pretraining help? experiments over seeds that end in a verdict")
    found = study.add_subparsers(metavar="STUDY", required=True, parser_class=OneLineParser)
    how = ArgumentParser(add_help=False)
    how.add_argument("--seeds", type=whole(2, 1000), default=5, help="repetitions (default 5)")
    how.add_argument("--objective", type=names, default=["denoising"], metavar="NAME[,NAME...]",
                     help=f"of pretraining; the verdict is about the first: {', '.join(OBJECTIVES)}")  # fmt: skip
    how.add_argument("--model", type=names, metavar="NAME[,NAME...]", help="only these of the study's models")
    how.add_argument("--draws", type=whole(1), help="draws of labelled users a seed (default: 300 users in all)")
    how.add_argument("--epochs", type=whole(1), help="of pretraining (default: the objective's own)")
    how.add_argument("--dim", type=whole(1), help="length of g's vector (default: the objective's own)")
    how.add_argument("--columns", help="a file's column names: user=uid,item=sku,rating=stars,timestamp=ts")
    how.add_argument("--duplicates", choices=DUPLICATES, default="error", help="one user, one item, twice")
    how.add_argument("--fewest", type=whole(1), default=5, help="events that a user and an item need (default 5)")
    files = ArgumentParser(add_help=False)
    files.add_argument("--out", type=Path, metavar="FILE.jsonl", help="results file; a study that was stopped goes on")
    files.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the results file")

    def add(name: str, run: commands.Command, *parents: ArgumentParser) -> ArgumentParser:
        one = found.add_parser(name, parents=[*parents, common], help=run.__doc__, description=run.__doc__)
        one.set_defaults(run=run)
        return one

    one = add("label-efficiency", study_commands.run_label_efficiency, how, files)
    one.add_argument("data", metavar="DATA", help="a name from `datasets`, or a file")
    one.add_argument("--task", choices=TASKS, default="new-shelf")
    one.add_argument("--labels", type=lengths, default=[30, 100, 300], metavar="N[,N...]", help="labelled users")
    one.add_argument("--strategy", type=names, metavar="NAME[,NAME...]", help=f"only these of {', '.join(STRATEGIES)}")
    one.add_argument("--attribute", help="classification: the user attribute to tell (default: gender, or the first)")
    one.add_argument("--item", help="regression: the item whose rating is asked for (default: one of the most rated)")
    one = add("transfer", study_commands.run_transfer, how, files)
    one.add_argument("source", metavar="SOURCE", help="where behaviour is plentiful")
    one.add_argument("target", metavar="TARGET", help="the new service")
    one.add_argument("--labels", type=counts, default=[30, 100, 0], metavar="N[,N...]", help="known users; or all")
    for name, run in (("repeat", study_commands.run_repeat), ("show", study_commands.run_show)):
        one = add(name, run, files)
        one.add_argument("file", type=Path, metavar="FILE.jsonl", help="a results file")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after one clear line about what was wrong."""
    args = parser().parse_args(argv)
    try:
        _check_files(args)
        machine.use(args.threads, args.device)
        if distributed.started() > 1 and args.run is not commands.run_pretrain:
            raise InputError("only pretrain runs in several processes: start this command without torchrun")
        report = args.run(args)
        if distributed.speaks():
            _emit(report, args.json)
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
        if path in (None, "-") or (name == "out" and args.run is commands.run_pretrain):  # which makes its folder
            continue
        if Path(path).is_dir() or not Path(path).resolve().parent.is_dir():
            raise InputError(f"--{name} {path}: give a file in a folder that exists")
        if name == "figure":
            from .teaching.plots.base import picture_format  # here, because matplotlib is slow to import

            picture_format(path)


def _emit(report: commands.Report, path: str | None) -> None:
    records = [{key: _plain(value) for key, value in record.items()} for record in report.records]
    if path == "-":
        sys.stdout.write(to_json(records, ascii_only=True))
        return
    if path is not None:
        write_text(path, to_json(records))
    if isinstance(sys.stdout, TextIOWrapper):  # a title may hold letters that the terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    print(report.text)


def _plain(value: object) -> object:
    """Turn NumPy scalars into Python's, NaN into null."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and value != value else value


def _explain(error: BaseException) -> str | None:
    """Return one line about an error that the user can do something about, else None: it is our mistake."""
    if isinstance(error, OSError) and error.filename is not None:
        return _one_line(f"{error.filename}: {error.strerror}")
    if isinstance(error, InputError | TrainingError | OSError):
        return _one_line(str(error))
    if isinstance(error, MemoryError) or re.search("allocate memory|out of memory", str(error)):
        return "not enough memory: take fewer data or a smaller --dim"
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
