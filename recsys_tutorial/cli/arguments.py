"""How words of a command are read: whole numbers, lists, and complaints of one line."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ..data.events import DUPLICATES
from ..data.readers import FORMS
from ..tasks.reading import KINDS


def program() -> str:
    """Return how this program was started, as people can type it: start.py says so where that started it."""
    return os.environ.get("RECSYS_TUTORIAL_COMMAND", "recsys-tutorial")


class OneLineParser(ArgumentParser):
    """A parser whose complaint is one line; ``--help`` tells the rest."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and exit with 2."""
        self.exit(2, f"recsys-tutorial: {one_line(message)} (see {self.prog} --help)\n")


def whole(lowest: int, highest: int = 2**31 - 1) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``lowest`` to ``highest``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
            raise ArgumentTypeError(f"{text!r} is not a whole number between {lowest:,} and {highest:,}")
        return int(text)

    return read


def names(text: str) -> list[str]:
    """Read ``a,b,c``, all different."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise ArgumentTypeError("is empty: write it as name,name")
    if twice := next((name for name in found if found.count(name) > 1), None):
        raise ArgumentTypeError(f"{text!r} names {twice!r} twice: once is enough")
    return found


def lengths(text: str) -> list[int]:
    """Read ``10,20``."""
    return [whole(1)(name) for name in names(text)]


def counts(text: str) -> list[int]:
    """Read ``30,100,all``; all is 0."""
    return [0 if name == "all" else whole(1)(name) for name in names(text)]


def add_common(parser: ArgumentParser) -> None:
    """Add what every command takes."""
    parser.add_argument("--seed", type=whole(0), default=0, help="fixes every random draw (default 0)")
    parser.add_argument("--threads", type=whole(1, 1024), help="threads for torch (default: its own choice)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--json", metavar="FILE", help="write tidy records there too; - prints them and nothing else")


def add_data(parser: ArgumentParser, called: str = "DATA") -> None:
    """Add DATA and how its file is read."""
    parser.add_argument("data", metavar=called, help="a name from `datasets`, or a file")
    add_file_options(parser)
    parser.add_argument("--form", choices=FORMS, help="a table with a header, or one user a line (default: look)")
    parser.add_argument("--no-strict", dest="strict", action="store_false",
                        help="drop rows that cannot be read, keep the last of repeats, and say how many")  # fmt: skip


def add_file_options(parser: ArgumentParser) -> None:
    """Add how the columns of a file are called, how it is written, and what a repeated pair means."""
    parser.add_argument("--columns", metavar="ROLE=NAME[,...]",
                        help="the file's column names: user=uid,item=sku,rating=stars,timestamp=ts; without a header, "
                        "their positions: user=1,item=2")  # fmt: skip
    parser.add_argument("--duplicates", choices=DUPLICATES, default="error", help="one user, one item, twice")
    parser.add_argument("--encoding", metavar="NAME", default="utf-8",
                        help="of text files: latin-1, utf-16, gb18030, ... (default utf-8)")  # fmt: skip
    parser.add_argument("--decimal", metavar="MARK", default=".", help="between number and fraction: . (default) or ,")
    parser.add_argument("--time-format", metavar="FORMAT", help="as '%%d.%%m.%%Y %%H:%%M' (default: ISO, or seconds)")


def add_labels(parser: ArgumentParser) -> None:
    """Add how a file of labels is read."""
    parser.add_argument("--task", choices=sorted(KINDS.values()), help="what LABELS ask for (default: look)")
    parser.add_argument("--label-columns", metavar="ROLE=NAME[,...]",
                        help="how LABELS calls its columns: user=uid,label=gender; or user=1,label=2")  # fmt: skip
    parser.add_argument("--label-encoding", metavar="NAME", help="of LABELS, where it is not that of --encoding")
    parser.add_argument("--label-decimal", metavar="MARK", help="of LABELS, where it is not that of --decimal")
    parser.add_argument("--at-least", type=float, metavar="RATING", help="ranking: wanted from this rating on")


def add_behaviour(parser: ArgumentParser) -> None:
    """Add whose behaviour a model is to read, where it is not that of its own data."""
    parser.add_argument("--behaviour", metavar="FILE",
                        help="what users did, where it is not what DIR was pretrained on: newer, others")  # fmt: skip
    add_file_options(parser)


def add_among(parser: ArgumentParser) -> None:
    """Add which items may be shown."""
    parser.add_argument("--items", metavar="FILE", help="only items in this file, which has a column item")
    parser.add_argument("--genre", metavar="NAME", help="only items of this genre")


def add_training(parser: ArgumentParser) -> None:
    """Add how long g is pretrained, and how long its vector is."""
    parser.add_argument("--epochs", type=whole(1), help="of pretraining (default: the objective's own)")
    parser.add_argument("--dim", type=whole(1), help="length of g's vector (default: the objective's own)")


def add_model_folder(parser: ArgumentParser) -> None:
    """Add DIR."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that pretrain wrote")


def one_line(text: str) -> str:
    """Return the text without line breaks or repeated blanks."""
    return " ".join(text.split())
