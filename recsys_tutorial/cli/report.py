"""What a command has to say, to a program and to a person."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ..data.files import to_json, write_text
from ..data.tables import write_table


class Report(NamedTuple):
    """What a command has to say: to a program and to a person."""

    records: list[dict[Any, Any]]
    text: str


def table(frame: pd.DataFrame) -> str:
    """Return a frame as aligned text, whole."""
    with pd.option_context("display.width", 200, "display.max_colwidth", 120):
        return frame.to_string(index=False)


def write_counted(path: Path, pieces: Iterator[pd.DataFrame], users: int, doing: str) -> int:
    """Write a table of users piece by piece, with a bar where there is a terminal, and return the number of rows."""

    def counted() -> Iterator[pd.DataFrame]:
        with tqdm(total=users, desc=doing, unit="user", disable=not sys.stderr.isatty()) as bar:
            for piece in pieces:
                yield piece
                bar.update(piece["user"].nunique())

    return write_table(path, counted())


def emit(report: Report, path: str | None) -> None:
    """Print the text, and write the records to ``path``; ``-`` prints these alone."""
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


Command = Callable[[Namespace], Report]
