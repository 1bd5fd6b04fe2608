"""DATA of a command: a name of the catalogue, a file, or a folder of interactions."""

from __future__ import annotations

import os
import re
import shlex
import sys
import warnings
from argparse import Namespace
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from ..data.file_form import PACKED, STANDARD_INPUT, FileForm
from ..data.interactions import Interactions
from ..data.joining import joined, place_of, with_items
from ..data.published.datasets import DATASETS, load_dataset, unknown_dataset
from ..data.readers import read_interactions
from ..data.reports import DroppedRows
from ..data.storage import open_interactions
from ..data.tables import ENDINGS
from ..engine import processes as distributed
from ..errors import InputError
from ..model import PretrainedModel
from ..tasks import Task, read_labels
from ..tasks.reading import ROLES

COLUMNS = ("user", "item", "rating", "timestamp", "title", "genres", "behaviour")


@dataclass(frozen=True)
class Reading(FileForm):
    """How DATA is read, beside its name or path: what the options say, and what a model keeps to find its data again.

    Args:
        columns: ``user=uid,item=sku``: how the columns of the file are called, or their positions.
        duplicates: see :func:`recsys_tutorial.data.events.from_events`.
        form: see :func:`recsys_tutorial.read_interactions`.
        strict: see there too.
    """

    columns: str | None = None
    duplicates: str = "error"
    form: str | None = None
    strict: bool = True

    @classmethod
    def of(cls, args: Namespace) -> Self:
        """Return what the options of a command say; what it does not take is as usual."""
        return cls(**{one.name: getattr(args, one.name) for one in fields(cls) if hasattr(args, one.name)})


USUAL = Reading()


def load(data: str, how: Reading = USUAL) -> Interactions:
    """Return the data set called ``data``, or the file or the folder of interactions at that path.

    Args:
        data: a name of :data:`recsys_tutorial.data.published.datasets.DATASETS`, or a path.
        how: it is read, where it is a file.
    """
    path = Path(data)
    is_path = path.suffix.lower() in (*ENDINGS, *PACKED, ".inter") or path.name != data or path.exists()
    is_path |= path == STANDARD_INPUT
    if data not in DATASETS and not is_path:
        raise unknown_dataset(data, [near.name for near in Path().iterdir() if near.suffix in ENDINGS])
    if data in DATASETS:
        if how.columns is not None:
            raise InputError(f"--columns is for a file, {data!r} is not one: leave it out")
        return load_dataset(data)
    if path.is_dir():
        if how.columns is not None:
            raise InputError(f"--columns is for a file, {data!r} is a folder: leave it out")
        return open_interactions(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedRows)  # the report says the same
        columns: Any = _parse_columns(how.columns)
        return read_interactions(
            data, **columns, duplicates=how.duplicates, form=how.form, strict=how.strict, written=how
        )  # fmt: skip


def tell(interactions: Interactions) -> None:
    """Say on standard error how the data was read, and what it is; of several processes one says it."""
    if not distributed.speaks():
        return
    if interactions.report is not None:
        print(interactions.report, file=sys.stderr)
    print(interactions, file=sys.stderr)


def _parse_columns(
    text: str | None, roles: Collection[str] = COLUMNS, option: str = "--columns"
) -> dict[str, str | int]:  # fmt: skip
    columns: dict[str, str | int] = {}
    for part in text.split(",") if text is not None else ():
        role, _, column = map(str.strip, part.partition("="))
        if role not in roles or role in columns or not column:
            raise InputError(
                f"{option} {text!r}: write it as user=uid,item=sku, each once; the roles are {', '.join(roles)}"
            )
        columns[role] = int(column) if re.fullmatch("[0-9]{1,4}", column) else column
    return columns


def load_told(args: Namespace) -> Interactions:
    """Return the data that the arguments of :func:`..arguments.add_data` ask for, and say how it was read."""
    interactions = load(args.data, Reading.of(args))
    tell(interactions)
    return interactions


