"""``pretrain``: g from a log, written to a folder."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pandas as pd

from ...data.files import make_folder
from ...engine import processes as distributed
from ...learning import checkpoints
from ...learning.pretraining import pretrain
from ...objectives import OBJECTIVES
from ...studies.contenders import for_labels
from ...system import machine
from ...tasks.reading import KINDS
from ..arguments import add_data, add_training, whole
from ..loading import Reading, load, tell, told
from ..report import Report


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_data(parser)
    parser.add_argument("--objective", choices=sorted(OBJECTIVES), default="denoising")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the model")
    parser.add_argument("--for", dest="suits", choices=sorted(KINDS.values()), metavar="TASK",
                        help="settings that suit few labels of this kind, instead of the decoder's lists")  # fmt: skip
    add_training(parser)
    parser.add_argument("--sampled-softmax", type=whole(1), metavar="N",
                        help="for large catalogues: let the softmax run over N items drawn at every step")  # fmt: skip
    taken = parser.add_mutually_exclusive_group()
    taken.add_argument("--resume", action="store_true", help="go on with the interrupted training in DIR")
    taken.add_argument("--overwrite", action="store_true", help="replace what is in DIR once the new model is complete")
    parser.add_argument("--shard-items", action="store_true", help="under torchrun: each keeps some of the items")


def run(args: Namespace) -> Report:
    """Pretrain g and write the model to a folder; under torchrun, all processes together."""
    with distributed.joined(args.device) as device:
        return _train(args, device)


def _train(args: Namespace, device: str) -> Report:
    checkpoints.check_free(args.out, args.resume, args.overwrite)
    interactions = load(args.data, Reading.of(args))
    make_folder(args.out)
    tell(interactions)
    how = {} if args.suits is None else for_labels(args.objective, interactions.n_users, args.suits != "ranking")
    how |= {name: getattr(args, name) for name in ("epochs", "dim") if getattr(args, name) is not None}
    how |= {} if args.sampled_softmax is None else {"sampled_softmax": args.sampled_softmax}
    end = "nothing was left to do for" if args.resume and checkpoints.is_finished(args.out) else "written to"
    started = time.perf_counter()
    model = pretrain(
        args.objective, interactions, seed=args.seed, device=device, told=told(args),
        checkpoint=args.out, resume=args.resume, overwrite=args.overwrite, shard_items=args.shard_items, **how,
    )  # fmt: skip
    seconds, last = time.perf_counter() - started, pd.DataFrame(model.history).iloc[-1]
    record = {
        "model": args.objective, "data": interactions.name, "metric": "loss", "value": float(last["loss"]),
        "epochs": int(last["epoch"]), "seed": args.seed, "seconds": seconds,
        "peak_mb": distributed.highest(machine.peak_mb()), "processes": distributed.size(),
        "parameters": sum(p.numel() for p in model.parameters()), "out": str(args.out),
    }  # fmt: skip
    text = (
        f"{args.objective}: {record['epochs']} epochs in {seconds:.0f} s, loss {last['loss']:.1f}, "
        f"{record['parameters']:,} parameters, {record['peak_mb']:.0f} MB at most; {end} {args.out}"
    )
    return Report([record], text)
