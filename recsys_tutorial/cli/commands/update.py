"""``update``: a pretrained model and what happened since, to a model that knows both, with an honest report."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...learning import checkpoints
from ...learning.updating import check_updatable
from ...studies.updated import update_judged
from ..arguments import add_data, add_model_folder, whole
from ..loading import as_its_data, behaviour_of, load_told, told
from ..report import Report


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    add_data(parser, "MORE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR2", help="folder for the updated model")
    parser.add_argument("--overwrite", action="store_true", help="replace what is in DIR2 once all is done")
    parser.add_argument("--epochs", type=whole(1), help="of going on (default: two fifths of those of DIR)")
    parser.add_argument("--behaviour", metavar="FILE", help="what DIR was pretrained on, where it lies elsewhere now")


def run(args: Namespace) -> Report:
    """Go on with a pretraining after more has happened, and say what moved and what it brought."""
    checkpoints.check_free(args.out, overwrite=args.overwrite)
    if args.out.resolve() == args.folder.resolve():
        raise InputError(f"--out {args.out} is the old model itself: give another folder")
    model = checkpoints.load_model(args.folder)
    check_updatable(model)
    before = behaviour_of(model, args.folder, args)
    args = as_its_data(args.data, model, args)
    more = load_told(args)
    origin: dict[str, Any] = model.origin
    read, since = origin.get("read"), [*origin.get("more", []), told(args).get("read")]
    if args.behaviour is not None or read is None or None in since:  # it could not be found again
        read, since = None, []
    how: Any = {"epochs": args.epochs, "seed": args.seed, "device": args.device, "told": {"read": read, "more": since}}
    found = update_judged(model, before, more, **how)
    checkpoints.save_model(args.out, found)
    report: Any = found.origin["report"]
    records = [{**row, "seed": args.seed, "out": str(args.out)} for row in report["records"]]
    return Report(records, f"{report['text']}\nupdated {found.origin['updated']}; written to {args.out}")
