"""DATA of a command: a name of the catalogue, a file, or a folder of interactions."""

from __future__ import annotations

import sys
import warnings
from argparse import Namespace
from pathlib import Path

from ..data.interactions import Interactions
from ..data.published.datasets import DATASETS, load_dataset, unknown_dataset
from ..data.readers import read_interactions
from ..data.reports import DroppedRows
from ..data.storage import open_interactions
from ..data.tables import ENDINGS
from ..engine import processes as distributed
from ..errors import InputError

COLUMNS = ("user", "item", "rating", "timestamp", "title", "genres", "behaviour")


def load(
    data: str, columns: str | None = None, duplicates: str = "error", form: str | None = None, strict: bool = True
) -> Interactions:  # fmt: skip
    """Return the data set called ``data``, or the file or the folder of interactions at that path.

    Args:
        data: a name of :data:`recsys_tutorial.data.published.datasets.DATASETS`, or a path.
        columns: ``user=uid,item=sku``: how the columns of the file are called.
        duplicates: see :func:`recsys_tutorial.data.events.from_events`.
        form: see :func:`recsys_tutorial.read_interactions`.
        strict: see there too.
    """
    path = Path(data)
    is_path = path.suffix.lower() in (*ENDINGS, ".inter") or path.name != data or path.exists()
    if data not in DATASETS and not is_path:
        raise unknown_dataset(data, [near.name for near in Path().iterdir() if near.suffix in ENDINGS])
    if data in DATASETS:
        if columns is not None:
            raise InputError(f"--columns is for a file, {data!r} is not one: leave it out")
        return load_dataset(data)
    if path.is_dir():
        if columns is not None:
            raise InputError(f"--columns is for a file, {data!r} is a folder: leave it out")
        return open_interactions(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedRows)  # the report says the same
        return read_interactions(data, **_parse_columns(columns), duplicates=duplicates, form=form, strict=strict)


def tell(interactions: Interactions) -> None:
    """Say on standard error how the data was read, and what it is; of several processes one says it."""
    if not distributed.speaks():
        return
    if interactions.report is not None:
        print(interactions.report, file=sys.stderr)
    print(interactions, file=sys.stderr)


def _parse_columns(text: str | None) -> dict[str, str]:
    columns: dict[str, str] = {}
    for part in text.split(",") if text is not None else ():
        role, _, column = map(str.strip, part.partition("="))
        if role not in COLUMNS or role in columns or not column:
            raise InputError(
                f"--columns {text!r}: write it as user=uid,item=sku, each once; the roles are {', '.join(COLUMNS)}"
            )
        columns[role] = column
    return columns


def load_told(args: Namespace) -> Interactions:
    """Return the data that the arguments of :func:`..arguments.add_data` ask for, and say how it was read."""
    interactions = load(args.data, args.columns, args.duplicates, args.form, args.strict)
    tell(interactions)
    return interactions