def data_as_given(args: Namespace) -> str:
    """Return DATA as another command is to have it, with the options that say how it is read."""
    how = asdict(Reading.of(args))
    given = {name: value for name, value in how.items() if name != "strict" and value != getattr(USUAL, name)}
    return _words(args.data, given) + ("" if how["strict"] else " --no-strict")


def labels_as_given(args: Namespace) -> str:
    """Return LABELS as ``finetune`` is to have them, with the options that say how they are read."""
    names = ("task", "label_columns", "at_least")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    form = {name: getattr(args, f"label_{name}") or getattr(args, name) for name in ("encoding", "decimal")}
    other = {f"label_{name}": mark for name, mark in form.items() if mark != getattr(USUAL, name)}
    return _words(args.labels, given | other)


def _words(name: str, options: dict[str, Any]) -> str:
    words = (f"--{option.replace('_', '-')} {shlex.quote(str(value))}" for option, value in options.items())
    return " ".join([shlex.quote(name), *words])


def told(args: Namespace) -> dict[str, Any]:
    """Return where the data of a command comes from, so that it is found again from anywhere; standard input is not."""
    if Path(args.data) == STANDARD_INPUT:
        return {}
    data = args.data if args.data in DATASETS else os.path.abspath(args.data)
    return {"read": {"data": data, **asdict(Reading.of(args))}}


def as_its_data(file: str, model: PretrainedModel, args: Namespace) -> Namespace:
    """Return the arguments; where they say nothing of how files are read, ``file`` is read as the model's data was."""
    read: Any = model.origin.get("read")
    if read is None or file in DATASETS or Reading.of(args) != USUAL:
        return args
    return Namespace(**{**vars(args), **{name: value for name, value in read.items() if name != "data"}})


def behaviour_of(model: PretrainedModel, folder: Path, args: Namespace) -> Interactions:
    """Return the behaviour that a model is to read, on the model's items, and say what it is.

    That is what ``--behaviour`` names, else the data that the model was pretrained on: it has to be what it was.
    """
    if model.catalogue is None:
        raise InputError(f"{folder}: this model does not know its items, so no file can be laid on them: pretrain one")
    if args.behaviour is not None:
        found = load(args.behaviour, Reading.of(as_its_data(args.behaviour, model, args)))
    else:
        read: Any = model.origin.get("read")
        if read is None:
            raise InputError(f"{folder} does not say where its data lies: name a file with --behaviour FILE")
        found = _again(read, folder)
        more: Any = model.origin.get("more", [])
        for since in more:
            found = joined(found, _again(since, folder))
        if found.fingerprint != model.origin["data_fingerprint"]:
            raise InputError(
                f"{read['data']} has changed since {folder} was pretrained on it (fingerprint {found.fingerprint}, was "
                f"{model.origin['data_fingerprint']}): give it as --behaviour {read['data']}, if that is what you want"
            )
    tell(found)
    if found.catalogue.fingerprint == model.catalogue.fingerprint:
        return found
    on_model = with_items(found, model.catalogue)
    strange = found.n_events - on_model.n_events
    if not on_model.n_events:
        raise InputError(
            f"{found.name!r} has no item that {folder} knows, as {model.catalogue.ids[0]!r}: the two need the same ids"
        )
    if strange:
        items = int((place_of(found.item_ids, model.catalogue.ids) < 0).sum())
        print(f"{strange:,} events on {items:,} items that {folder} does not know are left out", file=sys.stderr)
    return on_model


def _again(read: dict[str, Any], folder: Path) -> Interactions:
    """Return the data that a model says it was read from (see :func:`told`)."""
    try:
        return load(read["data"], Reading(**{name: value for name, value in read.items() if name != "data"}))
    except FileNotFoundError as error:
        raise InputError(f"{folder} was pretrained on {read['data']}, now gone: give --behaviour FILE") from error


def labels_of(path: str, args: Namespace) -> Task:
    """Return the labels that the arguments of :func:`..arguments.add_labels` ask for."""
    columns = _parse_columns(args.label_columns, ROLES, "--label-columns")
    how = FileForm(args.label_encoding or args.encoding, args.label_decimal or args.decimal)
    return read_labels(path, task=args.task, columns=columns, at_least=args.at_least, written=how)
